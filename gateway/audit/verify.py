"""Is the ledger what was signed, and is it whole?

Needs the ledger's folder and the public key, no network, no gateway. It recomputes everything:

1. Every entry hashes to its leaf; the leaves make the root of *every* checkpoint at its size, which
   proves each checkpoint to be the beginning of the next; every checkpoint is signed.
2. The numbers of each journal run without a gap, and no number stands twice.
3. Every permit has an outcome, or is declared interrupted, or its process was still at work.
4. Every signature of a key that the auditor names is right. The first key has signed every checkpoint; each other one
   (SM2 beside Ed25519) the last: what it signed last covers all before it, so what it came too late for is covered too,
   and what stands behind is not.
5. A checkpoint kept elsewhere must be one of the ledger's: a ledger cut at its end is found so, and
   in no other way.

`intact`: all of this holds. `altered`: something is not what was signed, or was found changed when it
was sealed; nothing from `at` on can be trusted. `incomplete`: nothing was changed, but something is
missing and says so. Incomplete is never shown as intact.

A copy that was made while a gateway wrote holds files of different moments. It is never called altered for
that: what one file has and another does not have yet is missing, not changed.
"""

import sys
from base64 import b64decode, b64encode
from bisect import insort
from collections.abc import Sequence
from json import JSONDecoder
from pathlib import Path
from typing import Literal

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from gateway.audit import shelf
from gateway.audit.checkpoint import Checkpoint, Unsigned, Verifier, read_checkpoint
from gateway.audit.entry import FORMAT, Malformed
from gateway.audit.merkle import Frontier, included, inclusion, leaf, root_of

_PROOF = "c2sp.org/tlog-proof@v1"


class Vouched(Struct, frozen=True):
    """How many checkpoints carry a right signature of one key."""

    name: str
    algorithm: Literal["Ed25519", "SM2"]
    checkpoints: int


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
    keys: tuple[Vouched, ...] = ()  # whose signatures were checked


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
_whole = JSONDecoder().raw_decode


class _Found(Exception):
    """The first thing that is not as it should be."""

    def __init__(self, at: int | None, en: str, zh: str) -> None:
        super().__init__(en)
        self.at, self.en, self.zh = at, en, zh


def verify(ledger: Path, vkey: str, checkpoint: str | None = None, *, beside: Sequence[str] = ()) -> Verdict:
    """Judge the ledger in this folder. `checkpoint` is a signed note that was kept elsewhere, `beside` are further keys.

    Raises OSError when the files cannot be read, Malformed when a key is none or `checkpoint` not a note of `vkey`: what
    the auditor brings is no evidence against the ledger. Raises Sm2Missing for a key of SM2 where that cannot be checked.
    """
    verifier, others = Verifier(vkey), [Verifier(one) for one in beside]
    kept = None if checkpoint is None else read_checkpoint(checkpoint, verifier)
    story = _Story()
    try:
        notes = shelf.read_notes(ledger)
        points = _points(notes, verifier)
        first = Vouched(verifier.name, verifier.algorithm, len(points))
        story.keys = (first, *(_signed_by(other, notes, points) for other in others))
        _latest(ledger, [verifier, *others], points, story)
        _tree(ledger, points, story)
        if kept is not None:
            _kept(kept, points)
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


def _points(notes: Sequence[str], verifier: Verifier) -> list[Checkpoint]:
    points: list[Checkpoint] = []
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
    return points


def _signed_by(verifier: Verifier, notes: Sequence[str], points: Sequence[Checkpoint]) -> Vouched:
    """What another key vouches for. One who could forge the first key's signatures only would leave this one's out."""
    count = covered = 0
    for note, point in zip(notes, points, strict=True):
        try:
            verifier.open(note)
        except Unsigned:
            continue
        except Malformed as error:
            raise _Found(
                covered, f"a checkpoint of {point.size} entries: {error}", f"{point.size} 条时的检查点签名无效"
            ) from error
        count, covered = count + 1, point.size
    if points and covered < points[-1].size:
        raise _Found(
            covered,
            f"the last checkpoint has no signature of `{verifier.name}` with {verifier.algorithm}",
            f"最后的检查点没有 `{verifier.name}` 的 {verifier.algorithm} 签名",
        )
    return Vouched(verifier.name, verifier.algorithm, count)


def _open(verifier: Verifier, note: str, needed: bool) -> None:
    try:
        verifier.open(note)
    except Unsigned:
        if needed:
            raise


def _latest(ledger: Path, verifiers: Sequence[Verifier], points: list[Checkpoint], story: "_Story") -> None:
    """Take the file `checkpoint` among the points: the tree must agree with it as with every other.

    In a copy it may be older or newer than the list, so its place in the list proves nothing.
    """
    try:
        note = (ledger / "checkpoint").read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        if points:
            story.lacks("the file `checkpoint` is missing", "缺少文件 `checkpoint`")
        return
    try:
        point = read_checkpoint(note, verifiers[0])
        for other in verifiers[1:]:
            _open(other, note, needed=point not in points)  # of one in the list, the list says whether it may lack
    except Malformed as error:
        at = points[-1].size if points else 0
        raise _Found(at, f"the latest checkpoint: {error}", "最新检查点无效") from error
    if point not in points:
        insort(points, point, key=lambda each: each.size)
        story.lacks("the latest checkpoint is not in the list of all checkpoints", "检查点清单中没有最新检查点")


def _tree(ledger: Path, points: list[Checkpoint], story: "_Story") -> None:
    tree = Frontier()
    waiting = points[::-1]
    good = tail = 0
    bare = sys.maxsize
    filled: list[int] = []
    leaves = shelf.Leaves(ledger)
    while waiting and waiting[-1].size == 0:
        _compare(waiting.pop(), tree, 0)
    for raw in shelf.read_entries(ledger):
        digest = leaf(raw)
        stored = leaves.next()
        if len(stored) < shelf.HASH:  # cut or not yet copied: the signed roots judge the entry
            bare = min(bare, tree.size)
        elif stored != digest:
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
        _end(ledger, tree.size, tail)
        story.cut(tree.size, points[-1].size, good)
    elif bare < tree.size:
        story.lacks(f"the leaf hashes from entry {bare} on are missing", f"缺少自第 {bare} 条起的叶哈希")
    _roots(ledger, min(tree.size, bare))
    story.strays = shelf.strays(ledger, [*filled, tail], tree.size)


def _end(ledger: Path, size: int, tail: int) -> None:
    """Behind the last whole entry may stand the beginning of one; a whole one there had its length changed,
    and entries behind a hole were not lost by copying."""
    first = size - size % shelf.FILE
    path = ledger / "entries" / f"{first:012d}.bin"
    rest = path.read_bytes()[tail + 2 :] if path.exists() else b""
    try:
        _whole(rest.decode("utf-8", "replace"))
    except ValueError:
        if not any(int(each.stem) > first for each in path.parent.glob("[0-9]*.bin") if each.stem.isdigit()):
            return
    raise _Found(
        size, f"entry {size} cannot be read, and more stands behind it", f"第 {size} 条记录无法读取，其后仍有内容"
    )


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


def _kept(kept: Checkpoint, points: list[Checkpoint]) -> None:
    if kept not in points:
        size = points[-1].size if points else 0
        text = f"the checkpoint that was kept ({kept.size} entries) is not in this ledger ({size} entries)"
        raise _Found(min(kept.size, size), text, f"留存的检查点（{kept.size} 条）不在本审计日志（{size} 条）中")


class _Story:
    """What the entries themselves say: numbers, permits, outcomes, declarations."""

    def __init__(self) -> None:
        self.size = 0
        self.keys: tuple[Vouched, ...] = ()
        self.interrupted = 0
        self.strays = False  # bytes behind the last entry that belong to none
        self._next: dict[str, int] = {}
        self._heir: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._ended: set[str] = set()
        self._missing: list[str] = []
        self._gaps: list[str] = []
        self._altered: tuple[int, str] | None = None
        self._cut: tuple[int, str, str] | None = None
        self._lacks: tuple[str, str] | None = None

    def lacks(self, en: str, zh: str) -> None:
        """Something is missing that the entries can be proven without."""
        self._lacks = self._lacks or (en, zh)

    def cut(self, size: int, signed: int, good: int) -> None:
        """Signed entries are missing at the end; only those before `good` are proven."""
        en = f"the ledger ends at {size} entries, but {signed} are signed: its end was cut, or it was copied while it grew"
        zh = f"审计日志只有 {size} 条记录，而已签名 {signed} 条：末尾被截断，或在写入过程中被复制"
        self._cut = (good, en, zh)

    def read(self, number: int, raw: bytes) -> None:
        self.size = number + 1
        try:
            entry = _glance(raw)
        except (DecodeError, ValidationError, UnicodeDecodeError, RecursionError) as error:
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
        if self._cut:
            at, en, zh = self._cut
            return self._say("incomplete", signed, count, at, en, zh)
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
        if self._lacks:
            return self._say("incomplete", signed, count, None, *self._lacks)
        lost = [number for identity, number in self._open.items() if self._over(identity.rpartition(".")[0])]
        if lost:
            en = f"{len(lost)} permits have neither an outcome nor a declaration, the first is entry {lost[0]}"
            return self._say(
                "incomplete", signed, count, lost[0], en, f"{len(lost)} 个放行判定没有结果记录，首个为第 {lost[0]} 条"
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
            status,
            self.size,
            signed,
            count,
            at,
            en,
            zh,
            len(self._open),
            self.interrupted,
            tuple(self._gaps),
            self.keys,
        )
