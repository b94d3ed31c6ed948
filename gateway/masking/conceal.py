"""How is a request forwarded without what its service must not have?

Where a rule says so (`then: {request: PROFILE}`) the labels of the asset are laid over the request as well: over the
parameters of its query and over its body. Rules:

1. The path is never touched: it was decided on.
2. A body in JSON or of a form is written anew without what the mask hides; what cannot be read (another form, a coding,
   another charset, more than is held in memory) is not forwarded at all.
3. A parameter is covered by every label that ends with its name, or with a part of it (`filter[id_number]`,
   `person.id_number`), however often it is percent-encoded; the strictest applies. What the mask drops is left out; what
   no label covers stays as it came.
4. Many services do not care for the case of a name, for blanks around it or a null in it: `ID_Number` is covered as
   `id_number` is, in a body too, wherever it stands there.
5. Some services take a `;` for a `&`: a parameter in which they would find one that a label covers is left out.
"""

import re
from json import loads as _loads  # orjson keeps one of two members of a name
from unicodedata import normalize
from urllib.parse import quote_plus, unquote_plus

from gateway.facts import Ask, Concealed, Fault, FieldMask, Mask
from gateway.jsonpath import Anywhere, spell
from gateway.masking.columns import Columns, shown
from gateway.masking.json_body import NotJson, mask_json
from gateway.masking.keys import Keys
from gateway.masking.media import media_type
from gateway.masking.plan import Plan, Rule, TooManyStates
from gateway.masking.prepared import Prepared

CODE = "cannot_conceal"
TOKENISE = "tokenise"
MAX_ENCODED = 4  # times that a name may be percent-encoded
MAX_SPELLINGS = 64  # of one label in one body
_PARTS = re.compile(r"[\[\].]+")
_U = re.compile(r"%u([0-9A-Fa-f]{4})", re.IGNORECASE)  # as ASP.NET reads it
_FORM = b"application/x-www-form-urlencoded"
_OTHER_CHARSET = re.compile(rb"charset\s*=\s*(?!\"?utf-8\b)", re.IGNORECASE)
_NAME = re.compile(r"[\w.\-\[\]$]{1,64}")  # of a parameter without a value
_DIGITS = re.compile(r"(?:\d\D*){5}")
_PATCH = b"application/json-patch+json"  # its names are values


def concealed(ask: Ask, content: bytes | None, prepared: Prepared, keys: Keys) -> Concealed | Fault:
    """The query and the body to forward; `content` is the whole body, None when it is too long to be held."""
    columns = prepared.columns
    query = pairs(ask.query, columns, keys)
    if content == b"":
        return Concealed(query, b"")
    if content is None:
        return Fault(CODE, "the body is longer than what is held in memory")
    if any(name == b"content-encoding" and value not in (b"", b"identity") for name, value in ask.headers):
        return Fault(CODE, "the body is packed")
    kind = ask.header(b"content-type") or b""
    if _OTHER_CHARSET.search(kind):
        return Fault(CODE, "the body is not in UTF-8")
    media = media_type(ask.headers)
    if media == _FORM:
        return _form(query, content, columns, keys)
    if media == b"application/json" or (media.endswith(b"+json") and media != _PATCH):
        return _json(query, content, prepared, keys)
    return Fault(CODE, "the body is neither JSON nor a form")


def _form(query: str, content: bytes, columns: Columns, keys: Keys) -> Concealed | Fault:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return Fault(CODE, "the form is not percent-encoded")
    return Concealed(query, pairs(text, columns, keys).encode("ascii"))


def _json(query: str, content: bytes, prepared: Prepared, keys: Keys) -> Concealed | Fault:
    try:
        content.decode("utf-8")
        return Concealed(query, mask_json(content, _as_named(content, prepared), keys)[0])
    except (NotJson, TooManyStates, ValueError, RecursionError):
        return Fault(CODE, "the body is not JSON that can be read")


def _as_named(content: bytes, prepared: Prepared) -> Plan:
    """The plan with every label wherever the body has a member of its last name, however that is spelled. Raises ValueError.

    Labels are paths of answers; a request has another shape.
    """
    plan, columns, mask = prepared.plan, prepared.columns, prepared.mask
    more: list[FieldMask] = []
    for name in _names(content):
        for rule in filter(None, (columns.rule(known) for part in _parts(name) for known in columns.alike(part))):
            if rule.technique.name == TOKENISE and name not in plan.names:  # a token tells the label that it came from
                raise NotJson("a name whose values become tokens is spelled otherwise")
            field = FieldMask(spell((Anywhere(name),)), rule.technique.text)
            more += [] if field in mask.fields else [field]
    if len(more) > MAX_SPELLINGS:
        raise NotJson("a name in it is spelled in too many ways")
    return Plan(Mask(mask.profile, (*mask.fields, *more), mask.unlabelled), asset=prepared.asset.id) if more else plan


def _names(content: bytes) -> dict[str, None]:
    """The names of all members, at any depth, those also that a member of the same name hides from most readers."""
    names: dict[str, None] = {}

    def note(members: list[tuple[str, object]]) -> None:
        names.update((name, None) for name, _ in members)

    _loads(content.removeprefix(b"\xef\xbb\xbf"), object_pairs_hook=note, parse_int=str, parse_float=str)
    return names


def pairs(text: str, columns: Columns, keys: Keys) -> str:
    """The parameters of a query or a form with the mask laid over them."""
    return "&".join(kept for pair in text.split("&") if (kept := _pair(pair, columns, keys)) is not None)


def _pair(pair: str, columns: Columns, keys: Keys) -> str | None:
    """One parameter as it is forwarded, None when it is left out."""
    name, equals, value = pair.partition("=")
    hidden = [part.partition("=")[0] for part in pair.split(";")[1:]]
    if any(_rule(part, columns) for part in hidden):
        return None  # `a=1;id_number=…` (CVE-2021-23336)
    last = _readings(name)[-1]
    if _decoded(last) != last:
        return None  # nobody can say how its reader will read it
    if not equals and name and (_NAME.fullmatch(last) is None or _DIGITS.search(last)):
        return None  # a value, or JSON in the disguise of a form
    rule = _rule(name, columns)
    if rule is None:
        return pair
    if rule.drop or rule.nulls or not equals:  # a parameter without a sign of equality may be the value itself
        return None
    return f"{name}={quote_plus(shown(unquote_plus(value), rule, keys))}"


def _rule(name: str, columns: Columns) -> Rule | None:
    """What applies to a parameter: the strictest of the labels that a reader may find in its name."""
    rule, covered = None, False
    for reading in _readings(name):
        for part in _parts(reading):
            for known in columns.alike(part):
                rule, covered = columns.below(rule, known), True
    return rule if covered else columns.rule(name)


def _parts(name: str) -> tuple[str, ...]:
    """A name, and what some readers find in it (`filter[id_number]`, `person.id_number`), each as lenient programs read it."""
    return tuple(map(read, (name, *filter(None, _PARTS.split(name)))))


def read(name: str) -> str:
    """A name as lenient programs read it: without blanks around it, up to a null, in its usual letters."""
    return normalize("NFKC", name).partition("\0")[0].strip()


def _readings(name: str) -> list[str]:
    """A name as it is read once it is decoded, and by those who decode what is decoded already."""
    readings = [_decoded(name)]
    while len(readings) < MAX_ENCODED and (again := _decoded(readings[-1])) != readings[-1]:
        readings.append(again)
    return readings


def _decoded(name: str) -> str:
    return unquote_plus(_U.sub(lambda match: chr(int(match[1], 16)), name))
