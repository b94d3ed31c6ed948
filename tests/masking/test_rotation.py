"""What stays and what changes when the key that masks is another one, or the profile."""

from itertools import product

import pytest

from gateway.crypto.suite import INTL, SM, Suite
from gateway.masking import Masking, Settings
from gateway.masking.keys import Keys
from gateway.masking.tokens import Origin, tokens

FIRST, SECOND = b"a" * 32, b"b" * 32
CIVIL, ID = "prov/civil", "330106199003072319"
FROM = Origin("household", "$.id_number")


def a_token(secret: bytes, suite: Suite, number: int) -> str:
    return tokens(FROM)(ID, Keys(secret, CIVIL, suite, number))


@pytest.mark.parametrize(("then", "now"), list(product((INTL, SM), repeat=2)))
def test_a_token_of_an_older_key_or_another_profile_is_still_opened(then: Suite, now: Suite) -> None:
    masking = Masking(Settings(hash_key=SECOND, older=(FIRST,), suite=now))
    before, after = a_token(FIRST, then, 1), a_token(SECOND, now, 2)
    assert (before[:3], after[:3]) == ("t1.", "t2.")
    assert masking.origin(before, CIVIL) == masking.origin(after, CIVIL) == FROM


def test_a_token_is_its_departments_and_its_keys_alone() -> None:
    masking = Masking(Settings(hash_key=SECOND, older=(FIRST,)))
    token = a_token(SECOND, INTL, 2)
    assert masking.origin(token, "prov/health") is None
    assert masking.origin("t1." + token[3:], CIVIL) is None  # passed off as sealed by another key
    assert masking.origin("t3." + token[3:], CIVIL) is None  # a key that nobody has
    assert Masking(Settings(hash_key=SECOND)).origin(token, CIVIL) is None  # key 2, where there is only key 1


def test_whom_a_record_is_about_stays_and_digests_change() -> None:
    before, after = Keys(FIRST, CIVIL), Keys(SECOND, CIVIL, number=2, first=FIRST)
    assert before.about(ID) == after.about(ID) == Keys(FIRST, "prov/health").about(ID)
    assert before.about(ID) != Keys(SECOND, CIVIL).about(ID)
    assert before.digest(ID) != after.digest(ID)


@pytest.mark.parametrize("suite", [INTL, SM])
def test_an_empty_value_can_be_sealed(suite: Suite) -> None:
    masking = Masking(Settings(hash_key=FIRST, suite=suite))
    assert masking.origin(tokens(FROM)("", Keys(FIRST, CIVIL, suite)), CIVIL) == FROM
