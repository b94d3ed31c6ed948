"""What does this entry say, when the last thousand said almost the same?

Reads the bytes of entries as `entry.decode` does, for the one who reads all of them. A verdict is long, and most
of it was read before: who asks, from which device, for which data, under which rule. Rules:

1. What is read is exactly what `decode` reads: each stretch is known by all of its bytes, and was decoded when
   they came for the first time. Whatever does not look as expected is left to `decode`.
2. What is equal is the same object, so that whoever comes next can tell by a glance that it was seen before.
3. What is remembered is bounded, whatever callers send; where it does not pay it is left for a while.

Why stretches read one by one are the whole: each is an object of its own once braces stand around it, so none
begins or ends within a string or a nested object, and none may hold a field of another.
"""

from typing import Any, Final

from msgspec import NODEFAULT, DecodeError, Struct, defstruct
from msgspec.json import Decoder
from msgspec.structs import astuple, fields

from gateway.audit.entry import FORMAT, decode
from gateway.entries import Entry, VerdictEntry

_BEGIN: Final = b'{"kind":"verdict",'
_OBJECT: Final = b',"object":"'
_SHORTEST: Final = 200  # no head is shorter; nothing is searched for there
_REMEMBERED: Final = 4096  # stretches of each kind
_LONGEST: Final = 4096  # bytes of a stretch that is remembered
_LOOK: Final = 96  # bytes by which a stretch is guessed
_WORTH: Final = 4  # verdicts per stretch
_LEAVE: Final = 200_000  # entries
_REVISION: Final = 80  # bytes that the digest of the catalog takes: nobody is told from others by it


def _struct(name: str, names: list[str], **options: Any) -> Any:
    """A struct with these fields of a verdict, and no others."""
    found = []
    for each in fields(VerdictEntry):
        if each.name in names:
            found.append((each.name, each.type) if each.default is NODEFAULT else (each.name, each.type, each.default))
    return defstruct(name, found, frozen=True, gc=False, forbid_unknown_fields=True, **options)


class _Seen(Struct, frozen=True, gc=False):
    """A stretch that was decoded: its bytes with the key that follows, how many are its own, its values."""

    text: bytes
    length: int
    values: tuple[Any, ...]


class _Stretch:
    """The fields from one name up to the next, as they were seen so far.

    `guesses` finds the likely one by a look at `_LOOK` bytes behind the first `skip`; `seen` by all of them.
    """

    def __init__(self, names: list[str], until: bytes, skip: int) -> None:
        self._decode = Decoder(_struct("Stretch", names)).decode
        self._until, self.skip = until, skip
        self.forgotten = 0  # how often all was forgotten to make room
        self.guesses: dict[bytes, _Seen] = {}
        self._seen: dict[bytes, _Seen] = {}

    def find(self, raw: bytes, at: int) -> _Seen:
        """The stretch that begins here. Raises DecodeError when there is none."""
        end = raw.find(self._until, at) if self._until else len(raw)
        text = raw[at:end]
        seen = self._seen.get(text) or self._read(text)
        if len(text) <= _LONGEST:
            if len(self._seen) >= _REMEMBERED or len(self.guesses) >= _REMEMBERED:
                self._seen.clear()
                self.guesses.clear()
                self.forgotten += 1
            self._seen[text] = seen
            self.guesses[raw[at + self.skip : at + self.skip + _LOOK]] = seen
        return seen

    def _read(self, text: bytes) -> _Seen:
        if not text.startswith(b","):
            raise DecodeError("no comma before it")
        end = b"}" if self._until else b""  # the last one brings its own
        return _Seen(text + self._until, len(text), astuple(self._decode(b"{" + text[1:] + end)))


_NAMES: Final = [each.name for each in fields(VerdictEntry)]


def _names(first: str, end: str | None) -> list[str]:
    return _NAMES[_NAMES.index(first) : _NAMES.index(end) if end else None]


class Reader:
    """Reads entries, and remembers the stretches of verdicts."""

    def __init__(self) -> None:
        self._head = Decoder(_struct("Head", _names("v", "api"), tag_field="kind", tag="verdict")).decode
        self._what = _Stretch(_names("api", "object"), _OBJECT, 0)
        self._rest = (
            _Stretch(_names("revision", "risk"), b',"risk":', _REVISION),
            _Stretch(["risk"], b',"outcome":', 0),
            _Stretch(_names("outcome", None), b"", 0),
        )
        self._new = 0  # verdicts that were read since people were forgotten
        self._plain = 0  # entries that are still to be left to `decode`
        self._whole: dict[bytes, _Seen] = {}  # all that stands behind the object, by a look at who asks

    def read(self, raw: bytes) -> Entry:
        """The entry of these bytes. Raises Malformed, also for a version that is not known."""
        if self._plain:
            self._plain -= 1
        elif raw.startswith(_BEGIN):
            try:
                return self._verdict(raw)
            except (DecodeError, ValueError, RecursionError):
                pass
        return decode(raw)

    def _weigh(self) -> None:
        """Where nearly everybody who asks is new, remembering costs more than it gives: leave it for a while."""
        people = self._rest[0]
        if people.forgotten:
            people.forgotten = 0
            if self._new < _WORTH * _REMEMBERED:
                self._plain = _LEAVE
            self._new = 0

    def _verdict(self, raw: bytes) -> VerdictEntry:
        self._new += 1
        at = raw.find(b',"api":', _SHORTEST)
        head = self._head(raw[:at] + b"}")
        if head.v != FORMAT:
            raise DecodeError("another version")
        what = self._what.guesses.get(raw[at : at + _LOOK])
        if what is None or not raw.startswith(what.text, at):
            what = self._what.find(raw, at)
        at += what.length + len(_OBJECT)
        end = raw.index(b'"', at)
        record = raw[at:end]
        if record and not record.isalnum():
            raise DecodeError("not a digest")
        look = end + _REVISION
        rest = self._whole.get(raw[look : look + _LOOK])
        if rest is None or not raw.endswith(rest.text) or len(raw) - rest.length != end + 1:
            rest = self._find(raw, end + 1)
        values = (*astuple(head), *what.values, record.decode("ascii"), *rest.values)
        return VerdictEntry(*values)  # as many as there are fields: the stretches share them out

    def _find(self, raw: bytes, begin: int) -> _Seen:
        """What stands behind the object, stretch by stretch."""
        values: list[Any] = []
        at, known = begin, True
        for stretch in self._rest:
            look = at + stretch.skip
            seen = stretch.guesses.get(raw[look : look + _LOOK])
            if seen is None or not raw.startswith(seen.text, at):
                seen, known = stretch.find(raw, at), False
            values += seen.values
            at += seen.length
        if at != len(raw):
            raise DecodeError("something stands behind it")
        rest = _Seen(raw[begin:], at - begin, tuple(values))
        if not known:
            self._weigh()
        elif rest.length <= _LONGEST:
            if len(self._whole) >= _REMEMBERED:
                self._whole.clear()
            look = begin + _REVISION - 1
            self._whole[raw[look : look + _LOOK]] = rest
        return rest
