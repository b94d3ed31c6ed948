"""Which sharing grants does this caller hold, for this data and this purpose, today?

Reads `grants.yaml`: data that one office shares with another, for a purpose and until a day. Rules:

1. A grant allows nothing by itself: a rule asks for it (`when: grant.held`, `when: approval.held`).
2. It says to whom, which data, for which purpose and until when. The purpose of the request must be the very same
   text; a grant that never ends cannot be written.
3. Without an approval on it a grant is an application: `grant.held` is true, `approval.held` is not.
4. A name stands for one thing: an office that a token claims is never taken for a role or a person, data never for an
   action, whatever they are called.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.document import Node
from gateway.facts import NOTHING_GRANTED, Granted
from gateway.policy.names import ACTIONS
from gateway.policy.people import KINDS, PERSON, People
from gateway.policy.shapes import Faults, items, mapping, one_of, remedy, required, text, texts, title

KEYS = ("id", "title", "to", "data", "action", "purpose", "from", "until", "basis", "approval")
REQUIRED = ("id", "to", "data", "purpose", "until")


class Grant(Struct, frozen=True):
    """One grant. `begins` and `ends` are seconds since 1970; it holds from the one until just before the other."""

    id: str
    to: tuple[str, ...]
    data: tuple[str, ...]
    action: tuple[str, ...]
    purpose: str
    begins: int
    ends: int
    basis: tuple[str, str]
    approved_by: str = ""
    reference: str = ""


class Lapsed(Struct, frozen=True):
    """A grant that would cover a request on another day: its last day when it is over, its first when it is to come."""

    id: str
    day: str
    over: bool

    def text(self, zh: bool = False) -> str:
        """In words: what it is called, and since or until when it does not hold."""
        if zh:
            return f"{self.id} 已于 {self.day} 到期" if self.over else f"{self.id} 自 {self.day} 起生效"
        return f"{self.id} ended {self.day}" if self.over else f"{self.id} begins {self.day}"


def held(
    grants: Iterable[Grant], who: Collection[str], data: Collection[str], action: str, purpose: str, at: float
) -> Granted:
    """The grants for somebody who is all of `who`, asking for what is all of `data`."""
    found = [
        grant
        for grant in grants
        if grant.purpose == purpose and grant.begins <= at < grant.ends and _covers(grant, who, data, action)
    ]
    if not found:
        return NOTHING_GRANTED
    return Granted(tuple(grant.id for grant in found), any(grant.approved_by for grant in found))


def lapsed(
    grants: Iterable[Grant],
    who: Collection[str],
    data: Collection[str],
    action: str,
    purpose: str,
    at: float,
    zone: str,
) -> tuple[Lapsed, ...]:
    """The grants that only the day keeps from being held, with that day in the policy's time zone."""
    return tuple(
        Lapsed(grant.id, _date(grant.ends - 1 if grant.ends <= at else grant.begins, zone), grant.ends <= at)
        for grant in grants
        if grant.purpose == purpose and not grant.begins <= at < grant.ends and _covers(grant, who, data, action)
    )


def _covers(grant: Grant, who: Collection[str], data: Collection[str], action: str) -> bool:
    """Whether it is for one of these, about one of those."""
    return not set(grant.to).isdisjoint(who) and not set(grant.data).isdisjoint(data) and action in grant.action


def _date(at: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%Y-%m-%d}"


Owners = Mapping[str, tuple[str, str]]
"""Asset to its category and its owner."""


def read_grants(root: Node, people: People, owners: Owners, faults: Faults) -> tuple[Grant, ...]:
    """Read the root of `grants.yaml`; every fault goes to `faults`."""
    parts = mapping(root, faults, ("grants",))
    nodes = items(parts["grants"], faults) if "grants" in parts else []
    known = set(owners) | {category for category, _ in owners.values() if category}
    grants = [_grant(node, people, known, faults) for node in nodes]
    for node, grant in zip(nodes, grants, strict=True):
        _check_approval(node, grant, people, owners, faults)
        if grant.ends and grant.begins >= grant.ends:
            at = node.at(["from"])
            faults.append(
                at.fault("P081", "it begins after it ends", "生效日晚于截止日", "mend the dates", "请更正日期")
            )
    seen: set[str] = set()
    for node, grant in zip(nodes, grants, strict=True):
        if grant.id in seen:
            faults.append(node.at(["id"]).fault("P005", f"id `{grant.id}` stands twice", f"标识 `{grant.id}` 重复"))
        seen.add(grant.id)
    return tuple(grants)


def _check_approval(node: Node, grant: Grant, people: People, owners: Owners, faults: Faults) -> None:
    """Whose data is shared approves: an approval by the office that receives it would be its own."""
    if not grant.approved_by:
        return
    for asset, (category, owner) in owners.items():
        if {asset, category}.isdisjoint(grant.data) or people.below(owner, grant.approved_by):
            continue
        faults.append(
            node.at(["approval", "by"]).fault(
                "P019",
                f"`{grant.approved_by}` cannot approve: `{asset}` belongs to `{owner}`",
                f"`{grant.approved_by}` 无权批准：`{asset}` 属于 `{owner}`",
                f"name `{owner}` or an office above it", f"请写 `{owner}` 或其上级机构",
            )
        )  # fmt: skip
        return


def _grant(node: Node, people: People, data: Collection[str], faults: Faults) -> Grant:
    parts = mapping(node, faults, KEYS)
    required(node, parts, REQUIRED, faults)
    title(parts.get("title"), faults)
    _check_two_meanings(parts.get("to"), people, faults)
    approval = mapping(parts["approval"], faults, ("by", "on", "reference")) if "approval" in parts else {}
    return Grant(
        id=text(parts["id"], faults) if "id" in parts else "",
        to=_named(
            parts.get("to"), (*people.roles, *people.orgs, *KINDS), "P010", ("role or org", "角色或机构"), faults
        ),
        data=_named(parts.get("data"), data, "P012", ("asset or category", "数据资产或类别"), faults),
        action=_named(parts.get("action"), ACTIONS, "P013", ("action", "操作"), faults) or ("read",),
        purpose=text(parts["purpose"], faults) if "purpose" in parts else "",
        begins=_day(parts.get("from"), people.timezone, faults),
        ends=_day(parts.get("until"), people.timezone, faults, days=1),
        basis=title(parts.get("basis"), faults),
        approved_by=_approver(parts, approval, people, faults),
        reference=text(approval["reference"], faults) if "reference" in approval else "",
    )


def _named(
    node: Node | None, known: Collection[str], code: str, what: tuple[str, str], faults: Faults
) -> tuple[str, ...]:
    found = texts(node, faults) if node is not None else []
    for value, at in found:
        if value not in known and not (code == "P010" and value.startswith(PERSON) and value != PERSON):
            hint = remedy(value, known, code)
            faults.append(at.fault(code, f"no {what[0]} `{value}`", f"没有名为 `{value}` 的{what[1]}", *hint))
    return tuple(dict.fromkeys(value for value, _ in found))


def _check_two_meanings(node: Node | None, people: People, faults: Faults) -> None:
    """A role and an office may share a name; granted to the office, it would go to the role everywhere as well."""
    for value, at in texts(node, []) if node is not None else ():
        if value in people.roles and value in people.orgs:
            faults.append(
                at.fault(
                    "P018", f"`{value}` is both a role and an org", f"`{value}` 既是角色又是机构",
                    "the grant would go to both: rename one", "授权会同时给予两者：请改名",
                )
            )  # fmt: skip


def _approver(parts: dict[str, Node], approval: dict[str, Node], people: People, faults: Faults) -> str:
    """Who approved; an approval by nobody is none, and must not pass for one."""
    if "approval" not in parts:
        return ""
    if "by" not in approval:
        faults.append(
            parts["approval"].fault("P003", "`by` is missing: who approved?", "缺少 `by`：由谁批准？", "add `by: ORG`", "请添加 `by: 机构`")
        )  # fmt: skip
        return ""
    _day(approval.get("on"), people.timezone, faults)
    return one_of(approval["by"], faults, people.orgs, "P011", "org", "机构")


def _day(node: Node | None, timezone: str, faults: Faults, days: int = 0) -> int:
    """The first second of a day, or of the day so many later; 0 for none."""
    if node is None:
        return 0
    try:
        day = datetime.strptime(str(node.value), "%Y-%m-%d").date()  # a date has no zone yet
        return int((datetime.combine(day, time(), ZoneInfo(timezone)) + timedelta(days=days)).timestamp())
    except (ValueError, OverflowError):  # 9999-12-31 has no next day
        faults.append(
            node.fault(
                "P081", "expected a date", "此处应为日期", "write for example 2027-12-31", "写法示例：2027-12-31"
            )
        )
        return 0
