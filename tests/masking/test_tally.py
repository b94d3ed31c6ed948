from gateway.facts import Revealed
from gateway.masking.names import MAX_UNLABELLED
from gateway.masking.tally import Tally


def test_units_are_added_up():
    tally = Tally()
    tally.add(Revealed((("$.a", 1),), ("$.x",), 1))
    tally.add(Revealed((("$.a", 2), ("$.b", 1)), ("$.x", "$.y"), 3))
    assert tally.revealed() == Revealed((("$.a", 3), ("$.b", 1)), ("$.x", "$.y"), 4)


def test_unlabelled_paths_are_bounded():
    tally = Tally()
    tally.add(Revealed((), tuple(f"$.n{number}" for number in range(500)), 1))
    assert len(tally.revealed().unlabelled) == MAX_UNLABELLED
