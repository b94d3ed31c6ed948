"""Which functions may a matcher call, and what do they answer? What casbin's own answer."""

from datetime import datetime

import pytest
from casbin.util import builtin_operators as stock
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.native.functions import FUNCTIONS, within
from gateway.policy.native.patterns import Refused

paths = st.lists(st.sampled_from(["/", "a", "b", "1", "ab", "/a", "x.txt", "?q=1"]), max_size=6).map("".join)
patterns = st.lists(
    st.sampled_from(["/", "a", "b", "/*", "*", ":id", "{id}", "{x}", "/:n", "?", ".", "x.txt", "[ab]"]), max_size=5
).map("".join)
STOCK = {
    "keyMatch": stock.key_match, "keyMatch2": stock.key_match2, "keyMatch3": stock.key_match3,
    "keyMatch4": stock.key_match4, "keyMatch5": stock.key_match5, "regexMatch": stock.regex_match,
    "globMatch": stock.glob_match, "keyGet": stock.key_get,
}  # fmt: skip


@pytest.mark.parametrize("name", STOCK)
@settings(max_examples=120, deadline=None)
@given(text=paths, pattern=patterns)
def test_the_answers_are_those_of_casbin(name: str, text: str, pattern: str) -> None:
    function = FUNCTIONS[name]
    assert function.check is not None
    try:
        function.check(pattern)
    except Refused:
        return
    assert function.call(text, pattern) == STOCK[name](text, pattern)


@pytest.mark.parametrize(("name", "of_casbin"), [("keyGet2", stock.key_get2), ("keyGet3", stock.key_get3)])
@settings(max_examples=120, deadline=None)
@given(text=paths, pattern=patterns, variable=st.sampled_from(["id", "x", "n", "other"]))
def test_variables_are_those_of_casbin(name: str, of_casbin: object, text: str, pattern: str, variable: str) -> None:
    function = FUNCTIONS[name]
    assert function.check is not None
    try:
        function.check(pattern)
    except Refused:
        return
    assert callable(of_casbin)
    assert function.call(text, pattern, variable) == of_casbin(text, pattern, variable)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("10.0.0.1", "10.0.0.0/8", True),
        ("10.0.0.1", "10.0.0.9/8", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "10.0.0.0/8", False),
        ("2001:db8::1", "2001:db8::/32", True),
    ],
)
def test_addresses(text: str, pattern: str, expected: bool) -> None:
    assert FUNCTIONS["ipMatch"].call(text, pattern) is expected is stock.ip_match(text, pattern)


def test_what_is_no_address_is_not_judged() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        FUNCTIONS["ipMatch"].call("nowhere", "10.0.0.0/8")


NOW = datetime(2026, 9, 21, 21, 33)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-09-21 21:32:59", "2026-09-21 21:33:01", True),
        ("2026-09-21 21:33:00", "2026-09-21 21:33:01", False),
        ("2026-09-21 21:32:59", "2026-09-21 21:33:00", False),
        ("_", "_", True),
        ("_", "2026-09-21 21:33:01", True),
        ("_", "2020-01-01 00:00:00", False),
        ("2020-01-01 00:00:00", "_", True),
        ("0000-01-01 00:00:00", "9999-12-31 23:59:59", True),
        ("0000-01-01 00:00:00", "0000-01-02 00:00:00", True),
    ],
)
def test_times_and_no_limits(start: str, end: str, expected: bool) -> None:
    assert within(NOW, start, end) is expected


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01 00:00:00", "2026-09-21", "0000-1-1"])
def test_a_time_that_is_none(text: str) -> None:
    check = FUNCTIONS["timeMatch"].check
    assert check is not None
    with pytest.raises(Refused):
        check(text)


@pytest.mark.parametrize("name", ["keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "keyGet2", "keyGet3"])
def test_a_path_that_is_too_long_is_not_judged(name: str) -> None:
    function = FUNCTIONS[name]
    rest = ("id",) * (function.arity - 2)
    with pytest.raises(ValueError, match="too long"):
        function.call("/a" * 3000, "/a/*", *rest)
    with pytest.raises(ValueError, match="too long"):
        FUNCTIONS["globMatch"].call("/a" * 3000, "/**")
