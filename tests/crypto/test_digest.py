import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.digest import b64url, keyed, same, sha256, thumbprint, token_id, unb64url


@given(st.binary(max_size=100))
def test_bytes_have_one_spelling_and_come_back(data: bytes) -> None:
    text = b64url(data)
    assert unb64url(text) == data
    assert unb64url(text.encode()) == data
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.text(alphabet="AQgwBCab-_09", max_size=12))
def test_what_is_accepted_is_spelt_as_we_would(text: str) -> None:
    data = unb64url(text)
    assert data is None or b64url(data) == text


@pytest.mark.parametrize(
    "text",
    ["QQ==", "QR", "QUJ", "Q", "QQ=", " QQ", "QQ\n", "+/+/", "Q Q", "QQ.", "é", "QUI=QUI", "\x00\x00", "=", "===="],
)
def test_another_spelling_is_refused(text: str) -> None:
    assert unb64url(text) is None


def test_the_empty_text_is_the_empty_bytes() -> None:
    assert unb64url("") == b""


def test_a_known_digest() -> None:
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert thumbprint(b"abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"


def test_a_keyed_digest_needs_its_key() -> None:
    key = os.urandom(32)
    assert keyed(key, b"11010519491231002X") == keyed(key, b"11010519491231002X")
    assert keyed(key, b"11010519491231002X") != keyed(os.urandom(32), b"11010519491231002X")
    assert len(keyed(key, b"x")) == 22
    assert len(keyed(key, b"x", 43)) == 43


def test_a_token_is_identified_by_what_was_signed() -> None:
    assert token_id("aaa.bbb.sig1") == token_id(b"aaa.bbb.sig2") != token_id("aaa.bbc.sig1")
    assert len(token_id("no dots at all")) == 22
    assert token_id("a") != token_id("b")


def test_same_is_equality_for_any_text() -> None:
    assert same("täg", "täg")
    assert not same("tag", "tag ")
