"""Which header fields may go with an answer that was inspected?

1. Fields that describe the bytes of the service describe other bytes now: lengths, codings,
   entity tags, digests, signatures, ranges. They are dropped (RFC 9110, RFC 9530, RFC 9421).
2. The answer belongs to one caller: `private, no-store`, and it varies by credential.
3. A field can carry what the mask hides (`Location: /households/330106199003072319`). A value that
   may hold an identifier is dropped, except where the field has no room for one. Digits that anything but letters parts, however much of it,
   (`330106/199003/072319`) are read as one number.
4. Free text is dropped, and a file's name (`wang-xiaoming.json`): nothing tells a name from a word.
5. Where records may be taken out, a field that could count them is dropped: `Link` names the last page, and what an API
   returns of its own (`X-Total-Count`) may say anything.
"""

import re

from gateway.detect import Gate
from gateway.facts import Headers

_DROPPED = frozenset(
    {
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"trailer",
        b"etag",
        b"last-modified",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"want-content-digest",
        b"want-repr-digest",
        b"signature",
        b"signature-input",
        b"accept-ranges",
        b"content-range",
        b"cache-control",
        b"expires",
        b"pragma",
        b"age",
        b"vary",
        b"warning",
    }
)
_COUNTLESS = frozenset(
    {
        b"content-type",
        b"content-length",
        b"content-language",
        b"content-disposition",
        b"location",
        b"content-location",
        b"allow",
        b"retry-after",
        b"deprecation",
        b"sunset",
        b"set-cookie",
        b"cache-control",
        b"vary",
        b"accept-ranges",
    }
)
_READING = frozenset({b"content-encoding", b"content-range", b"transfer-encoding"})  # the body is not what it seems
_OWN = frozenset({b"set-cookie"})  # only passed on where the API names it: it is the caller's own
_IDS = Gate(("resident-id",))  # no session is called so by accident
_JSON = b"application/json"
_PLAIN = frozenset({_JSON, b"application/json; charset=utf-8", b"application/json;charset=utf-8"})  # tells nothing
_OURS: Headers = ((b"cache-control", b"private, no-store"), (b"vary", b"Authorization"), (b"accept-ranges", b"none"))
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TELLING = re.compile(rb"(?:[0-9][^0-9A-Za-z]*+){7}|[@%\x80-\xff]|[0-9]{6}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{10}")
"""Seven digits in a row (phone, card, resident id, birth date), an address, anything escaped, or a credit code."""
_SINCE = re.compile(rb"@[0-9]{1,10}")  # the date of a deprecation in seconds (RFC 9745)
_DATED = frozenset({b"date", b"deprecation", b"retry-after", b"sunset"})
_DATE = re.compile(  # RFC 9110; of a real day, or its digits could be those of an identifier
    rb"[A-Z][a-z]{2}, (?:0[1-9]|[12][0-9]|3[01]) [A-Z][a-z]{2} (?:19|20)[0-9]{2} (?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2} GMT"
)
_DISPOSITIONS = frozenset({b"attachment", b"inline"})


def inspected(headers: Headers, length: int | None, content_type: bytes | None = None) -> Headers:
    """The fields that go with an inspected body of this length; None for an answer without a body.

    `content_type` replaces what the service said.
    """
    kept: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name in _DROPPED or (name == b"content-type" and content_type is not None):
            continue
        shown = _shown(name, value)
        if shown is not None:
            kept.append((name, shown))
    if content_type is not None:
        kept.append((b"content-type", content_type))
    kept.extend(_OURS)
    if length is not None:
        kept.append((b"content-length", b"%d" % length))
    return tuple(kept)


def countless(headers: Headers) -> Headers:
    """The fields that cannot say how many records there were (rule 5)."""
    return tuple(pair for pair in headers if pair[0] in _COUNTLESS)


def plain(headers: Headers) -> Headers | None:
    """The same but for the length, if the head says JSON in UTF-8, once, and nothing else about how to read the body."""
    kept: list[tuple[bytes, bytes]] = []
    types = 0
    for pair in headers:
        name, value = pair
        if name == b"content-type":
            if value not in _PLAIN:
                return None
            types += 1
            kept.append(pair)
        elif name in _READING:
            return None
        elif name not in _DROPPED:
            shown = _shown(name, value)
            if shown is not None:
                kept.append((name, shown))
    kept.extend(_OURS)
    return tuple(kept) if types == 1 else None


def _shown(name: bytes, value: bytes) -> bytes | None:
    """What is shown of the value of a field, None when the field is dropped."""
    if name == b"content-type":
        return value if value in _PLAIN or not tells(value) else _media_type(value)
    if name == b"content-disposition":
        kind = value.partition(b";")[0].strip().lower()
        return kind if kind in _DISPOSITIONS else None  # rule 4
    if name in _OWN:
        return None if _IDS.found(value) else value
    if value in _PLAIN or not tells(value) or (name in _DATED and _DATE.fullmatch(value)):
        return value
    return value if name == b"deprecation" and _SINCE.fullmatch(value) else None


def _media_type(value: bytes) -> bytes:
    """Without its parameters, one of which tells something."""
    bare = value.partition(b";")[0].strip()
    return _JSON if tells(bare) else bare


def tells(value: bytes) -> bool:
    """Whether a value that nobody labelled may hold an identifier."""
    if _TELLING.search(value) is None:
        return False
    return _TELLING.search(_UUID.sub(b"", value)) is not None
