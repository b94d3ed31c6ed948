"""How much of which data may one caller be shown a day?

Reads `budgets.yaml`. Rules:

1. A budget allows nothing: it narrows what the rules allow. Once `soft` is spent everything is shown through `mask` as
   well, once `hard` is spent nothing is. What a budget leaves out (`who`, `org`, `purpose`) means any.
2. It counts per caller or per department, over all its data together, from midnight to midnight of the policies' time
   zone.
3. A budget that could never be spent, or that says the same of soft and hard, is a fault and no budget.
"""

from collections.abc import Collection, Iterable, Mapping

from gateway.document import Node
from gateway.facts import Budget, Exposure, Limit, Spent, exposed
from gateway.policy.people import KINDS, PERSON, People
from gateway.policy.shapes import Faults, items, mapping, one_of, remedy, required, text, texts, title, whole_number

KEYS = ("id", "title", "who", "org", "data", "purpose", "per", "by", "soft", "hard", "mask")
REQUIRED = ("id", "data")
LIMITS = ("records", "fields")
MOST = 1_000_000_000
FILE = "budgets.yaml"
LAYER = "budget"
"""The layer of what a budget refuses; before its id, the name of its place."""
ANYBODY = "*"
EVERYBODY = frozenset((ANYBODY,))

Owners = Mapping[str, tuple[str, str]]
"""By asset: its category, and the office that owns it."""


def place_of(id: str) -> str:
    """Under which name the place of a budget stands among those of the rules."""
    return f"{LAYER}:{id}"


def read_budgets(
    root: Node, people: People, owners: Owners, profiles: Collection[str], faults: Faults
) -> tuple[tuple[Budget, ...], dict[str, str]]:
    """The budgets of `budgets.yaml` and where each stands; every fault goes to `faults`."""
    parts = mapping(root, faults, ("budgets",))
    nodes = items(parts["budgets"], faults) if "budgets" in parts else []
    known = {*owners, *(category for category, _ in owners.values() if category)}
    found: dict[str, Budget] = {}
    places: dict[str, str] = {}
    for node in nodes:
        budget = _budget(node, people, known, profiles, faults)
        if budget.id in found:
            faults.append(node.at(["id"]).fault("P005", f"id `{budget.id}` stands twice", f"标识 `{budget.id}` 重复"))
        found[budget.id] = budget
        places[place_of(budget.id)] = f"{FILE}:{node.line}"
    return tuple(found.values()), places


def _budget(node: Node, people: People, data: Collection[str], profiles: Collection[str], faults: Faults) -> Budget:
    parts = mapping(node, faults, KEYS)
    required(node, parts, REQUIRED, faults)
    title(parts.get("title"), faults)
    if "per" in parts:
        one_of(parts["per"], faults, ("day",), "P170", "span", "周期")
    by = (
        one_of(parts["by"], faults, ("subject", "department"), "P170", "way to count", "计数方式")
        if "by" in parts
        else ""
    )
    budget = Budget(
        id=text(parts["id"], faults) if "id" in parts else "",
        who=_who(parts.get("who"), people, faults),
        org=one_of(parts["org"], faults, people.orgs, "P011", "org", "机构") if "org" in parts else "",
        data=_data(parts.get("data"), data, faults),
        purpose=text(parts["purpose"], faults) if "purpose" in parts else "",
        by="department" if by == "department" else "subject",
        soft=_limit(parts.get("soft"), faults),
        hard=_limit(parts.get("hard"), faults),
        mask=one_of(parts["mask"], faults, profiles, "P014", "mask profile", "脱敏方案") if "mask" in parts else "",
    )
    _check(node, parts, budget, faults)
    return budget


def _limit(node: Node | None, faults: Faults) -> Limit:
    parts = mapping(node, faults, LIMITS) if node is not None else {}
    said = {name: whole_number(parts[name], faults, 1, MOST) for name in LIMITS if name in parts}
    return Limit(said.get("records", 0), said.get("fields", 0))


def _check(node: Node, parts: Mapping[str, Node], budget: Budget, faults: Faults) -> None:
    soft, hard = budget.soft, budget.hard
    empty = [name for name, said in (("soft", soft), ("hard", hard)) if name in parts and said == Limit()]
    if empty or soft == hard == Limit():  # a `hard: {}` beside a soft limit would look like one
        faults.append(
            node.at(empty[:1]).fault(
                "P171", f"{f'`{empty[0]}`' if empty else 'the budget'} has no limit: it could never be spent",
                f"{f'`{empty[0]}` ' if empty else '预算'}没有上限，永远不会用尽",
                "write soft: {records: 200}, hard: {records: 1000}, or one of them",
                "请写 soft: {records: 200}、hard: {records: 1000}，或其中之一",
            )
        )  # fmt: skip
    if soft != Limit() and not budget.mask and "mask" not in parts:
        faults.append(
            node.at(["soft"]).fault(
                "P172", "a soft limit needs a mask: what is shown once it is spent?", "软上限需要脱敏方案：用尽后如何展示？",
                "add `mask: PROFILE`, or write `hard` instead", "请添加 `mask: 方案`，或改写为 `hard`",
            )
        )  # fmt: skip
    for name, low, high in (("records", soft.records, hard.records), ("fields", soft.fields, hard.fields)):
        if low and high and low >= high:
            faults.append(
                node.at(["soft", name]).fault(
                    "P173", f"the soft limit of {name} is not below the hard one: it would never be noticed",
                    f"{name} 的软上限不低于硬上限，永远不会生效", f"write less than {high}", f"请写小于 {high} 的数",
                )
            )  # fmt: skip


def _who(node: Node | None, people: People, faults: Faults) -> tuple[str, ...]:
    if node is None:
        return (ANYBODY,)
    known = (*people.roles, *KINDS, ANYBODY)
    found = texts(node, faults)
    for value, at in found:
        person = value.removeprefix(PERSON) if value.startswith(PERSON) else ""
        if value not in known and not (person and person not in people.roles):
            hint = remedy(value, known, "P010")
            faults.append(at.fault("P010", f"no role `{value}`", f"没有名为 `{value}` 的角色", *hint))
    return tuple(dict.fromkeys(value for value, _ in found))


def _data(node: Node | None, known: Collection[str], faults: Faults) -> tuple[str, ...]:
    found = texts(node, faults) if node is not None else []
    for value, at in found:
        if value not in known:
            hint = remedy(value, known, "P012")
            faults.append(
                at.fault("P012", f"no asset or category `{value}`", f"没有名为 `{value}` 的数据资产或类别", *hint)
            )
    return tuple(dict.fromkeys(value for value, _ in found))


def by_asset(budgets: Iterable[Budget], data: Iterable[tuple[str, ...]]) -> dict[str, tuple[Budget, ...]]:
    """The budgets about each asset; `data` are pairs of asset and category."""
    budgets = tuple(budgets)
    found = {asset: tuple(one for one in budgets if {asset, *more} & set(one.data)) for asset, *more in data}
    return {asset: about for asset, about in found.items() if about}


def holding(about: tuple[Budget, ...], names: frozenset[str], offices: frozenset[str]) -> tuple[Budget, ...]:
    """Those of these budgets that hold for somebody who is all of `names`, at `offices`, whatever the purpose."""
    return tuple(one for one in about if (not one.org or one.org in offices) and not names.isdisjoint(one.who))


def reckoned(budgets: tuple[Budget, ...], known: Exposure) -> Exposure:
    """What so much shown of one asset means by these budgets; what was on record as spent stays so.

    Where spent is supposed of none by name, it is of all of them.
    """
    states = [(one, _worse(one.spent(known.records, known.fields), known, one)) for one in budgets]
    return exposed(known.records, known.fields, known.categories, states, known.unread)


def _worse(own: Spent, known: Exposure, budget: Budget) -> Spent:
    recorded: Spent = known.spent if budget.id in (known.budgets or (budget.id,)) else ""
    return "hard" if "hard" in (own, recorded) else own or recorded


def weakened(before: Iterable[Budget], after: Iterable[Budget]) -> tuple[str, ...]:
    """Which budgets have none among those to come that binds at least as much."""
    to_come = tuple(after)
    return tuple(one.id for one in before if not any(_binds(other, one) for other in to_come))


def _binds(one: Budget, other: Budget) -> bool:
    """Whether a budget is spent by whatever spends the other, as soon, and then shows no more."""
    named = ANYBODY in one.who or {*other.who} <= {*one.who}
    reaches = named and one.org in ("", other.org) and one.purpose in ("", other.purpose) and one.by == other.by
    kept = one.mask == other.mask or other.soft == Limit()
    counts = {*other.data} <= {*one.data}
    return reaches and kept and counts and _sooner(one.soft, other.soft) and _sooner(one.hard, other.hard)


def _sooner(one: Limit, other: Limit) -> bool:
    pairs = ((one.records, other.records), (one.fields, other.fields))
    return all(not late or 0 < early <= late for early, late in pairs)
