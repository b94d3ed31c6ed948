"""Values are frozen, decisions have no truth value."""

import pytest

from gateway.facts import (
    GRADES,
    BodyBroken,
    BodyFailed,
    Challenge,
    Deny,
    Fault,
    Field,
    FieldMask,
    Grade,
    Mask,
    Reason,
    Refused,
    Revealed,
)
from tests.literals import a_permit, a_warrant, an_ask, an_asset


@pytest.mark.parametrize(
    "verdict",
    [
        a_permit(),
        Deny((Reason("no_rule"),), "b"),
        Challenge((Reason("step_up_required"),), "b", "aal3"),
        a_warrant(),
        Fault("upstream_reset"),
        Refused("x.1", Deny((), "b")),
    ],
    ids=lambda verdict: type(verdict).__name__,
)
def test_a_decision_has_no_truth_value(verdict: object) -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(verdict)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        a_permit().mask = None  # type: ignore[misc]  # that is what is tried
    with pytest.raises(AttributeError):
        an_ask().path = "/admin"  # type: ignore[misc]  # that is what is tried


def test_core_is_above_important_is_above_general() -> None:
    assert sorted(GRADES, key=lambda text: GRADES[text]) == [
        "general-1",
        "general-2",
        "general-3",
        "general-4",
        "important",
        "core",
    ]
    assert [grade.national for grade in Grade] == ["general"] * 4 + ["important", "core"]
    assert all(GRADES[grade.text] is grade for grade in Grade)


def test_a_header_is_found_by_its_lower_case_name() -> None:
    ask = an_ask(headers=((b"accept", b"a"), (b"x-a", b"1"), (b"x-a", b"2")))
    assert (ask.header(b"x-a"), ask.header(b"x-b")) == (b"1", None)


def test_a_mask_that_passes_everything_does_not_inspect() -> None:
    assert not Mask("none", (), "pass").inspects
    assert Mask("none", (FieldMask("$.a", "keep"),), "pass").inspects
    assert Mask("none", (), "redact").inspects


def test_a_broken_body_carries_its_reason_code() -> None:
    assert BodyBroken("client_gone").code == "client_gone"
    assert (BodyFailed("upstream_reset", "x").code, BodyFailed("upstream_reset", "x").detail) == ("upstream_reset", "x")


def test_what_tells_records_apart_stands_in_a_list_and_in_a_record_of_it() -> None:
    listed, alone = (Field(path, "resident-id", Grade.IMPORTANT) for path in ("$.items[*].sfzh", "$.sfzh"))
    other = Field("$.name", "name", Grade.GENERAL_4)
    assert an_asset(fields=(listed, other, alone), key="$.items[*].sfzh").keys == {"$.items[*].sfzh", "$.sfzh"}
    assert an_asset(fields=(other,), key="").keys == frozenset()


def test_what_was_taken_out_or_suppressed_stands_beside_what_was_shown() -> None:
    shown = Revealed((("$.a", 1),), ("$.b",), 5, b"x" * 8, 1, 6, 2, ("phone",), 3)
    beside = shown.beside(removed=4, suppressed=7)
    assert beside == Revealed((("$.a", 1), ("suppressed", 7)), ("$.b",), 5, b"x" * 8, 1, 6, 6, ("phone",), 3)
    assert shown.beside() is shown
