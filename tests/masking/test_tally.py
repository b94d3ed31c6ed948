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


def test_whom_the_records_are_about_is_told_once_each_and_bounded():
    tally = Tally()
    for number in range(2100):
        tally.add(Revealed(seen=number.to_bytes(8), clear=2, removed=1))
    tally.add(Revealed(seen=(7).to_bytes(8), unlisted=5))
    told = tally.revealed()
    assert (len(told.seen), told.unlisted, told.clear, told.removed) == (8 * 2000, 105, 4200, 2100)


def test_one_unit_with_a_key_does_not_make_those_without_free() -> None:
    tally = Tally()
    for seen in (b"12345678", b"", b""):
        tally.add(Revealed((("$.name", 1),), (), 1, seen))
    tally.add(Revealed((("unlabelled", 1),), (), 1))
    assert (len(tally.revealed().seen), tally.revealed().unlisted, tally.revealed().keyless) == (8, 0, 2)
