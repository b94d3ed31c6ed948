"""Which header fields may go with an answer that was inspected?

1. Fields that describe the bytes of the service describe other bytes now: lengths, codings,
   entity tags, digests, signatures, ranges. They are dropped (RFC 9110, RFC 9530, RFC 9421).
2. The answer belongs to one caller: `private, no-store`, and it varies by credential.
3. A field can carry what the mask hides (`Location: /households/330106199003072319`). A value that
   may hold an identifier is dropped, except where the field has no room for one.
"""

import re

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
    }
)
_HARMLESS = frozenset(
    {
        b"content-type",
        b"content-language",
        b"date",
        b"retry-after",
        b"allow",
        b"deprecation",
        b"sunset",
        b"set-cookie",  # only passed on where the API names it: it is the caller's own
    }
)
_OURS: Headers = ((b"cache-control", b"private, no-store"), (b"vary", b"Authorization"), (b"accept-ranges", b"none"))
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TELLING = re.compile(rb"(?:[0-9][ -]?){7}|[@%\x80-\xff]")
"""Seven digits in a row (phone, card, resident id, birth date), an address, or anything escaped."""


def inspected(headers: Headers, length: int | None, content_type: bytes | None = None) -> Headers:
    """The fields that go with an inspected body of this length; None for an answer without a body.

    `content_type` replaces what the service said.
    """
    kept = [field for field in headers if field[0] not in _DROPPED and (field[0] in _HARMLESS or not _tells(field[1]))]
    if content_type is not None:
        kept = [field for field in kept if field[0] != b"content-type"]
        kept.append((b"content-type", content_type))
    kept.extend(_OURS)
    if length is not None:
        kept.append((b"content-length", b"%d" % length))
    return tuple(kept)


def _tells(value: bytes) -> bool:
    if _TELLING.search(value) is None:
        return False
    return _TELLING.search(_UUID.sub(b"", value)) is not None
