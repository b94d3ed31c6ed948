"""Is the ledger what was signed, and is it whole?

Needs the ledger's folder and the public key, no network, no gateway. It recomputes everything:

1. Every entry hashes to its leaf; the leaves make the root of *every* checkpoint at its size, which
   proves each checkpoint to be the beginning of the next; every checkpoint is signed.
2. The numbers of each journal run without a gap, and no number stands twice.
3. Every permit has an outcome, or is declared interrupted, or its process was still at work.
4. A checkpoint kept elsewhere must be one of the ledger's: a ledger cut at its end is found so, and
   in no other way.

`intact`: all of this holds. `altered`: something is not what was signed, or was found changed when it
was sealed; nothing from `at` on can be trusted. `incomplete`: nothing was changed, but something is
missing and says so. Incomplete is never shown as intact.
"""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Literal

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from gateway.audit import shelf
from gateway.audit.checkpoint import Checkpoint, Verifier, read_checkpoint
from gateway.audit.entry import FORMAT, Malformed
from gateway.audit.merkle import Frontier, included, inclusion, leaf, root_of

_PROOF = "c2sp.org/tlog-proof@v1"


class Verdict(Struct, frozen=True):
    """What the verifier found. `at` is the number of the first entry that cannot be trusted."""

    status: Literal["intact", "altered", "incomplete"]
    size: int = 0  # entries that were read
    signed: int = 0  # entries under the last checkpoint
    checkpoints: int = 0
    at: int | None = None
    en: str = ""
    zh: str = ""
    open: int = 0  # permits of processes that were still at work
    interrupted: int = 0
    gaps: tuple[str, ...] = ()  # what was declared missing or torn


class _Glance(Struct, tag_field="kind"):
    """The few fields of an entry that the verifier looks at: reading them all costs four times as much."""

    v: int
    journal: str
    seq: int


class _Decided(_Glance, tag="verdict"):
    outcome: str


class _Ended(_Glance, tag="outcome"):
    verdict: str
    code: str = ""


class _Noticed(_Glance, tag="notice"):
    name: str
    subject: str = ""
    detail: str = ""


class _Acted(_Glance, tag="act"):
    pass


_glance = Decoder(_Decided | _Ended | _Noticed | _Acted).decode


class _Found(Exception):
    """The first thing that is not as it should be."""

    def __init__(self, at: int | None, en: str, zh: str) -> None:
        super().__init__(en)
        self.at, self.en, self.zh = at, en, zh


def verify(ledger: Path, vkey: str, checkpoint: str | None = None) -> Verdict:
    """Judge the ledger in this folder. `checkpoint` is a signed note that was kept elsewhere.

    Raises OSError when the files cannot be read, Malformed when `vkey` is not a key.
    """
    verifier = Verifier(vkey)
    story = _Story()
    try:
        points = _points(ledger, verifier)
        _tree(ledger, points, story)
        if checkpoint is not None:
            _kept(checkpoint, verifier, points)
    except _Found as found:
        return Verdict("altered", story.size, at=found.at, en=found.en, zh=found.zh)
    return story.judge(points)


def prove(ledger: Path, index: int) -> str:
    """The proof that entry `index` is in the ledger, as text to hand out (c2sp.org/tlog-proof).

    Raises ValueError when the last checkpoint does not cover the entry.
    """
    notes = shelf.read_notes(ledger)
    size = int(notes[-1].split("\n")[1]) if notes else 0
    hashes = inclusion(index, size, shelf.subtree(ledger))
    lines = [_PROOF, f"index {index}", *[b64encode(each).decode() for each in hashes]]
    return "\n".join(lines) + "\n\n" + notes[-1]


def check_proof(proof: str, entry: bytes, vkey: str) -> Checkpoint:
    """The checkpoint under which this proof shows this entry. Raises Malformed when it does not."""
    head, found, note = proof.partition("\n\n")
    lines = head.split("\n")
    if not found or lines[0] != _PROOF or len(lines) < 2 or not lines[1].startswith("index "):
        raise Malformed("not a proof of inclusion")
    point = read_checkpoint(note, Verifier(vkey))
    try:
        index = int(lines[1].removeprefix("index "))
        hashes = [b64decode(line, validate=True) for line in lines[2:]]
    except ValueError as error:
        raise Malformed("not a proof of inclusion") from error
    if len(hashes) > 64 or not included(index, point.size, leaf(entry), hashes, point.root):
        raise Malformed("the proof does not show this entry")
    return point


def _points(ledger: Path, verifier: Verifier) -> list[Checkpoint]:
    points: list[Checkpoint] = []
    notes = shelf.read_notes(ledger)
    for note in notes:
        before = points[-1].size if points else 0
        try:
            point = read_checkpoint(note, verifier)
        except Malformed as error:
            raise _Found(
                before, f"checkpoint {len(points) + 1}: {error}", f"第 {len(points) + 1} 个检查点无效"
            ) from error
        if point.size < before:
            raise _Found(point.size, "a checkpoint is smaller than the one before it", "检查点的条数小于前一个检查点")
        points.append(point)
    if _text(ledger / "checkpoint") != (notes[-1] if notes else ""):
        at = points[-1].size if points else 0
        raise _Found(
            at, "the latest checkpoint is not the last of all checkpoints", "最新检查点与检查点清单的末项不一致"
        )
    return points


def _tree(ledger: Path, points: list[Checkpoint], story: "_Story") -> None:
    tree = Frontier()
    waiting = points[::-1]
    good = tail = 0
    filled: list[int] = []
    leaves = shelf.Leaves(ledger)
    while waiting and waiting[-1].size == 0:
        _compare(waiting.pop(), tree, 0)
    for raw in shelf.read_entries(ledger):
        digest = leaf(raw)
        if leaves.next() != digest:
            raise _Found(tree.size, f"entry {tree.size} is not what was sealed", f"第 {tree.size} 条记录与封存时不一致")
        tree.add(digest)
        story.read(tree.size - 1, raw)
        tail += len(raw) + 2
        if tree.size % shelf.FILE == 0:
            filled.append(tail)
            tail = 0
        while waiting and waiting[-1].size == tree.size:
            _compare(waiting.pop(), tree, good)
            good = tree.size
    if waiting:
        text = f"the ledger ends at {tree.size} entries, but {points[-1].size} are signed"
        raise _Found(tree.size, text, f"账本只有 {tree.size} 条记录，而已签名 {points[-1].size} 条")
    _roots(ledger, tree.size)
    story.strays = shelf.strays(ledger, [*filled, tail], tree.size)


def _compare(point: Checkpoint, tree: Frontier, good: int) -> None:
    if point.root != tree.root():
        text = f"the entries {good} to {point.size - 1} do not make the root that was signed"
        raise _Found(good, text, f"第 {good} 至 {point.size - 1} 条记录与已签名的根不一致")


def _roots(ledger: Path, size: int) -> None:
    stored = (ledger / "roots").read_bytes() if (ledger / "roots").exists() else b""
    hash_of = shelf.subtree(ledger)
    for number in range(min(len(stored), size // shelf.FILE * shelf.HASH) // shelf.HASH):
        first = number * shelf.FILE
        leaves = shelf.read_leaves(ledger, first, first + shelf.FILE)
        if root_of(leaves) != hash_of(first, first + shelf.FILE):
            raise _Found(
                first, f"the stored root of the entries from {first} on is wrong", f"自第 {first} 条起的存储根有误"
            )


def _kept(note: str, verifier: Verifier, points: list[Checkpoint]) -> None:
    try:
        kept = read_checkpoint(note, verifier)
    except Malformed as error:
        raise _Found(None, f"the checkpoint that was kept: {error}", "留存的检查点无效") from error
    if kept not in points:
        size = points[-1].size if points else 0
        text = f"the checkpoint that was kept ({kept.size} entries) is not in this ledger ({size} entries)"
        raise _Found(min(kept.size, size), text, f"留存的检查点（{kept.size} 条）不在本账本（{size} 条）中")


class _Story:
    """What the entries themselves say: numbers, permits, outcomes, declarations."""

    def __init__(self) -> None:
        self.size = 0
        self.interrupted = 0
        self.strays = False  # bytes behind the last entry that belong to none
        self._next: dict[str, int] = {}
        self._heir: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._ended: set[str] = set()
        self._missing: list[str] = []
        self._gaps: list[str] = []
        self._altered: tuple[int, str] | None = None

    def read(self, number: int, raw: bytes) -> None:
        self.size = number + 1
        try:
            entry = _glance(raw)
        except (DecodeError, ValidationError, UnicodeDecodeError) as error:
            raise _Found(number, f"entry {number} cannot be read", f"第 {number} 条记录无法读取") from error
        if entry.v != FORMAT:
            text = f"entry {number} has the format version `{entry.v}`; this verifier reads {FORMAT}"
            raise _Found(number, text, f"第 {number} 条记录的格式版本为 `{entry.v}`，本程序只读取版本 {FORMAT}")
        expected = self._next.get(entry.journal, 0)
        if entry.seq < expected:
            raise _Found(number, f"entry {number} stands twice", f"第 {number} 条记录重复")
        if entry.seq > expected:
            self._missing.append(f"{entry.journal}: entries {expected} to {entry.seq - 1}")
        self._next[entry.journal] = entry.seq + 1
        if isinstance(entry, _Decided):
            if entry.outcome == "permit":
                self._open[f"{entry.journal}.{entry.seq}"] = number
        elif isinstance(entry, _Ended):
            self._open.pop(entry.verdict, None)
            self.interrupted += entry.code == "interrupted"
        elif isinstance(entry, _Noticed):
            self._notice(number, entry)

    def _notice(self, number: int, entry: _Noticed) -> None:
        if entry.name == "journal.opened" and entry.subject:
            self._heir[entry.subject] = entry.journal
        elif entry.name == "journal.closed":
            self._ended.add(entry.journal)
        elif entry.name == "audit.gap":
            self._ended.add(entry.subject)
            self._gaps.append(f"{entry.subject}: {entry.detail}")
        elif entry.name == "audit.altered" and self._altered is None:
            self._altered = (number, f"{entry.subject}: {entry.detail}")

    def judge(self, points: list[Checkpoint]) -> Verdict:
        signed = points[-1].size if points else 0
        count = len(points)
        if self._altered:
            at, what = self._altered
            en, zh = f"a journal was changed before it was sealed: {what}", f"日志在封存前被改动：{what}"
            return self._say("altered", signed, count, at, en, zh)
        if not count:
            en, zh = (
                "there is no checkpoint: nothing here was ever signed, or all of it was removed",
                "没有检查点：从未签名或已被全部删除",
            )
            return self._say("incomplete", signed, count, None, en, zh)
        if self._missing:
            en, zh = f"missing: {self._missing[0]}", f"缺失：{self._missing[0]}"
            return self._say("incomplete", signed, count, None, en, zh)
        if self.size > signed:
            en, zh = (
                f"{self.size - signed} entries at the end are not signed",
                f"末尾 {self.size - signed} 条记录尚未签名",
            )
            return self._say("incomplete", signed, count, signed, en, zh)
        if self.strays:
            en, zh = "bytes stand behind the last entry that nobody signed", "末条记录之后有未签名的字节"
            return self._say("incomplete", signed, count, signed, en, zh)
        lost = [number for identity, number in self._open.items() if self._over(identity.rpartition(".")[0])]
        if lost:
            en = f"{len(lost)} permits have neither an outcome nor a declaration, the first is entry {lost[0]}"
            return self._say(
                "incomplete", signed, count, lost[0], en, f"{len(lost)} 个放行决定没有结果记录，首个为第 {lost[0]} 条"
            )
        return self._say(
            "intact",
            signed,
            count,
            None,
            f"{self.size} entries, {count} checkpoints",
            f"{self.size} 条记录，{count} 个检查点",
        )

    def _over(self, journal: str) -> bool:
        """Whether the process of this journal has ended: its last journal has."""
        seen = {journal}
        while (heir := self._heir.get(journal, "")) and heir not in seen:
            seen.add(heir)
            journal = heir
        return journal in self._ended

    def _say(
        self,
        status: Literal["intact", "altered", "incomplete"],
        signed: int,
        count: int,
        at: int | None,
        en: str,
        zh: str,
    ) -> Verdict:
        return Verdict(
            status, self.size, signed, count, at, en, zh, len(self._open), self.interrupted, tuple(self._gaps)
        )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
