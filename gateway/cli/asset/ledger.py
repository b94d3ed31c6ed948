"""Where does the ledger stand, and how is it changed without being harmed?

Finds the catalog of the policies that are meant, and writes one file of it. Rules:

1. Before a file is written the whole catalog is read with it, by its own reader; what that refuses is not written.
2. Comments stay. A file whose comments cannot all be kept is left alone, with the reason.
3. A symbolic link is not followed, and what somebody else changed meanwhile is not overwritten (`rewrite`).
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.policy.meant import Located, located
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.catalog import Catalog
    from gateway.catalog.offices import Offices
    from gateway.document import FileFault, Plain
    from gateway.facts import Grade

Asset = dict[str, "Plain"]
WORDS = {
    "asset.raised": (
        "{asset}: its requests become {new}, before {old}: rules and clearances that reach up to {old} no longer cover it",
        "{asset}：其请求级别由 {old} 升为 {new}：只到 {old} 的规则与人员权限将不再覆盖",
    ),
}


_OF_BINDING = frozenset(("K013", "K014"))
"""Faults between gateway.yaml and the catalog: one of the two has to be written first."""


class Ledger(NamedTuple):
    """The catalog that is meant: read without faults, but for those of its APIs in `faults`, and then without any API.

    `today` is a day in the policies' time zone.
    """

    place: Located
    catalog: "Catalog"
    words: "Mapping[str, Grade]"
    offices: "Offices"
    today: str
    faults: "tuple[FileFault, ...]" = ()


class Judged(NamedTuple):
    """What would become of the catalog: what stops it from being written, and what stood against it before and still does."""

    errors: "list[FileFault]"
    before: "list[FileFault]"
    catalog: "Catalog | None"  # None where its reader refuses it


class Kept(NamedTuple):
    """An asset and the file that declares it; `text` is "" for a file that is not there yet."""

    path: Path
    text: str
    assets: "tuple[Asset, ...]"
    at: int

    @property
    def asset(self) -> Asset:
        """The asset as its file declares it."""
        return self.assets[self.at]


def ledger(args: argparse.Namespace, screen: Screen, mending: bool = False) -> Ledger | None:
    """The catalog that is meant; None after saying why it cannot be used.

    `mending`: what will be written may be just what an API of gateway.yaml is waiting for.
    """
    from gateway.catalog.offices import read_offices
    from gateway.document import Faulty

    place = located(args, screen)
    if place is None:
        refused(screen, 3)
        return None
    offices = read_offices(place.folder / "people.yaml")
    today = datetime.fromtimestamp(time.time(), offices.zone).date().isoformat()
    try:
        catalog, waiting = _unfaulty(place) if mending else (_loaded(place.folder, place), ())
        return Ledger(place, catalog, _words(place.folder), offices, today, waiting)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        refused(screen, 3, faulty.faults)
        return None


def refused(screen: Screen, code: int, faults: "Iterable[FileFault]" = ()) -> int:
    """The exit code, where nothing more is said: a program that asked for JSON gets a value here as well."""
    screen.result({"ok": False, "faults": fault_values(faults)})
    return code


def _unfaulty(place: Located) -> "tuple[Catalog, tuple[FileFault, ...]]":
    """The catalog, and what is wrong between it and its APIs alone. Raises Faulty for all else."""
    from gateway.document import Faulty

    try:
        return _loaded(place.folder, place), ()
    except Faulty as faulty:
        errors = tuple(one for one in faulty.faults if not one.warning)
        if not _OF_BINDING.issuperset(one.code for one in errors):
            raise
        return _loaded(place.folder, place._replace(apis=())), errors


def _loaded(folder: Path, place: Located) -> "Catalog":
    """The catalog of a policy folder, tied to the APIs of the place. Raises Faulty."""
    from gateway.catalog import load
    from gateway.document import Faulty
    from gateway.policy import offices

    try:
        orgs: frozenset[str] | None = offices(place.folder)
    except Faulty:  # `gateway policy check` tells what is wrong with people.yaml
        orgs = None
    return load(folder / "catalog", place.apis, orgs, time.time())


def _words(folder: Path) -> "Mapping[str, Grade]":
    """What may stand where a grade may."""
    from gateway.catalog.grades import GRADE_WORDS, read_grades

    return GRADE_WORDS | read_grades(folder / "grades.yaml", [])  # its faults are the catalog's


def kept(folder: Path, asset: str) -> Kept | None:
    """The file that declares this asset; None when none does. Raises Faulty, `rewrite.Refused`."""
    return next((one for one in every(folder) if one.asset.get("id") == asset), None)


def every(folder: Path) -> "list[Kept]":
    """Every asset of the catalog's files. Raises Faulty, `rewrite.Refused`."""
    from gateway.cli.policy.rewrite import take
    from gateway.document import parse

    found: list[Kept] = []
    for path in sorted((folder / "catalog").glob("[!.]*.yaml")):
        text = take(path).data.decode("utf-8-sig")
        root = parse(text, str(path)).plain()
        written = root.get("assets") if isinstance(root, dict) else None
        assets = tuple(one for one in (written if isinstance(written, list) else ()) if isinstance(one, dict))
        found += [Kept(path, text, assets, at) for at in range(len(assets))]
    return found


def with_assets(file: Kept, changed: Mapping[int, Asset], head: tuple[str, ...] = ()) -> str:
    """The text of the file with these assets in their places; `head` stands above a new file. Raises Unsafe."""
    from gateway.cli.policy.forms import FILE
    from gateway.document import amended, parse, written

    assets: list[Plain] = [changed.get(at, asset) for at, asset in enumerate(file.assets)]
    if not file.text:
        return written({"assets": assets}, FILE, head)
    root = parse(file.text, str(file.path)).plain()
    rest = dict(root) if isinstance(root, dict) else {}
    return amended(file.text, str(file.path), rest | {"assets": assets}, FILE)


def judged(found: Ledger, drafts: Mapping[Path, str]) -> Judged:
    """What the catalog's reader says of the whole catalog with these texts in the place of its files."""
    faults, catalog = _draft(found.place, drafts)
    known = {(one.code, one.en) for one in found.faults}
    errors = [one for one in faults if not one.warning]
    return Judged(
        [one for one in errors if (one.code, one.en) not in known],
        [one for one in errors if (one.code, one.en) in known],
        catalog,
    )


def _draft(place: Located, drafts: Mapping[Path, str]) -> "tuple[tuple[FileFault, ...], Catalog | None]":
    """Its faults, and the catalog; None where it is refused."""
    from gateway.document import Faulty

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "catalog").mkdir()
        for other in (place.folder / "catalog").glob("[!.]*.yaml"):
            shutil.copyfile(other, folder / "catalog" / other.name)
        for beside in ("grades.yaml", "people.yaml"):
            if (place.folder / beside).is_file():
                shutil.copyfile(place.folder / beside, folder / beside)
        for path, text in drafts.items():
            (folder / "catalog" / path.name).write_text(text, encoding="utf-8")
        try:
            catalog = _loaded(folder, place)
        except Faulty as faulty:
            return _renamed(faulty.faults, name, place.folder), None
    return _renamed(catalog.faults, name, place.folder), catalog


def tell_raised(found: Ledger, after: "Catalog | None", screen: Screen) -> None:
    """Say which assets would be asked for at a higher grade: rules that allow up to the old one no longer do."""
    if after is None or found.faults:  # read without its APIs it had other grades
        return
    before = {one.id: one for one in found.catalog.assets}
    for one in after.assets:
        was = before.get(one.id)
        if was is None or not was.routes:
            continue
        old, new = (max(route.grade for route in each.routes) for each in (was, one))
        if new > old:
            screen.warn("asset.raised", "warning", asset=one.id, old=old.text, new=new.text)


def _renamed(faults: "tuple[FileFault, ...]", drafts: str, folder: Path) -> "tuple[FileFault, ...]":
    """Faults of the draft as faults of the folder that it would become."""
    from msgspec.structs import replace

    def there(text: str) -> str:
        return text.replace(drafts, str(folder))

    return tuple(replace(one, file=there(one.file), en=there(one.en), zh=there(one.zh)) for one in faults)


def put(file: Kept, text: str, screen: Screen) -> bool:
    """Write the file; False after saying why it was left alone."""
    from gateway.cli.policy.rewrite import Refused, create, not_written, take
    from gateway.cli.policy.rewrite import put as put_back

    try:
        if not file.text:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            create(file.path, text.encode())
            return True
        original = take(file.path)
        if original.data.decode("utf-8-sig") != file.text:
            raise Refused("was changed by somebody else meanwhile", "期间被他人修改")
        put_back(original, text.encode())
    except (Refused, OSError) as error:
        screen.faults([not_written(file.path, error)])
        return False
    return True
