"""Which key opens this?"""

import pytest

from gateway.crypto.suite import INTL, SM
from gateway.masking import Settings
from gateway.masking.keys import TOKEN, Keys
from gateway.masking.ring import opened

FIRST, SECOND = b"a" * 32, b"b" * 32
NOW = Settings(hash_key=SECOND, older=(FIRST,))
CIVIL = "prov/civil"
ID = "330106199003072319"


@pytest.mark.parametrize("suite", [INTL, SM])
@pytest.mark.parametrize("form", ["e", TOKEN])
def test_what_an_older_key_sealed_is_still_opened(suite, form) -> None:
    before = Keys(FIRST, CIVIL, suite).sealed(ID, form)
    after = Keys(SECOND, CIVIL, suite, 2).sealed(ID, form)
    assert before.startswith(f"{form}1.")
    assert after.startswith(f"{form}2.")
    assert opened(before, CIVIL, NOW) == opened(after, CIVIL, NOW) == ID


def test_a_value_is_its_departments_and_its_keys_alone() -> None:
    sealed = Keys(SECOND, CIVIL, number=2).sealed(ID)
    assert opened(sealed, "prov/health", NOW) is None
    assert opened(sealed, CIVIL, Settings(hash_key=SECOND)) is None  # a key 2 that nobody has
    assert opened("e1." + sealed[3:], CIVIL, NOW) is None  # passed off as sealed by another key
    assert opened("t2." + sealed[3:], CIVIL, NOW) is None  # as a token


@pytest.mark.parametrize(
    "text", ["", "e1.", "e1.!!", "e0.AAAA", "e01.AAAA", "x1.AAAA", "e1.AAAA", "e1.AB", "e99.AAAA", "e1.AA\n"]
)
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    assert opened(text, CIVIL, NOW) is None


def test_another_spelling_of_a_sealed_value_is_not_opened() -> None:
    sealed = Keys(FIRST, CIVIL).sealed(ID)
    assert opened(sealed + "=", CIVIL, NOW) is None
    assert opened(sealed.replace("e1", "e１"), CIVIL, NOW) is None


def test_an_empty_value_comes_back() -> None:
    assert opened(Keys(FIRST, CIVIL).sealed(""), CIVIL, NOW) == ""
    assert opened(Keys(FIRST, CIVIL, SM).sealed(""), CIVIL, NOW) == ""


def test_whom_a_record_is_about_stays_over_rotations() -> None:
    about = Keys(FIRST, CIVIL).about(ID)
    assert about == Keys(SECOND, CIVIL, number=2, first=FIRST).about(ID) == Keys(FIRST, "prov/health").about(ID)
    assert about != Keys(SECOND, CIVIL, number=2).about(ID)
    assert Keys(FIRST, CIVIL).digest(ID) != Keys(SECOND, CIVIL, number=2, first=FIRST).digest(ID)
