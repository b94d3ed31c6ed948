"""Bounded memory that does not care in which order it was filled."""

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.windows import Buckets, Contributions, Distinct, Heard, Source, Table, keep_latest

TIMES = st.lists(st.floats(0, 500), min_size=1, max_size=40)


def test_buckets_sum_what_is_in_the_window_and_forget_the_rest() -> None:
    buckets = Buckets()
    assert buckets.total(0.0, 10.0, 6) == 0.0
    for at in range(0, 1000, 5):
        buckets.add(float(at), 1.0, 10.0, 6)
    assert buckets.total(995.0, 10.0, 6) == 12.0
    assert buckets.total(2000.0, 10.0, 6) == 0.0
    assert len(buckets._amounts or ()) <= 7


def test_distinct_things_count_once_and_the_oldest_go() -> None:
    distinct = Distinct()
    for n in range(200):
        distinct.add(f"o-{n % 50}", float(n), 300.0, 64)
    assert distinct.count(200.0, 300.0) == 50
    assert distinct.count(200.0, 10.0) == 9
    for n in range(1000):
        distinct.add(f"x-{n}", 200.0 + n / 10, 300.0, 64)
    assert distinct.count(300.0, 300.0) == 64


@given(times=TIMES, seed=st.integers(0, 99))
def test_law_the_order_of_arrival_does_not_matter(times: list[float], seed: int) -> None:
    shuffled = random.Random(seed).sample(times, len(times))
    totals, counts, given_ = [], [], []
    for order in (times, shuffled):
        buckets, distinct, contributions = Buckets(), Distinct(), Contributions()
        for at in order:
            buckets.add(at, 1.0, 10.0, 12)
            distinct.add(f"{at:.0f}", at, 300.0, 1000)
            contributions.give("new_device", 10.0 + round(at) % 7, at, "")
        totals.append(buckets.total(max(times), 10.0, 12))
        counts.append(distinct.count(max(times), 300.0))
        given_.append(contributions.given)
    assert totals[0] == totals[1]
    assert counts[0] == counts[1]
    assert given_[0] == given_[1]


def test_the_larger_contribution_stays_and_the_faint_go() -> None:
    contributions = Contributions()
    contributions.give("new_device", 20.0, 0.0, "first")
    contributions.give("new_device", 5.0, 60.0, "less")
    assert contributions.given == {"new_device": (20.0, 0.0, "first")}
    contributions.give("new_device", 10.0, 4 * 3600.0, "as much as is left")
    assert contributions.given == {"new_device": (10.0, 4 * 3600.0, "as much as is left")}
    contributions.give("off_hours", 8.0, 100 * 3600.0, "")
    assert set(contributions.given or ()) == {"off_hours"}


def test_the_latest_names_stay() -> None:
    latest: dict[str, float] = {}
    for n in range(30):
        keep_latest(latest, f"d{n}", float(n), 20)
    keep_latest(latest, "d29", 5.0, 20)
    assert len(latest) == 20
    assert latest["d29"] == 29.0
    assert "d9" not in latest


def test_a_full_table_spares_those_with_points() -> None:
    table: Table[Source] = Table(Source, 10)
    table.touch("bad").contributions.give("spray", 100.0, 0.0, "")
    for n in range(100):
        table.touch(f"n{n}")
    assert len(table) == 10
    assert table.get("bad") is not None
    assert table.get("n90") is None


def test_a_table_full_of_points_still_has_its_bound() -> None:
    table: Table[Source] = Table(Source, 10)
    for n in range(100):
        table.touch(f"n{n}").contributions.give("spray", 100.0, 0.0, "")
    assert len(table) == 10


def test_an_entry_is_heard_once_in_any_order() -> None:
    heard = Heard()
    order = random.Random(3).sample(range(400), 400)
    assert all(heard.first("w0", seq) for seq in order)
    assert not any(heard.first("w0", seq) for seq in order)
    assert heard.first("w1", 0)
    assert heard.first("w0", 100_000)
    assert not heard.first("w0", 100_000 - Heard.SPAN)


def test_journals_are_bounded() -> None:
    heard = Heard()
    for n in range(Heard.JOURNALS + 50):
        heard.first(f"j{n}", 0)
    assert len(heard._journals) == Heard.JOURNALS
