"""How is a no told, so that a program and a person both know what to do?

Rules:

1. A program gets a problem body (RFC 9457), a browser a page; both in the caller's language.
2. The sentence comes from `reasons`; details, rules and thresholds stay with the operators.
3. Nothing a caller sent is repeated, save the request id, whose shape was checked.
4. 401 says how to come back (RFC 6750, RFC 9470, RFC 9728).
5. What is the same for every refusal with one code is made once and remembered.
"""

from functools import lru_cache

from orjson import dumps

from gateway.edge.page import CONTENT_POLICY, explanation, page
from gateway.edge.settings import Settings
from gateway.facts import NOTHING_REVEALED, Ask, Challenge, Deny, Fault, Headers, Refusal, Reply, Revealed, Unreadable
from gateway.reasons import REASONS, Meaning

RETRY_AFTER = b"1"
_PROBLEM: Headers = ((b"content-type", b"application/problem+json"), (b"cache-control", b"no-store"))
_PAGE: Headers = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", CONTENT_POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_NAMED = {"en": ("decision", "request"), "zh-CN": ("判定编号", "请求编号")}
_NOTHING = Settings()


def refusal(ask: Ask, said: Refusal, settings: Settings, decision: str = "") -> Reply:
    """The answer to a request that was refused, or failed after it was allowed under `decision`."""
    if isinstance(said, Fault):
        return _reply(said.code, ask, decision, settings, None, said.revealed, said.detail)
    denial = said.refusal
    code = denial.reasons[0].code if denial.reasons else "policy_error"
    if isinstance(denial, Challenge) and _meaning(code).status != 401:
        code = "step_up_required"  # whatever led to it, the caller is told what would help
    return _reply(code, ask, said.id, settings, denial)


def turn_away(
    unreadable: Unreadable, settings: Settings = _NOTHING, allow: str = "", errors: tuple[str, ...] = ()
) -> Reply:
    """The answer to a request that could not be read.

    `allow`: the methods that its address takes (RFC 9110 section 15.5.6). `errors`: what is wrong, for a program, in our
    own words and the caller's language.
    """
    also = ((b"allow", allow.encode("ascii")),) if allow else ()
    return _reply(unreadable.code, unreadable, "", settings, None, also=also, errors=errors)


def _reply(
    code: str,
    asked: Ask | Unreadable,
    decision: str,
    settings: Settings,
    denial: Deny | Challenge | None,
    revealed: Revealed = NOTHING_REVEALED,
    detail: str = "",
    also: Headers = (),
    errors: tuple[str, ...] = (),
) -> Reply:
    status, start, end, headers = _prepared(code, asked.language, asked.browser, settings.public_url)
    if isinstance(denial, Challenge):
        headers = (*_without_challenge(headers), (b"www-authenticate", _step_up(denial, settings.public_url)))
    more = b',"errors":' + dumps(errors) if errors and not asked.browser else b""
    body = b"".join((start, more, _ids(decision, asked), end))
    if decision:
        headers = (*headers, (b"x-gateway-decision", decision.encode("ascii", "replace")))
    headers = (*headers, *also, (b"content-length", b"%d" % len(body)))
    return Reply(status, headers, body, len(body), revealed, code=code, detail=detail)


@lru_cache(maxsize=1024)
def _prepared(code: str, language: str, browser: bool, public_url: str) -> tuple[int, bytes, bytes, Headers]:
    """Status, body before and after the ids, and headers: all that is the same for one code."""
    meaning = _meaning(code)
    if browser:
        start, end = page(code, meaning, language)
    else:
        start, end = _problem(code, meaning, language, public_url)
    headers = (_PAGE if browser else _PROBLEM) + ((b"content-language", language.encode("ascii")),)
    if meaning.status == 401:
        headers += ((b"www-authenticate", _challenge(code, public_url)),)
    if meaning.status == 503:
        headers += ((b"retry-after", RETRY_AFTER),)
    return meaning.status, start, end, headers


def _meaning(code: str) -> Meaning:
    meaning = REASONS.get(code, REASONS["internal_error"])
    return meaning if meaning.status >= 400 else REASONS["no_rule"]  # a reason to allow never dresses a refusal


def _problem(code: str, meaning: Meaning, language: str, public_url: str) -> tuple[bytes, bytes]:
    zh = language == "zh-CN"
    body = dumps(
        {
            "type": f"{public_url}/.gateway/reasons/{code}",
            "title": meaning.zh if zh else meaning.en,
            "status": meaning.status,
            "detail": meaning.remedy_zh if zh else meaning.remedy_en,
            "reason": code,
        }
    )
    return body[:-1], b"}"


def _ids(decision: str, asked: Ask | Unreadable) -> bytes:
    """The two ids as they stand in the body; their characters need no escape (see `read` and `audit`)."""
    if asked.browser:
        named = _NAMED[asked.language]
        return f"<dt>{named[0]}</dt><dd>{decision or '—'}</dd><dt>{named[1]}</dt><dd>{asked.id}</dd>".encode()
    if decision:
        return f',"decision_id":"{decision}","request_id":"{asked.id}"'.encode("ascii", "replace")
    return f',"request_id":"{asked.id}"'.encode("ascii", "replace")


def _metadata(public_url: str) -> str:
    return f'resource_metadata="{public_url}/.well-known/oauth-protected-resource"'


def _challenge(code: str, public_url: str) -> bytes:
    if code == "credential_missing":  # nothing was wrong with what was not sent (RFC 6750 section 3.1)
        return f"Bearer {_metadata(public_url)}".encode()
    return f'Bearer error="invalid_token", {_metadata(public_url)}'.encode()


def _step_up(challenge: Challenge, public_url: str) -> bytes:
    parts = ['Bearer error="insufficient_user_authentication"', f'acr_values="{challenge.acr_values}"']
    if challenge.max_age is not None:
        parts.append(f'max_age="{challenge.max_age}"')
    return ", ".join((*parts, _metadata(public_url))).encode("ascii", "replace")


def _without_challenge(headers: Headers) -> Headers:
    return tuple(field for field in headers if field[0] != b"www-authenticate")


def reason_page(code: str, language: str) -> Reply | None:
    """What a code means, for the person who followed the `type` of a problem; None for an unknown code."""
    if code not in REASONS:
        return None
    body = explanation(code, REASONS[code], language)
    headers = (*_PAGE, (b"content-language", language.encode("ascii")), (b"content-length", b"%d" % len(body)))
    return Reply(200, headers, body, len(body))


def resource_metadata(settings: Settings, issuers: tuple[str, ...], bound: bool = False) -> Reply:
    """The document that tells a client where to get a token for us (RFC 9728)."""
    body = dumps(
        {
            "resource": settings.public_url,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
            "tls_client_certificate_bound_access_tokens": bound,
        }
    )
    headers = (
        (b"content-type", b"application/json"),
        (b"cache-control", b"max-age=300"),
        (b"content-length", b"%d" % len(body)),
    )
    return Reply(200, headers, body, len(body))


def plain(status: int, media: bytes, body: bytes, cache: bytes = b"no-store") -> Reply:
    """A small answer of the gateway's own: health, key sets."""
    headers = ((b"content-type", media), (b"cache-control", cache), (b"content-length", b"%d" % len(body)))
    return Reply(status, headers, body, len(body))
