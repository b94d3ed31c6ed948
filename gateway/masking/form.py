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

from gateway.facts import Revealed
from gateway.masking.columns import Columns, shown
from gateway.masking.json_body import SLICE, turn
from gateway.masking.keys import Keys
from gateway.masking.names import MAX_UNLABELLED, is_name, spell_trail
from gateway.masking.unpack import Withheld, codec_of
from gateway.masking.whom import digests

MAX_FORM = 1024 * 1024
MAX_FIELDS = 10_000
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BETWEEN = re.compile(r"[\[\].]+")
_PLACE = re.compile(r"[0-9]{1,4}", re.ASCII)


class _Read(Struct, frozen=True, gc=False):
    raw: bytes
    name: str
    value: str


async def mask_form(body: bytes, charset: str, columns: Columns, keys: Keys) -> tuple[bytes, bytes, Revealed]:
    """The fields with the mask laid over them, what a reader of them reads, and what was done. Raises Withheld."""
    fields = await _fields(body, charset)
    whole = codec_of(charset) == "utf-8"
    counts: Counter[str] = Counter()
    unlabelled: dict[str, None] = {}
    heard: list[str] = []
    parts: list[bytes] = []
    read: list[str] = []
    pending = 0
    for field in fields:
        names = _names(field.name, columns)
        above = None
        for name in names[:-1]:
            above = columns.inside(above, name)
        last = names[-1]
        rule = columns.below(above, last)
        if last == columns.key:
            heard.append(field.value)
        if rule is None and columns.noted and not columns.knows(last) and len(unlabelled) < MAX_UNLABELLED:
            unlabelled[spell_trail((None, last))] = None
        value = shown(field.value, rule, keys)
        if rule is not None and field.value:
            counts[rule.label] += 1
        kept = whole and value == field.value
        parts.append(field.raw if kept else f"{quote_plus(field.name)}={quote_plus(value)}".encode())
        read.append(f"{field.name}={value}")
        pending += len(field.raw)
        if pending >= SLICE:
            pending = 0
            await turn()
    seen, unlisted = digests(heard, keys)
    revealed = Revealed(tuple(counts.items()), tuple(unlabelled), 1, seen, unlisted, columns.clear)
    return b"&".join(parts), "\n".join(read).encode(), revealed


async def _fields(body: bytes, charset: str) -> list[_Read]:
    if len(body) > MAX_FORM or body.count(b"&") >= MAX_FIELDS:
        raise Withheld(f"longer than {MAX_FORM} bytes or {MAX_FIELDS} fields, as a form")
    if b";" in body:
        raise Withheld("its fields can be told apart in two ways")  # CVE-2021-23336
    if _NO_ESCAPE.search(body) is not None:
        raise Withheld("it has an escape that is none")
    codec = codec_of(charset)
    fields: list[_Read] = []
    for raw in body.split(b"&"):
        name, _, value = raw.partition(b"=")
        if not raw:
            continue
        try:
            fields.append(_Read(raw, _text(name, codec), _text(value, codec)))
        except UnicodeDecodeError:
            raise Withheld("not in the charset it declares") from None
        if len(raw) >= SLICE:
            await turn()
    return fields


def _text(escaped: bytes, codec: str) -> str:
    return unquote_to_bytes(escaped.replace(b"+", b" ")).decode(codec)


def _names(name: str, columns: Columns) -> list[str]:
    """The parts of a name that are names themselves; places in a list are none. Raises Withheld."""
    if columns.knows(name):
        return [name]
    parts = [part for part in _BETWEEN.split(name) if part]
    if not parts or not all(columns.knows(part) or is_name(part, False) or _PLACE.fullmatch(part) for part in parts):
        raise Withheld("a field has no name that could be one")
    if any(columns.strange(None, part) and _PLACE.fullmatch(part) is None for part in parts):
        raise Withheld("a field has a name that may be data")
    return [part for part in parts if columns.knows(part) or _PLACE.fullmatch(part) is None] or parts
