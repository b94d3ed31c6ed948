"""Which policies are in force, and how do all workers change to others at once?

A revision is a catalog and a policy that were read, tested and stored together, under one digest.
Rules:

1. What is stored is what was tested: the folder is copied first, and the copy must come to the same digest.
2. A revision that does not compile, or fails its own tests, changes nothing.
3. A stored revision is never overwritten; its name is its digest. One that can no longer be read as what its name says
   is stored anew: else no reload could ever mend it.
4. A worker reads the stored one, never the folder that somebody may be editing.
5. Nothing is read that every account of this machine can change: one line in there would allow everything.
6. Where signers are named, what is stored was signed by them: the copy is checked, never the folder that may change.
7. With an emergency level in force a revision is named `<64 hex>+II`; it is the stored one, read with that level.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import MsgspecError, Struct, json

from gateway import catalog, policy
from gateway.app.signatures import NOBODY, Signers
from gateway.behaviour import Site, load_sites
from gateway.catalog import ApiBinding, Catalog
from gateway.device import Device, load_register
from gateway.document import Faulty, FileFault, changeable
from gateway.policy import Bundle

CANDIDATE = "candidate"
APIS = "apis.json"
NAME = re.compile(r"[0-9a-f]{64}(\+(I|II|III|IV))?")
KEPT = 50  # stored revisions; older ones are removed, the active one never


class Compiled(Struct, frozen=True, eq=False):
    """A revision that was read: its parts, its digest, and what a reader should be warned of."""

    catalog: Catalog
    bundle: Bundle
    register: tuple[Device, ...]
    sites: tuple[Site, ...]
    digest: str
    warnings: tuple[FileFault, ...] = ()


def base_of(name: str) -> str:
    """The stored revision behind a name."""
    return name.partition("+")[0]


def level_of(name: str) -> str:
    """The emergency level in a name, "" for none."""
    return name.partition("+")[2]


def named(base: str, level: str) -> str:
    """The name of a stored revision with this level in force."""
    return f"{base}+{level}" if level else base


def raised(compiled: Compiled, level: str) -> Compiled:
    """The same revision with this emergency level in force, "" for none. Raises Faulty when it has no such level."""
    if level_of(compiled.digest) == level:
        return compiled
    try:
        bundle = compiled.bundle.raised(level)
    except ValueError:
        raise Faulty([_no_level(base_of(compiled.digest), level)]) from None
    name = named(base_of(compiled.digest), level)
    return Compiled(compiled.catalog, bundle, compiled.register, compiled.sites, name, compiled.warnings)


def _no_level(base: str, level: str) -> FileFault:
    return FileFault(
        f"emergency/{level}.yaml", 1, 1, "P166", f"the revision {base[:12]} has no emergency level {level}",
        f"修订版 {base[:12]} 没有 {level} 级应急措施", f"write emergency/{level}.yaml, or end the level first",
        f"请编写 emergency/{level}.yaml，或先结束该级别",
    )  # fmt: skip


def compile_folder(folder: Path, apis: tuple[ApiBinding, ...], now: float) -> Compiled:
    """Read a policy folder. Raises Faulty with the faults of all its files.

    Faults of the catalog come alone: without it, every rule that names an asset would look wrong.
    """
    if opened := tuple(_open_to_all(folder)):
        raise Faulty(opened)
    orgs = policy.offices(folder)
    listed = catalog.load(folder / "catalog", apis, orgs, now)
    faults: list[FileFault] = []
    bundle: Bundle | None = None
    register: tuple[Device, ...] = ()
    try:
        bundle = policy.load(folder, listed.assets, now)
    except Faulty as faulty:
        faults.extend(faulty.faults)
    try:
        register = load_register(folder / "devices.yaml", orgs)
    except Faulty as faulty:
        faults.extend(faulty.faults)
    sites: tuple[Site, ...] = ()
    try:
        sites = _sites(folder)
    except Faulty as faulty:
        faults.extend(faulty.faults)
    if bundle is None or faults:
        raise Faulty(faults)
    name = digest(bundle, listed, register, sites)
    return Compiled(listed, bundle, register, sites, name, (*listed.faults, *bundle.warnings))


def _open_to_all(folder: Path) -> Iterator[FileFault]:
    """A fault for each file and folder that anybody may write."""
    for path in (folder, *sorted(folder.rglob("[!.]*"))):
        if changeable(path):
            yield FileFault(
                str(path), 1, 1, "P096", "every account of this machine can change it", "本机的每个账号都能修改它",
                f"chmod o-w {path}", f"请执行 chmod o-w {path}",
            )  # fmt: skip


def _sites(folder: Path) -> tuple[Site, ...]:
    path = folder / "sites.yaml"
    return load_sites(path) if path.exists() else ()


def digest(bundle: Bundle, listed: Catalog, register: tuple[Device, ...], sites: tuple[Site, ...]) -> str:
    """What names the four together: what is not in the name could change without anybody noticing.

    The base name: all emergency levels are part of it, whichever is in force.
    """
    rest = sha256(json.encode((register, sites))).hexdigest()
    return sha256(f"{base_of(bundle.digest)}\n{listed.digest}\n{rest}".encode()).hexdigest()


def test(folder: Path, compiled: Compiled) -> tuple[FileFault, ...]:
    """The policy's own tests; a fault for each that fails."""
    results = policy.run_tests(folder, compiled.bundle, compiled.catalog.find)
    failed = [result for result in results if not result.passed]
    return tuple(fault for result in failed for fault in result.faults or (policy.failure(folder, result),))


def store(state: Path, folder: Path, apis: tuple[ApiBinding, ...], now: float, signers: Signers = NOBODY) -> Compiled:
    """Compile, test and store a policy folder; the stored revision. Raises Faulty, OSError."""
    if early := signers.faults(folder):  # told with the names of the author's own files; what counts is the copy
        raise Faulty(early)
    compiled = compile_folder(folder, apis, now)
    failed = test(folder, compiled)
    if failed:
        raise Faulty(failed)
    place = state / "bundles" / compiled.digest
    if signers.keys or not _whole(state, compiled, apis):
        _keep(place, folder, compiled, apis, now, signers)
    os.utime(place)  # recently used ones are kept longest
    return compiled


def _whole(state: Path, compiled: Compiled, apis: tuple[ApiBinding, ...]) -> bool:
    """Whether this revision is stored, and a worker can read it."""
    try:
        return (state / "bundles" / compiled.digest).exists() and recall(state, compiled.digest, apis) is not None
    except (Faulty, policy.Damaged, OSError):
        return False


def _keep(
    place: Path, folder: Path, compiled: Compiled, apis: tuple[ApiBinding, ...], now: float, signers: Signers
) -> None:
    draft = place.with_name(f".{compiled.digest}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(0o700, parents=True, exist_ok=True)
    try:
        shutil.copytree(folder, draft, ignore=shutil.ignore_patterns(".*"))
        if unsigned := signers.faults(draft):  # swapped between the look at the folder and the copy of it
            raise Faulty(unsigned)
        copied = compile_folder(draft, apis, now)
        if copied.digest != compiled.digest:
            raise Faulty([_moving(folder)])
        (draft / "bundle.json").write_bytes(copied.bundle.dump())
        # a decision is judged again by the catalog as it was tied then
        (draft / APIS).write_bytes(json.encode([api.unplaced for api in apis]))
        _put(draft, place, signers, _whole(place.parent.parent, compiled, apis))
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, place: Path, signers: Signers, whole: bool) -> None:
    """Give the draft its name. One that is there and whole stays, unless those who must sign today have not signed it."""
    if whole and not signers.faults(place):
        return
    _sync(draft)
    if place.exists():  # it means the same, in other words or without their signatures
        old = draft.with_name(f"{draft.name}.old")
        place.rename(old)
        draft.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(place)
    _sync_folder(place.parent)


def _moving(folder: Path) -> FileFault:
    return FileFault(
        str(folder), 1, 1, "P099", "changed while it was read", "读取过程中内容发生变化",
        "finish editing and reload again", "请在编辑完成后重新加载",
    )  # fmt: skip


def recall(state: Path, name: str, apis: tuple[ApiBinding, ...]) -> Compiled:
    """Read a stored revision. Raises Faulty, OSError, `policy.Damaged`; also when it is not what its name says."""
    base, level = base_of(name), level_of(name)
    place = state / "bundles" / base
    listed = catalog.load(place / "catalog", apis)
    register = load_register(place / "devices.yaml")
    bundle = Bundle.from_bytes((place / "bundle.json").read_bytes(), level)
    sites = _sites(place)
    if digest(bundle, listed, register, sites) != base:
        raise policy.Damaged(f"the stored revision `{base[:12]}` is not what its name says")
    return Compiled(listed, bundle, register, sites, name)


def apis_of(state: Path, base: str) -> tuple[ApiBinding, ...] | None:
    """The APIs that a stored revision was tied to, None when that was not kept. Raises OSError, `policy.Damaged`."""
    try:
        return json.decode((state / "bundles" / base / APIS).read_bytes(), type=tuple[ApiBinding, ...])
    except FileNotFoundError:
        return None
    except MsgspecError as error:
        raise policy.Damaged(f"the APIs of the stored revision `{base[:12]}` cannot be read") from error


def stored(state: Path, base: str) -> Path | None:
    """The folder of a stored revision, None when it is not kept (any more)."""
    place = state / "bundles" / base
    return place if len(base) == 64 and place.is_dir() else None


def name_candidate(state: Path, name: str) -> None:
    """Ask the workers to prepare this revision."""
    draft = state / "bundles" / f".{CANDIDATE}"
    draft.write_text(name, encoding="ascii")
    draft.rename(state / "bundles" / CANDIDATE)


def candidate(state: Path) -> str:
    """The revision that workers are asked to prepare, "" for none."""
    try:
        name = (state / "bundles" / CANDIDATE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if NAME.fullmatch(name) else ""


def remove_old(state: Path, active: str) -> None:
    """Keep the most recently used revisions and the active one."""
    base = base_of(active)
    places = [path for path in (state / "bundles").iterdir() if len(path.name) == 64 and path.name != base]
    for path in sorted(places, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells that a file of the folder changed: names, times and sizes."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


class Watch:
    """Says once that the folder changed, when it has been still for a moment (editors write in steps)."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic, still: float = 0.5) -> None:
        self._folder = folder
        self._clock = clock
        self._still = still
        self._known = stamp(folder)
        self._latest = self._known
        self._since = 0.0

    def changed(self) -> bool:
        """Whether there is something new to load."""
        now = stamp(self._folder)
        if now != self._latest:
            self._latest, self._since = now, self._clock()
        if self._latest == self._known or self._clock() - self._since < self._still:
            return False
        self._known = self._latest
        return True


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        elif path.is_dir():
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
