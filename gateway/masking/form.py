"""What is left of the fields of an HTML form?

Names and values, escaped (`application/x-www-form-urlencoded`, URL standard). Rules:

1. The name decides (`columns`), as often as it stands there. Of a name in parts (`person[id_number]`, `person.id_number`)
   every part does: what stands inside of something masked is masked.
2. What can be read in two ways is withheld: an escape that is none, bytes that are not of the charset, a `;` that some
   take for a `&`, a name that is no name. A field without a name could be anything.
3. A field that is shown stays byte for byte, if it came in UTF-8.
"""

import re
from collections import Counter
from urllib.parse import quote_plus, unquote_to_bytes

from msgspec import Struct

from gateway.detect import has_form
from gateway.facts import Revealed
from gateway.masking.columns import Columns, shown
from gateway.masking.keys import Keys
from gateway.masking.names import MAX_UNLABELLED, spell_trail
from gateway.masking.plan import Rule
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld, check_chinese, codec_of
from gateway.masking.whom import digests

MAX_FORM = 1024 * 1024
MAX_FIELDS = 50_000
MAX_FIELD = 128 * 1024
STEP = 16 * 1024  # bytes after which others get their turn
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BETWEEN = re.compile(r"[\[\].]+")
_PLACE = re.compile(r"[0-9]{1,4}", re.ASCII)


class _Way(Struct, frozen=True, eq=False, gc=False):
    """What is known of a field by its name."""

    name: str
    rule: Rule | None
    told: str  # how it stands on record where no label names it, else ""
    heard: bool
    known: bool  # a label names it


async def mask_form(body: bytes, charset: str, columns: Columns, keys: Keys) -> tuple[bytes, bytes, Revealed]:
    """The fields with the mask laid over them, what a reader of them reads, and what was done. Raises Withheld."""
    _check(body)
    codec = codec_of(charset)
    if codec == "gb18030":
        check_chinese(unquote_to_bytes(body), columns.names)
    ways: dict[bytes, _Way] = {}
    counts: Counter[str] = Counter()
    met: Counter[str] = Counter()  # labelled values by their name
    unlabelled: dict[str, None] = {}
    heard: list[str] = []
    parts: list[bytes] = []
    read: list[str] = []
    pending = 0
    for raw in filter(None, body.split(b"&")):
        if len(raw) > MAX_FIELD:
            raise Withheld(f"a field is longer than {MAX_FIELD} bytes")
        name, _, escaped = raw.partition(b"=")
        way = ways.get(name)
        if way is None:
            way = ways[name] = _way(_text(name, codec), columns)
        value = _text(escaped, codec)
        after = shown(value, way.rule, keys)
        if way.heard:
            heard.append(value)
        if way.known and value:
            met[way.name] += 1
        if way.rule is not None and value:
            counts[way.rule.label] += 1
        if way.told and len(unlabelled) < MAX_UNLABELLED:
            unlabelled[way.told] = None
        kept = after == value and codec == "utf-8"
        parts.append(raw if kept else f"{quote_plus(way.name)}={quote_plus(after)}".encode())
        read.append(f"{way.name}={after}")
        pending += len(raw)
        if pending >= STEP:
            pending = 0
            await turn()
    seen, unlisted = digests(heard, keys)
    most = max(met.values(), default=1)  # `name=…&name=…` is a list of names
    records, clear = 1 if seen else most, columns.clear * most
    revealed = Revealed(tuple(counts.items()), tuple(unlabelled), records, seen, unlisted, clear)
    return b"&".join(parts), "\n".join(read).encode(), revealed


def _check(body: bytes) -> None:
    if len(body) > MAX_FORM or body.count(b"&") >= MAX_FIELDS:
        raise Withheld(f"longer than {MAX_FORM} bytes or {MAX_FIELDS} fields, as a form")
    if b";" in body:
        raise Withheld("its fields can be told apart in two ways")  # CVE-2021-23336
    if _NO_ESCAPE.search(body) is not None:
        raise Withheld("it has an escape that is none")


def _way(name: str, columns: Columns) -> _Way:
    *outer, last = _names(name, columns)
    above: Rule | None = None
    for part in outer:
        above = columns.inside(above, part)
    rule = columns.below(above, last)
    unknown = columns.noted and rule is None and not columns.knows(last)
    return _Way(name, rule, spell_trail((None, last)) if unknown else "", columns.tells(last), columns.knows(last))


def _text(escaped: bytes, codec: str) -> str:
    try:
        return unquote_to_bytes(escaped.replace(b"+", b" ")).decode(codec)
    except UnicodeDecodeError:
        raise Withheld("not in the charset it declares") from None


def _names(name: str, columns: Columns) -> list[str]:
    """The parts of a name that are names themselves; places in a list are none. Raises Withheld."""
    if columns.knows(name):
        return [name]
    parts = [part for part in _BETWEEN.split(name) if part]
    if not parts or not all(columns.knows(part) or has_form(part) or _PLACE.fullmatch(part) for part in parts):
        raise Withheld("a field has no name that could be one")
    if any(columns.strange(None, part) and _PLACE.fullmatch(part) is None for part in parts):
        raise Withheld("a field has a name that may be data")
    return [part for part in parts if columns.knows(part) or _PLACE.fullmatch(part) is None] or parts
