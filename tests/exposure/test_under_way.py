"""What is open is asked, and forgotten once it is on record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.exposure.under_way import AT_ONCE, UnderWay
from gateway.facts import Budget, Limit, Reply, Revealed, Warrant
from tests.literals import a_subject, a_warrant, an_ask, an_asset, some_facts

BUDGET = Budget("day", ("*",), "", ("household",), "", "subject", Limit(2), Limit(5))


def a_flow(id: str = "w.1", org: str = "prov/civil", purpose: str = "", asset: str = "household") -> Warrant:
    subject, ask = a_subject(id="li.lei", org=org, purpose=""), an_ask(purpose=purpose)
    return a_warrant(id=id, facts=some_facts(ask=ask, subject=subject, asset=an_asset(id=asset, category="population")))


async def pieces() -> AsyncIterator[bytes]:
    yield b""


def streaming(status: int = 200, **shown: Any) -> Reply:
    return Reply(status, (), pieces(), None, revealing=lambda: Revealed(**shown))


def told(*flows: tuple[Warrant, Reply]) -> list[tuple[int, int]]:
    under_way = UnderWay()
    for warrant, reply in flows:
        under_way.begin(warrant, reply)
    found = [flow.told() for flow in under_way.of("subject", "li.lei")]
    return [(len(one.digests) + one.more, one.fields) for one in found]


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        ({"records": 7}, (0, 0)),  # nothing that the catalog labels
        ({"records": 7, "clear": 14}, (7, 14)),
        ({"records": 7, "masked": (("$.id", 7),)}, (7, 0)),
        ({"records": 7, "masked": (("unlabelled", 7),)}, (0, 0)),
        ({"records": 1, "seen": b"x" * 24, "clear": 1}, (3, 1)),
        ({"records": 9, "seen": b"x" * 8, "unlisted": 4}, (5, 0)),
        ({"records": 9, "seen": b"x" * 8, "unlisted": 4, "keyless": 3}, (8, 0)),
    ],
)
def test_it_tells_what_the_record_will_tell(shown: dict[str, Any], counts: tuple[int, int]) -> None:
    assert told((a_flow(), streaming(**shown))) == [counts]


def test_what_a_service_refuses_with_shows_no_record_unless_it_names_one() -> None:
    assert told((a_flow(), streaming(404, records=3, clear=1))) == [(0, 1)]
    assert told((a_flow(), streaming(404, records=3, seen=b"x" * 8))) == [(1, 0)]


def test_a_long_answer_is_open_and_a_short_one_is_not() -> None:
    shown = Revealed(records=1, clear=1)
    short, long = (
        Reply(200, (), b"x" * AT_ONCE, AT_ONCE, shown),
        Reply(200, (), b"x" * (AT_ONCE + 1), AT_ONCE + 1, shown),
    )
    assert told((a_flow(), short)) == []
    assert told((a_flow(), long)) == [(1, 1)]


def test_each_is_found_by_caller_and_by_department_until_it_ends() -> None:
    under_way, one, other = UnderWay(), a_flow("w.1"), a_flow("w.2", org="hz")
    for warrant in (one, other):
        under_way.begin(warrant, streaming())
    assert len(list(under_way.of("subject", "li.lei"))) == 2
    assert [flow.warrant for flow in under_way.of("department", "hz")] == [other]
    under_way.end(one)
    under_way.end(one)
    assert [flow.warrant for flow in under_way.of("subject", "li.lei")] == [other]
    under_way.end(other)
    assert not under_way


@pytest.mark.parametrize(
    ("purpose", "asset", "budget", "concerned"),
    [
        ("", "household", {}, True),
        ("audit", "household", {}, True),
        ("", "visit", {}, False),
        ("", "visit", {"data": ("population",)}, True),
        ("audit", "household", {"purpose": "audit"}, True),
        ("", "household", {"purpose": "audit"}, False),
    ],
)
def test_a_budget_counts_its_data_and_its_purpose(
    purpose: str, asset: str, budget: dict[str, Any], concerned: bool
) -> None:
    under_way = UnderWay()
    under_way.begin(a_flow(purpose=purpose, asset=asset), streaming())
    counts = Budget(**({name: getattr(BUDGET, name) for name in BUDGET.__struct_fields__} | budget))
    assert [flow.concerns(counts) for flow in under_way.of("subject", "li.lei")] == [concerned]
