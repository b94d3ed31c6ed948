"""What happened, in one order that nobody can change afterwards?

Reads the journals of all processes, gives each entry its place in the Merkle log, and signs. Rules:

1. An entry is sealed once: the places reached in all journals, the tree and the signed checkpoint are
   one file, replaced in one step. What was appended after it is cut away at the next start.
2. Never sign what does not grow out of what was signed before: the tree is checked against the last
   checkpoint at the start, and a tree that differs is not continued.
3. A journal whose writer is dead is read to its end; what is torn there is declared, never mended.
4. A permit without an outcome, whose process is dead, is declared `interrupted`: never a made-up success.
5. A line that is not what its writer wrote is declared `audit.altered` and left out; reading goes on
   behind it as soon as the chain holds again, because silence is what a forger wants.
"""

import fcntl
import os
import secrets
import time
from binascii import hexlify
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import DecodeError, Struct, ValidationError, json

from gateway.audit import chain, disk
from gateway.audit.checkpoint import Checkpoint, NoteSigner, Signer, Unsigned, Verifier, read_checkpoint, signed
from gateway.audit.entry import FORMAT, Malformed, decode, encode
from gateway.audit.journal import Settings, boot_id
from gateway.audit.merkle import Frontier, leaf
from gateway.audit.reader import Reader
from gateway.audit.shelf import Shelf, subtree
from gateway.entries import Entry, NoticeEntry, OutcomeEntry, VerdictEntry

_CHUNK: Final = 8 * 1024 * 1024  # bytes of a journal per step
_SLICE: Final = 256 * 1024  # bytes at once: what fits into the cache of the processor is read from memory only once
_FLAGS: Final = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Place(Struct):
    """How far a journal is sealed: bytes, the next number, and how it stands.

    The next line rests on one of the `anchors`: on the digest reached, or after a line that cannot be
    trusted (`loose`) on what that line says or what it computes to.
    """

    offset: int = 0
    seq: int = 0
    anchors: list[str] = []
    loose: bool = False
    previous: str = ""  # the journal that this one continues
    closed: bool = False  # its last entry says that it ended in order
    ended: bool = False  # its writer is dead and everything is sealed
    altered: bool = False
    removed: bool = False
    boot: str = ""


class State(Struct):
    """What the sealer knows when it starts again. `open` maps permits without an outcome to their journal."""

    v: int = 1
    size: int = 0
    tail: int = 0
    edge: list[str] = []
    note: str = ""
    notes: int = 0  # bytes of the file of checkpoints before this note
    signed_at: float = 0.0
    places: dict[str, Place] = {}
    open: dict[str, str] = {}
    own: str = ""
    own_seq: int = 0
    own_digest: str = ""


class Batch(Struct, frozen=True):
    """What one step sealed: `entries[i]` has the number `first + i`.

    `unsealed` is about how many entries wait already: step again at once while there are any.
    """

    first: int
    entries: tuple[Entry, ...]
    size: int
    signed_at: float
    unsealed: int = 0


class Locked(Exception):
    """Another process seals this ledger."""


class Sealer:
    """The one process that seals. Plain functions: call `step` about once a second, in a thread.

    `beside` are further signers of every checkpoint, under the same name.
    Raises Locked when another sealer is at work, Malformed when the ledger is not what was signed.
    """

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        *,
        beside: Sequence[NoteSigner] = (),
        now: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(3),
        boot: str | None = None,
        chunk: int = _CHUNK,
    ) -> None:
        self._journals = settings.directory / "journal"
        self._ledger = settings.directory / "ledger"
        self._settings, self._signer, self._now, self._nonce, self._chunk = settings, signer, now, nonce, chunk
        self._beside = tuple(beside)
        self._boot = boot_id() if boot is None else boot
        self._ledger.mkdir(0o700, parents=True, exist_ok=True)
        self._lock = _lock(self._ledger / "lock")
        self._reader = Reader()
        self._suspects: set[tuple[str, int]] = set()
        self._exhausted: set[str] = set()
        self._stale = False
        self._entries: list[Entry] = []
        self._raws: list[bytes] = []
        self._leaves: list[bytes] = []
        self._put = 0  # bytes that were appended in this step
        try:
            self._reload()
            self._check_tree()
            self._publish()
        except (Malformed, OSError):
            os.close(self._lock)
            raise
        self._recheck = True

    @property
    def size(self) -> int:
        """Entries in the ledger."""
        return self._state.size

    @property
    def signed_at(self) -> float:
        """When the last checkpoint was signed, on the wall clock."""
        return self._state.signed_at

    def step(self) -> Batch:
        """Seal what is new, sign, and return it. Raises OSError when the disk fails: call again later."""
        if self._stale:
            self._shelf.close()
            self._reload()
            self._publish()
        self._put = 0
        self._stale = True  # until this step is committed; else the next starts from what was
        first = self._state.size
        unsealed = self._gather()
        if self._entries:
            self._seal()
        average = self._put // len(self._entries) + 66 if self._entries else 1000
        entries, self._entries = tuple(self._entries), []
        self._stale = False
        self._remove_old()
        return Batch(first, entries, self._state.size, self._state.signed_at, -(-unsealed // average))

    def close(self) -> None:
        """Close the ledger and let another sealer in."""
        self._shelf.close()
        os.close(self._lock)

    # --- reading journals ---------------------------------------------------------------------

    def _gather(self) -> int:
        if self._recheck:
            self._recheck = False
            self._check_sealed_journals()
        names, alive = self._present()
        self._exhausted.clear()
        unsealed = 0
        unread: set[str] = set()
        for journal in self._in_order(names):
            if self._previous(journal) in unread:  # an outcome before its permit would leave the permit open for ever
                unsealed += self._size(journal)
            else:
                unsealed += self._read(journal, alive[journal])
            if journal not in self._exhausted:
                unread.add(journal)
        self._miss(names)
        for journal in names:
            if journal in self._exhausted and not alive[journal]:
                self._end(journal, self._state.places[journal])
        return unsealed

    def _present(self) -> tuple[list[str], dict[str, bool]]:
        """The journals that are not done with; whether each lives is asked *before* it is read."""
        try:
            files = [entry for entry in os.scandir(self._journals) if entry.is_file(follow_symlinks=False)]
            found = sorted(entry.name for entry in files if entry.name.endswith(chain.SUFFIX))
        except FileNotFoundError:
            return [], {}
        names = [name.removesuffix(chain.SUFFIX) for name in found]
        names = [name for name in names if chain.is_journal(name) and not self._is_done(name)]
        return names, {name: disk.alive(self._path(name)) for name in names}

    def _is_done(self, journal: str) -> bool:
        place = self._state.places.get(journal)
        return place is not None and place.ended

    def _in_order(self, names: list[str]) -> Iterator[str]:
        """A journal after the one that it continues: an outcome must not be read before its permit."""
        before = {name: self._previous(name) for name in names}
        done: set[str] = set()

        def visit(name: str) -> Iterator[str]:
            if name in done:
                return
            done.add(name)
            if before[name] in before:
                yield from visit(before[name])
            yield name

        for name in names:
            yield from visit(name)

    def _previous(self, journal: str) -> str:
        place = self._state.places.get(journal)
        if place is not None:
            return place.previous
        with self._path(journal).open("rb") as file:
            line = file.readline(65_536 + 66)
        try:
            entry = decode(chain.read(line[:-1])[1])
        except Malformed:
            return ""
        return entry.subject if isinstance(entry, NoticeEntry) else ""

    def _read(self, journal: str, alive: bool) -> int:
        """Take the whole lines that are new; returns the bytes that are left for the next step."""
        place = self._state.places.get(journal)
        if place is None:
            place = self._state.places[journal] = Place(anchors=[chain.start(journal).hex()])
        size = self._size(journal)
        if size < place.offset:
            self._declare_altered(journal, place, f"cut from {place.offset} to {size} bytes after it was sealed")
            place.offset = size
        with self._path(journal).open("rb", buffering=0) as file:
            begin = at = place.offset
            left = size - begin
            while left > 0 and at - begin < self._chunk:
                data = os.pread(file.fileno(), min(_SLICE, self._chunk, left), at)
                left = size - at - len(data)
                if left <= 0:
                    self._exhausted.add(journal)
                whole = self._take_slice(journal, place, data, left, alive)
                if not whole or place.offset < at + whole:
                    break  # the rest of a line is still to come, or a line will be looked at a second time
                at = place.offset
                left = size - at
            if size > begin:  # the ledger is durable: were its source not, a power cut would look like somebody's hand
                os.fdatasync(file.fileno())
        if size <= begin:
            self._exhausted.add(journal)
        return max(0, left)

    def _take_slice(self, journal: str, place: Place, data: bytes, left: int, alive: bool) -> int:
        """Take the whole lines of a slice; returns how many bytes there are to take."""
        whole = data.rfind(b"\n") + 1
        if whole:
            self._take(journal, place, data[:whole], alive)
        elif left > 0:
            whole = len(data)
            self._declare_bad(journal, place, data, f"from entry {place.seq} on")
            place.offset += whole
        self._put_away()
        return whole

    def _take(self, journal: str, place: Place, data: bytes, alive: bool) -> None:
        begin = len(self._entries)
        taken = self._take_usual(journal, place, data)
        self._track(journal, place, self._entries[begin:])
        if taken < len(data):
            self._take_careful(journal, place, data[taken:-1].split(b"\n"), alive)

    def _take_usual(self, journal: str, place: Place, data: bytes) -> int:
        """Take lines as long as each is exactly what its writer wrote; returns how many bytes those are."""
        if place.loose:
            return 0
        anchor, seq, at, size = bytes.fromhex(place.anchors[0]), place.seq, 0, len(data)
        add_entry, add_raw, add_leaf = self._entries.append, self._raws.append, self._leaves.append
        read, find, stands = self._reader.read, data.find, data.startswith
        while at < size:
            end = find(b"\n", at)
            raw = data[at + 65 : end]
            digest = sha256(anchor + raw).digest()
            if not stands(hexlify(digest) + b" ", at):
                break
            try:
                entry = read(raw)
            except Malformed:
                break
            if entry.seq != seq or entry.journal != journal:
                break
            anchor = digest
            seq += 1
            at = end + 1
            add_entry(entry)
            add_raw(raw)
            add_leaf(sha256(b"\0" + raw).digest())
        place.seq, place.anchors = seq, [anchor.hex()]
        place.offset += at
        return at

    def _take_careful(self, journal: str, place: Place, lines: list[bytes], alive: bool) -> None:
        """Take what can be trusted of lines that begin with one that is not as it should be."""
        anchors = tuple(bytes.fromhex(digest) for digest in place.anchors)
        offset, bad = place.offset, b""
        for line in lines:
            raw = line[65:]
            digest = _digest(anchors, line, raw)
            entry = self._entry(journal, place, raw) if digest else None
            if entry is not None:
                if bad:
                    self._declare_bad(journal, place, bad, f"entries {place.seq} to {entry.seq - 1}")
                    bad = b""
                anchors, place.seq, place.loose = (digest,), entry.seq + 1, False
                self._track(journal, place, (entry,))
                self._add(entry, raw)
            elif alive and not place.loose and (journal, offset) not in self._suspects:
                self._suspects.add((journal, offset))  # look a second time before crying out
                self._exhausted.discard(journal)
                break
            else:
                bad += line + b"\n"
                anchors, place.loose = _anchors(line, anchors[-1]), True
            offset += len(line) + 1
        if bad:
            self._declare_bad(journal, place, bad, f"from entry {place.seq} on")
        place.offset, place.anchors = offset, [digest.hex() for digest in anchors]

    def _entry(self, journal: str, place: Place, raw: bytes) -> Entry | None:
        """The entry if it belongs exactly here."""
        try:
            entry = decode(raw)
        except Malformed:
            return None
        fits = entry.seq >= place.seq if place.loose else entry.seq == place.seq
        return entry if fits and entry.journal == journal else None

    def _track(self, journal: str, place: Place, entries: Sequence[Entry]) -> None:
        """Keep account of permits that wait for their outcome, and of how the journal stands."""
        waiting = self._state.open
        for entry in entries:
            if isinstance(entry, OutcomeEntry):
                waiting.pop(entry.verdict, None)
            elif isinstance(entry, VerdictEntry):
                if entry.outcome == "permit":
                    waiting[f"{journal}.{entry.seq}"] = journal
            elif isinstance(entry, NoticeEntry) and entry.name == "journal.opened" and entry.seq == 0:
                place.previous = entry.subject
                place.boot = entry.detail.rpartition("boot=")[2]
        if entries:
            place.closed = isinstance(entries[-1], NoticeEntry) and entries[-1].name == "journal.closed"

    # --- what is declared ----------------------------------------------------------------------

    def _end(self, journal: str, place: Place) -> None:
        """The writer is dead and everything whole is read."""
        torn = max(0, self._size(journal) - place.offset)
        place.ended = True
        if not place.closed or torn:
            kept = place.boot == self._boot != ""
            why = "its process died" if kept else "its process died or power was lost: the last 200 ms may be missing"
            self._declare(
                "audit.gap", journal, f"ended without closing after entry {place.seq - 1}: {why}; torn bytes: {torn}"
            )
        heir = self._heir(journal)
        mine = [identity for identity, holder in self._state.open.items() if holder == journal]
        if heir and not self._state.places[heir].ended:
            for identity in mine:
                self._state.open[identity] = heir
            return
        for identity in mine:
            del self._state.open[identity]
            own, seq = self._own()
            self._add_own(
                OutcomeEntry(FORMAT, own, seq, self._now(), identity, 0, 0, 0, False, 0.0, 0.0, "interrupted")
            )
        if mine:
            self._declare("audit.interrupted", journal, "permits without an outcome", len(mine))

    def _heir(self, journal: str) -> str:
        """The last journal of the same process, or ""."""
        successors = {place.previous: name for name, place in self._state.places.items() if place.previous}
        seen = {journal}
        while (heir := successors.get(journal, "")) and heir not in seen:
            seen.add(heir)
            journal = heir
        return journal if len(seen) > 1 else ""

    def _declare_bad(self, journal: str, place: Place, bad: bytes, which: str) -> None:
        # Whole blocks of zeros are what a power cut leaves behind; anything else is somebody's hand.
        name = "audit.gap" if b"\0" in bad else "audit.altered"
        place.altered = True
        self._declare(name, journal, f"{which} cannot be trusted ({len(bad)} bytes)")

    def _declare_altered(self, journal: str, place: Place, what: str) -> None:
        place.altered = True
        self._declare("audit.altered", journal, what)

    def _miss(self, names: list[str]) -> None:
        present = set(names)
        for journal, place in list(self._state.places.items()):
            if not place.ended and not place.removed and journal not in present:
                self._declare_altered(journal, place, f"gone after entry {place.seq - 1}")
                self._end(journal, place)

    def _check_sealed_journals(self) -> None:
        """A byte that was changed in a journal after it was sealed: the ledger is right, but somebody was there."""
        for journal, place in list(self._state.places.items()):
            if not place.altered and place.offset and self._path(journal).exists() and not self._still_whole(journal):
                place.altered = True
                self._declare(
                    "audit.altered", journal, "changed after it was sealed; the ledger holds what was written"
                )

    def _still_whole(self, journal: str) -> bool:
        place = self._state.places[journal]
        digest, left = chain.start(journal), place.offset
        if left == 0:
            return True
        with self._path(journal).open("rb") as file:
            for line in file:
                left -= len(line)
                digest = chain.link(digest, line[65:-1])
                if line[:64] != digest.hex().encode() or left <= 0:
                    break
        return left == 0 and [digest.hex()] == place.anchors

    def _declare(self, name: str, subject: str, detail: str, count: int = 1) -> None:
        own, seq = self._own()
        self._add_own(NoticeEntry(FORMAT, own, seq, self._now(), name, subject, detail, count))

    # --- the sealer's own journal lives in the ledger only: its entries are sealed with what they declare ---

    def _own(self) -> tuple[str, int]:
        state = self._state
        if not state.own:
            at = self._now()
            state.own = chain.journal_id(at, "sealer0", self._nonce())
            state.own_digest = chain.start(state.own).hex()
            self._add_own(NoticeEntry(FORMAT, state.own, 0, at, "journal.opened", "", f"boot={self._boot}"))
        return state.own, state.own_seq

    def _add_own(self, entry: Entry) -> None:
        raw = encode(entry)
        self._state.own_seq += 1
        self._state.own_digest = chain.link(bytes.fromhex(self._state.own_digest), raw).hex()
        self._add(entry, raw)

    def _add(self, entry: Entry, raw: bytes) -> None:
        self._entries.append(entry)
        self._raws.append(raw)
        self._leaves.append(leaf(raw))

    # --- committing ------------------------------------------------------------------------------

    def _put_away(self) -> None:
        """Append what was taken so far. Nobody relies on it before it is signed; after a crash it is cut away."""
        if self._raws:
            self._tree.extend(self._leaves)
            self._shelf.append(self._raws, self._leaves)
            self._put += sum(map(len, self._raws))
            self._raws.clear()
            self._leaves.clear()

    def _seal(self) -> None:
        state = self._state
        self._put_away()
        self._shelf.sync()
        state.size, state.tail = self._shelf.size, self._shelf.tail
        state.edge = [digest.hex() for digest in self._tree.edge]
        state.signed_at = self._now()
        state.notes += len(state.note.encode()) + 1 if state.note else 0
        text = Checkpoint(self._signer.name, state.size, self._tree.root()).text
        state.note = signed(text, self._signer, *self._beside)
        disk.replace(self._ledger / "sealer.json", json.encode(state))
        self._publish()

    def _publish(self) -> None:
        """Show the checkpoint to the world; a crash before this line is made good at the next start."""
        note = self._state.note
        if not note:
            return
        descriptor = os.open(self._ledger / "checkpoints", _FLAGS, 0o600)
        try:
            os.ftruncate(descriptor, self._state.notes)  # what is behind is a checkpoint torn by a crash
            os.lseek(descriptor, 0, os.SEEK_END)
            os.write(descriptor, note.encode() + b"\n")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        disk.replace(self._ledger / "checkpoint", note.encode())

    def _load(self) -> State:
        try:
            return json.decode((self._ledger / "sealer.json").read_bytes(), type=State)
        except (DecodeError, ValidationError) as error:
            raise Malformed("sealer.json cannot be read: restore it, do not start anew") from error
        except FileNotFoundError:
            if (self._ledger / "checkpoint").exists():
                raise Malformed(
                    "the ledger has checkpoints but no sealer.json: restore it, do not start anew"
                ) from None
            return State()

    def _check_tree(self) -> None:
        """Refuse to go on from a tree that is not the one that was signed."""
        if not self._state.note:
            return
        point = read_checkpoint(self._state.note, Verifier(self._signer.vkey))
        for other in self._beside:
            with suppress(Unsigned):  # signed before this key was there
                Verifier(other.vkey).open(self._state.note)
        size = self._state.size
        if point.size != size or point.root != self._tree.root() or point.root != subtree(self._ledger)(0, size):
            raise Malformed("the ledger is not the one that was signed last: verify it before anything is added")

    def _reload(self) -> None:
        """Start from what was committed."""
        self._entries, self._raws, self._leaves = [], [], []
        self._state = self._load()
        self._shelf = Shelf(self._ledger, self._state.size, self._state.tail)
        self._tree = Frontier(self._state.size, [bytes.fromhex(digest) for digest in self._state.edge])

    def _remove_old(self) -> None:
        """A journal that is sealed, whole and a day old has told everything it knows."""
        before = self._now() - self._settings.keep_journals
        for journal, place in self._state.places.items():
            if place.ended and not place.altered and not place.removed:
                path = self._path(journal)
                if path.exists() and path.stat().st_mtime >= before:
                    continue
                if path.exists() and self._still_whole(journal):
                    path.unlink()
                place.removed = True  # for good: a file that comes back under this name is never sealed again

    def _path(self, journal: str) -> Path:
        return self._journals / (journal + chain.SUFFIX)

    def _size(self, journal: str) -> int:
        try:
            return self._path(journal).stat().st_size
        except FileNotFoundError:
            return 0


def _digest(anchors: tuple[bytes, ...], line: bytes, raw: bytes) -> bytes:
    """The digest of this line if it rests on one of the anchors, else nothing."""
    if line[64:65] == b" ":
        for anchor in anchors:
            digest = sha256(anchor + raw).digest()
            if hexlify(digest) == line[:64]:
                return digest
    return b""


def _anchors(line: bytes, anchor: bytes) -> tuple[bytes, ...]:
    """What the line after a bad one may rest on: the digest that stands in it, or that of its json."""
    computed = chain.link(anchor, line[65:])
    try:
        stated = bytes.fromhex(line[:64].decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return (computed,)
    return (stated, computed) if len(stated) == 32 else (computed,)


def at_work(ledger: Path) -> bool:
    """Whether a living sealer holds this ledger: then its last entries may not be signed yet."""
    try:
        descriptor = os.open(ledger / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(path: Path) -> int:
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Locked("another process seals this ledger") from error
    return descriptor
