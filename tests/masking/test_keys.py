"""Keys: one secret, one department, one work each."""

from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.suite import INTL, SM
from gateway.masking.keys import SEALED, TOKEN, Keys, ring, unsealed

SECRET = b"k" * 32


def bytes_of(sealed: str) -> bytes:
    body = sealed.partition(".")[2]
    return urlsafe_b64decode(body + "=" * (-len(body) % 4))


def test_a_digest_is_the_same_for_the_same_and_another_for_any_other():
    one = Keys(SECRET, "prov/civil")
    assert one.digest("x") == Keys(SECRET, "prov/civil").digest("x")
    others = {
        Keys(b"q" * 32, "prov/civil").digest("x"),
        Keys(SECRET, "prov/health").digest("x"),
        Keys(SECRET, "prov/civil", SM).digest("x"),
        one.digest("y"),
        one.digest("x"),
    }
    assert len(others) == 5
    assert all(len(digest) == 22 for digest in others)


def test_department_and_value_cannot_run_together():
    assert Keys(SECRET, "ab").digest("c") != Keys(SECRET, "a").digest("bc")


def test_a_digest_stays_what_it_was():  # what departments stored must still match after an upgrade
    assert Keys(SECRET, "prov/civil").digest("330106199003072319") == "8Rw3iymCleoGrBCrriH9gA"


@pytest.mark.parametrize("suite", [INTL, SM])
@given(text=st.text(max_size=40))
def test_only_the_department_opens_what_was_sealed_for_it(suite, text):
    one = Keys(SECRET, "prov/civil", suite)
    sealed = one.sealed(text)
    assert sealed.startswith("e1.")
    assert one.opened(bytes_of(sealed)) == text
    assert one.opened(bytes_of(sealed), TOKEN) is None
    assert Keys(SECRET, "prov/health", suite).opened(bytes_of(sealed)) is None
    assert Keys(b"q" * 32, "prov/civil", suite).opened(bytes_of(sealed)) is None


@pytest.mark.parametrize("suite", [INTL, SM])
@pytest.mark.parametrize(
    "value", ["", "e1.AAAAAAAAAAAAAAAAAAAAAA", "t1.x", "王小明", "👨\u200d👩\u200d👧", "\ud800", "\0", "9" * 1_000_000]
)
def test_what_was_sealed_is_unsealed_by_the_keys_of_its_department_alone(suite, value):
    civil, health = (ring((b"a" * 32, SECRET), department, suite) for department in ("prov/civil", "prov/health"))
    sealed = civil(2).sealed(value)
    assert unsealed(sealed, SEALED, civil) == value
    body = sealed[3:]
    others = (
        "e1." + body,
        "e3." + body,
        "e0." + body,
        "e02." + body,
        "t2." + body,
        sealed + "=",
        sealed + "A",
        sealed[:-1],
        body,
    )
    assert [unsealed(other, SEALED, civil) for other in others] == [None] * len(others)
    assert unsealed(sealed, TOKEN, civil) is None
    assert unsealed(sealed, SEALED, health) is None
    assert unsealed(sealed, SEALED, ring((b"a" * 32, SECRET), "prov/civil", SM if suite is INTL else INTL)) is None


def test_a_ring_holds_its_keys_and_no_other():
    keys = ring((b"a" * 32, b"b" * 32), "prov/civil", INTL)
    assert [keys(number) is not None for number in (-1, 0, 1, 2, 3)] == [False, False, True, True, False]
    assert keys(2).about("x") == keys(1).about("x") == Keys(b"a" * 32, "prov/health").about("x")


def test_what_is_sealed_names_its_key_and_its_kind():
    assert Keys(SECRET, "a", number=7).sealed("x").startswith("e7.")
    assert Keys(SECRET, "a", number=7).sealed("x", TOKEN).startswith("t7.")
    assert Keys(SECRET, "a").sealed("x", SEALED) == Keys(SECRET, "a").sealed("x")


@given(st.text(max_size=20))
def test_a_share_is_fixed_and_within_bounds(text):
    share = Keys(SECRET, "a").share(text)
    assert -1 <= share < 1
    assert share == Keys(SECRET, "a").share(text)


def test_shares_are_spread():
    shares = [Keys(SECRET, "a").share(str(number)) for number in range(2000)]
    assert abs(sum(shares) / 2000) < 0.05
    assert min(shares) < -0.95
    assert max(shares) > 0.95
