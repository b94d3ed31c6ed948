"""Can this regular expression be made to run for ever?"""

import re
import warnings
from timeit import default_timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.native.patterns import LONGEST, Refused, regex

FOR_EVER = [
    "(a+)+$", "(a*)*$", "^(/[a-z]*)*$", "(a|a)*$", "(a|ab)+$", "((ab)*)*c", "(a?b?)*c", "(a{1,16})*b", "(?:a+){3}b",
    "a?" * 30 + "a" * 30, "(a|a)" * 20 + "b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]$", "(.*)*", "(?P<n>a+)+",
    ".*.*.*=.*", "^/.*/.*/.*/x$", "a*b?a*x*a*$", "[ab]*[bc]*[ab]*$", "x{17,99}x{17,99}x{17,99}y", "(a*|b)(a*)(a*)c",
]  # fmt: skip
FINE = {
    "^/a/.*$": 4096, "^/[^/]+/b/[^/]+$": 4096, "^(GET|POST)$": 4096, r"^/a/\d+$": 4096, "(.*)": 4096, "^/([^/]+)/x$": 4096,
    "^/a/.*/b/.*$": 512, "^.*/[^/]+/[^/]+$": 512, "(?i)^/A.*b$": 4096, "[]a]+x": 4096, "": 4096, r"\d{1,3}\.\d{1,3}": 4096,
    "^(/.*)?$": 4096, "[a-z\\]]+,": 4096, "a{3}b": 4096, "a{,3}b": 4096, "{x}": 4096, "a{x": 4096,
}  # fmt: skip


@pytest.mark.parametrize("text", FOR_EVER)
def test_what_could_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        regex(text)


@pytest.mark.parametrize("text", FINE)
def test_what_is_read_and_for_how_long_a_text(text: str) -> None:
    assert regex(text).longest == FINE[text]


@pytest.mark.parametrize("text", ["(", "[a", "a**", "*", "(?<n>a)", "a{2}{3}", "(?P<n>a)(?P<n>b)"])
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(Refused):
        regex(text)


@pytest.mark.parametrize("text", ["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1", "(?P<n>a)(?P=n)", "(?x)a b", "(?i:a)b"])
def test_what_is_not_weighed_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        regex(text)


def test_a_text_that_is_too_long_is_not_judged() -> None:
    assert regex("^/a/.*/b/.*$").match("/a/" + "x" * (LONGEST[2] - 3)) is None
    with pytest.raises(ValueError, match="too long"):
        regex("^/a/.*/b/.*$").match("/a/" + "x" * (LONGEST[2] - 2))


pieces = st.sampled_from(
    [
        "a",
        "b",
        "/",
        "[^/]+",
        "[ab]*",
        ".*",
        ".+",
        "a?",
        "(a|b)",
        "(ab)*",
        "a*",
        "(a/)?",
        "b{2}",
        "b{1,3}",
        "[^b]*",
        "(b|/a*)",
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(pieces, min_size=1, max_size=6).map("".join), st.sampled_from(["a", "b", "/", "ab", "a/", "/a", "aab/"])
)
def test_whatever_is_accepted_ends_soon(text: str, period: str) -> None:
    """The worst of texts: a period that fits, and an end that does not."""
    try:
        pattern = regex(f"^{text}$")
    except Refused:
        return
    hostile = (period * LONGEST[0])[: pattern.longest - 1] + "!"
    start = default_timer()
    pattern.match(hostile)
    assert default_timer() - start < 0.5  # milliseconds; half a second on a machine that is very busy


@settings(max_examples=200, deadline=None)
@given(st.text("ab/[]()*+?{}|.^$\\,1-", max_size=12))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(text)
    except (re.error, OverflowError, Warning):
        with pytest.raises(Refused):
            regex(text)
        return
    try:
        assert regex(text).longest in LONGEST
    except Refused as refused:
        assert refused.en
        assert refused.zh
