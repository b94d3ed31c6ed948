"""Are the names of conditions exactly the ones agreed, and read from the facts?"""

import re
from pathlib import Path

import pytest

from gateway.edge.framing import METHODS
from gateway.edge.proxies import plain_address
from gateway.facts import Exposure, Grade, Granted, Risk
from gateway.policy.names import Vocabulary, names
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts

TABLE = names(Vocabulary())
FACTS = some_facts(
    ask=an_ask(purpose="audit", source="10.0.0.9", method="POST"),
    subject=a_subject(purpose="vouched", proof=a_proof(bound=True)),
    posture=a_posture(trust="known", fresh=False),
    risk=Risk(12.5, "normal"),
    asset=an_asset(grade=Grade.CORE, action="create"),
    grant=Granted(("g-1",), approved=True),
    exposure=Exposure(250, 700, budgets=("day",), spent="soft"),
)


def test_the_names_are_those_of_the_contract() -> None:
    text = (Path(__file__).parents[2] / "docs/design/contracts.md").read_text(encoding="utf-8")
    paragraph = text[text.index("`when` names:") :].split("\n\n")[0]
    agreed = {
        f"{room}.{name}" for room, some in re.findall(r"(\w+)\.\{([^}]*)\}", paragraph) for name in some.split(",")
    }
    assert set(TABLE) == agreed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject.id", "zhang.wei"),
        ("subject.kind", "person"),
        ("subject.org", "prov/civil"),
        ("subject.roles", frozenset({"clerk"})),
        ("subject.clearance", Grade.IMPORTANT),
        ("subject.assurance", 2),
        ("subject.purpose", "vouched"),
        ("subject.auth_age", 120.0),
        ("subject.bound", True),
        ("subject.method", "bearer"),
        ("device.id", "laptop-7"),
        ("device.trust", "known"),
        ("device.org", "prov/civil"),
        ("device.fresh", False),
        ("risk.score", 12.5),
        ("risk.band", "normal"),
        ("risk.known", True),
        ("data.asset", "household"),
        ("data.category", "population"),
        ("data.grade", Grade.CORE),
        ("data.owner", "prov/civil"),
        ("data.action", "create"),
        ("grant.held", True),
        ("grant.ids", frozenset({"g-1"})),
        ("approval.held", True),
        ("exposure.records", 250),
        ("exposure.fields", 700),
        ("exposure.spent", "soft"),
        ("env.hour", 22),
        ("env.weekday", "mon"),
        ("env.time", "22:13"),
        ("env.purpose", "vouched"),
        ("env.source", "10.0.0.9"),
        ("env.method", "POST"),
    ],
)
def test_a_name_reads_its_fact(name: str, value: object) -> None:
    assert TABLE[name].get(FACTS) == value


def test_every_name_is_read_by_a_test_above() -> None:
    read = test_a_name_reads_its_fact.pytestmark[0].args[1]  # type: ignore[attr-defined]  # pytest's own attribute
    assert {name for name, _ in read} == set(TABLE)


def test_a_purpose_that_is_only_stated_counts_where_nobody_vouches_for_one() -> None:
    facts = some_facts(ask=an_ask(purpose="audit"), subject=a_subject(purpose=""))
    assert TABLE["env.purpose"].get(facts) == "audit"


def test_the_words_of_the_facts_are_the_words_of_conditions() -> None:
    assert set(TABLE["device.trust"].words) == {"managed", "known", "unknown", "compromised"}
    assert set(TABLE["risk.band"].words) == {"normal", "step_up", "limit", "quarantine"}
    assert set(TABLE["data.action"].words) == {"read", "create", "update", "delete", "other", "reveal"}
    assert set(TABLE["env.method"].words) == METHODS


def test_the_risk_and_the_clock_stay_within_what_their_names_can_be() -> None:
    for at in range(0, 86400, 60):
        facts = some_facts(ask=an_ask(at=NOW + at))
        assert TABLE["env.hour"].reaches(TABLE["env.hour"].get(facts))
        assert TABLE["env.time"].takes(TABLE["env.time"].get(facts))
    assert [TABLE["risk.score"].reaches(score) for score in (0, 12.5, 100, 100.5)] == [True, True, True, False]
    assert [TABLE["subject.assurance"].reaches(level) for level in (-1, 0, 3, 4)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("address", "possible"),
    [("10.0.0.9", True), ("2001:db8::1", True), ("2001:DB8::1", False), ("::ffff:10.0.0.9", False), ("fe80::1%eth0", False),
     ("10.0.0.256", False), ("010.0.0.1", False), ("10.0.0.0/8", False), ("", True)],
)  # fmt: skip
def test_an_address_is_one_that_the_edge_would_write(address: str, possible: bool) -> None:
    assert TABLE["env.source"].takes(address) is possible
    assert not address or (plain_address(address) == address) is possible


def test_the_clock_follows_summer_time_where_there_is_one() -> None:
    berlin = names(Vocabulary(timezone="Europe/Berlin"))["env.time"]
    assert berlin.get(some_facts(ask=an_ask(at=1_774_745_940.0))) == "01:59"  # 2026-03-29
    assert berlin.get(some_facts(ask=an_ask(at=1_774_746_000.0))) == "03:00"


@pytest.mark.parametrize("name", ["exposure.records", "exposure.fields"])
def test_what_was_shown_is_not_told_before_it_is_read(name: str) -> None:
    get = names(Vocabulary())[name].get
    assert get(some_facts(exposure=Exposure(3, 3))) == 3
    with pytest.raises(LookupError):
        get(some_facts(exposure=Exposure(3, 3, unread=True)))
