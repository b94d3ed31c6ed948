"""The requests that policies can tell apart."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from gateway.facts import ANONYMOUS, Ask, Asset, Decision, Facts, Permit, Posture, Proof, Risk, Subject
from gateway.policy import Bundle
from gateway.policy.bundle import compiled
from gateway.policy.decide import decide
from gateway.policy.grants import Grant
from gateway.policy.people import People
from gateway.policy.profiles import Profiles
from gateway.policy.rules import Rule
from gateway.review.formula import Point, Value
from gateway.review.laws import ROLE, Side
from gateway.review.search import Budget, find
from gateway.review.space import Space
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts
from tests.policy.generated import DATA, ORGS, PROFILES, ROLES, a_request, rules

ASSET = an_asset(id="a0", category="c0", owner="o1", mode="enforce")
ODD = (
    "subject.org == device.org",
    "subject.id in subject.roles",
    'subject.purpose == "audit" or env.purpose == device.id',
    "risk.known and risk.score > subject.auth_age",
    "env.hour >= subject.assurance",
    'env.time == "10:00" or env.time in ["08:00", "23:59"]',
    'env.weekday != "sun" and env.hour < 6.5',
    'ip_in(env.source, "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32") and env.source != "10.1.2.3"',
    'env.method == "HEAD"',
    "approval.held",
    'grant.held and not has(grant.ids, "g1")',
    "grant.held == approval.held",
    'subject.method == "certificate" or subject.bound',
    "subject.assurance < subject.auth_age",
    '"r1" not in subject.roles',
)
GRANTS = (
    Grant("g1", ("o1", "r0"), ("c0",), ("read",), "audit", int(NOW) - 40, int(NOW) + 40, ("", ""), "o1"),
    Grant("g2", ("user:p1", "service"), ("a0",), ("read", "create"), "treatment", 0, int(NOW) + 86400, ("", "")),
)


def a_rule(when: str, number: int = 0, effect: str = "allow", **changes: Any) -> Rule:
    values: dict[str, Any] = {
        "id": f"rule-{number}", "effect": effect, "who": ("*",), "org": ("*",), "data": ("*",), "action": ("*",),
        "level": "any", "expires": "", "when": when, "then": "{}", "place": f"rules/x.yaml:{number}", "title": ("", ""),
    }  # fmt: skip
    return Rule(**(values | changes))


def a_bundle(some: list[Rule], timezone: str = "Asia/Shanghai", profiles: Profiles = PROFILES) -> Bundle:
    return Bundle(compiled(People(ROLES, ORGS, {}, timezone), profiles, DATA, some, GRANTS))


def enforced(facts: Facts, asset: Asset | None = None) -> Facts:
    """Facts as they can really be: an anonymous caller carries nothing, and nothing passes for observation."""
    asset = Asset(**(asdict(asset or facts.asset) | {"mode": "enforce"}))
    subject = ANONYMOUS if facts.subject.kind == "anonymous" else facts.subject
    return Facts(facts.ask, subject, facts.posture, facts.risk, asset)


def concrete(facts: Facts, variable: str) -> Value:
    """The value that these facts have for a variable of the space."""
    subject, posture, risk, ask = facts.subject, facts.posture, facts.risk, facts.ask
    if variable.startswith(ROLE):
        return variable.removeprefix(ROLE) in subject.roles
    signed_in = subject.proof.authenticated_at
    values: dict[str, Value] = {
        "kind": subject.kind, "id": subject.id, "org": subject.org, "clearance": int(subject.clearance),
        "assurance": subject.assurance, "purpose": (subject.purpose, ask.purpose), "bound": subject.proof.bound,
        "auth_age": ask.at - signed_in if signed_in > 0 else float("inf"), "method": subject.proof.method,
        "device": posture.device, "trust": posture.trust, "device_org": posture.org, "fresh": posture.fresh,
        "score": risk.score, "band": risk.band, "at": ask.at, "source": ask.source, "verb": ask.method,
    }  # fmt: skip
    return values[variable]


def represented(space: Space, facts: Facts) -> Point:
    """The point of representatives that stands for these facts. KeyError: there is none."""
    point: Point = {}
    for variable in space.domains:
        value = concrete(facts, variable)
        kept = space.reduced.get(variable)
        point[variable] = value if kept is None else kept[space.signature(variable, value)]
    return point


def seen(bundle: Bundle, facts: Facts) -> tuple[object, ...]:
    """All that a decision says but for its digest."""
    told: Decision = decide(bundle, facts, "written")
    mask = told.mask if isinstance(told, Permit) else None
    return type(told).__name__, told.reasons, mask


def with_grants(bundle: Bundle, facts: Facts) -> Facts:
    return Facts(
        facts.ask, facts.subject, facts.posture, facts.risk, facts.asset,
        bundle.granted(facts.ask, facts.subject, facts.asset),
    )  # fmt: skip


def held(space: Space, facts: Facts) -> None:
    """These facts and their representatives are decided alike on every side."""
    point = represented(space, facts)
    for side in space.sides:
        assert seen(side.bundle, space.make(point, side)) == seen(side.bundle, with_grants(side.bundle, facts)), point


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_every_request_is_decided_like_its_representatives(seed: int) -> None:
    random = Random(seed)
    some = rules(random, 8) + [a_rule(random.choice(ODD[5:]), 90 + n, random.choice(("allow", "deny"))) for n in (0, 1)]
    facts = [enforced(a_request(random)) for _ in range(5)]
    zone = random.choice(("Asia/Shanghai", "Europe/Berlin"))
    bundles = a_bundle(some), a_bundle([*some[1:], *rules(random, 1)], zone)
    for one in facts:
        space = Space([Side(bundle, one.asset) for bundle in bundles], ("GET", "HEAD"))
        # variables that are compared with each other keep all their values: they have a law of their own below
        if all(variable in space.reduced or _closed(variable) for variable in space.domains):
            held(space, one)


def _closed(variable: str) -> bool:
    return variable.startswith(ROLE) or variable in ("kind", "clearance")


@pytest.mark.parametrize("when", ODD)
@pytest.mark.parametrize("other", ["", "risk.score >= 40", 'has(subject.roles, "r0")'])
def test_whatever_happens_to_somebody_happens_to_a_representative(when: str, other: str) -> None:
    random = Random(when + other)
    bundle = a_bundle([a_rule(when), a_rule(other or when, 1, "deny")])
    space = Space([Side(bundle, ASSET)], ("GET", "HEAD"))
    law, deny = space.laws[0]
    outcomes = set()
    for _ in range(200):
        facts = with_grants(bundle, _odd(random))
        outcomes.add((_tried(law.id, bundle, facts), _tried(deny.id, bundle, facts)))
    for allowed, denied in outcomes:
        budget = Budget(20_000)
        point = find(space, [(law.applies, allowed), (deny.applies, denied)], budget)
        assert point is not None, (allowed, denied, budget)
        facts = space.make(point, space.sides[0])
        assert (_tried(law.id, bundle, facts), _tried(deny.id, bundle, facts)) == (allowed, denied)


def _tried(rule: str, bundle: Bundle, facts: Facts) -> int:
    """How the condition of a rule comes out: 1 yes, 2 no, 4 it fails."""
    when = next(row[8] for row in bundle.engine.rules if row[0] == rule)
    try:
        return 1 if bundle.condition(when).test(facts) else 2
    except (LookupError, ValueError, TypeError):
        return 4


def _odd(random: Random) -> Facts:
    facts = enforced(a_request(random), ASSET)
    subject, ask = facts.subject, facts.ask
    if subject.kind != "anonymous":
        subject = Subject(**(asdict(subject) | {"purpose": random.choice(("", "audit", "other-2"))}))
    ask = Ask(**(asdict(ask) | {"method": random.choice(("GET", "HEAD"))}))
    posture = Posture(
        **(asdict(facts.posture) | {"org": random.choice((*ORGS, "")), "device": random.choice(("audit", "d"))})
    )
    return Facts(ask, subject, posture, facts.risk, facts.asset)


def test_the_quiet_case_is_the_first_choice() -> None:
    space = Space([Side(a_bundle([a_rule('env.time == "23:00" and subject.assurance >= 1')]), ASSET)], ("POST",))
    facts = space.make({}, space.sides[0])
    assert (facts.ask.method, facts.subject.id, facts.subject.assurance) == ("POST", "somebody", 2)
    assert [space.domains[name][0] for name in ("at", "assurance", "kind")] == [facts.ask.at, 2, "person"]


def test_values_that_no_rule_tells_apart_are_one() -> None:
    some = [a_rule('ip_in(env.source, "10.0.0.0/8", "10.1.0.0/16") and subject.auth_age <= 300 and risk.score < 60')]
    space = Space([Side(a_bundle(some), ASSET)])
    assert space.domains["source"] == ("10.0.0.1", "192.0.2.1", "unknown")
    assert space.domains["auth_age"] == (60.0, 301.0)
    assert space.domains["score"] == (0.0, None, 60.0)
    assert set(space.domains) == {"kind", "clearance", "source", "auth_age", "score"}


def test_moments_follow_the_days_on_which_rules_and_grants_end() -> None:
    some = [a_rule('between(env.time, "08:00", "18:00")', expires=str(int(NOW) + 5))]
    later = Space([Side(a_bundle(some), ASSET)], since=NOW + 5)
    assert {later.look(later.laws[0][0].applies, {"at": at}) for at in later.domains["at"]} == {2}
    now = Space([Side(a_bundle(some), ASSET)])
    assert {now.look(now.laws[0][0].applies, {"at": at}) for at in now.domains["at"]} == {1, 2}


def test_an_unlisted_or_strange_asset_has_no_rules() -> None:
    bundle = a_bundle([a_rule("")])
    assert Space([Side(bundle, an_asset(id="a0", category="c0", listed=False))]).laws == ((),)
    assert Space([Side(bundle, an_asset(id="a0", category="elsewhere"))]).laws == ((),)


def test_nothing_is_claimed_about_a_name_that_cannot_be_varied(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.review import laws

    monkeypatch.delitem(laws.VARIABLES, "device.fresh")
    space = Space([Side(a_bundle([a_rule("device.fresh")]), ASSET)])
    assert space.look(space.laws[0][0].applies, {}) == 7


def test_everybody_is_made_of_parts() -> None:
    facts = some_facts(subject=a_subject(proof=a_proof()), posture=a_posture(), ask=an_ask(), asset=ASSET)
    assert concrete(facts, "auth_age") == 120.0
    assert isinstance(facts.risk, Risk) and isinstance(facts.subject.proof, Proof)
