"""Where a mask applies: states, their number, and the order of strictness."""

import pytest

from gateway.facts import FieldMask, Mask
from gateway.masking.json_body import mask_json
from gateway.masking.plan import MAX_STATES, Plan, State, TooManyStates


def a_plan(*fields: str, unlabelled: str = "pass") -> Plan:
    pairs = [field.split(" ", 1) for field in fields]
    return Plan(Mask("test", tuple(FieldMask(*pair) for pair in pairs), unlabelled))  # type: ignore[arg-type]  # a literal


def led(plan: Plan, *way: str | int) -> State:
    """The state that this way leads to."""
    state = plan.root
    for step in way:
        if isinstance(step, int):
            state = state.element(step)
        else:
            if not state.opened:
                state.open()
            state = state.edges.get(step, state.other)
    return state


def technique(plan: Plan, *way: str | int) -> str:
    rule = led(plan, *way).rule
    return rule.technique.text if rule else ""


def test_a_path_leads_where_it_says() -> None:
    plan = a_plan("$.a[*].b redact", "$..c hash", "$.d[1] partial(1,1)")
    assert technique(plan, "a", 0, "b") == "redact"
    assert technique(plan, "x", 3, "y", "c") == "hash"
    assert technique(plan, "d", 1) == "partial(1,1)"
    assert technique(plan, "d", 0) == ""
    assert technique(plan, "b") == ""


def test_below_a_technique_everything_is_covered_below_keep_nothing() -> None:
    plan = a_plan("$.a redact", "$.k keep", unlabelled="redact")
    assert technique(plan, "a", "x", 0, "y") == "redact"
    assert led(plan, "k").rule is None
    assert led(plan, "k", 0, 1).rule is None
    assert led(plan, "k", "x").rule is plan.unknown


def test_equal_places_are_one_state() -> None:
    plan = a_plan("$..id redact")
    assert led(plan, "a", 0, "b", 1) is led(plan, "z")
    assert len(plan._states) <= 4


def test_a_branch_without_labels_is_left_alone() -> None:
    plan = a_plan("$.a.b redact", "$.k keep")
    assert led(plan, "x").inert
    assert led(plan, "k").inert
    assert not led(plan, "a").inert


def test_paths_that_multiply_are_stopped() -> None:
    # each `..k..id` remembers whether k was passed: n of them are 2^n states, and answers choose the way
    plan = a_plan(*(f"$..k{n}..id redact" for n in range(16)))
    with pytest.raises(TooManyStates):
        for number in range(1 << 16):
            led(plan, *(f"k{bit}" for bit in range(16) if number >> bit & 1))
    assert len(plan._states) <= MAX_STATES
    body = b'{"k0":{"k3":' * 6 + b'{"id":"secret"}' + b"}}" * 6
    for _ in range(2):  # what was stopped half-way is stopped again, or masks: it never shows
        try:
            assert b"secret" not in mask_json(body, plan, str)[0]
        except TooManyStates:
            continue


def test_an_answer_that_was_stopped_stops_no_other() -> None:
    plan = a_plan(*(f"$..k{n}..id redact" for n in range(16)))
    with pytest.raises(TooManyStates):
        for number in range(1 << 16):
            led(plan, *(f"k{bit}" for bit in range(16) if number >> bit & 1))
    body = b'{"k14":{"k15":{"k13":{"k12":{"id":"secret"}}}}}'  # in an order that nobody came by before
    assert mask_json(body, plan, str)[0] == body.replace(b"secret", b"***")


@pytest.mark.parametrize("technique", ["redact", "hash", "partial(1,1)", "drop"])
def test_the_order_in_which_an_answer_nests_names_makes_no_states(technique: str) -> None:
    plan = a_plan(*(f"$..n{n} {technique}" for n in range(40)), unlabelled="warn")
    for one in range(40):
        for other in range(40):
            led(plan, f"n{one}", f"n{other}", f"n{one}", "x", 0)
    assert len(plan._states) < 3 * 40


def test_below_a_technique_what_would_hide_more_is_still_found() -> None:
    plan = a_plan("$.a partial(3,0)", "$..b partial(0,4)", "$..c redact", "$..d keep", "$..身份证 truncate(9)")
    assert technique(plan, "a", "x") == "partial(3,0)"
    assert technique(plan, "a", "b") == "partial(0,0)"
    assert technique(plan, "a", "x", 0, "c", "b") == "redact"
    assert technique(plan, "a", "d") == "partial(3,0)"
    # the name of a label is no data, also where nothing is looked for any more
    body = '{"c":{"身份证":{"王小明":"x"}},"a":{"身份证":1}}'
    shown = mask_json(body.encode(), plan, str)[0].decode()
    assert shown == '{"c":{"身份证":{"***":"***"}},"a":{"身份证":"****"}}'


def test_a_mask_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="no technique"):
        a_plan("$.a blur")
    with pytest.raises(ValueError, match="filters"):
        a_plan("$.a[?@.b] redact")
