"""What a rule can still say."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.review.formula import (
    ALWAYS,
    ANY,
    FAILS,
    NEVER,
    NO,
    YES,
    Atom,
    Formula,
    Pool,
    asked,
    atoms_of,
    look,
    swapped,
)

POOL = Pool()
A, B, C = (POOL.atom(name, lambda name=name: Atom(name, (name,))) for name in "abc")
FORMULAS = st.recursive(
    st.sampled_from([A, B, C]),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(POOL.all), st.lists(parts, max_size=3).map(POOL.some), parts.map(POOL.opposite)
    ),
)


def plain(one: Formula, values: dict[object, int]) -> int:
    """What Python's own `and`, `or` and `not` make of it; an atom that fails raises."""
    if one.atom is not None:
        if values[one.atom.key] == FAILS:
            raise LookupError
        return values[one.atom.key]
    answers = (plain(part, values) == YES for part in one.parts)
    if one.op == "not":
        return YES if not next(answers) else NO
    return YES if (all(answers) if one.op == "all" else any(answers)) else NO


@given(FORMULAS, st.lists(st.sampled_from([YES, NO, FAILS]), min_size=3, max_size=3))
def test_a_formula_answers_as_closures_do(one: Formula, three: list[int]) -> None:
    values: dict[object, int] = dict(zip("abc", three, strict=True))
    try:
        expected = plain(one, values)
    except LookupError:
        expected = FAILS
    assert look(one, lambda atom: values[atom.key]) == expected


@given(FORMULAS, st.lists(st.sampled_from([YES, NO, FAILS]), min_size=3, max_size=3), st.sets(st.sampled_from("abc")))
def test_no_answer_is_lost_under_partial_knowledge(one: Formula, three: list[int], known: set[str]) -> None:
    values: dict[object, int] = dict(zip("abc", three, strict=True))
    settled = look(one, lambda atom: values[atom.key])
    partly = look(one, lambda atom: values[atom.key] if atom.key in known else ANY)
    assert partly & settled


@given(FORMULAS, st.lists(st.sampled_from([YES, NO, FAILS]), min_size=3, max_size=3), st.sampled_from([YES, NO, 5, 6]))
def test_smaller_wishes_are_met_together_or_not_at_all(one: Formula, three: list[int], wanted: int) -> None:
    values: dict[object, int] = dict(zip("abc", three, strict=True))
    parts = [bool(look(part, lambda atom: values[atom.key]) & wish) for part, wish in asked(one, wanted)]
    assert all(parts) is bool(look(one, lambda atom: values[atom.key]) & wanted)


def test_equal_formulas_are_one_object() -> None:
    assert POOL.all([A, POOL.all([B, C])]) is POOL.all([A, B, C])
    assert POOL.opposite(POOL.opposite(POOL.some([A, B]))) is POOL.some([A, B])
    assert POOL.all([A, A]) is A
    assert (POOL.all([]), POOL.some([])) == (ALWAYS, NEVER)
    assert (look(ALWAYS, lambda atom: ANY), look(NEVER, lambda atom: ANY)) == (YES, NO)
    assert POOL.opposite(ALWAYS) is NEVER


def test_atoms_come_from_left_to_right_and_failing_stays_failing() -> None:
    assert [atom.key for atom in atoms_of(POOL.all([C, POOL.some([A, B])]))] == ["c", "a", "b"]
    assert (swapped(YES), swapped(NO), swapped(FAILS), swapped(ANY)) == (NO, YES, FAILS, ANY)
