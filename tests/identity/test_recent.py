from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.recent import Recent


def test_what_is_used_stays_and_the_rest_is_forgotten() -> None:
    recent: Recent[int, str] = Recent(entries=20)
    recent.put(-1, "used")
    for number in range(1000):
        recent.put(number, str(number))
        assert recent.get(-1) == "used"
    assert recent.get(0) is None
    assert recent.get(999) == "999"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40))), st.integers(2, 20), st.integers(10, 100))
def test_it_is_bounded_and_never_invents(operations: list[tuple[int, int]], entries: int, weight: int) -> None:
    recent: Recent[int, tuple[int, int]] = Recent(entries, weight)
    for key, load in operations:
        recent.put(key, (key, load), load)
        assert len(recent) <= entries + 1
        assert recent.get(key) == (key, load)  # the newest is always there
        found = recent.get(key + 1)
        assert found is None or found[0] == key + 1


def test_heavy_values_push_out_light_ones() -> None:
    recent: Recent[int, int] = Recent(entries=1_000_000, weight=1000)
    for number in range(10_000):
        recent.put(number, number, 100)
    assert len(recent) <= 12


def test_what_is_dropped_is_gone_from_both_generations() -> None:
    recent: Recent[str, int] = Recent(entries=2)
    for key in ("a", "b", "a"):
        recent.put(key, 1)
    recent.drop("a")
    recent.drop("never")
    assert recent.get("a") is None
