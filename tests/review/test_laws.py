"""Rules as formulas."""

import pytest

from gateway.review.formula import ALWAYS, NEVER, NO, YES, Point
from gateway.review.laws import Law, Side, fits
from gateway.review.space import Space
from tests.literals import an_asset
from tests.review.test_space import ASSET, a_bundle, a_rule


def law(when: str = "", **changes: object) -> tuple[Space, Law]:
    space = Space([Side(a_bundle([a_rule(when, **changes)]), ASSET)])
    return space, space.laws[0][0]


@pytest.mark.parametrize(
    ("who", "point", "answer"),
    [
        ("*", {}, YES),
        ("signed-in", {"kind": "service"}, YES),
        ("signed-in", {"kind": "anonymous"}, NO),
        ("person", {"kind": "service"}, NO),
        ("user:p0", {"kind": "person", "id": "p0"}, YES),
        ("user:p0", {"kind": "anonymous", "id": "p0"}, NO),
        ("r0", {"kind": "person", "role:r1": True}, YES),  # r1 includes r0
        ("r0", {"kind": "anonymous", "role:r1": True}, NO),
        ("r7", {"role:r7": False}, NO),
    ],
)
def test_who(who: str, point: Point, answer: int) -> None:
    space, one = law(who=(who,))
    assert space.look(one.applies, point) == answer


def test_an_office_is_the_caller_s_or_above_it_and_nobody_s_is_none() -> None:
    space, one = law(org=("o1",))
    assert space.look(one.applies, {"kind": "person", "org": "o5"}) == YES  # o5 → o4 → o3 → o1
    assert space.look(one.applies, {"kind": "person", "org": "o2"}) == NO
    assert space.look(one.applies, {"kind": "anonymous", "org": "o5"}) == NO


def test_roles_in_conditions_are_the_same_formula_as_in_who() -> None:
    bundle = a_bundle(
        [a_rule('has(subject.roles, "r2")'), a_rule('"r2" in subject.roles', 1), a_rule("", 2, who=("r2",))]
    )
    one, two, three = (law.applies for law in Space([Side(bundle, ASSET)]).laws[0])
    assert one is two is three


def test_the_same_words_are_two_atoms_where_the_clocks_differ() -> None:
    some = [a_rule('between(env.time, "08:00", "18:00")')]
    berlin, shanghai = a_bundle(some, "Europe/Berlin"), a_bundle(some)
    assert Space([Side(berlin, ASSET), Side(shanghai, ASSET)]).laws[0][0].applies is not NEVER
    one, two = Space([Side(berlin, ASSET), Side(shanghai, ASSET)]).laws
    assert one[0].applies is not two[0].applies
    one, two = Space([Side(shanghai, ASSET), Side(shanghai, ASSET)]).laws
    assert one[0].applies is two[0].applies


def test_the_owner_of_the_data_is_worked_in() -> None:
    bundle = a_bundle([a_rule("subject.org == data.owner")])
    sides = [Side(bundle, ASSET), Side(bundle, an_asset(id="a0", category="c0", owner="o2"))]
    space = Space(sides)
    one, two = (found[0].applies for found in space.laws)
    point: Point = {"kind": "person", "org": "o2"}
    assert (space.look(one, point), space.look(two, point)) == (NO, YES)


def test_grants_are_worked_out() -> None:
    space, one = law("approval.held")
    held: Point = {"kind": "person", "org": "o3", "purpose": ("", "audit"), "at": 1_790_000_000.0, "id": "x"}
    for role in space.roles:
        held[role] = False
    assert space.look(one.applies, held) == YES
    assert space.look(one.applies, {**held, "purpose": ("other", "audit")}) == NO  # what is vouched for comes first
    assert space.look(one.applies, {**held, "at": 1_790_000_100.0}) == NO
    assert space.look(one.applies, {**held, "org": "o2"}) == NO


def test_a_rule_that_says_nothing_always_applies() -> None:
    assert law()[1].applies is ALWAYS


def test_action_and_level_are_of_the_request() -> None:
    row = a_rule("", action=("read",), level=">= important").rows()[0]
    assert fits(row, ASSET)
    assert not fits(a_rule("", action=("create",)).rows()[0], ASSET)
    assert not fits(a_rule("", level="< important").rows()[0], ASSET)
