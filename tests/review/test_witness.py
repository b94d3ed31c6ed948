"""A request in the words of `policy explain`."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.policy.explain import _given
from gateway.facts import Facts, Risk
from gateway.policy import suppose
from gateway.review.witness import command
from gateway.review.witness import given as words
from tests.literals import a_posture, a_proof, a_subject, an_ask, some_facts
from tests.policy.generated import a_request
from tests.review.test_space import enforced

ZONE = "Asia/Shanghai"


def again(facts: Facts) -> Facts:
    """The facts that `policy explain` makes of the command."""
    arguments = command(facts, facts.ask.method, "/x", ZONE)
    return suppose(facts.asset, facts.ask.method, "/x", _given(arguments[3], list(arguments[7::2])), ZONE)


def known(facts: Facts) -> tuple[object, ...]:
    subject, posture, ask = facts.subject, facts.posture, facts.ask
    signed_in = subject.proof.authenticated_at
    age = ask.at - signed_in if signed_in > 0 else None
    proof = (subject.proof.method, subject.proof.bound, age)
    caller = (
        subject.id,
        subject.kind,
        subject.org,
        subject.roles,
        subject.clearance,
        subject.assurance,
        subject.purpose,
    )
    machine = (posture.device, posture.trust, posture.org, posture.fresh, facts.risk)
    return (*caller, proof, *machine, ask.at, ask.purpose, ask.source)


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_words_mean_the_same_facts(seed: int) -> None:
    random = Random(seed)
    facts = enforced(a_request(random))
    minute = facts.ask.at // 60 * 60
    proof = a_proof(method="bearer", bound=random.random() < 0.5, authenticated_at=random.choice((0.0, minute - 300.5)))
    subject = facts.subject if facts.subject.kind == "anonymous" else a_subject(
        id=random.choice(("p0", "true", "张伟")), kind=facts.subject.kind, org=facts.subject.org, proof=proof,
        roles=facts.subject.roles, purpose=random.choice(("", "audit", "a: b", "[x", "12", "null")),
    )  # fmt: skip
    posture = a_posture(device=random.choice(("", "d-1", "1")), trust=facts.posture.trust, fresh=facts.posture.fresh)
    risk = Risk(facts.risk.score, facts.risk.band)
    ask = an_ask(at=minute, purpose=facts.ask.purpose, source=facts.ask.source)
    whole = some_facts(ask=ask, subject=subject, posture=posture, risk=risk, asset=facts.asset)
    assert known(again(whole)) == known(whole), command(whole, "GET", "/x", ZONE)


def test_the_quiet_case_needs_no_words() -> None:
    quiet = suppose(some_facts().asset, "GET", "/x", _given("anna", []), ZONE)
    assert command(quiet, "GET", "/x", ZONE) == ("policy", "explain", "--as", "anna", "--do", "GET /x")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (1_789_955_940.0, {"time": "09:59"}),  # Monday, 21 September 2026
        (1_790_298_000.0, {"weekday": "fri", "time": "09:00"}),
        (1_893_427_200.0, {"date": "2030-01-01", "time": "00:00"}),
    ],
)
def test_a_day_is_named_where_the_week_does_not_say_it(at: float, said: dict[str, str]) -> None:
    found = words(some_facts(ask=an_ask(at=at)), ZONE)
    assert {name: value for name, value in found.items() if name in ("date", "weekday", "time")} == said
