"""Are people counted once, and is nothing lost when counts are put together?"""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.entries import VerdictEntry
from gateway.review.tally import EXAMPLES, KINDS, Change, Share, Tally
from tests.literals import a_subject
from tests.review.history import record, shipped

ENTRIES = tuple(record(shipped(), 40, people=7))
CHANGES = st.builds(
    Change,
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(("r1", "r2")), unique=True).map(tuple),
    st.sampled_from(((), (("$.id: redact → keep", "unmasked"),))),
)
COUNTED = st.lists(st.tuples(st.sampled_from(ENTRIES), CHANGES), max_size=25)


def by(entry: VerdictEntry, person: str, org: str = "prov") -> VerdictEntry:
    return replace(entry, subject=a_subject(id=person, org=org))


def test_the_same_person_is_one_person() -> None:
    tally = Tally()
    for person, org in (("a", "prov"), ("a", "prov"), ("b", "hz"), ("a", "hz")):
        tally.add(by(ENTRIES[0], person, org), Change(("lost",), ("r1",)))
    found = tally.difference()
    identity = f"{ENTRIES[0].journal}.{ENTRIES[0].seq}"
    assert found.lost == Share(4, 2, (identity,) * EXAMPLES)
    assert (found.by["org"]["prov"]["lost"].people, found.by["org"]["hz"]["lost"].people) == (1, 2)
    assert found.by["rule"] == {"r1": {"lost": found.lost}}
    assert not found.same


def test_groups_come_in_order_of_size_and_then_of_name() -> None:
    tally = Tally()
    for org in ("b", "c", "c", "a"):
        tally.add(by(ENTRIES[0], "p", org), Change(("gained",)))
    assert list(tally.difference().by["org"]) == ["c", "a", "b"]


def test_what_could_not_be_judged_is_no_difference_but_is_told() -> None:
    tally = Tally()
    tally.leave_out(ENTRIES[0], "why", "为何")
    found = tally.difference()
    assert (found.same, found.unjudged[0].decisions, found.unjudged[0].zh) == (True, 1, "为何")


@given(COUNTED, COUNTED)
def test_counts_put_together_are_those_of_one_who_counted_all(one: list, two: list) -> None:
    whole, first, second = Tally(), Tally(), Tally()
    for part, counted in ((first, one), (second, two)):
        for entry, change in counted:
            part.add(entry, change)
            whole.add(entry, change)
    first.merge(second)
    assert first.difference() == whole.difference()
