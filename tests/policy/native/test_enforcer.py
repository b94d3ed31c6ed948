"""What does a team's casbin policy answer? What stock casbin answers to the same files."""

from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import GRADES, Facts, Grade
from gateway.policy import Bundle
from gateway.policy.native.source import MATCHER
from tests.literals import NOW, an_ask, an_asset, some_facts
from tests.literals import a_subject as a_person
from tests.policy.native import generated
from tests.policy.native.pairs import ALLOW, METHODS, ORGS, PAIRS, PATHS, SUBJECTS, Pair, model
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
@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_policy_is_answered_as_by_stock_casbin(tmp_path_factory: pytest.TempPathFactory, random: Random) -> None:
    """More of them: `python -m tests.soak native_differential`."""
    assert generated.differ(random, tmp_path_factory.mktemp("native"), 12) == ""


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_careless_edit_is_refused_or_answered_as_by_stock_casbin(
    tmp_path_factory: pytest.TempPathFactory, random: Random
) -> None:
    assert generated.differ_when_damaged(random, tmp_path_factory.mktemp("native"), 12) == ""


# --- what pycasbin leaves undone ------------------------------------------------------------------

CLERK_ROWS = "p, clerk, all, GET\ng2, /civil/households/42, all\n"
WINDOW = "g, zhang.wei, clerk, {}, {}\n"
TIMED = model(
    "sub, obj, act",
    "sub, obj, act",
    ALLOW,
    "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act",
    "g = _, _, (_, _)\ng2 = _, _",
)


def allows(folder: Path, text: str, rows: str, request: str = "", **changes: object) -> bool:
    bundle = Bundle.from_bytes(a_bundle(folder, text, rows, request).dump())
    assert bundle.native is not None
    said = bundle.native.enforcer.judge(some_facts(**changes))
    assert said.failed == ""
    return said.allowed


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("_", "_", True),
        ("0000-01-01 00:00:00", "_", True),
        ("2026-09-21 22:13:19", "2026-09-21 22:13:21", True),  # in Asia/Shanghai it is 22:13:20
        ("2026-09-21 14:13:19", "2026-09-21 14:13:21", False),
        ("_", "2026-09-21 22:13:20", False),
    ],
)
def test_a_conditional_role_beside_a_plain_one(tmp_path: Path, start: str, end: str, expected: bool) -> None:
    rows = CLERK_ROWS + WINDOW.format(start, end)
    assert allows(tmp_path, TIMED, rows, "conditions: {g: timeMatch}") is expected
    assert answer(stock(tmp_path), ["zhang.wei", "/civil/households/42", "GET"])[0] is not True  # its g2 is deaf


def test_a_conditional_role_in_a_domain(tmp_path: Path) -> None:
    text = model(
        "sub, dom, obj",
        "sub, dom, obj",
        ALLOW,
        "g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch(r.obj, p.obj)",
        "g = _, _, _, (_, _)",
    )
    rows = "p, clerk, prov/civil, /*\np, clerk, hz, /*\ng, zhang.wei, clerk, {}, _, {}\n"
    request = "conditions: {g: timeMatch}"
    assert allows(tmp_path / "a", text, rows.format("prov/civil", "_"), request)
    assert not allows(tmp_path / "b", text, rows.format("hz", "_"), request)
    assert not allows(tmp_path / "c", text, rows.format("prov/civil", "2020-01-01 00:00:00"), request)


@pytest.mark.parametrize(
    "matcher",
    [
        'keyGet(r.obj, p.obj) == "42"',
        'keyGet2(r.obj, p.pattern, "id") == "42"',
        'keyGet3(r.obj, "/civil/{what}/{id}", "what") == "households"',
        "timeMatch(p.start, '_')",
    ],
)
def test_functions_that_pycasbin_cannot_call(tmp_path: Path, matcher: str) -> None:
    text = model("sub, obj", "sub, obj, pattern, start", ALLOW, f"r.sub == p.sub && {matcher}")
    rows = "p, zhang.wei, /civil/households/*, /civil/households/:id, 2026-01-01 00:00:00\n"
    assert allows(tmp_path, text, rows)
    if "keyGet" in matcher:
        assert answer(stock(tmp_path), ["zhang.wei", "/civil/households/42"])[0] is None


def test_any_order_of_the_keys_of_a_snapshot(tmp_path: Path) -> None:
    """`r` is filled in the order of the model, whatever order a mapping travels in."""
    text = model("zeta, alpha", "zeta, alpha", ALLOW, "r.zeta == p.zeta && r.alpha == p.alpha")
    assert allows(tmp_path, text, "p, zhang.wei, GET\n", "request: {alpha: method, zeta: subject.id}")


def test_nothing_of_a_request_is_kept(tmp_path: Path) -> None:
    """casbin keeps each name that it was ever asked about."""
    pair, _, bundle = loaded("rbac-role-patterns")
    assert bundle.native is not None
    enforcer = bundle.native.enforcer
    before = repr(vars(enforcer.model["g"]["g2"].rm))
    for number in range(200):
        enforcer.judge(some_facts(ask=an_ask(path=f"/b/{number}"), subject=a_person(id=f"*{number}")))
    assert repr(vars(enforcer.model["g"]["g2"].rm)) == before
    assert pair.matching


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    _, _, bundle = loaded("allow-and-deny")
    assert bundle.native is not None
    everybody = population()[:600]
    expected = [bundle.native.enforcer.judge(one) for one in everybody]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bundle.native.enforcer.judge, everybody)) == expected
