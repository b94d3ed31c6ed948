from typing import Any

import pytest

from gateway.identity.settings import Authority, Issuer, Settings, is_loopback, url_fault
from tests.identity.world import ISSUER, an_issuer


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://sso.example.gov/realms/staff", True),
        ("https://sso.example.gov:8443", True),
        ("http://127.0.0.1:9000", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:9000/x", True),
        ("http://localhost:9000", True),
        ("http://sso.example.gov", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False),
        ("https://user:secret@sso.example.gov", False),
        ("https://sso.example.gov/#x", False),
        ("https:///path", False),
        ("https://sso.example.gov:99999", False),
        ("https://[::1", False),
        ("https://sso.example.gov\\@evil.example", False),
        ("https://sso.example.gov /x", False),
        ("https://sso.example.gov\r\nx: y", False),
        ("file:///etc/passwd", False),
        ("ftp://sso.example.gov", False),
        ("data:application/json,{}", False),
        ("sso.example.gov", False),
        ("", False),
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str, fine: bool) -> None:
    assert (url_fault(url) == "") is fine


def test_plain_http_needs_its_switch() -> None:
    assert url_fault("http://sso.example.gov") != ""
    assert url_fault("http://sso.example.gov", plaintext_allowed=True) == ""
    assert url_fault("file:///x", plaintext_allowed=True) != ""
    with pytest.raises(ValueError, match="not https"):
        an_issuer(url="http://sso.example.gov", jwks_uri="")
    with pytest.raises(ValueError, match="not https"):
        an_issuer(jwks_uri="http://sso.example.gov/certs")
    assert an_issuer(url="http://sso.example.gov", jwks_uri="", plaintext_allowed=True).plaintext_allowed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.3", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.0", "example.gov", "localhost.example", "", "2130706433"])
def test_not_surely_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"audiences": ()}, "audience"),
        ({"audiences": ("gateway", "")}, "audience"),
        ({"realm": "a/b"}, "realm"),
        ({"realm": "-"}, "realm"),
        ({"realm": "a b"}, "realm"),
        ({"algorithms": ()}, "algorithms"),
        ({"algorithms": ("HS256",)}, "HS256"),
        ({"algorithms": ("none",)}, "none"),
        ({"acr": {"urn:x": 4}}, "assurance"),
        ({"url": "https://sso.example.gov/?x=1"}, "query"),
    ],
)
def test_a_careless_issuer_stops_the_start(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        an_issuer(**changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"issuers": (an_issuer(), an_issuer(realm="b"))}, "twice"),
        ({"issuers": (an_issuer(), an_issuer(url="https://b.example"))}, "share a realm"),
        ({"issuers": (an_issuer(realm="x"),), "authorities": (Authority((b"x",), "x", "service"),)}, "realm"),
        ({"authorities": (Authority((b"x",)), Authority((b"y", b"x"), "device", "device"))}, "unclear"),
        ({"leeway": 61.0}, "leeway"),
        ({"leeway": -1.0}, "leeway"),
        ({"cache_seconds": 61.0}, "cache_seconds"),
        ({"cache_seconds": 0.0}, "cache_seconds"),
        ({"cache_entries": 0}, "cache_entries"),
    ],
)
def test_careless_settings_stop_the_start(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings(**changes)


@pytest.mark.parametrize("changes", [{"certificates": ()}, {"realm": ""}, {"realm": "a/b"}, {"assurance": 4}])
def test_a_careless_authority_stops_the_start(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Authority(**({"certificates": (b"x",)} | changes))


def test_two_issuers_with_their_own_realms_are_fine() -> None:
    issuers = (an_issuer(), Issuer("https://b.example", ("gateway",), realm="b"))
    assert [one.url for one in Settings(issuers=issuers).issuers] == [ISSUER, "https://b.example"]
