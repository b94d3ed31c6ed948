"""What do the rule files say?

Reads the files of all layers into rules, strictly: what casbin would ignore in silence (an effect written
`Deny`, an unknown role) is a fault here. Rules of the rules:

1. An allow says everything: who, data, action and level. What a deny leaves out means "any": forgetting a word
   must never widen access.
2. Every id stands once, in all files together; the ids of a locked file may not even be tried.
3. `*` in an allow means every action but `reveal`: opening tokens is never meant by the way (`floor`).
4. A city file only denies (P050), and only for the office it names or what is below it (P051). A department file
   allows and denies, and only about data that the department or an office below it owns (P052). An emergency file
   only denies (P050).
5. A rule that has expired is reported and no longer applies; at run time the request's own time decides.
"""

from datetime import datetime, time, timedelta
from itertools import product
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.document import FileFault, Node, did_you_mean
from gateway.policy import floor
from gateway.policy.condition import Condition, Refused, compile_condition
from gateway.policy.duties import REASONS, Then, read_then, written
from gateway.policy.levels import ANY, NAMES, span, word
from gateway.policy.names import ACTIONS, PLAIN, REVEAL, Name, Vocabulary, names
from gateway.policy.people import KINDS, PERSON, People
from gateway.policy.shapes import Faults, flag, items, mapping, one_of, plain, remedy, required, text, texts, title

KEYS = (
    "id", "title", "effect", "who", "org", "data", "action", "level", "when", "then", "reason", "expires", "owner", "basis",
    "note",
)  # fmt: skip
SAID_BY_AN_ALLOW = ("who", "data", "action", "level")
MAX_ROWS = 1000
NEVER = ""

Row = tuple[str, ...]
Kind = Literal["rules", "cities", "departments", "emergency"]


class Rule(Struct, frozen=True, gc=False):
    """One rule, checked; `place` is file and line as people read them."""

    id: str
    effect: str
    who: tuple[str, ...]
    org: tuple[str, ...]
    data: tuple[str, ...]
    action: tuple[str, ...]
    level: str
    expires: str
    when: str
    then: str
    place: str
    title: tuple[str, str]
    layer: str = "province"
    basis: tuple[str, str] = ("", "")
    owner: str = ""

    def rows(self) -> list[Row]:
        """The casbin rows: one for each combination, all under the same id."""
        meant = PLAIN if self.effect == "allow" and self.action == ("*",) else self.action
        action = "|".join(meant)
        return [
            (self.id, self.effect, who, org, data, action, self.level, self.expires, self.when, self.then)
            for who, org, data in product(self.who, self.org, self.data)
        ]


class Reading(Struct):
    """What reading a rule needs to know, and what it has found so far."""

    people: People
    vocabulary: Vocabulary
    profiles: frozenset[str]
    now: float
    faults: Faults
    owners: dict[str, tuple[str, str]] = {}  # asset -> category, owner
    table: dict[str, Name] = {}
    conditions: dict[str, Condition] = {}  # what rules say again is read once
    ids: dict[str, tuple[str, bool]] = {}  # id -> place, locked
    rules: list[Rule] = []

    def __post_init__(self) -> None:
        self.table = names(self.vocabulary)


class Layer(Struct, frozen=True):
    """For whom a file speaks: `name` as decisions show it, `home` the office of a city or department ("*" for all)."""

    kind: Kind
    name: str
    home: str = "*"
    locked: bool = False


EXPECTED: dict[Kind, tuple[str, ...]] = {
    "rules": ("locked", "rules"),
    "cities": ("org", "rules"),
    "departments": ("org", "rules"),
    "emergency": ("level", "title", "rules", "mask", "freeze_grants"),
}


def read_rules(root: Node, place: str, lines: list[str], reading: Reading, kind: Kind = "rules") -> None:
    """Read one file; `place` is its name relative to the policy folder, `lines` its text for carets."""
    parts = mapping(root, reading.faults, EXPECTED[kind])
    layer = _layer(root, parts, reading, kind)
    for node in items(parts["rules"], reading.faults) if "rules" in parts else ():
        rule = _rule(node, place, lines, reading, layer)
        if rule is not None:
            add_rule(node, rule, reading, layer.locked)


def _layer(root: Node, parts: dict[str, Node], reading: Reading, kind: Kind) -> Layer:
    if kind == "emergency":
        return Layer(kind, f"emergency:{plain(parts['level']) if 'level' in parts else ''}")
    if kind != "rules":
        home = _home(root, parts, reading)
        return Layer(kind, f"{'city' if kind == 'cities' else 'department'}:{home}", home)
    locked = flag(parts.get("locked"), reading.faults)
    return Layer(kind, "base" if locked else "province", locked=locked)


def _home(root: Node, parts: dict[str, Node], reading: Reading) -> str:
    if "org" in parts:
        return _known(parts["org"], reading.people.orgs, "P011", "org", "机构", reading.faults) or "*"
    reading.faults.append(
        root.fault(
            "P003",
            "this file needs `org`: the office it speaks for",
            "该文件需要 `org`：说明它代表的机构",
            "write `org: hz` at the top",
            "请在文件开头写 `org: hz`",
        )
    )
    return "*"


def _rule(node: Node, place: str, lines: list[str], reading: Reading, layer: Layer) -> Rule | None:
    faults = reading.faults
    parts = mapping(node, faults, KEYS)
    if not isinstance(node.value, dict):
        return None
    deny = _effect(node, parts, layer, faults) == "deny"
    required(node, parts, ("id", "effect") if deny else ("id", "effect", *SAID_BY_AN_ALLOW), faults)
    who = _who(parts, deny, reading)
    rule = Rule(
        id=text(parts["id"], faults) if "id" in parts else "",
        effect="deny" if deny else "allow",
        who=who,
        org=_orgs(parts, layer.home if layer.kind == "cities" else "*", reading),
        data=_own_data(node, parts, layer, reading) if layer.kind == "departments" else _data(parts, reading),
        action=_actions(parts, faults),
        level=_level(parts["level"], faults) if "level" in parts else ANY,
        expires=_expires(parts["expires"], reading) if "expires" in parts else NEVER,
        when=_when(parts["when"], lines, reading) if "when" in parts else "",
        then=_then(parts, deny, reading),
        place=f"{place}:{node.line}",
        title=title(parts.get("title"), faults),
        layer=layer.name,
        basis=title(parts.get("basis"), faults),
        owner=_known(parts["owner"], reading.people.orgs, "P011", "org", "机构", faults) if "owner" in parts else "",
    )
    if "note" in parts:
        text(parts["note"], faults)
    if not deny and REVEAL in rule.action:
        floor.check(parts.get("when", node), reading.conditions.get(rule.when), faults)
    if len(rule.who) * len(rule.org) * len(rule.data) > MAX_ROWS:
        faults.append(
            node.fault(
                "P008",
                f"the rule makes more than {MAX_ROWS} combinations",
                f"该规则展开后超过 {MAX_ROWS} 种组合",
                "name a category or a role that includes the others",
                "请改用数据类别或包含它们的角色",
            )
        )
        return None
    return rule


def _effect(node: Node, parts: dict[str, Node], layer: Layer, faults: Faults) -> str:
    if "effect" not in parts:
        return ""
    effect = parts["effect"]
    if effect.value not in ("allow", "deny"):
        shown = plain(effect)
        hint = did_you_mean(shown.lower(), ("allow", "deny"))
        faults.append(
            effect.fault("P002", f"effect must be allow or deny, not `{shown}`", f"effect 只能是 allow 或 deny，不能是 `{shown}`", hint[0], hint[1])
        )  # fmt: skip
    elif effect.value == "allow" and layer.kind in ("cities", "emergency"):
        faults.append(
            effect.fault(
                "P050",
                "this file may only deny: an allow would widen what the layers above decided",
                "该文件只能写拒绝规则：允许规则会放宽上层规定",
                "ask whoever keeps rules/ for it",
                "请向 rules/ 的维护者申请该规则",
            )
        )
    return str(effect.value)


def add_rule(node: Node, rule: Rule, reading: Reading, locked: bool = False) -> None:
    """Take in one rule; an id that stands twice is a fault at `node`."""
    _note_id(node, rule, locked, reading)
    reading.rules.append(rule)


def _note_id(node: Node, rule: Rule, locked: bool, reading: Reading) -> None:
    first = reading.ids.get(rule.id)
    if first is None:
        reading.ids[rule.id] = (rule.place, locked)
        return
    where, was_locked = first
    if was_locked:
        code, en, zh = "P006", f"`{rule.id}` is a locked base rule", f"`{rule.id}` 是锁定的基础规则"
    else:
        code, en, zh = "P005", f"id `{rule.id}` stands twice", f"标识 `{rule.id}` 重复"
    at = node.at(["id"])
    reading.faults.append(
        at.fault(code, f"{en} (first at {where})", f"{zh}（首次出现在 {where}）", "choose another id", "请换一个标识")
    )


# --- the words of a rule ------------------------------------------------------------------------


def _who(parts: dict[str, Node], deny: bool, reading: Reading) -> tuple[str, ...]:
    if "who" not in parts:
        return ("*",)
    faults, roles = reading.faults, reading.people.roles
    found = []
    for value, node in texts(parts["who"], faults):
        if value.startswith(PERSON):
            _check_person(value, node, roles, faults)
        elif value == "*":
            if not deny:
                faults.append(_open_to_all(node))
        elif value not in roles and value not in KINDS:
            hint = remedy(value, [*roles, *KINDS], "P010")
            faults.append(node.fault("P010", f"no role `{value}`", f"没有名为 `{value}` 的角色", hint[0], hint[1]))
        found.append(value)
    return tuple(dict.fromkeys(found))


def _check_person(value: str, node: Node, roles: dict[str, tuple[str, ...]], faults: Faults) -> None:
    """Casbin keeps people and roles in one name space: a person called `admin` gets the role's access."""
    person = value.removeprefix(PERSON)
    if person != person.strip():  # no subject has such an id: a deny would never apply
        faults.append(
            node.fault(
                "P015",
                f"`{value}` has a space at an end of the id",
                f"`{value}` 的标识首尾有空格",
                f"write `{PERSON}{person.strip()}`",
                f"请写 `{PERSON}{person.strip()}`",
            )
        )
    elif not person or person in roles:
        faults.append(
            node.fault(
                "P015",
                f"`{value}` has the name of a role" if person else "a person needs an id",
                f"`{value}` 与角色同名" if person else "人员需要标识",
                f"write `{person}` for the role" if person else "write `user:ID`",
                f"若指角色请写 `{person}`" if person else "请写 `user:标识`",
            )
        )


def _open_to_all(node: Node) -> FileFault:
    fault = node.fault(
        "P085",
        "this lets in callers who have not signed in",
        "这会允许未登录的调用方",
        "write `signed-in` unless that is meant",
        "若非本意，请改为 `signed-in`",
    )
    return _warning(fault)


def _orgs(parts: dict[str, Node], home: str, reading: Reading) -> tuple[str, ...]:
    if "org" not in parts:
        return (home,)
    found = []
    for value, node in texts(parts["org"], reading.faults):
        if value != "*":
            _known(node, reading.people.orgs, "P011", "org", "机构", reading.faults)
        if home != "*" and not reading.people.below(value, home):
            reading.faults.append(
                node.fault(
                    "P051",
                    f"`{value}` is not below `{home}`: a city file speaks for its own offices only",
                    f"`{value}` 不属于 `{home}`：地市文件只能规定本地机构",
                    f"leave `org` out to mean all of `{home}`",
                    f"省略 `org` 即表示 `{home}` 全体",
                )
            )
        found.append(value)
    return tuple(dict.fromkeys(found))


def _data(parts: dict[str, Node], reading: Reading) -> tuple[str, ...]:
    if "data" not in parts:
        return ("*",)
    known = reading.vocabulary.assets | reading.vocabulary.categories
    found = []
    for value, node in texts(parts["data"], reading.faults):
        if value != "*" and value not in known:
            hint = remedy(value, known, "P012")
            reading.faults.append(
                node.fault("P012", f"no asset or category `{value}`", f"没有名为 `{value}` 的数据资产或类别", hint[0], hint[1])
            )  # fmt: skip
        found.append(value)
    return tuple(dict.fromkeys(found))


def _own_data(node: Node, parts: dict[str, Node], layer: Layer, reading: Reading) -> tuple[str, ...]:
    """What a department file speaks about: what it names, or all it owns; never the data of others."""
    if layer.home == "*":  # which office is meant has been asked already
        return ("*",)
    own = [asset for asset, (_, owner) in reading.owners.items() if reading.people.below(owner, layer.home)]
    named = _data(parts, reading) if "data" in parts else ("*",)
    others = [word for word in named if word != "*" and not _owned(word, own, reading)]
    at = parts.get("data", node)
    if others or not own:
        shown = "`, `".join(others) or layer.home
        reading.faults.append(
            at.fault(
                "P052",
                f"`{shown}`: not all of it belongs to `{layer.home}`; a department speaks about its own data only"
                if others else f"`{shown}` owns no data that it could speak about",
                f"`{shown}` 不全属于 `{layer.home}`：部门只能规定自己的数据"
                if others else f"`{shown}` 没有可供其规定的数据",
                "name the assets it owns, or ask the owner", "请写明其拥有的资产，或联系数据所有者",
            )
        )  # fmt: skip
    return tuple(own) if "*" in named else named


def _owned(word: str, own: list[str], reading: Reading) -> bool:
    """An asset that is its own, or a category none of whose assets is another's."""
    meant = [asset for asset, (category, _) in reading.owners.items() if word in (asset, category)]
    return not set(meant) - set(own)


def _actions(parts: dict[str, Node], faults: Faults) -> tuple[str, ...]:
    if "action" not in parts:
        return ("*",)
    return tuple(
        dict.fromkeys(
            one_of(node, faults, ("*", *ACTIONS), "P013", "action", "操作")
            for _, node in texts(parts["action"], faults)
        )
    )


def _level(node: Node, faults: Faults) -> str:
    level = str(node.value) if node.value is not None else ""
    reach = span(level)
    if reach is None:
        _refuse_level(node, level, faults)
        return ANY
    if reach[0] > reach[1]:
        faults.append(
            node.fault("P032", f"no grade is `{level}`", f"没有任何级别满足 `{level}`", "the rule would never apply", "该规则永远不会生效")
        )  # fmt: skip
    return level


_NARROW = str.maketrans({"≤": "<=", "≥": ">=", "＜": "<", "＞": ">", "＝": "=", "　": " "})


def _refuse_level(node: Node, level: str, faults: Faults) -> None:
    name = word(level)
    if name not in NAMES:
        narrow = level.translate(_NARROW)
        if narrow != level and span(narrow) is not None:
            wide = next(c for c in level if ord(c) in _NARROW)
            hint = (f'write "{narrow}"', f'请写 "{narrow}"')
            faults.append(node.fault("P031", f"`{wide}` is no comparator", f"`{wide}` 不是比较符", *hint))
            return
        hint = did_you_mean(name, NAMES)
        faults.append(
            node.fault("P031", f"no level `{name or level}`", f"没有名为 `{name or level}` 的级别", hint[0], hint[1])
        )
        return
    faults.append(
        node.fault(
            "P030",
            f"`{level}` needs a comparator: it could mean a ceiling or a floor",
            f"`{level}` 需要比较符：既可理解为上限，也可理解为下限",
            f'write "<= {name}" or ">= {name}"',
            f'请写 "<= {name}" 或 ">= {name}"',
        )
    )


def _expires(node: Node, reading: Reading) -> str:
    """The last day on which the rule applies, as the first second on which it no longer does."""
    try:
        day = datetime.strptime(str(node.value), "%Y-%m-%d").date()  # a date has no zone yet
        end = datetime.combine(day, time(), ZoneInfo(reading.people.timezone)) + timedelta(days=1)
    except (ValueError, OverflowError):  # 9999-12-31 has no next day
        reading.faults.append(
            node.fault(
                "P081", "expected a date", "此处应为日期", "write for example 2027-12-31", "写法示例：2027-12-31"
            )
        )
        return NEVER
    if reading.now and end.timestamp() <= reading.now:
        fault = node.fault(
            "P080", f"the rule expired on {day}", f"该规则已于 {day} 过期", "remove or renew it", "请删除或续期"
        )
        reading.faults.append(_warning(fault))
    return str(int(end.timestamp()))


def _when(node: Node, lines: list[str], reading: Reading) -> str:
    condition = text(node, reading.faults)
    if not condition:
        return ""
    line = lines[node.line - 1] if node.line <= len(lines) else ""
    try:
        compiled = reading.conditions.get(condition) or compile_condition(condition, reading.table)
    except Refused as refused:
        reading.faults.append(refused.fault(node, line))
        return ""
    reading.conditions[condition] = compiled
    for name in compiled.unguarded:
        fault = node.fault(
            "P025",
            f"`{name}` can be unknown; the rule then denies with policy_error",
            f"`{name}` 可能未知；此时该规则会以 policy_error 拒绝",
            f"write `risk.known and {name} …`",
            f"请写 `risk.known and {name} …`",
        )
        reading.faults.append(_warning(fault))
    return condition


def _then(parts: dict[str, Node], deny: bool, reading: Reading) -> str:
    then = read_then(parts.get("then"), deny, reading.profiles, reading.faults)
    if "reason" not in parts:
        return written(then)
    node = parts["reason"]
    if not deny:
        reading.faults.append(node.fault("P070", "`reason` means nothing on allow", "`reason` 对允许规则没有意义"))
    code = one_of(node, reading.faults, REASONS, "P073", "reason", "原因代码")
    if code:
        then = Then(step_up=then.step_up, max_age=then.max_age, reason=REASONS[code])
    return written(then)


def _known(node: Node, known: dict[str, str], code: str, en: str, zh: str, faults: Faults) -> str:
    return one_of(node, faults, known, code, en, zh)


def _warning(fault: FileFault) -> FileFault:
    return FileFault(
        fault.file, fault.line, fault.column, fault.code, fault.en, fault.zh, fault.remedy_en, fault.remedy_zh, True
    )
