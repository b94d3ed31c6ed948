import pytest

from gateway.facts import Notice
from gateway.upstream.balance import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Balance


class Place:
    """A pool as the balance sees it."""

    def __init__(self, name, pending=0):
        self.endpoint, self.pending = name, pending


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def world():
    notices, clock = [], Clock()
    return Balance("civil", notices.append, clock), notices, clock


def fail(balance, pool, times=FAILURES):
    for _ in range(times):
        balance.opened(pool, "refused")


def test_addresses_take_turns(world):
    balance, a, b, c = world[0], Place("a"), Place("b"), Place("c")
    for pool in (a, b, c):
        balance.add(pool)
    assert sorted(balance.choose().endpoint for _ in range(6)) == ["a", "a", "b", "b", "c", "c"]


def test_the_least_busy_comes_first(world):
    balance, a, b = world[0], Place("a", pending=3), Place("b", pending=1)
    balance.add(a)
    balance.add(b)
    assert {balance.choose() for _ in range(4)} == {b}
    assert balance.choose([b]) is a


def test_avoiding_the_only_one_gives_it_all_the_same(world):
    balance, a = world[0], Place("a")
    balance.add(a)
    assert balance.choose([a]) is a


def test_an_address_that_fails_is_left_out_longer_each_time(world):
    balance, notices, clock = world
    a, b = Place("a"), Place("b")
    balance.add(a)
    balance.add(b)
    fail(balance, a, FAILURES - 1)
    assert {balance.choose() for _ in range(4)} == {a, b}
    pause, pauses = FIRST_PAUSE, []
    fail(balance, a, 1)
    for _ in range(7):
        assert {balance.choose() for _ in range(4)} == {b}
        clock.now += pause - 0.01
        assert {balance.choose() for _ in range(4)} == {b}
        clock.now += 0.02
        assert {balance.choose() for _ in range(4)} == {a, b}
        fail(balance, a, 1)
        pauses.append(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert notices == [Notice("upstream.ejected", "civil a", "refused")]


def test_it_returns_with_the_first_connection(world):
    balance, notices, clock = world
    a, b = Place("a"), Place("b")
    balance.add(a)
    balance.add(b)
    fail(balance, a)
    clock.now += 2
    balance.opened(a, "")
    assert notices[-1] == Notice("upstream.returned", "civil a")
    assert {balance.choose() for _ in range(4)} == {a, b}
    fail(balance, a, FAILURES - 1)
    assert {balance.choose() for _ in range(4)} == {a, b}


def test_the_last_address_is_never_left_out_for_long(world):
    balance, _, clock = world
    a = Place("a")
    balance.add(a)
    for _ in range(10):
        fail(balance, a)
        assert balance.choose() is None
        clock.now += FIRST_PAUSE
        assert balance.choose() is a


def test_when_all_are_out_there_is_none(world):
    balance, a, b = world[0], Place("a"), Place("b")
    balance.add(a)
    balance.add(b)
    fail(balance, a)
    fail(balance, b)
    assert balance.choose() is None


def test_a_check_takes_out_and_only_a_check_brings_back(world):
    balance, notices, _ = world
    a = Place("a")
    balance.add(a)
    balance.checked(a, 2, "status 503")
    assert balance.choose() is a
    balance.checked(a, 2, "status 503")
    assert balance.choose() is None
    balance.opened(a, "")
    assert balance.choose() is None
    balance.checked(a, 2, "")
    assert balance.choose() is a
    assert [notice.name for notice in notices] == ["upstream.ejected", "upstream.returned"]
