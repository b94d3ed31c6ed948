import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.ff1 import FF1, SmallDomain
from gateway.crypto.suite import INTL, SM

K1 = "2B7E151628AED2A6ABF7158809CF4F3C"


@pytest.mark.parametrize(
    ("radix", "tweak", "plain", "enciphered"),
    [  # samples 1 to 3 of NIST for AES-128
        (10, "", "0123456789", "2433477484"),
        (10, "39383736353433323130", "0123456789", "6124200773"),
        (36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    ],
)
def test_the_samples_of_nist(radix, tweak, plain, enciphered):
    one = FF1(INTL.block(bytes.fromhex(K1)), len(plain), radix, bytes.fromhex(tweak))
    assert one.encrypt(int(plain, radix)) == int(enciphered, radix)
    assert one.decrypt(int(enciphered, radix)) == int(plain, radix)


@pytest.mark.parametrize(
    ("key", "radix", "tweak", "plain", "enciphered"),
    [  # samples 4 to 9, AES-192 and AES-256: the cipher behind it is not ours to choose, the rounds are
        (K1 + "EF4359D8D580AA4F", 10, "", "0123456789", "2830668132"),
        (K1 + "EF4359D8D580AA4F", 10, "39383736353433323130", "0123456789", "2496655549"),
        (K1 + "EF4359D8D580AA4F", 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
        (K1 + "EF4359D8D580AA4F7F036D6F04FC6A94", 10, "", "0123456789", "6657667009"),
        (K1 + "EF4359D8D580AA4F7F036D6F04FC6A94", 10, "39383736353433323130", "0123456789", "1001623463"),
        (
            K1 + "EF4359D8D580AA4F7F036D6F04FC6A94",
            36,
            "3737373770717273373737",
            "0123456789abcdefghi",
            "xs8a0azh2avyalyzuwd",
        ),
    ],
)
def test_the_samples_of_nist_with_longer_keys(key, radix, tweak, plain, enciphered):
    block = Cipher(AES(bytes.fromhex(key)), modes.ECB()).encryptor().update
    assert FF1(block, len(plain), radix, bytes.fromhex(tweak)).encrypt(int(plain, radix)) == int(enciphered, radix)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_small_domain_is_refused(length):
    with pytest.raises(SmallDomain):
        FF1(INTL.block(bytes(16)), length)


def test_a_number_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="length"):
        FF1(INTL.block(bytes(16)), 6).encrypt(1_000_000)
    with pytest.raises(ValueError, match="96 bits"):
        FF1(INTL.block(bytes(16)), 57)


@given(st.sampled_from([INTL, SM]), st.integers(6, 30), st.binary(max_size=20), st.data())
def test_what_was_enciphered_is_found_again(suite, length, tweak, data):
    number = data.draw(st.integers(0, 10**length - 1))
    one = FF1(suite.block(bytes(range(16))), length, tweak=tweak)
    assert one.decrypt(one.encrypt(number)) == number


def test_it_is_a_permutation_where_all_can_be_tried():
    one = FF1(SM.block(bytes(16)), 6)
    assert len({one.encrypt(number) for number in range(0, 1_000_000, 499)}) == len(range(0, 1_000_000, 499))


def test_another_tweak_another_number():
    block = INTL.block(bytes(16))
    assert FF1(block, 8, tweak=b"a").encrypt(12345678) != FF1(block, 8, tweak=b"b").encrypt(12345678)
