"""When is much, or together, more sensitive than each alone?

Rules of the catalog by which amount and combination raise a grade (GB/T 43697-2024: scale, precision, coverage):

1. `identifiers`: an endpoint whose labels, of fields and of path parameters, name all of them. Known at load.
2. `records` `per: reply`: more than so many records in one answer. Known when the answer comes; the asset carries it as `bulk`.
3. `records` `per: day`: this caller was shown so many records of the asset today; what comes now is beyond them.
4. `categories` `per: day`: this caller is about to have been shown data of all of them today.
5. A rule raises by so many levels (`raise`) or up to one (`to`), never beyond core and never down. Rules do not add up: each
   reckons from the grade without the others of its kind, and the highest wins.
6. The contract for unlabelled fields follows a raised grade, and never becomes laxer by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog import shapes
from gateway.catalog.grades import Names
from gateway.document import Node
from gateway.facts import Asset, Bulk, Contract, Exposure, Grade

Per = Literal["", "reply", "day"]
KEYS = ("id", "title", "category", "identifiers", "categories", "records", "per", "raise", "to", "note")
_PERS: dict[str, Per] = {"reply": "reply", "day": "day"}
_STRICTNESS: dict[Contract, int] = {"learn": 0, "warn": 1, "enforce": 2}
MAX_RECORDS = 1_000_000_000
_WRITE = (
    "write `{id: bulk, records: 100, per: reply, raise: 1}` or `{id: both, identifiers: [resident-id, address], raise: 1}`",
    "请写 `{id: bulk, records: 100, per: reply, raise: 1}` 或 `{id: both, identifiers: [resident-id, address], raise: 1}`",
)


class Rule(Struct, frozen=True):
    """One aggregation rule. One of `identifiers`, `records` and `categories` says what it is about."""

    id: str
    title: tuple[str, str]  # English, Chinese
    category: str  # of the assets it is about; "" for all
    identifiers: tuple[str, ...]
    records: int
    per: Per
    categories: tuple[str, ...]
    steps: int
    to: Grade | None

    def reaches(self, grade: Grade) -> Grade:
        """The grade of data of this grade where the rule holds."""
        return max(grade, self.to if self.to is not None else Grade(min(grade + self.steps, Grade.CORE)))

    def about(self, category: str) -> bool:
        """Whether it is about assets of this category."""
        return category in self.categories if self.categories else self.category in ("", category)


def default_contract(grade: Grade) -> Contract:
    """Unlabelled fields of important and core data are hidden, of general data noticed."""
    return "enforce" if grade >= Grade.IMPORTANT else "warn"


def stricter(one: Contract, other: Contract) -> Contract:
    """The one of two contracts that lets less of what nobody labelled through."""
    return max(one, other, key=_STRICTNESS.__getitem__)


def combined(asset: Asset, parameters: Iterable[str], rules: Sequence[Rule]) -> Asset:
    """The asset with what its labels raise, and what more records in one answer would. `parameters`: identifiers in the path."""
    together = {field.identifier for field in asset.fields}.union(parameters)
    known = [rule for rule in rules if rule.identifiers and together.issuperset(rule.identifiers)]
    found = raised(asset, [rule for rule in known if rule.about(asset.category)])
    bulks = [rule for rule in rules if rule.per == "reply" and rule.about(asset.category)]
    bulk = tuple(
        Bulk(rule.records, rule.reaches(found.grade), rule.id) for rule in sorted(bulks, key=lambda one: one.records)
    )
    return replace(found, bulk=_above(bulk, found.grade)) if bulk else found


def accumulated(asset: Asset, exposure: Exposure, rules: Iterable[Rule]) -> Asset:
    """The asset with what this caller was shown today; the same object when no rule of the day holds."""
    held = [rule for rule in rules if _holds(rule, asset.category, exposure)]
    return raised(asset, held) if held else asset


def _holds(rule: Rule, category: str, exposure: Exposure) -> bool:
    if exposure.unread:  # whoever was shown most could otherwise ask again right after a restart
        return True
    if not rule.categories:
        return exposure.records >= rule.records
    missing = [other for other in rule.categories if other != category and other not in exposure.categories]
    return not missing


def raised(asset: Asset, rules: Iterable[Rule]) -> Asset:
    """The asset at the highest grade that one of these rules reaches, with their ids, that of the highest first."""
    reached = [(rule.reaches(asset.grade), rule.id) for rule in rules]
    above = sorted((one for one in reached if one[0] > asset.grade), key=lambda one: -one[0])
    if not above:
        return asset
    grade = above[0][0]
    return replace(
        asset,
        grade=grade,
        contract=stricter(asset.contract, default_contract(grade)),
        bulk=_above(asset.bulk, grade),
        raised=(*(rule for _, rule in above), *asset.raised),
    )


def _above(bulk: tuple[Bulk, ...], grade: Grade) -> tuple[Bulk, ...]:
    """The bulks that still raise something."""
    return tuple(one for one in bulk if one.grade > grade)


def of_the_day(rules: Iterable[Rule], categories: Iterable[str]) -> dict[str, tuple[Rule, ...]]:
    """The rules that look at what was shown today, by the category that they are about; categories without any are left out."""
    daily = [rule for rule in rules if rule.per == "day"]
    found = {category: tuple(rule for rule in daily if rule.about(category)) for category in categories}
    return {category: about for category, about in found.items() if about}


# --- reading ------------------------------------------------------------------------------------


def read_rule(node: Node, names: Names, faults: shapes.Faults) -> Rule | None:
    """One rule as written; None, with its faults told, when it cannot be used."""
    if not shapes.is_mapping(node, faults):
        return None
    before = len(faults)
    faults.extend(node.unknown_keys(KEYS, "K001"))
    rule = Rule(
        shapes.text(node, "id", faults, required=True),
        shapes.title(node, "title", faults),
        shapes.text(node, "category", faults),
        shapes.identifiers(node, "identifiers", faults),
        shapes.number(node, "records", MAX_RECORDS, faults),
        shapes.word(node, "per", _PERS, "K040", ("span", "统计范围"), faults) or "",
        shapes.names(node, "categories", faults),
        shapes.number(node, "raise", Grade.CORE - Grade.GENERAL_1, faults),
        shapes.grade(node, "to", names, faults),
    )
    if len(faults) == before:
        faults.extend(node.fault("K040", en, zh, *_WRITE) for en, zh in _odd(rule))
    return rule if len(faults) == before else None


def _odd(rule: Rule) -> Iterable[tuple[str, str]]:
    """What the rule leaves open, or says twice."""
    if sum(map(bool, (rule.identifiers, rule.records, rule.categories))) != 1:
        yield (
            f"rule `{rule.id}` says one of `identifiers`, `records` and `categories`",
            f"规则 `{rule.id}` 应在 `identifiers`、`records`、`categories` 中恰写一项",
        )
    if (rule.steps > 0) == (rule.to is not None):
        yield f"rule `{rule.id}` says one of `raise` and `to`", f"规则 `{rule.id}` 应在 `raise` 与 `to` 中恰写一项"
    if rule.records and not rule.per:
        yield (
            f"rule `{rule.id}` counts records `per: reply` or `per: day`",
            f"规则 `{rule.id}` 须写 `per: reply` 或 `per: day`",
        )
    if rule.identifiers and (rule.per or len(rule.identifiers) < 2):
        yield (
            f"rule `{rule.id}` names at least two identifiers and has no `per`",
            f"规则 `{rule.id}` 至少应写两个标识类型，且不写 `per`",
        )
    if rule.categories and (rule.per != "day" or len(rule.categories) < 2 or rule.category):
        yield (
            f"rule `{rule.id}` joins at least two categories `per: day`",
            f"规则 `{rule.id}` 至少应写两个类别，并写 `per: day`",
        )


def unknown_categories(
    rules: Mapping[str, tuple[Node, Rule]], categories: frozenset[str], faults: shapes.Faults
) -> None:
    """A rule about a category that no asset has would never hold: a fault for each."""
    for node, rule in rules.values():
        for category in (*filter(None, (rule.category,)), *rule.categories):
            known = dict.fromkeys(categories, True)
            place = node.at(["categories" if rule.categories else "category"])
            shapes.meaning(place, category, known, "K041", ("category of an asset", "资产类别"), faults)
