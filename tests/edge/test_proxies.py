"""Abuse: a caller that poses as a proxy, a certificate hidden in another's subject, a proxy that stutters."""

import ssl
from base64 import b64encode
from hashlib import sha256
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge import Settings
from gateway.edge.proxies import (
    CACHE_MAX,
    Misread,
    certificate,
    certificate_of,
    is_trusted,
    plain_address,
    scheme,
    source,
)

PROXIED = Settings(trusted_proxies=("10.0.0.0/8", "fd00::/8"))
CLIENT_CERT = Settings(trusted_proxies=("10.0.0.0/8",), terminated_client_certificate="client-cert")
XFCC = Settings(trusted_proxies=("10.0.0.0/8",), terminated_client_certificate="xfcc")
DER = b"\x30\x03\x02\x01\x05"
PEM = quote(ssl.DER_cert_to_PEM_cert(DER), safe="").encode()
HASH = sha256(DER).hexdigest().encode()


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("fd00::5", True),
        ("fe80::5", False),
        ("::ffff:10.1.2.3", True),
        ("", False),
    ],
)
def test_only_listed_networks_are_trusted(peer: str, trusted: bool) -> None:
    assert is_trusted(peer, PROXIED) is trusted
    assert is_trusted(peer, Settings()) is False


def test_what_is_remembered_about_peers_is_bounded() -> None:
    for number in range(3 * CACHE_MAX):
        assert not is_trusted(f"192.0.{number // 256}.{number % 256}", PROXIED)
    assert is_trusted("10.1.2.3", PROXIED)


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ((), "10.0.0.1"),
        ((b"203.0.113.9",), "203.0.113.9"),
        ((b"1.2.3.4, 203.0.113.9",), "203.0.113.9"),  # the caller wrote 1.2.3.4 himself
        ((b"1.2.3.4, 203.0.113.9, 10.0.0.2",), "203.0.113.9"),
        ((b"1.2.3.4", b"203.0.113.9", b"10.0.0.2"), "203.0.113.9"),
        ((b"10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ((b"203.0.113.9:5000",), "203.0.113.9"),
        ((b"[2001:DB8::1]:5000",), "2001:db8::1"),
        ((b"2001:db8:0::1",), "2001:db8::1"),
        ((b"::ffff:203.0.113.9",), "203.0.113.9"),
    ],
)
def test_the_rightmost_stranger_is_the_caller(forwarded: tuple[bytes, ...], caller: str) -> None:
    headers = tuple((b"x-forwarded-for", value) for value in forwarded)
    assert source("10.0.0.1", headers, PROXIED) == caller


@pytest.mark.parametrize(
    "forwarded",
    [b"unknown", b"1.2.3.4, ", b",", b"evil.example", b"1.2.3.4.5", b"fe80::1%eth0", b"1.1.1.1," * 40, b"\xff"],
)
def test_a_proxy_that_stutters_is_an_error(forwarded: bytes) -> None:
    with pytest.raises(Misread):
        source("10.0.0.1", ((b"x-forwarded-for", forwarded),), PROXIED)


def test_a_scheme_is_one_of_two() -> None:
    assert scheme("http", {}) == "http"
    assert scheme("http", {b"x-forwarded-proto": b"https"}) == "https"
    for told in (b"HTTPS", b"wss", b"https, http", b""):
        with pytest.raises(Misread):
            scheme("http", {b"x-forwarded-proto": told})


def test_a_certificate_of_rfc_9440_is_read() -> None:
    sequence = b":" + b64encode(DER) + b":"
    found = certificate(((b"client-cert", sequence),), CLIENT_CERT)
    assert found == certificate_of(DER, "client-cert")
    chained = certificate(
        ((b"client-cert", sequence), (b"client-cert-chain", sequence + b", " + sequence)), CLIENT_CERT
    )
    assert chained is not None
    assert chained.chain == (DER, DER)
    assert certificate((), CLIENT_CERT) is None


@pytest.mark.parametrize(
    "headers",
    [
        ((b"client-cert", b""),),
        ((b"client-cert", b"::"),),
        ((b"client-cert", b64encode(DER)),),
        ((b"client-cert", b":" + b64encode(DER)),),
        ((b"client-cert", b":not base64!:"),),
        ((b"client-cert", b":AAA:"),),
        ((b"client-cert", b":AAAA:"), (b"client-cert", b":AAAA:")),
        ((b"client-cert", b":AAAA:, :AAAA:"),),
        ((b"client-cert-chain", b":AAAA:"),),
        ((b"client-cert", b":AAAA:"), (b"client-cert-chain", b"x")),
        ((b"client-cert", b":" + b"A" * 40000 + b":"),),
    ],
)
def test_a_certificate_that_cannot_be_read_is_an_error_not_an_absence(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(Misread):
        certificate(headers, CLIENT_CERT)


def xfcc(value: bytes) -> bytes | None:
    found = certificate(((b"x-forwarded-client-cert", value),), XFCC)
    return found.der if found is not None else None


def test_the_nearest_element_of_xfcc_is_the_callers() -> None:
    other = quote(ssl.DER_cert_to_PEM_cert(b"\x30\x00"), safe="").encode()
    assert xfcc(b'By=spiffe://a;Hash=%b;Cert="%b";Subject="CN=x";URI=;DNS=a;DNS=b' % (HASH, PEM)) == DER
    assert xfcc(b'Cert="%b",hash=%b;CERT="%b"' % (other, HASH, PEM)) == DER
    assert certificate((), XFCC) is None


def test_a_crafted_subject_stays_inside_its_quotes() -> None:
    evil = quote(ssl.DER_cert_to_PEM_cert(b"\x30\x00"), safe="").encode()
    subject = b'Subject="CN=a,Cert=%b;Cert=%b\\",Cert=%b"' % (evil, evil, evil)
    assert xfcc(b'Hash=%b;Cert="%b";%b' % (HASH, PEM, subject)) == DER


@pytest.mark.parametrize(
    "value",
    [
        b"Hash=" + HASH,
        b'Cert="' + PEM,
        b'Cert="nonsense"',
        b"Cert",
        b"=x",
        b"Cert=%b;Cert=%b" % (PEM, PEM),
        b'Hash=00;Cert="%b"' % PEM,
        b'Cert="%b"x' % PEM,
        b'Cert="%b",' % PEM,
        b"Cert=" + quote(ssl.DER_cert_to_PEM_cert(b"x" * 20000), safe="").encode(),
        b"\xff=\xff",
    ],
)
def test_an_xfcc_that_cannot_be_read_is_an_error(value: bytes) -> None:
    with pytest.raises(Misread):
        xfcc(value)


@given(st.binary(max_size=80) | st.text(alphabet='Cert=Hash";,\\%x ', max_size=40).map(str.encode))
def test_no_xfcc_makes_it_fail(value: bytes) -> None:
    try:
        xfcc(value)
    except Misread as fault:
        assert str(fault)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "01.2.3.4", "1.2.3.4 ", "::1%lo", "fe80::1%25eth0"])
def test_no_other_text_is_an_address(text: str) -> None:
    assert plain_address(text) == ""
