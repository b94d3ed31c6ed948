"""Which revision is meant: a folder, the active one, or one that is stored?

Finds revisions in the state directory and reads them without changing anything there. Rules:

1. A stored revision is named by its digest or the digest of its bundle, or by the beginning of one; a beginning that
   fits several names none. `+II` behind it means: with that emergency level in force.
2. It is read with the APIs that it was tied to then; what does not come to its own name is refused.
3. Whoever finds the revision of a decision finds exactly that one: bundle, level and catalog.
"""

import argparse
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from gateway.cli.screen import Screen

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.catalog import ApiBinding, Catalog
    from gateway.entries import VerdictEntry
    from gateway.policy import Bundle
    from gateway.review.diff import Side

ACTIVE: Final = "active"
_SHORTEST: Final = 8  # digits of a digest that may name a revision
_NAMED: Final = 12  # by so many it is named, if no other begins like it
_DIGITS: Final = 64


class Installed(Struct, frozen=True):
    """What a configuration says of the place: its state directory and its APIs, as far as it can be read."""

    config: str
    state: Path | None = None
    apis: "tuple[ApiBinding, ...]" = ()
    bound: bool = False


def installed(args: argparse.Namespace) -> Installed:
    """Where the gateway of this configuration keeps things; nothing when there is no configuration."""
    from gateway.config import load
    from gateway.document import Faulty

    path = Path(args.config)
    if not path.is_file():
        return Installed(args.config)
    try:
        config = load(path, os.environ)
    except Faulty:
        return Installed(args.config, _state(path))
    return Installed(args.config, config.state, config.apis, True)


def _state(path: Path) -> Path | None:
    """The state directory of a configuration that has faults, if not there."""
    from gateway.config import places
    from gateway.document import Faulty

    try:
        return places(path, os.environ).state
    except Faulty:
        return None


class Place(NamedTuple):
    """Where the policies stand that a word means; `revision` is the name of a stored one."""

    folder: Path
    revision: str = ""


def side(word: str, here: Installed, screen: Screen) -> "Side | None":
    """The policies that a word means; None after saying why there are none."""
    found = place(word, here, screen)
    return found and read(found, here, screen)


def place(word: str, here: Installed, screen: Screen) -> Place | None:
    """Where the policies stand that a word means; None after saying that it means none."""
    from gateway.app.revisions import base_of

    if word != ACTIVE and Path(word).is_dir():
        return Place(Path(word))
    if here.state is None:
        screen.warn("stored.none", "error", value=word)
        return None
    base, plus, level = word.partition("+")
    name = active(here.state) if base == ACTIVE else word
    if name and base == ACTIVE and plus:
        name = f"{name.partition('+')[0]}+{level}"  # that level instead of the one in force
    if not name:
        screen.warn("stored.no_active", "error", path=here.state)
        return None
    found = _named(name, here.state)
    if len(found) == 1:
        return Place(here.state / "bundles" / base_of(found[0]), found[0])
    screen.warn("stored.several" if found else "stored.none", "error", value=word, names=", ".join(found))
    return None


def read(place: Place, here: Installed, screen: Screen) -> "Side | None":
    """The policies that stand there; None after saying why they cannot be used."""
    if place.revision and here.state is not None:
        return _stored(place, here, here.state, screen)
    return _folder(place.folder, here, screen)


def _folder(folder: Path, here: Installed, screen: Screen) -> "Side | None":
    from gateway.catalog import load as load_catalog
    from gateway.document import Faulty
    from gateway.policy import load, offices
    from gateway.review.diff import Side

    try:
        catalog = load_catalog(folder / "catalog", here.apis, offices(folder), time.time())
        return Side(load(folder, catalog.assets, time.time()), catalog, here.bound, beside(folder))
    except Faulty as faulty:
        screen.faults(one for one in faulty.faults if not one.warning)
        return None


def _stored(place: Place, here: Installed, state: Path, screen: Screen) -> "Side | None":
    from gateway.document import Faulty
    from gateway.policy import Damaged
    from gateway.review.diff import Side

    try:
        bundle, catalog = recalled(place.revision, state, here.apis)
        registers = beside(place.folder)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return None
    except (OSError, Damaged) as damaged:
        screen.warn("stored.damaged", "error", name=place.revision, why=damaged)
        return None
    return Side(bundle, catalog, beside=registers)


def beside(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Machines and places of a policy folder, in words. Raises Faulty."""
    from gateway.behaviour import load_sites
    from gateway.device import load_register

    devices = {
        one.id: {"org": one.org, "managed": str(one.managed).lower(), "thumbprints": ", ".join(one.thumbprints)}
        for one in (load_register(folder / "devices.yaml") if (folder / "devices.yaml").exists() else ())
    }
    places = load_sites(folder / "sites.yaml") if (folder / "sites.yaml").exists() else ()
    sites = {one.name: {"networks": ", ".join(one.networks), "kind": one.kind} for one in places}
    return {"devices": devices, "sites": sites}


def recalled(name: str, state: Path, apis: "tuple[ApiBinding, ...]") -> "tuple[Bundle, Catalog]":
    """A stored revision as it was. Raises Faulty, OSError, `policy.Damaged`."""
    from gateway.app.revisions import apis_of, base_of, recall

    then = apis_of(state, base_of(name))
    compiled = recall(state, name, apis if then is None else then)
    return compiled.bundle, compiled.catalog


def active(state: Path) -> str:
    """The name of the revision in force, "" when nothing says so. Reads the store, never opens it for writing."""
    path = state / "state.db"
    if not path.is_file():
        return ""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT digest FROM activation ORDER BY id DESC LIMIT 1").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def _named(name: str, state: Path) -> list[str]:
    """The stored revisions that a digest or its beginning fits, each with the emergency level that was asked for."""
    base, plus, level = name.partition("+")
    if len(base) < _SHORTEST:
        return []
    fitting = [
        revision
        for bundle, revisions in bundles(state).items()
        for revision in revisions
        if revision.startswith(base) or bundle.startswith(base)
    ]
    return [f"{revision}{plus}{level}" for revision in sorted(fitting)]


def bundles(state: Path) -> dict[str, list[str]]:
    """The stored revisions by the digest of their bundle."""
    found: dict[str, list[str]] = {}
    for path in sorted((state / "bundles").glob("*/bundle.json")):
        if len(path.parent.name) == _DIGITS:  # a draft is none
            with path.open("rb") as file:
                digest = file.read(_DIGITS).decode("ascii", "replace")
            found.setdefault(digest, []).append(path.parent.name)
    return found


class _Found(NamedTuple):
    """A stored revision that decided."""

    revision: str
    bundle: "Bundle"
    catalog: "Catalog"


class Deciding:
    """The revisions that decided, each read once."""

    def __init__(self, state: Path, apis: "tuple[ApiBinding, ...]") -> None:
        self._state, self._apis = state, apis
        self._bundles = bundles(state)
        self._known: dict[tuple[str, str], _Found | None] = {}

    def named(self, bundle: str, catalog: str) -> str:
        """The beginning by which `side` finds the revision with this bundle and catalog; "" when it is not stored."""
        found = self._find(bundle, catalog)
        if found is None:
            return ""
        short = found.revision[:_NAMED]
        return short if len(_named(short, self._state)) == 1 else found.revision

    def of(self, entry: "VerdictEntry") -> "tuple[Bundle, Catalog]":
        """Bundle and catalog that decided this. Raises Unreplayable."""
        from gateway.review.recorded import Unreplayable

        found = self._find(entry.bundle, entry.revision)
        if found is None:
            raise Unreplayable(
                f"the revision that decided (bundle {entry.bundle[:12]}, catalog {entry.revision[:12]}) is no longer stored",
                f"作出判定的版本（策略包 {entry.bundle[:12]}，数据目录 {entry.revision[:12]}）已不再保存",
            )
        return found.bundle, found.catalog

    def _find(self, bundle: str, catalog: str) -> "_Found | None":
        key = (bundle, catalog)
        if key not in self._known:
            self._known[key] = self._search(bundle, catalog)
        return self._known[key]

    def _search(self, bundle: str, catalog: str) -> "_Found | None":
        from gateway.document import Faulty
        from gateway.policy import Damaged

        base, plus, level = bundle.partition("+")
        for revision in self._bundles.get(base, ()):
            try:
                found = recalled(f"{revision}{plus}{level}", self._state, self._apis)
            except (Faulty, OSError, Damaged):  # not what its name says, or tied to APIs that nobody knows any more
                continue
            if found[1].digest == catalog:
                return _Found(revision, *found)
        return None
