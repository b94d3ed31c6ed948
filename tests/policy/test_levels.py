"""Does a level mean the same to every reader?"""

import pytest

from gateway.facts import Grade
from gateway.policy.levels import span, word


@pytest.mark.parametrize(
    ("level", "meant"),
    [
        ("any", (1, 6)),
        ("<= important", (1, 5)),
        (">= core", (6, 6)),
        ("<= general", (1, 4)),
        (">= general", (1, 6)),
        ("> general", (5, 6)),
        ("== general", (1, 4)),
        ("== important", (5, 5)),
        ("< core", (1, 5)),
        (">general-2", (3, 6)),
    ],
)
def test_a_comparator_names_the_lowest_and_the_highest_grade(level: str, meant: tuple[int, int]) -> None:
    assert span(level) == meant


@pytest.mark.parametrize(
    "level", ["core", "important", "", "=< core", "<= corre", "!= core", "<= ", "ANY", "<= core x"]
)
def test_without_a_comparator_or_with_a_wrong_word_nothing_is_meant(level: str) -> None:
    assert span(level) is None


@pytest.mark.parametrize("level", ["> core", "< general-1", "< general"])
def test_a_level_that_no_grade_satisfies_is_empty(level: str) -> None:
    low, high = span(level) or (0, 9)
    assert low > high


def test_the_word_is_kept_for_the_message() -> None:
    assert word("!= corre") == "corre"
    assert Grade.CORE.text == word("core")
