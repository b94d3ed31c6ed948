"""How is a request forwarded without what its service must not have?

Where a rule says so (`then: {request: PROFILE}`) the labels of the asset are laid over the request as well: over the
parameters of its query and over its body. Rules:

1. The path is never touched: it was decided on.
2. A body in JSON or of a form is written anew without what the mask hides; what cannot be read (another form, a coding,
   another charset, more than is held in memory) is not forwarded at all.
3. A parameter is covered by every label that ends with its name, or with a part of it (`filter[id_number]`,
   `person.id_number`), however it is percent-encoded. What the mask drops is left out; what no label covers stays as it came.
4. Some services take a `;` for a `&`: a parameter in which they would find one that a label covers is left out.
"""

import re
from urllib.parse import quote_plus, unquote_plus

from gateway.facts import Ask, Concealed, Fault
from gateway.masking.columns import Columns, shown
from gateway.masking.json_body import NotJson, mask_json
from gateway.masking.keys import Keys
from gateway.masking.media import media_type
from gateway.masking.plan import Plan, Rule, TooManyStates

CODE = "cannot_conceal"
_PARTS = re.compile(r"[\[\].]+")
_FORM = b"application/x-www-form-urlencoded"
_UTF8 = re.compile(rb"charset\s*=\s*\"?(?!utf-8\b)", re.IGNORECASE)


def concealed(ask: Ask, content: bytes | None, plan: Plan, columns: Columns, keys: Keys) -> Concealed | Fault:
    """The query and the body to forward; `content` is the whole body, None when it is too long to be held."""
    query = pairs(ask.query, columns, keys)
    if content == b"":
        return Concealed(query, b"")
    if content is None:
        return Fault(CODE, "the body is longer than what is held in memory")
    if any(name == b"content-encoding" and value not in (b"", b"identity") for name, value in ask.headers):
        return Fault(CODE, "the body is packed")
    kind = ask.header(b"content-type") or b""
    if _UTF8.search(kind):
        return Fault(CODE, "the body is not in UTF-8")
    media = media_type(ask.headers)
    if media == _FORM:
        return _form(query, content, columns, keys)
    if media == b"application/json" or media.endswith(b"+json"):
        return _json(query, content, plan, keys)
    return Fault(CODE, "the body is neither JSON nor a form")


def _form(query: str, content: bytes, columns: Columns, keys: Keys) -> Concealed | Fault:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return Fault(CODE, "the form is not percent-encoded")
    return Concealed(query, pairs(text, columns, keys).encode("ascii"))


def _json(query: str, content: bytes, plan: Plan, keys: Keys) -> Concealed | Fault:
    try:
        content.decode("utf-8")
        return Concealed(query, mask_json(content, plan, keys)[0])
    except (NotJson, TooManyStates, ValueError, RecursionError):
        return Fault(CODE, "the body is not JSON that can be read")


def pairs(text: str, columns: Columns, keys: Keys) -> str:
    """The parameters of a query or a form with the mask laid over them."""
    return "&".join(kept for pair in text.split("&") if (kept := _pair(pair, columns, keys)) is not None)


def _pair(pair: str, columns: Columns, keys: Keys) -> str | None:
    """One parameter as it is forwarded, None when it is left out."""
    name, equals, value = pair.partition("=")
    if any(_rule(unquote_plus(part.partition("=")[0]), columns) for part in pair.split(";")[1:]):
        return None  # `a=1;id_number=…` (CVE-2021-23336)
    rule = _rule(unquote_plus(name), columns)
    if rule is None:
        return pair
    if rule.drop or rule.nulls or not equals:  # a parameter without a sign of equality may be the value itself
        return None
    return f"{name}={quote_plus(shown(unquote_plus(value), rule, keys))}"


def _rule(name: str, columns: Columns) -> Rule | None:
    """What applies to a parameter: the label that its whole name or a part of it ends with."""
    parts = [name, *filter(None, _PARTS.split(name))]
    known = next((part for part in parts if columns.knows(part)), name)
    return columns.rule(known)
