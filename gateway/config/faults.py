"""Where does a pydantic error point, and what does it say to a person?

Each error becomes one fault at the value it speaks of. An unknown key beside a missing one of nearly
the same spelling is one mistake, so it is one fault.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config import units
from gateway.config.codes import fault, key_fault
from gateway.config.model import GatewayFile
from gateway.document import FileFault, Node, did_you_mean

_QUOTED = re.compile(r"'([^']*)'")
_SECRETS = frozenset(
    ("token", "password", "secret", "client_secret", "private_key", "passphrase", "hash_key", "api_key")
)
_FORMS = {
    "string_type": ("text", "文本"),
    "int_type": ("a whole number", "整数"),
    "int_from_float": ("a whole number", "整数"),
    "float_type": ("a number", "数字"),
    "bool_type": ("true or false", "true 或 false"),
    "list_type": ("a list", "列表"),
    "dict_type": ("a mapping of keys to values", "键值映射"),
    "model_type": ("a mapping of keys to values", "键值映射"),
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}", "大于 {}"),
    "greater_than_equal": ("ge", "{} or more", "不小于 {}"),
    "less_than": ("lt", "less than {}", "小于 {}"),
    "less_than_equal": ("le", "{} or less", "不大于 {}"),
    "string_too_long": ("max_length", "at most {} characters long", "不超过 {} 个字符"),
}

Place = tuple[int | str, ...]


def translate(root: Node, invalid: ValidationError) -> Iterator[FileFault]:
    """One fault for each mistake that pydantic found."""
    errors = invalid.errors(include_url=False)
    missing = {error["loc"] for error in errors if error["type"] == "missing"}
    for error in errors:
        place = error["loc"]
        if error["type"] == "extra_forbidden":
            yield _unknown(root, place, missing)
    for error in errors:
        if error["type"] == "missing" and error["loc"] in missing:
            key = str(error["loc"][-1])
            yield fault(root.at(error["loc"][:-1]), "missing", key=key)
        elif error["type"] not in ("missing", "extra_forbidden"):
            yield _wrong(root, error)


def _unknown(root: Node, place: Place, missing: set[Place]) -> FileFault:
    """The fault for an unknown key; takes the missing key that was meant out of `missing`."""
    above, key = place[:-1], str(place[-1])
    holder = root.at(above)
    if key in _SECRETS:
        missing.discard((*above, "sha256"))
        return fault(holder.at([key]), "token_inline" if key == "token" else "secret_inline", key=key)
    absent = [str(other[-1]) for other in missing if other[:-1] == above]
    meant = difflib.get_close_matches(key, absent, n=1)
    if meant:
        missing.discard((*above, meant[0]))
    hint_en, hint_zh = did_you_mean(key, meant or known_keys(above))
    return key_fault(holder, key, "unknown_key", key=key, hint_en=hint_en, hint_zh=hint_zh)


def _wrong(root: Node, error: ErrorDetails) -> FileFault:
    """The fault for a value of the wrong form."""
    kind, node = error["type"], root.at(error["loc"])
    key, value = _name(error["loc"]), _short(error["input"])
    detail: dict[str, Any] = error.get("ctx", {})
    if kind == "odd":
        return fault(node, detail["kind"], key=key, value=value)
    if kind == "literal_error":
        allowed = _QUOTED.findall(str(detail.get("expected", ""))) or [str(detail.get("expected", ""))]
        hint_en, hint_zh = did_you_mean(value, allowed)
        return fault(node, "not_allowed", key=key, value=value, hint_en=hint_en, hint_zh=hint_zh)
    if kind in _BOUNDS:
        name, en, zh = _BOUNDS[kind]
        bound = units.spelled(detail[name], str(node.value))
        return fault(node, "out_of_range", key=key, bound_en=en.format(bound), bound_zh=zh.format(bound))
    if kind in ("too_short", "string_too_short"):
        return fault(node, "empty", key=key)
    en, zh = _FORMS.get(kind, ("a value of another form", "其他形式的值"))
    return fault(node, "wrong_form", key=key, expected_en=en, expected_zh=zh)


def _name(place: Place) -> str:
    """The key that a place speaks of; a list item is spoken of by the list's key."""
    return next((str(step) for step in reversed(place) if isinstance(step, str)), "")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def known_keys(place: Iterable[int | str]) -> list[str]:
    """The keys that the section at this place of the file may have."""
    section: type[BaseModel] | None = GatewayFile
    for step in place:
        if isinstance(step, str) and section is not None:
            field = next((f for n, f in section.model_fields.items() if (f.alias or n) == step), None)
            section = _section_of(field.annotation) if field else None
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """The section inside `X`, `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_of(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)
