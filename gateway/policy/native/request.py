"""How is a casbin request `r` filled from the facts?

`casbin/request.yaml` names a value for each token of `r`; without it the usual tokens have their usual meaning. Rules:

1. A value is a name of the condition language (`subject.org`), a room of it as an object (`subject`, for `r.sub.org`),
   or `path`, `route` (method and template), `method`, `action`.
2. A token that nothing fills is a fault: casbin would refuse each request.
3. What gives a model more power is said here, in words: a default that allows, functions that match role names,
   functions of conditional links.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.facts import Facts
from gateway.policy.names import ACTIONS, Name
from gateway.policy.native.expression import Slot, kind_of, plain
from gateway.policy.native.functions import MATCHING
from gateway.policy.native.model import Blanks
from gateway.policy.shapes import Faults, flag, items, mapping, text

KEYS = ("request", "allow_by_default", "matching", "domain_matching", "conditions")
DEFAULTS = {"sub": "subject.id", "dom": "subject.org", "obj": "path", "act": "method"}
CONDITIONS = ("timeMatch",)

OWN: dict[str, Name] = {
    "path": Name("text", lambda f: f.ask.path),
    "route": Name("text", lambda f: f.asset.route),
    "method": Name("text", lambda f: f.ask.method),
    "action": Name("text", lambda f: f.asset.action),
}
"""What a request may name beside the condition language."""


class Request(Struct, frozen=True):
    """What `request.yaml` says."""

    names: dict[str, str]
    matching: dict[str, str] = {}
    domain_matching: dict[str, str] = {}
    conditions: dict[str, str] = {}
    allow_by_default: bool = False


def read_request(
    root: Node, tokens: tuple[str, ...], roles: dict[str, Blanks], table: dict[str, Name], faults: Faults
) -> Request:
    """Read the root of `request.yaml` (empty when there is none); every fault goes to `faults`."""
    parts = mapping(root, faults, KEYS)
    names = _names(parts["request"], tokens, table, faults) if "request" in parts else {}
    for token in tokens:
        if token not in names and token not in DEFAULTS:
            faults.append(
                parts.get("request", root).fault(
                    "P155", f"nothing fills `r.{token}`", f"没有为 `r.{token}` 指定来源",
                    f"write `request: {{{token}: subject.org}}` or another name in casbin/request.yaml",
                    f"请在 casbin/request.yaml 中写 `request: {{{token}: subject.org}}` 或其他名称",
                )
            )  # fmt: skip
    return Request(
        {token: names.get(token, DEFAULTS.get(token, "")) for token in tokens},
        _functions(parts.get("matching"), roles, MATCHING, faults),
        _functions(parts.get("domain_matching"), {k: v for k, v in roles.items() if v.names > 2}, MATCHING, faults),
        _functions(parts.get("conditions"), {k: v for k, v in roles.items() if v.conditions}, CONDITIONS, faults),
        flag(parts.get("allow_by_default"), faults),
    )


def _names(node: Node, tokens: tuple[str, ...], table: dict[str, Name], faults: Faults) -> dict[str, str]:
    """A mapping by token, or a list in the order of `r`."""
    if isinstance(node.value, list):
        listed = items(node, faults)
        if len(listed) != len(tokens):
            faults.append(
                node.fault(
                    "P155", f"`r` has {len(tokens)} tokens, not {len(listed)}", f"`r` 有 {len(tokens)} 个字段，而不是 {len(listed)} 个",
                    "name one value for each: " + ", ".join(tokens), "请逐一写明：" + "、".join(tokens),
                )
            )  # fmt: skip
        given = dict(zip(tokens, listed, strict=False))
    else:
        given = mapping(node, faults)
    found = {}
    for token, at in given.items():
        if token not in tokens:
            en, zh = did_you_mean(token, tokens)
            faults.append(node.key_fault(token, "P155", f"`r` has no `{token}`", f"`r` 中没有 `{token}`", en, zh))
            continue
        name = text(at, faults)
        known = [*OWN, *table, *rooms(table)]
        if name and name not in known:
            en, zh = did_you_mean(name, known)
            faults.append(at.fault("P155", f"no name `{name}`", f"没有名为 `{name}` 的值", en, zh))
        found[token] = name
    return found


def _functions(node: Node | None, roles: dict[str, Blanks], allowed: tuple[str, ...], faults: Faults) -> dict[str, str]:
    found = {}
    for key, at in (mapping(node, faults) if node is not None else {}).items():
        name = text(at, faults)
        if key not in roles and node is not None:
            en, zh = did_you_mean(key, roles)
            faults.append(
                node.key_fault(key, "P156", f"the model has no such `{key}`", f"模型中没有这样的 `{key}`", en, zh)
            )
        elif name and name not in allowed:
            en, zh = did_you_mean(name, allowed)
            faults.append(at.fault("P156", f"`{name}` cannot be used here", f"此处不能使用 `{name}`", en, zh))
        elif name:
            found[key] = name
    return found


# --- filling ----------------------------------------------------------------------------------


def rooms(table: dict[str, Name]) -> tuple[str, ...]:
    """The names that stand for objects: `subject`, `device`, …"""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in table))


def never(name: str, value: str, table: dict[str, Name]) -> tuple[str, str] | None:
    """How to mend it when a request's value of this name can never be `value`; None when it can."""
    if name == "method":
        good = value.isupper()
        hint = (
            "methods are written in capitals; `act: action` compares read, create, …",
            "方法须大写；`act: action` 则比较 read、create 等",
        )
    else:
        known = ACTIONS if name == "action" else (table[name].words or ()) if name in table else ()
        good = not known or value in known
        hint = did_you_mean(value, known)
    return None if good or value in ("", "*") else hint


def slots(names: dict[str, str], table: dict[str, Name]) -> dict[str, Slot]:
    """The kind of each token; one whose name is unknown has been reported."""
    return {token: _slot(name, table) for token, name in names.items()}


def _slot(name: str, table: dict[str, Name]) -> Slot:
    found = OWN.get(name) or table.get(name)
    if found is not None:
        return Slot(kind_of(found))
    attributes = {key.partition(".")[2]: value for key, value in table.items() if key.startswith(f"{name}.")}
    return Slot("object", attributes) if attributes else Slot("text")


def fillers(names: Iterable[str], table: dict[str, Name]) -> tuple[Callable[[Facts], object], ...]:
    """How each of these is read from the facts, in this order. Raises ValueError for an unknown name."""
    return tuple(_filler(name, table) for name in names)


def _filler(name: str, table: dict[str, Name]) -> Callable[[Facts], object]:
    found = OWN.get(name) or table.get(name)
    if found is None:
        if name not in rooms(table):
            raise ValueError(f"no name `{name}`")
        return lambda facts: None  # an object: its attributes are read from the facts
    get = found.get
    if found.kind == "grade":
        return lambda facts: plain(get(facts))
    return get
