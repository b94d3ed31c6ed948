"""Random pairs of small policies, and the requests that could tell them apart: the same ones for the same seed.

Nothing here is taken from the search that is tried with it: the values of a request stand in a table, written down by
hand around every literal that a condition may hold.
"""

import json
from collections.abc import Iterator
from itertools import combinations, product
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import (
    ANONYMOUS,
    Asset,
    Challenge,
    Decision,
    Facts,
    Field,
    Grade,
    Permit,
    Posture,
    Proof,
    Risk,
    Subject,
)
from gateway.policy import Bundle
from gateway.policy.bundle import compiled
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.grants import Grant
from gateway.policy.overlays import FROZEN, Overlay
from gateway.policy.people import People
from gateway.policy.profiles import restore
from gateway.policy.rules import Rule
from tests.literals import NOW, an_ask, an_asset

SOON = int(NOW) // 60 * 60 + 60
DATA = {"a": "c", "b": "c"}
TREES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"r0": (), "r1": ("r0",), "r2": ()},
    {"r0": (), "r1": (), "r2": ("r1",)},
    {"r0": (), "r1": ("r0",), "r2": (), "r3": ("r1",)},
)
OFFICES = ({"o0": "", "o1": "o0", "o2": "o1"}, {"o0": "", "o1": "o0", "o2": "o0"})
ZONES = ("Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin")
ATOMS = (
    "subject.assurance >= 2", "subject.assurance < 3", "1 < subject.assurance", "risk.score >= 40", "risk.score < 60",
    "risk.known", 'risk.band == "limit"', "device.fresh", 'device.trust == "managed"', 'device.trust != "compromised"',
    'env.purpose == "audit"', 'env.purpose in ["audit", "care"]', 'subject.purpose == "audit"', 'env.purpose != ""',
    "subject.auth_age > 300", "subject.auth_age <= 60", "subject.bound", 'subject.method == "certificate"',
    'ip_in(env.source, "10.0.0.0/8")', 'ip_in(env.source, "10.1.0.0/16", "2001:db8::/32")', 'env.source == "10.1.0.1"',
    'between(env.time, "08:00", "18:00")', 'between(env.time, "22:00", "06:00")', 'weekday(env.weekday, "mon-fri")',
    "env.hour < 6", "subject.clearance >= data.grade", "subject.org == data.owner", "device.org == subject.org",
    'has(subject.roles, "r0")', '"r1" in subject.roles', 'has(subject.roles, "r0", "r2")', "grant.held", "approval.held",
    'has(grant.ids, "g1")', 'subject.kind == "service"', 'subject.id == "p0"', 'device.id == "d0"',
    'env.method == "HEAD"', "subject.id == device.id", 'data.grade == "core"', "env.purpose == subject.id",
)  # fmt: skip
MASKS = (
    {"*": "keep"}, {"name": "partial(1,0)", "*": "keep"}, {"name": "partial(0,1)", "core": "redact", "*": "keep"},
    {"$.x": "hash", "*": "keep"}, {"*": "redact"}, {"name": "redact", "*": "keep"},
)  # fmt: skip
FIELDS = (Field("$.name", "name", Grade.GENERAL_3), Field("$.x", "", Grade.CORE))
VALUES: dict[str, tuple[Any, ...]] = {
    "kind": ("person", "person", "service", "anonymous"),
    "id": ("p0", "p1", "audit", "d0"),
    "roles": tuple(some for count in range(4) for some in combinations(("r0", "r1", "r2", "r3"), count)),
    "org": ("", "o0", "o1", "o2", "elsewhere"),
    "clearance": tuple(Grade),
    "assurance": (0, 1, 2, 3),
    "vouched": ("", "", "audit", "care", "p0"),
    "stated": ("", "audit", "care", "p1", "d0"),
    "age": (None, 10.0, 60.0, 61.0, 300.0, 301.0, 5000.0),
    "bound": (False, True),
    "method": ("bearer", "certificate", "none"),
    "device": ("d0", "d1", "p0", ""),
    "trust": ("managed", "known", "unknown", "compromised"),
    "machine": ("", "o0", "o1", "elsewhere"),
    "fresh": (True, False),
    "score": (None, 0.0, 39.5, 40.0, 59.5, 60.0, 100.0),
    "band": ("normal", "step_up", "limit", "quarantine"),
    "source": ("10.0.0.1", "10.1.0.1", "10.1.9.9", "192.0.2.1", "2001:db8::9", "::1", "::ffff:10.1.0.1", "unknown"),
    "at": (*(NOW + hours * 3600.0 for hours in (-20, -14, -9, -3, 0, 5, 8, 11, 120, 127)), SOON - 1.0, SOON + 0.0),
    "verb": ("GET", "HEAD"),
}

Point = dict[str, Any]


class Pair(Struct, frozen=True, eq=False):
    """Two policies, and what each catalog says of the same request."""

    bundles: tuple[Bundle, Bundle]
    assets: tuple[Asset, Asset]


def a_pair(random: Random) -> Pair:
    """A policy and another that differs from it in one or two places, of whatever kind."""
    rules = [a_rule(random, number) for number in range(random.randint(1, 4))]
    parts: dict[str, Any] = {
        "rules": rules, "tree": random.choice(TREES), "offices": random.choice(OFFICES), "zone": random.choice(ZONES),
        "masks": [random.choice(MASKS) for _ in range(3)], "grants": grants(random), "level": a_level(random),
    }  # fmt: skip
    asset = an_asset(
        id="a", category="c", owner="o1", route="GET /a", grade=random.choice(list(Grade)), fields=FIELDS, api="civil",
        contract=random.choice(("learn", "warn", "enforce")),
    )  # fmt: skip
    other, moved = dict(parts), asset
    for _ in range(random.randint(1, 2)):
        match random.randrange(12):
            case 0:
                other["tree"] = random.choice(TREES)
            case 1:
                other["offices"] = random.choice(OFFICES)
            case 2:
                other["zone"] = random.choice(ZONES)
            case 3:
                other["masks"] = [random.choice(MASKS), *other["masks"][1:]]
            case 4:
                other["grants"] = grants(random)
            case 5:
                other["level"] = a_level(random)
            case 6:
                moved = changed_asset(random, moved)
            case _:
                other["rules"] = edited(random, other["rules"])
    return Pair((a_bundle(**parts), a_bundle(**other)), (asset, moved))


def changed_asset(random: Random, asset: Asset) -> Asset:
    """The asset as another catalog has it."""
    changes: tuple[dict[str, Any], ...] = (
        {"grade": random.choice(list(Grade))}, {"owner": random.choice(("o0", "o2", ""))}, {"opaque": True},
        {"fields": FIELDS[:1]}, {"fields": (replace(FIELDS[0], grade=Grade.CORE), FIELDS[1])}, {"listed": False},
        {"contract": random.choice(("learn", "warn", "enforce"))}, {"action": "update"},
    )  # fmt: skip
    return replace(asset, **random.choice(changes), revision="cat-2")


def edited(random: Random, rules: list[Rule]) -> list[Rule]:
    """The rules with one changed, dropped or added."""
    some, at, more = list(rules), random.randrange(len(rules)), a_rule(random, 9)
    match random.randrange(6):
        case 0 if len(some) > 1:
            del some[at]
        case 1:
            some.append(replace(more, id=f"more-{len(some)}"))
        case 2:
            some[at] = replace(some[at], when=more.when)
        case 3:
            some[at] = replace(some[at], then=a_then(random, some[at].effect == "deny"))
        case 4:
            some[at] = replace(some[at], who=more.who, org=more.org)
        case _:
            some[at] = replace(more, id=some[at].id)
    return some


def a_rule(random: Random, number: int) -> Rule:
    """Any rule; most bear on the asset."""
    effect = "deny" if random.random() < 0.35 else "allow"
    return Rule(
        id=f"rule-{number}", effect=effect, who=_some(random, ("*", "*", "signed-in", "person", "user:p0", "r0", "r1")),
        org=_some(random, ("*", "*", "o0", "o1", "o2")), data=_some(random, ("*", "a", "c", "a")), action=("*",),
        level=random.choice(("any", "any", "<= important", ">= important", "< core")),
        expires=random.choice(("", "", str(SOON), str(SOON - 86_400))), when=a_condition(random),
        then=a_then(random, effect == "deny"), place=f"rules/x.yaml:{number}", title=("", ""),
    )  # fmt: skip


def _some(random: Random, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(random.choice(words) for _ in range(random.randint(1, 2))))


def a_condition(random: Random) -> str:
    """Nothing, or up to three atoms joined."""
    count = random.choice((0, 1, 1, 2, 3))
    text = ""
    for _ in range(count):
        atom = random.choice(ATOMS)
        atom = f"not ({atom})" if random.random() < 0.25 else atom
        text = f"({text} {random.choice(('and', 'or'))} {atom})" if text else atom
    return text


def a_then(random: Random, deny: bool) -> str:
    """Duties of an allow, or what a deny offers."""
    then: dict[str, object] = {}
    if deny:
        if random.random() < 0.3:
            then = {"step_up": random.choice(("aal2", "aal3")), "max_age": random.choice((60, 300))}
        return json.dumps(then)
    then["mask"] = f"m{random.randrange(3)}"
    if random.random() < 0.3:
        then["log"] = "synced"
    if random.random() < 0.3:
        then["notify"] = random.choice((["audit"], ["security"], ["audit", "security"]))
    if random.random() < 0.3:
        words = random.sample(("o0", "o1", "subject.org", "subject.roles", "subject.id"), random.randint(1, 2))
        then["rows"] = [{"field": random.choice(("$.a", "$.b")), "values": sorted(words)}]
    return json.dumps(then)


def grants(random: Random) -> tuple[Grant, ...]:
    """One, over or not, approved or not; and perhaps another."""
    ends = random.choice((SOON, SOON, SOON - 86_400))
    first = Grant("g1", ("o1", "r0"), ("c",), ("read",), "audit", 0, ends, ("", ""), random.choice(("", "o1")))
    other = Grant("g2", ("user:p0", "service"), ("a",), ("read",), "care", SOON - 3600, SOON + 86_400, ("", ""), "o1")
    return (first, other)[: random.randint(1, 2)]


def a_level(random: Random) -> Overlay | None:
    """An emergency level in force, or none."""
    if random.random() < 0.6:
        return None
    deny = replace(a_rule(random, 8), id="level", effect="deny", then="{}", who=("*",), org=("*",), data=("*",))
    frozen = replace(deny, id="frozen", when=FROZEN)
    freezes = random.random() < 0.4
    rows = (*deny.rows(), *(frozen.rows() if freezes else ()))
    return Overlay(rows, random.choice(("", "m0", "m2")), freezes)


def a_bundle(
    rules: list[Rule],
    tree: dict[str, tuple[str, ...]],
    offices: dict[str, str],
    zone: str,
    masks: list[dict[str, str]],
    grants: tuple[Grant, ...],
    level: Overlay | None,
) -> Bundle:
    """The bundle of these parts, the level in force."""
    profiles = restore({f"m{number}": mask for number, mask in enumerate(masks)}, "m0", "m2")
    overlays = {"I": level} if level is not None else {}
    content = compiled(People(tree, offices, {}, zone), profiles, DATA, rules, grants, overlays)
    places = {row[0]: "emergency/I.yaml:1" for row in level.rows} if level is not None else {}
    return Bundle(replace(content, places=content.places | places), level="I" if level is not None else "")


# --- requests -------------------------------------------------------------------------------------


def points(random: Random, starts: int) -> Iterator[Point]:
    """Requests all over the grid: from each start every change of one value, and every change of two that are drawn."""
    for _ in range(starts):
        start = {name: random.choice(values) for name, values in VALUES.items()}
        yield start
        for name, values in VALUES.items():
            yield from ({**start, name: value} for value in values)
        for one, two in random.sample([*combinations(VALUES, 2)], 12):
            yield from ({**start, one: left, two: right} for left, right in product(VALUES[one], VALUES[two]))


def facts_of(point: Point, bundle: Bundle, asset: Asset) -> Facts:
    """The facts of a point, with the grants of these policies."""
    at, age = point["at"], point["age"]
    proof = Proof(point["method"], authenticated_at=0.0 if age is None else at - age, bound=point["bound"])
    subject = Subject(
        id=point["id"], kind=point["kind"], org=point["org"], roles=point["roles"], clearance=point["clearance"],
        assurance=point["assurance"], purpose=point["vouched"], proof=proof,
    )  # fmt: skip
    subject = ANONYMOUS if point["kind"] == "anonymous" else subject
    ask = an_ask(at=at, source=point["source"], purpose=point["stated"], method=point["verb"], api="civil", path="/a")
    posture = Posture(point["device"], point["trust"], point["machine"], point["fresh"])
    risk = Risk(point["score"], point["band"])
    return Facts(ask, subject, posture, risk, asset, bundle.granted(ask, subject, asset))


def said(pair: Pair, point: Point) -> tuple[Decision, Decision]:
    """What both policies decide about a point."""
    both = zip(pair.bundles, pair.assets, strict=True)
    one, two = (
        decide(bundle, facts_of(point, bundle, asset), BY_GRADE[asset.grade.national]) for bundle, asset in both
    )
    return one, two


OPENS = {
    "redact": "", "hash": "h", "partial(0,0)": "hp", "partial(1,0)": "hpf", "partial(0,1)": "hpl", "keep": "hpfla",
}  # fmt: skip
"""What each technique leaves to be seen, a letter each: digest, form, first and last character, all of it."""


def wider(before: Decision, after: Decision) -> str:
    """What the second lets through, shows or leaves out that the first does not; "" for nothing."""
    if not isinstance(after, Permit):
        return ""
    if not isinstance(before, Permit):
        return "permits"
    one, two = ({field.path: field.technique for field in permit.mask.fields} for permit in (before, after))
    rest = ["redact" if permit.mask.unlabelled == "redact" else "keep" for permit in (before, after)]
    for path in {*one, *two, "*"}:
        if not set(OPENS[two.get(path, rest[1])]) <= set(OPENS[one.get(path, rest[0])]):
            return "shows"
    was, now = ({row.field: set(row.values) for row in permit.mask.rows} for permit in (before, after))
    if any(field not in now or not now[field] <= values for field, values in was.items()):
        return "shows"
    weaker = (before.strength, after.strength) == ("synced", "written")
    return "owes" if weaker or not set(before.obligations) <= set(after.obligations) else ""


def differences(before: Decision, after: Decision) -> set[str]:
    """What a comparison must say of two decisions about the same request."""
    if isinstance(before, Permit) and isinstance(after, Permit):
        seen = {"unmasked"} if wider(before, after) == "shows" else set()
        seen |= {"masked"} if wider(after, before) == "shows" else set()
        duties = (before.strength, before.obligations) != (after.strength, after.obligations)
        return seen or ({"otherwise"} if duties or _spoke(before) != _spoke(after) else set())
    if isinstance(before, Permit) or isinstance(after, Permit):
        return {"lost"} if isinstance(before, Permit) else {"gained"}
    one, two = ((told.acr_values, told.max_age) if isinstance(told, Challenge) else None for told in (before, after))
    return {"otherwise"} if one != two or _spoke(before) != _spoke(after) else set()


def _spoke(decision: Decision) -> set[tuple[str, str]]:
    """Its reasons: code, and the rule wherever it stands."""
    return {(one.code, one.detail.partition(": ")[0] if one.rule else one.detail) for one in decision.reasons}
