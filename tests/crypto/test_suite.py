import hashlib
import hmac

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from gateway.crypto.suite import INTL, SM, offered, suite


def test_sm3_of_the_standard():  # GB/T 32905-2016, A.1 and A.2
    assert SM.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert SM.digest(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_of_the_standard():  # GB/T 32907-2016, A.1
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert SM.block(key)(key).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_a_million_times():  # GB/T 32907-2016, A.2: each block is what the one before became, which is what CBC does with zeros
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    chained = Cipher(SM.cipher(key), modes.CBC(key)).encryptor().update(bytes(16 * 1_000_000))
    assert chained[:16] == SM.block(key)(key)
    assert chained[-16:].hex() == "595298c7c6fd271f0402f804c33d3f66"


def test_sha_256_and_aes_128():  # FIPS 180-4, FIPS 197 appendix B
    assert INTL.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    block = INTL.block(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    assert block(bytes.fromhex("3243f6a8885a308d313198a2e0370734")).hex() == "3925841d02dc09fbdc118597196a0b32"


def test_keyed_digests_are_hmac():
    assert INTL.keyed(b"key")(b"text") == hmac.digest(b"key", b"text", "sha256")
    assert SM.keyed(b"k" * 32)(b"abc").hex() == "50b3322f017aaf54fb7c178e438b7524b68586f1876fa90d9a9011aa3b6aaff4"


@pytest.mark.parametrize(
    ("key", "text", "digest"),
    [  # GM/T 0042-2015, D.3
        (
            "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2,
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        ),
        (
            "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425",
            b"\xcd" * 50,
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae",
        ),
    ],
)
def test_keyed_sm3_of_the_standard(key, text, digest):
    assert SM.keyed(bytes.fromhex(key))(text).hex() == digest


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="the system's OpenSSL has no SM3 to compare with")
def test_keyed_sm3_is_what_the_system_says():
    assert SM.keyed(b"key")(b"text") == hmac.digest(b"key", b"text", "sm3")


@pytest.mark.parametrize("one", [INTL, SM])
def test_a_derived_key_is_for_one_purpose(one):
    assert one.derived(bytes(32), "a") == one.derived(bytes(32), "a")
    assert one.derived(bytes(32), "a") != one.derived(bytes(32), "b")
    assert len(one.derived(bytes(32), "a", 32)) == 32


def test_the_profile_names_the_suite():
    assert (suite("intl"), suite("sm"), suite("dual")) == (INTL, SM, INTL)


def test_a_machine_without_the_national_suite_has_the_other(monkeypatch):
    assert offered() == (INTL, SM)

    class Missing:
        def __init__(self):
            raise UnsupportedAlgorithm("no SM3")

    monkeypatch.setattr("gateway.crypto.suite.hashes.SM3", Missing)
    offered.cache_clear()
    try:
        assert offered() == (INTL,)
    finally:
        offered.cache_clear()
