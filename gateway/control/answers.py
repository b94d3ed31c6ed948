"""How does the door read a body, and how does it answer?

Rules:

1. A body is at most 64 KiB of strict JSON: no unknown key, no key twice, the type declared.
2. Every answer is JSON that no cache keeps; every error a problem body (RFC 9457) with a reason code.
3. What the operator may know is in `errors`; nothing that was sent is echoed.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.control.door import DoorFault
from gateway.reasons import REASONS

MAX_BODY = 64 * 1024
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "connection": "close",
    "content-security-policy": "default-src 'none'",
}
T = TypeVar("T", bound=Struct)


class Answer(Struct, frozen=True):
    """What goes back, and what the record says was done to whom."""

    body: object
    status: int = 200
    target: str = ""
    detail: str = ""
    act: str = ""  # another name than the route's, when it ended differently


class Raw(Struct, frozen=True):
    """A body that is not JSON."""

    body: bytes
    media: str


async def read_body(request: Request, media: str) -> bytes:
    """The whole body of this media type. Raises DoorFault."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media:
        raise DoorFault("media_type", f"content-type must be {media}")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise DoorFault("body_too_large", f"more than {MAX_BODY} bytes")
    except ClientDisconnect:
        raise DoorFault("body_incomplete") from None
    return bytes(body)


async def read_json(request: Request, form: type[T]) -> T:
    """The body as this value. Raises DoorFault that says what is wrong with it, and where."""
    body = await read_body(request, "application/json")
    try:
        value = msgspec.json.decode(body, type=form)
        json.loads(body, object_pairs_hook=_no_key_twice)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DoorFault("bad_request", _plain(error)) from None
    return value


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of `{"id": "a", "id": "b"}` would revoke two different things."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _plain(error: Exception) -> str:
    """What is wrong, without the names of Python's types."""
    if isinstance(error, UnicodeDecodeError):
        return "the body is not UTF-8"
    text = str(error).replace("Object ", "the body ").replace("`$.", "`")
    for name, word in (("`str`", "text"), ("`int`", "a whole number"), ("`float | null`", "a number or null"),
                       ("`object`", "an object"), ("`array`", "a list"), ("`float`", "a number")):  # fmt: skip
        text = text.replace(name, word)
    return text[:300]


def respond(answer: Answer) -> Response:
    """The answer as it is sent."""
    if isinstance(answer.body, Raw):
        return Response(answer.body.body, answer.status, HEADERS | {"content-type": answer.body.media})
    body = msgspec.json.encode(answer.body)
    return Response(body, answer.status, HEADERS | {"content-type": "application/json"})


def problem(
    code: str, errors: object = (), language: str = "en", status: int = 0, extra: Iterable[tuple[str, str]] = ()
) -> Response:
    """The problem body of a reason code; `errors` say more to the operator."""
    meaning = REASONS[code]
    zh = language == "zh-CN"
    body: dict[str, object] = {
        "type": f"urn:gateway:reason:{code}",
        "title": meaning.zh if zh else meaning.en,
        "status": status or meaning.status,
        "detail": meaning.remedy_zh if zh else meaning.remedy_en,
        "reason": code,
    }
    if errors:
        body["errors"] = errors
    headers = HEADERS | {"content-type": "application/problem+json"} | dict(extra)
    return Response(msgspec.json.encode(body), status or meaning.status, headers)


def language_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's language: Chinese when it is what they ask for first."""
    wanted = next((value for name, value in headers if name == b"accept-language"), b"")
    return "zh-CN" if wanted.strip().lower().startswith(b"zh") else "en"
