"""What does a team's casbin policy answer? What stock casbin answers to the same files."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import GRADES, Facts, Grade
from gateway.policy import Bundle
from gateway.policy.native.source import MATCHER
from tests.literals import NOW, an_ask, an_asset, some_facts
from tests.literals import a_subject as a_person
from tests.policy.native.pairs import METHODS, ORGS, PAIRS, PATHS, SUBJECTS, Pair
from tests.policy.native.world import a_bundle, answer, asked, stock

ADDRESSES = ("10.0.0.1", "10.1.2.3", "192.168.1.7", "192.168.1.8", "2001:db8::5", "8.8.8.8")

facts_of_anyone = st.builds(
    lambda who, org, path, method, assurance, clearance, grade, owner, source, hour, kind, roles: some_facts(
        ask=an_ask(path=path, method=method, source=source, at=NOW + hour * 3600),
        subject=a_person(id=who, org=org, assurance=assurance, clearance=clearance, kind=kind, roles=roles),
        asset=an_asset(grade=grade, owner=owner),
    ),
    st.sampled_from(SUBJECTS),
    st.sampled_from(ORGS),
    st.sampled_from(PATHS),
    st.sampled_from(METHODS),
    st.integers(0, 3),
    st.sampled_from([Grade(n) for n in range(1, 7)]),
    st.sampled_from([Grade(n) for n in range(1, 7)]),
    st.sampled_from(ORGS),
    st.sampled_from(ADDRESSES),
    st.integers(0, 23),
    st.sampled_from(("person", "service")),
    st.sampled_from(((), ("clerk",), ("clerk", "auditor"))),
)


@cache
def loaded(name: str) -> tuple[Pair, Path, Bundle]:
    pair = next(one for one in PAIRS if one.name == name)
    folder = Path(mkdtemp())
    request = "request: {" + ", ".join(f"{k}: {v}" for k, v in pair.request.items()) + "}\n" + pair.more
    bundle = a_bundle(folder, pair.model, pair.policy, request)
    return pair, folder, Bundle.from_bytes(bundle.dump())  # as a worker has it


@cache
def stock_of(name: str) -> object:
    pair, folder, _ = loaded(name)
    return stock(folder, pair)


@pytest.mark.parametrize("name", [pair.name for pair in PAIRS])
@settings(max_examples=120, deadline=None)
@given(facts=facts_of_anyone)
def test_the_answers_are_those_of_stock_casbin(name: str, facts: Facts) -> None:
    pair, folder, bundle = loaded(name)
    enforcer = stock(folder, pair) if pair.fresh else stock_of(name)
    expected, row = answer(enforcer, asked(facts, pair.request))
    assert bundle.native is not None
    said = bundle.native.enforcer.judge(facts)
    assert (said.allowed, said.failed) == (expected, "")
    if row:  # the row that casbin names is among ours
        lines = [line for line, text in enumerate(pair.policy.split("\n"), 1) if same(text, row)]
        named = {f"casbin:{line}" for line in lines}
        assert named & {*said.allows, *said.denies}


def same(text: str, row: list[str]) -> bool:
    bare = "".join(text.split()).removeprefix("p,")
    return text.lstrip().startswith("p,") and bare == "".join("".join(value.split()) + "," for value in row)[:-1]


def test_every_kind_of_model_allows_somebody_and_refuses_somebody() -> None:
    """Else the comparison above would compare nothing."""
    for name in (pair.name for pair in PAIRS):
        _, _, bundle = loaded(name)
        assert bundle.native is not None
        said = {bundle.native.enforcer.judge(one).allowed for one in population()}
        assert said == {True, False}, name


@cache
def population() -> tuple[Facts, ...]:
    return tuple(
        some_facts(
            ask=an_ask(path=path, method=method, source=source),
            subject=a_person(id=who, org=org, assurance=len(who) % 4, clearance=GRADES["general-3"]),
            asset=an_asset(owner="hz", grade=grade),
        )
        for who, source in zip(SUBJECTS, (*ADDRESSES, "8.8.4.4"), strict=True)
        for org in ORGS
        for path in PATHS
        for method in METHODS
        for grade in (Grade.GENERAL_2, Grade.CORE)
    )


def test_there_are_many_kinds() -> None:
    assert len(PAIRS) >= 20
    assert MATCHER == "casbin:matcher"
