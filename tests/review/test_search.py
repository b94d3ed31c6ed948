"""Looking for a request."""

from gateway.review.formula import ANY, FAILS, NO, YES, Point
from gateway.review.laws import Side
from gateway.review.search import Budget, find
from gateway.review.space import Space
from tests.review.test_space import ASSET, a_bundle, a_rule


def space(*whens: str) -> Space:
    return Space([Side(a_bundle([a_rule(when, number) for number, when in enumerate(whens)]), ASSET)])


def test_a_request_that_meets_every_wish() -> None:
    some = space('device.trust == "known" and risk.score > 10', "subject.assurance < 2")
    one, two = (law.applies for law in some.laws[0])
    point = find(some, [(one, YES), (two, YES)], Budget())
    assert point is not None
    facts = some.make(point, some.sides[0])
    assert (facts.posture.trust, facts.risk.score, facts.subject.assurance) == ("known", 11.0, 1)


def test_a_condition_that_fails_can_be_wished_for() -> None:
    some = space("risk.score > 10")
    point = find(some, [(some.laws[0][0].applies, FAILS)], Budget())
    assert point == {"score": None}


def test_there_is_none_and_that_is_certain() -> None:
    some = space("subject.assurance >= 2", "subject.assurance < 2")
    one, two = (law.applies for law in some.laws[0])
    budget = Budget()
    assert find(some, [(one, YES), (two, YES)], budget) is None
    assert not budget.open


def test_wishes_that_contradict_each_other_need_no_step() -> None:
    some = space("device.fresh")
    budget = Budget()
    assert find(some, [(some.laws[0][0].applies, YES), (some.laws[0][0].applies, NO | FAILS)], budget) is None
    assert (budget.taken, budget.open) == (0, False)


def test_no_step_left_is_not_certain() -> None:
    some = space('device.trust == "known"')
    budget = Budget(1)
    assert find(some, [(some.laws[0][0].applies, YES)], budget) is None
    assert budget.open


def test_a_search_that_ended_early_is_never_certain_wherever_it_ended() -> None:
    """Also where the last step was just taken: that nothing was asked behind it must not look like nothing left."""
    some = space("subject.assurance > 1", "subject.assurance < risk.score", "risk.known and risk.score < 2")
    wishes = [(law.applies, YES) for law in some.laws[0]]
    whole = Budget()
    assert find(some, wishes, whole) is None
    assert not whole.open
    assert whole.taken > 4
    for steps in range(whole.taken):
        budget = Budget(steps)
        assert find(some, wishes, budget) is None
        assert budget.open, steps


def test_what_was_refused_is_not_found_again() -> None:
    some = space("device.fresh or subject.bound")
    refused: list[Point] = []

    def accepts(point: Point) -> bool:
        refused.append(point)
        return False

    assert find(some, [(some.laws[0][0].applies, ANY)], Budget(), accepts) is None
    assert [point for n, point in enumerate(refused) if point in refused[:n]] == []
    assert {point.get("fresh") for point in refused} >= {True, False}
