"""In which form did the service answer?

1. The Content-Type says so. A form that it names and the body has not is withheld: nothing is tried until it fits.
2. What is not listed here is looked at as JSON, and withheld when it is none: images, archives, documents and
   multipart bodies are shown only by an endpoint that is declared opaque.
"""

import re
from typing import Final, Literal

from gateway.facts import Headers
from gateway.masking.headers import tells
from gateway.masking.unpack import declared_charset

Form = Literal["json", "lines", "table", "form", "markup", "events", "prose"]

_FORMS: Final[dict[bytes, Form]] = {
    b"application/x-ndjson": "lines",
    b"application/ndjson": "lines",
    b"application/jsonl": "lines",
    b"application/x-jsonlines": "lines",
    b"application/jsonlines": "lines",
    b"application/stream+json": "lines",
    b"application/json-seq": "lines",
    b"text/csv": "table",
    b"application/csv": "table",
    b"text/tab-separated-values": "table",
    b"application/x-www-form-urlencoded": "form",
    b"application/xml": "markup",
    b"text/xml": "markup",
    b"text/event-stream": "events",
    b"text/plain": "prose",
    b"text/html": "prose",
    b"application/xhtml+xml": "prose",
}
_NAME = re.compile(rb"[a-z]{1,20}/[a-z0-9.+-]{1,80}")
_WORD = rb"[a-z0-9!#$&^_.-]{1,80}"
_JSON = re.compile(rb"(?:application|text)/json|" + _WORD + rb"/" + _WORD + rb"\+json")
_XML = re.compile(_WORD + rb"/" + _WORD + rb"\+xml")
STREAMED: Final[frozenset[Form]] = frozenset({"lines", "table", "events"})
"""Forms that are masked unit by unit while they arrive."""


def media_type(headers: Headers) -> bytes:
    """The media type without its parameters, in lower case; b"" when none is declared."""
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


def named(headers: Headers) -> str:
    """The media type for the record of what could not be inspected: "" when it is JSON, or may say something of the answer."""
    kind = media_type(headers)
    plain = _NAME.fullmatch(kind) is not None and not tells(kind)
    return "" if not plain or kind.endswith((b"/json", b"+json")) else kind.decode("ascii")


def form_of(headers: Headers) -> Form:
    """The form that the head declares."""
    kind = media_type(headers)
    return _FORMS.get(kind) or ("markup" if _XML.fullmatch(kind) else "json")


def json_type(headers: Headers) -> bytes | None:
    """The Content-Type to send when the one of the service is missing, is not the truth, or names another charset.

    The walk has shown that it is JSON: shown as `text/html`, a value of it could run as a script here.
    """
    charset = declared_charset(headers)
    for name, value in headers:
        if name == b"content-type":
            kind = value.partition(b";")[0].strip(b" \t")
            if _JSON.fullmatch(kind.lower()) is None or tells(kind):  # `text/html /json` is a page to browsers
                return b"application/json"
            return None if charset in ("", "utf-8") else kind + b"; charset=utf-8"
    return b"application/json"
