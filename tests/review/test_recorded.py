"""Does the entry keep everything that a decision may look at, and is nothing guessed?

Who could be misled, and what must hold:
 author of a new name       a condition that reads what no entry keeps cannot be replayed: this fails here
 caller with a huge token   an entry that was shortened says less than was known: it is not judged again
 insider who edits a file   a grade or a route that never was is said to be so
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import fields, replace

from gateway.app.knowledge import UNREAD
from gateway.audit import decode, encode
from gateway.audit.entry import verdict_entry
from gateway.catalog import ApiBinding, Catalog
from gateway.catalog import load as load_catalog
from gateway.entries import VerdictEntry
from gateway.facts import Exposure, Facts, Grade, Granted, Posture, Proof, Reason, Risk, Subject
from gateway.policy.names import Vocabulary, names
from gateway.policy.native.request import OWN
from gateway.review.recorded import Unreplayable, asset_of, facts_of, paths
from tests.literals import NOW, a_deny, a_permit, a_subject, an_ask, an_asset, some_facts
from tests.policy import generated
from tests.review.history import DIGESTS, JOURNAL, record, shipped

KEPT = {
    "ask.at", "ask.method", "ask.source", "ask.purpose", "ask.api", "ask.host", "ask.id", "ask.trace",
    "asset.id", "asset.api", "asset.route", "asset.action", "asset.grade", "asset.category", "asset.owner",
    "asset.revision", "asset.honey", "exposure.records", "exposure.fields", "exposure.spent", "exposure.unread", "grant.ids", "grant.approved", "risk.score", "risk.band", "risk.signals",
    *(f"subject.{field.name}" for field in fields(Subject)),
    *(f"subject.proof.{field.name}" for field in fields(Proof)),
    *(f"posture.{field.name}" for field in fields(Posture)),
}  # fmt: skip
"""What an entry keeps of the facts."""


class Watched:
    """A value whose reading is written down."""

    def __init__(self, value: Any, place: str, read: set[str]) -> None:
        self._value, self._place, self._read = value, place, read

    def __getattr__(self, name: str) -> Any:
        place = f"{self._place}.{name}".lstrip(".")
        self._read.add(place)
        value = getattr(self._value, name)
        inner = type(value).__module__ == "gateway.facts" and not isinstance(value, Grade)
        return Watched(value, place, self._read) if inner else value


def recorded(facts: Facts, **changes: Any) -> VerdictEntry:
    entry = verdict_entry(JOURNAL, 0, facts, a_permit(), DIGESTS)
    return replace(entry, **changes)


def many() -> Iterator[Facts]:
    random = Random(11)
    for _ in range(200):
        facts = generated.a_request(random)
        grant = random.choice((Granted(), Granted(("g1",)), Granted(("g1", "g2"), True)))
        exposure = random.choice(
            (Exposure(), Exposure(7, 9, ("health",), unread=True), Exposure(900, 9000, (), ("b",), "hard"))
        )
        proof = replace(
            facts.subject.proof, bound=random.random() < 0.5, method=random.choice(("bearer", "certificate"))
        )
        subject = replace(facts.subject, purpose=random.choice(("", "audit")), proof=proof)
        ask = replace(facts.ask, headers=((b"x-secret", b"1"),), query="id=3", peer="10.9.9.9", clock=77.0)
        yield replace(facts, ask=ask, subject=subject, grant=grant, exposure=exposure)


# --- everything that conditions may look at -------------------------------------------------------


@pytest.mark.parametrize("name", names(Vocabulary()))
def test_every_name_reads_only_what_the_entry_keeps(name: str) -> None:
    read: set[str] = set()
    for facts in many():
        with suppress(LookupError):
            names(Vocabulary())[name].get(Watched(facts, "", read))  # type: ignore[arg-type]  # it looks like facts
    ends = {place for place in read if not any(other.startswith(place + ".") for other in read)}
    assert ends
    assert ends <= KEPT, f"`{name}` reads what no entry keeps: replay and comparison would be wrong"


@pytest.mark.parametrize("name", names(Vocabulary()))
def test_every_name_says_the_same_of_the_record(name: str) -> None:
    get = names(Vocabulary())[name].get
    for facts in many():
        entry = decode(encode(recorded(facts)))
        assert isinstance(entry, VerdictEntry)
        assert _value(get, facts) == _value(get, facts_of(entry, facts.asset))


def _value(get: Any, facts: Facts) -> object:
    try:
        return get(facts)
    except LookupError:
        return "unknown"


def test_what_is_kept_is_the_same_after_a_round_through_the_record() -> None:
    for facts in many():
        entry = decode(encode(recorded(facts)))
        assert isinstance(entry, VerdictEntry)
        again = facts_of(entry, facts.asset)
        assert (again.subject, again.posture, again.risk, again.grant, again.exposure) == (
            facts.subject, facts.posture, facts.risk, facts.grant, facts.exposure,
        )  # fmt: skip
        assert (again.ask.at, again.ask.method, again.ask.source) == (facts.ask.at, facts.ask.method, facts.ask.source)
        assert again.ask.purpose == (facts.subject.purpose or facts.ask.purpose)
        assert (again.ask.headers, again.ask.query) == ((), "")


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_a_casbin_policy_reads_besides_is_kept_or_known_to_be_missing(name: str) -> None:
    read: set[str] = set()
    for facts in many():
        OWN[name].get(Watched(facts, "", read))  # type: ignore[arg-type]  # it looks like facts
    ends = {place for place in read if not any(other.startswith(place + ".") for other in read)}
    assert ends <= KEPT | {"ask.path"}
    assert ("ask.path" in ends) is (name == "path"), "`reads_path` asks for `path` alone"


# --- the asset ----------------------------------------------------------------------------------


def test_the_asset_of_every_recorded_decision_is_found() -> None:
    compiled = shipped()
    for entry in record(compiled, 300):
        asset = asset_of(entry, compiled.catalog)
        assert (asset.id, asset.route, asset.grade.text) == (entry.asset, entry.route, entry.grade)
        assert asset.listed is bool(entry.asset)


def test_a_discreet_path_leads_to_its_endpoint() -> None:
    compiled = shipped()
    asset = compiled.catalog.find("GET", "/civil/households/110105199003070134", "households")
    entry = recorded(some_facts(asset=asset, ask=an_ask(api="households", path="/civil/households/110105199003070134")))
    assert entry.path == "/civil/households/{id}"
    assert asset_of(entry, compiled.catalog).fields == asset.fields


def test_a_template_that_is_open_at_its_end_is_tried_at_every_depth() -> None:
    entry = recorded(some_facts(asset=an_asset(route="GET /x/{id}/**")))
    assert list(paths(entry))[1:4] == ["/x/{id}", "/x/{id}/-", "/x/{id}/-/-"]


def test_grade_and_owner_are_those_of_the_entry() -> None:
    asset = an_asset()
    entry = recorded(some_facts(asset=asset), grade="core", owner="prov/health")
    found = asset_of(entry, _only(asset))
    assert (found.grade, found.owner) == (Grade.CORE, "prov/health")


@pytest.mark.parametrize("change", [{"asset": "gone"}, {"route": "GET /gone"}, {"grade": "secret"}])
def test_what_the_catalog_never_had_is_not_guessed(change: dict[str, str]) -> None:
    with pytest.raises(Unreplayable):
        asset_of(recorded(some_facts(), **change), _only(an_asset()))


def _only(asset: Any) -> Catalog:
    class Only:
        digest = asset.revision

        def find(self, method: str, path: str, api: str = "", at: float | None = None) -> Any:
            return asset

        def aggregated(self, found: Any, exposure: Any) -> Any:
            return found

    return Only()  # type: ignore[return-value]  # a catalog with one asset


def test_an_asset_is_that_of_the_day_and_of_what_was_shown_then(tmp_path: Path) -> None:
    """An override that was over, and a rule of the day that held: both changed what the fields counted as."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "a.yaml").write_text(
        "defaults: [{owner: o, grade: general-4}]\n"
        "assets:\n  - id: a\n    owner: o\n    endpoints: [GET /a]\n    fields: [{path: $.x}]\n"
        "    override: {grade: general-1, ticket: T-1, approver: li.min, on: 2020-01-01, until: 2020-12-31}\n"
        "aggregation: [{id: day, records: 5, per: day, to: core}]\n"
    )
    catalog = load_catalog(tmp_path / "catalog", (ApiBinding("a", "/a", ("a",)),))
    for at, records in ((1_600_000_000.0, 0), (NOW, 0), (NOW, 5)):
        exposure = Exposure(records=records)
        then = catalog.aggregated(catalog.find("GET", "/a", "a", at), exposure)
        facts = some_facts(asset=then, ask=an_ask(at=at, path="/a", api="a"), exposure=exposure)
        assert asset_of(replace(recorded(facts), at=at), catalog) == then


# --- what is lost -------------------------------------------------------------------------------


HUGE = {
    "many roles": a_subject(roles=tuple(f"role-{n}-{'x' * 60}" for n in range(1200))),
    "one long role": a_subject(roles=("y" * 70_000,)),
    "a long id": a_subject(id="z" * 70_000),
    "half a character": a_subject(org="prov\ud800"),
    "many long roles": a_subject(roles=tuple("角" * 1000 + str(n) for n in range(70))),
}


@pytest.mark.parametrize("subject", HUGE.values(), ids=HUGE)
def test_a_shortened_entry_is_not_judged_again(subject: Subject) -> None:
    entry = decode(encode(recorded(some_facts(subject=subject))))
    assert isinstance(entry, VerdictEntry)
    with pytest.raises(Unreplayable, match="shortened"):
        facts_of(entry, an_asset())


@pytest.mark.parametrize("count", [1, 4, 16, 63])
def test_people_with_some_roles_are_judged(count: int) -> None:
    subject = a_subject(roles=tuple(f"r{n}" for n in range(count)), name="某人…")
    assert facts_of(recorded(some_facts(subject=subject)), an_asset()).subject.roles[-1] == f"r{count - 1}"


@pytest.mark.parametrize("why", ["index and enforcer disagree", UNREAD])
def test_an_alarm_is_no_decision_about_facts(why: str) -> None:
    facts = some_facts(risk=Risk(1.0), ask=an_ask(at=NOW))
    alarm = a_deny(reasons=(Reason("policy_error", "", why),))
    with pytest.raises(Unreplayable, match="alarm"):
        facts_of(verdict_entry(JOURNAL, 0, facts, alarm, DIGESTS), facts.asset)
