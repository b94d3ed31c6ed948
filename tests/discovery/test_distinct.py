import pytest

from gateway.discovery.distinct import REGISTERS, Distinct

KEY = b"a key of one process"


def counted(values, key=KEY):
    distinct = Distinct()
    for value in values:
        distinct.add(value, key)
    return distinct.estimate()


def test_a_handful_is_counted_exactly():
    assert counted([]) == 0
    assert counted(["女"]) == 1
    assert counted(["男", "女"] * 500) == 2


@pytest.mark.parametrize("many", [100, 1_000, 10_000, 50_000])
def test_many_are_estimated_within_a_fifth(many):
    assert abs(counted(str(number) for number in range(many)) - many) <= many / 5


def test_without_the_key_the_registers_tell_no_value():
    """Two domains of two values: with another key each leaves other registers, so nothing can be tried against them."""
    mine, theirs = Distinct(), Distinct()
    mine.add("女", KEY)
    theirs.add("女", b"another process")
    assert bytes(mine._registers) != bytes(theirs._registers)
    assert mine.estimate() == theirs.estimate() == 1


def test_its_size_does_not_grow():
    distinct = Distinct()
    for number in range(5_000):
        distinct.add(f"value {number}", KEY)
    assert len(distinct._registers) == REGISTERS


def test_half_a_surrogate_is_a_value_too():
    assert counted(["\ud83d"]) == 1
