"""What did an author change, rule by rule?

Compares the content of two bundles and two catalogs, whatever files and lines it came from. Rules:

1. A rule is known by its id. One that only moved to another line or file has not been edited.
2. Everything that decides is compared, also what this module has no name for: a field of the content that is new
   shows as edited, never as nothing.
3. It is told in the words of the files: days, offices, `mask: none`; nobody reads seconds or JSON.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from gateway.catalog import Catalog, EndpointListing, Listing, Lowered
from gateway.policy.content import Content, Row
from gateway.policy.grants import Grant
from gateway.policy.native.source import Source
from gateway.policy.overlays import Overlay
from gateway.review.mutations import last_day

Form = Literal["added", "removed", "changed"]

RULES: Final = "rules"
ASSETS: Final = "assets"
_COLUMNS: Final = ("effect", "who", "org", "data", "action", "level", "expires", "when", "then")
_BESIDE: Final = {"titles": "title", "basis": "basis", "layers": "layer"}  # of a rule, by its id
_CALLED: Final = {
    "roles": "includes",  # which role includes which
    "declared": "roles",
    "orgs": "parents",
    "offices": "orgs",
    "data": "categories",
    "overlays": "emergency",
}
"""What a person calls a field of the content."""
_MOVES: Final = frozenset(("places", *_BESIDE, RULES))


class Part(Struct, frozen=True):
    """One word of what was edited, before and after; "" where there is none."""

    name: str
    before: str
    after: str


class Edit(Struct, frozen=True):
    """What was edited: in which list it stands, its id, and the words that differ."""

    what: str
    id: str
    form: Form
    parts: tuple[Part, ...] = ()


Beside = Mapping[str, dict[str, dict[str, str]]]
"""What stands beside the rules (`devices`, `sites`): by kind and name, in words."""


def edits(old: Content, new: Content) -> tuple[Edit, ...]:
    """What differs between two policies, rules first."""
    found = list(_edited(RULES, _rules(old), _rules(new)))
    before, after = asdict(old), asdict(new)
    for name in before:
        if name not in _MOVES and before[name] != after[name]:
            was, now = (_items(one, content.timezone) for one, content in ((before[name], old), (after[name], new)))
            found += _edited(_CALLED.get(name, name), was, now)
    return tuple(found)


def asset_edits(old: Catalog, new: Catalog) -> tuple[Edit, ...]:
    """What differs between two catalogs, asset by asset."""
    before, after = ({asset.id: _said(asset) for asset in one.assets} for one in (old, new))
    found = list(_edited(ASSETS, before, after))
    was, now = ({rule.id: _plain(asdict(rule), "id") for rule in one.rules} for one in (old, new))
    found += _edited("aggregation", was, now)
    was, now = ({name: {"grade": grade.text} for name, grade in one.names.items()} for one in (old, new))
    return (*found, *_edited("grades", was, now))


def beside_edits(old: Beside, new: Beside) -> tuple[Edit, ...]:
    """What differs between two registers of machines and places."""
    kinds = dict.fromkeys((*old, *new))
    return tuple(edit for kind in kinds for edit in _edited(kind, old.get(kind, {}), new.get(kind, {})))


def _edited(what: str, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> Iterator[Edit]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            form: Form = "added" if old is None else "removed" if new is None else "changed"
            yield Edit(what, key, form, tuple(_parts(old or {}, new or {})))


def _parts(old: dict[str, str], new: dict[str, str]) -> Iterator[Part]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name, ""), new.get(name, "")
        if before != after:
            yield Part(name, before, after)


def _rules(content: Content) -> dict[str, dict[str, str]]:
    """The words of each rule; `who`, `org` and `data` are spread over its rows."""
    words = _spread(content.rules, content.timezone)
    for field, name in _BESIDE.items():
        for identity, value in getattr(content, field).items():
            if identity in words:
                words[identity][name] = _text(value)
    return words


def _spread(rows: tuple[Row, ...], timezone: str) -> dict[str, dict[str, str]]:
    columns: dict[str, dict[str, dict[str, None]]] = {}
    for identity, *row in rows:
        rule = columns.setdefault(identity, {name: {} for name in _COLUMNS})
        for name, value in zip(_COLUMNS, row, strict=True):
            rule[name][_column(name, value, timezone)] = None
    return {key: {name: ", ".join(values) for name, values in rule.items()} for key, rule in columns.items()}


def _column(name: str, value: str, timezone: str) -> str:
    if name == "expires" and value:
        return last_day(value, timezone)
    return _flow(_as_said(msgspec.json.decode(value))) if name == "then" and value else value


def _flow(value: object) -> str:
    """A value as one writes it on a line of YAML."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_flow(one)}" for name, one in value.items())
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


_SHOWN: Final = ("id", "grade", "label", "key", "override", "about", "endpoints", "fields", "labels", "routes", "apis")
"""What of an asset is told in words of its own, or follows from the rest."""


def _said(asset: Listing) -> dict[str, str]:
    words = _plain(asdict(asset), *_SHOWN) | _plain(asdict(asset.about)) | {"endpoints": _text(asset.endpoints)}
    labels = {f"field {one.path}": f"{one.identifier} {one.grade.text}".lstrip() for one in asset.fields}
    own = {f"endpoint {one.route}": _endpoint(one, asset) for one in asset.routes}
    return {"grade": asset.grade.text, "override": _override(asset.override)} | words | labels | own


def _plain(values: dict[str, object], *without: str) -> dict[str, str]:
    """Values in words; what is not said is left out."""
    return {
        name: _text(value) for name, value in values.items() if name not in without and value not in (None, 0, "", ())
    }


def _endpoint(one: EndpointListing, asset: Listing) -> str:
    """What an endpoint says beyond its asset: an answer that passes unread (`opaque`) is one nobody masks."""
    usual = max(asset.grade, *(field.grade for field in asset.fields), asset.grade)
    words = [one.action, one.grade.text if one.grade != usual else ""]
    words += [one.contract if one.contract != asset.contract else "", _override(one.override)]
    words += [name for name in ("opaque", "honey", "discreet") if getattr(one, name)]
    return " ".join(filter(None, words))


def _override(one: Lowered | None) -> str:
    """Who lets it stand lower, and until when."""
    if one is None:
        return ""
    grade = f"{one.grade.text} " if one.grade is not None else ""
    return f"override {grade}{one.ticket} {one.approver} {one.on} {one.until}"


def _items(value: object, timezone: str) -> dict[str, dict[str, str]]:
    """A field of the content as named things with words."""
    if value is None:
        return {}
    if isinstance(value, Source):
        return _native(value)
    if isinstance(value, dict):
        return {str(key): _words(one, timezone) for key, one in value.items()}
    if isinstance(value, tuple):
        return {(str(getattr(one, "id", "")) or _text(one)): _words(one, timezone) for one in value}
    return {"": {"": _text(value)}}


def _native(source: Source) -> dict[str, dict[str, str]]:
    """A team's own policy: its rows by what they say, wherever they stand, and the rest by name."""
    rows = {", ".join(row[1:]): {"": ""} for row in source.rows}
    rest = {name: value for name, value in asdict(source).items() if name not in ("rows", "matcher_line")}
    return {name: _words(value, "UTC") for name, value in rest.items()} | rows


def _words(value: object, timezone: str) -> dict[str, str]:
    if isinstance(value, tuple | str):
        return {"": ""}  # a row is named by what it says
    if isinstance(value, Grant):
        days = {"begins": last_day(str(value.begins + 1), timezone), "ends": last_day(str(value.ends), timezone)}
        return {name: days.get(name) or _text(one) for name, one in asdict(value).items() if name != "id"}
    if isinstance(value, Overlay):
        rules = {f"rule {key}": _flow(_filled(words)) for key, words in _spread(value.rows, timezone).items()}
        return {name: _text(one) for name, one in asdict(value).items() if name != "rows"} | rules
    plain = msgspec.to_builtins(value)
    return {str(key): _text(one) for key, one in plain.items()} if isinstance(plain, dict) else {"": _text(plain)}


def _as_said(then: dict[str, object]) -> dict[str, object]:
    """The duties of a rule as a file says them."""
    rows = then.get("rows")
    if not isinstance(rows, list):
        return then
    return then | {"rows": {row["field"]: row["values"] for row in rows}}


def _filled(words: dict[str, str]) -> dict[str, str]:
    return {name: word for name, word in words.items() if word not in ("", "*")}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list) and all(isinstance(one, str) for one in value):
        said = len(value) - next((at for at, one in enumerate(reversed(value)) if one), len(value))
        return ", ".join(value[:said])  # without the empty ones at its end
    return msgspec.json.encode(value).decode()
