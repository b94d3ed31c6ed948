"""How does the door read a body, and how does it answer?"""

import json

import msgspec
import pytest
from starlette.requests import Request

from gateway.control import DoorFault, Query, Revocation
from gateway.control.answers import MAX_BODY, Answer, Raw, language_of, problem, read_body, read_json, respond

pytestmark = pytest.mark.anyio


def request(*chunks: bytes, media: str = "application/json") -> Request:
    waiting = list(chunks)

    async def receive() -> dict[str, object]:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", media.encode())]}, receive)


async def test_a_good_body_becomes_its_value() -> None:
    got = await read_json(request(b'{"query": "a', b'", "limit": 3}'), Query)
    assert got == Query("a", 3)
    assert await read_json(
        request(b'{"query": "\xe4\xb8\xad"}', media="application/json; charset=utf-8"), Query
    ) == Query("中", 100)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"query": "a", "query": "b"}', "a key stands twice"),
        (b'{"query": "a", "limits": 3}', "unknown field `limits`"),
        (b'{"query": 5}', "expected text"),
        (b'{"limit": 5}', "missing required field `query`"),
        (b"\xff", "malformed"),
    ],
)
async def test_a_bad_body_says_what_is_wrong_in_plain_words(body: bytes, why: str) -> None:
    with pytest.raises(DoorFault) as caught:
        await read_json(request(body), Query)
    assert caught.value.code == "bad_request"
    assert why.lower() in caught.value.detail.lower()


@pytest.mark.parametrize(
    "body", [b'{"kind":"subject","id":"a","until":NaN}', b'{"kind":"subject","id":"a","until":1e999}', b"{", b"[[[["]
)
async def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(DoorFault, match="bad_request"):
        await read_json(request(body), Revocation)


async def test_a_body_is_bounded_and_counted_as_it_comes() -> None:
    with pytest.raises(DoorFault, match="body_too_large"):
        await read_body(request(*[b"a" * 40_000] * 2, b"never read"), "application/json")
    assert len(await read_body(request(b"a" * MAX_BODY), "application/json")) == MAX_BODY


async def test_a_body_that_breaks_off_is_no_body() -> None:
    async def gone() -> dict[str, object]:
        return {"type": "http.disconnect"}

    broken = Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, gone)
    with pytest.raises(DoorFault, match="body_incomplete"):
        await read_body(broken, "application/json")


async def test_answers_are_kept_by_no_cache() -> None:
    answer = respond(Answer({"a": msgspec.Raw(b"[1]")}, 201))
    assert (answer.status_code, answer.body) == (201, b'{"a":[1]}')
    raw = respond(Answer(Raw(b"x 1\n", "text/plain")))
    for sent in (answer, raw, problem("not_found")):
        assert sent.headers["cache-control"] == "no-store"
        assert sent.headers["x-content-type-options"] == "nosniff"


async def test_a_problem_has_the_form_of_rfc_9457() -> None:
    body = json.loads(bytes(problem("bad_request", ["`limit`"], "zh-CN").body))
    assert body == {
        "type": "urn:gateway:reason:bad_request",
        "title": "无法理解该请求",
        "status": 400,
        "detail": "请修正 errors 中列出的问题",
        "reason": "bad_request",
        "errors": ["`limit`"],
    }


async def test_the_language_is_what_is_asked_for_first() -> None:
    assert language_of([(b"accept-language", b"zh-TW, en;q=0.5")]) == "zh-CN"
    assert language_of([(b"accept-language", b"en, zh")]) == "en"
    assert language_of([]) == "en"
