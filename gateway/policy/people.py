"""Which roles and offices are there, and what includes what?

Reads `people.yaml`. Rules:

1. A role includes other roles; an office has one parent. Neither may form a circle, nor go deeper than 64.
2. `*`, `signed-in`, `person` and `service` are words of the rules, never roles; a role that a token claims under
   such a name, or under `user:…`, counts for nothing because only declared roles count.
3. The time zone in which rules read the clock stands here too (default Asia/Shanghai).
"""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.policy.shapes import Faults, mapping, text, texts, title

KINDS = ("signed-in", "person", "service")
PERSON = "user:"
MAX_DEPTH = 64
DEFAULT_ZONE = "Asia/Shanghai"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*\Z")


class People(Struct, frozen=True):
    """Roles with what they include, offices with their parent ("" for a root), and the time zone."""

    roles: dict[str, tuple[str, ...]] = {}
    orgs: dict[str, str] = {}
    titles: dict[str, tuple[str, str]] = {}
    timezone: str = DEFAULT_ZONE

    def below(self, org: str, ancestor: str) -> bool:
        """Whether `org` is `ancestor` or stands below it."""
        seen = 0
        while org and seen <= MAX_DEPTH:
            if org == ancestor:
                return True
            org, seen = self.orgs.get(org, ""), seen + 1
        return False


def read_people(root: Node, faults: Faults) -> People:
    """Read the root of `people.yaml`; every fault goes to `faults`."""
    parts = mapping(root, faults, ("roles", "orgs", "timezone"))
    titles: dict[str, tuple[str, str]] = {}
    roles = _roles(parts["roles"], titles, faults) if "roles" in parts else {}
    orgs = _orgs(parts["orgs"], titles, faults) if "orgs" in parts else {}
    zone = _zone(parts["timezone"], faults) if "timezone" in parts else DEFAULT_ZONE
    return People(roles, orgs, titles, zone)


def _roles(node: Node, titles: dict[str, tuple[str, str]], faults: Faults) -> dict[str, tuple[str, ...]]:
    declared = mapping(node, faults)
    roles: dict[str, tuple[str, ...]] = {}
    for name, body in declared.items():
        _check_id(node, name, faults)
        parts = mapping(body, faults, ("title", "includes"))
        titles[f"role {name}"] = title(parts.get("title"), faults)
        includes = parts.get("includes")
        listed = includes is not None and not (isinstance(includes.value, list) and not includes.value)
        named = texts(includes, faults) if includes is not None and listed else []
        for word, at in named:
            _check_known(word, at, declared, "role", "角色", faults)
        roles[name] = tuple(word for word, _ in named if word in declared)
    _check_circles(node, roles, "role", "角色", "P040", faults)
    return roles


def _orgs(node: Node, titles: dict[str, tuple[str, str]], faults: Faults) -> dict[str, str]:
    declared = mapping(node, faults)
    orgs: dict[str, str] = {}
    for name, body in declared.items():
        _check_id(node, name, faults)
        parts = mapping(body, faults, ("title", "parent"))
        titles[f"org {name}"] = title(parts.get("title"), faults)
        parent = text(parts["parent"], faults) if "parent" in parts else ""
        if parent:
            _check_known(parent, parts["parent"], declared, "org", "机构", faults)
        orgs[name] = parent if parent in declared else ""
    edges = {name: (parent,) if parent else () for name, parent in orgs.items()}
    _check_circles(node, edges, "org", "机构", "P041", faults)
    return orgs


def _zone(node: Node, faults: Faults) -> str:
    name = text(node, faults)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(
            node.fault(
                "P045",
                f"no time zone `{name}`",
                f"没有名为 `{name}` 的时区",
                "use an IANA name such as Asia/Shanghai",
                "请使用 IANA 时区名，例如 Asia/Shanghai",
            )
        )
        return DEFAULT_ZONE
    return name


def _check_id(node: Node, name: str, faults: Faults) -> None:
    if name in KINDS:
        faults.append(
            node.key_fault(
                name,
                "P043",
                f"`{name}` is a word of the rules and cannot be declared",
                f"`{name}` 是规则保留字，不能声明",
                "choose another name",
                "请换一个名称",
            )
        )
    elif not _ID.match(name):
        faults.append(
            node.key_fault(
                name,
                "P007",
                f"`{name}` is not a valid id",
                f"`{name}` 不是有效的标识",
                "use lower-case letters, digits, `-`, `.`, `_`, and `/` between levels",
                "只使用小写字母、数字、`-`、`.`、`_`，层级之间用 `/`",
            )
        )


def _check_known(word: str, at: Node, declared: Mapping[str, object], en: str, zh: str, faults: Faults) -> None:
    if word not in declared:
        hint_en, hint_zh = did_you_mean(word, declared.keys())
        faults.append(at.fault("P042", f"no {en} `{word}`", f"没有名为 `{word}` 的{zh}", hint_en, hint_zh))


def _check_circles(
    node: Node, edges: Mapping[str, tuple[str, ...]], en: str, zh: str, code: str, faults: Faults
) -> None:
    """Casbin stops following roles at depth 10 and never notices a circle: a deny above is then not reached."""
    reached: dict[str, int] = {}
    for start in edges:
        circle = _depth(start, edges, reached, ())
        if circle:
            path = " → ".join(circle)
            faults.append(
                node.key_fault(
                    start,
                    code,
                    f"the {en}s include each other in a circle: {path}",
                    f"{zh}之间形成循环：{path}",
                    "remove one of the steps",
                    "请去掉其中一步",
                )
            )
            return
        if reached[start] > MAX_DEPTH:
            faults.append(
                node.key_fault(start, "P044", f"{en} tree is deeper than {MAX_DEPTH}", f"{zh}层级超过 {MAX_DEPTH} 层")
            )
            return


def _depth(
    name: str, edges: Mapping[str, tuple[str, ...]], reached: dict[str, int], path: tuple[str, ...]
) -> tuple[str, ...]:
    """Note how deep the tree goes from `name`; returns the circle when there is one."""
    if name in path:
        return (*path[path.index(name) :], name)
    if name in reached or len(path) > MAX_DEPTH + 1:
        reached.setdefault(name, MAX_DEPTH + 1)
        return ()
    deepest = 0
    for child in edges.get(name, ()):
        circle = _depth(child, edges, reached, (*path, name))
        if circle:
            return circle
        deepest = max(deepest, reached[child])
    reached[name] = deepest + 1
    return ()
