import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.siv import Siv, sealer
from gateway.crypto.suite import INTL, SM


def test_the_example_of_rfc_5297_a1():
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    text = bytes.fromhex("112233445566778899aabbccddee")
    sealed = bytes.fromhex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")
    assert Siv(INTL, key).seal(text, [associated]) == sealed
    assert Siv(INTL, key).open(sealed, [associated]) == text


def test_the_example_of_rfc_5297_a2():
    key = bytes.fromhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f")
    associated = [
        bytes.fromhex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"),
        bytes.fromhex("102030405060708090a0"),
        bytes.fromhex("09f911029d74e35bd84156c5635688c0"),
    ]
    text = b"this is some plaintext to encrypt using SIV-AES"
    sealed = Siv(INTL, key).seal(text, associated)
    assert sealed.hex() == (
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17"
        "dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
    )
    assert Siv(INTL, key).open(sealed, associated) == text


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=80),
    st.lists(st.binary(max_size=40), max_size=3),
)
def test_over_aes_it_is_what_openssl_does(key, text, associated):
    assert Siv(INTL, key).seal(text, associated) == AESSIV(key).encrypt(text, associated)


@pytest.mark.parametrize("suite", [INTL, SM])
@given(text=st.binary(max_size=80), associated=st.lists(st.binary(max_size=20), max_size=2))
def test_only_what_was_sealed_opens(suite, text, associated):
    one = sealer(suite, bytes(range(32)))
    sealed = one.seal(text, associated)
    assert one.open(sealed, associated) == text
    assert one.seal(text, associated) == sealed
    assert one.open(sealed, [*associated, b"elsewhere"]) is None
    assert one.open(bytes([sealed[0] ^ 1]) + sealed[1:], associated) is None
    assert one.open(sealed[:-1] + bytes([sealed[-1] ^ 64]), associated) is None
    assert sealer(suite, bytes(32)).open(sealed, associated) is None


@pytest.mark.parametrize("suite", [INTL, SM])
def test_what_is_too_short_does_not_open(suite):
    assert sealer(suite, bytes(32)).open(b"short") is None


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        sealer(SM, bytes(16))
