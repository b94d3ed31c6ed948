"""Does the file hold together: names, prefixes, transport, files?"""

import base64
from pathlib import Path

import pytest

from gateway.config.checks import Ground, check, find, uid_of
from gateway.crypto.keys import note_key_id
from gateway.crypto.sm2 import Sm2Missing
from gateway.crypto.suite import INTL
from gateway.document import parse

GOOD_API = "apis: [{name: a, match: /a/**, upstream: https://h, data: x}]\n"


def codes(text: str, folder: Path = Path("/"), **environ: str) -> list[str]:
    return sorted(one.code for one in check(parse(text, "gateway.yaml"), Ground(folder, environ)))


def api(name: str, match: str, more: str = "") -> str:
    return f"  - {{name: {name}, match: {match}, upstream: 'https://h', data: x{more}}}\n"


LI = "sec.li+fc9329aa+AcisDjxaJnMQ7HV0Faw1qoKsUoKVn9pv2Y584yB77p1H"
LI_AS_WANG = "sec.wang+9f37048f+AcisDjxaJnMQ7HV0Faw1qoKsUoKVn9pv2Y584yB77p1H"
WANG = "sec.wang+0642e204+AQDpLjFe09WNENz3BQq+FWEipzePm/uuL5vt3GWzK0uZ"


def test_places_are_found_in_lists_and_alone() -> None:
    root = parse("apis: [{upstream: [a, b]}, {upstream: c}, 5]\n", "x")
    assert [node.value for node in find(root, "apis.*.upstream.*")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listen: 127.0.0.1:80\n", []),
        ("listen: [127.0.0.1:80, '[::1]:80']\n", []),
        ("listen: 0.0.0.0:80\nhosts: [a.gov]\n", ["C030"]),
        ("listen: [127.0.0.1:80, 10.0.0.1:80]\nhosts: [a.gov]\n", ["C030"]),
        ("listen: 0.0.0.0:80\ninsecure: [plaintext-listen]\n", ["C034", "C036"]),
        ("listen: '[::]:80'\nhosts: [a.gov]\ninsecure: [plaintext-listen]\n", ["C036"]),
        ("insecure: [plaintext-listen, unverified-upstream]\n", ["C035", "C036"]),
        ("identity: {issuer: 'http://127.0.0.1:1', audience: a}\n", []),
        ("identity: {issuer: 'http://localhost.evil.example', audience: a}\n", ["C031"]),
        ("identity: {issuer: 'https://a.gov', audience: a, jwks_uri: 'http://a.gov/k'}\n", ["C031"]),
        ("identity: {issuer: 'https://a.gov'}\n", ["C088"]),
        (
            "identity: {issuer: 'https://a.gov', audience: a, issuers: [{issuer: 'https://b.gov', audience: a}]}\n",
            ["C085"],
        ),
        ("identity: {issuers: [{issuer: 'https://a.gov', realm: r}, {issuer: 'https://b.gov', realm: r}]}\n", ["C086"]),
        ("identity: {issuers: [{issuer: 'https://a.gov', realm: r}, {issuer: 'https://a.gov', realm: s}]}\n", ["C087"]),
        ("identity: {issuers: [{issuer: 'https://a.gov'}, {issuer: 'https://b.gov'}]}\n", ["C08A"]),
        ("identity: {issuer: 'https://a.gov', audience: a}\ndevice: {trusted_issuers: [https://a.gov]}\n", []),
        ("identity: {issuer: 'https://a.gov', audience: a}\ndevice: {trusted_issuers: [https://a.gov/]}\n", ["C08B"]),
        (
            "identity: {issuers: [{issuer: 'https://a.gov'}]}\ndevice: {trusted_issuers: ['https://a.gov', 'https://b.gov']}\n",
            ["C08B"],
        ),
        ("device: {trusted_issuers: [https://a.gov]}\n", ["C08B"]),
        ("client_certificate_header: xfcc\n", ["C081"]),
        ("client_certificate_header: xfcc\ntrusted_proxies: [10.0.0.1]\n", []),
        ("control: {listen: 10.0.0.1:9443}\n", ["C082"]),
        ("control: {listen: 127.0.0.1:9443}\n", []),
        ("control: {certificates: [{name: a}]}\n", ["C089"]),
        ("control: {operators: {no-such-user: audit, root: admin, '12': audit}}\n", ["C083"]),
        ("mode: observe\n", ["C080"]),
    ],
)
def test_the_file_as_a_whole(text: str, expected: list[str]) -> None:
    assert codes(text + GOOD_API) == expected


def sm2_signer() -> str:
    """A verifier key of SM2, made where there may be none: the point of the example in GB/T 32918.5."""
    point = (
        "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    raw = b"\xffsm2-with-sm3" + bytes.fromhex(point)
    return f"sec.li+{note_key_id('sec.li', raw).hex()}+{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("crypto: intl\n", False),
        ("crypto: sm\n", True),
        ("crypto: dual\n", True),
        (f"policy_signers: ['{LI}']\n", False),
        (f"policy_signers: ['{sm2_signer()}']\n", True),
    ],
)
def test_sm2_is_there_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, text: str, asks: bool) -> None:
    monkeypatch.setattr("gateway.config.checks.unavailable", lambda: None)
    assert codes(text + GOOD_API) == []
    monkeypatch.setattr(
        "gateway.config.checks.unavailable", lambda: Sm2Missing("no libcrypto is installed", "未安装 libcrypto")
    )
    assert codes(text + GOOD_API) == (["C075"] if asks else [])


def test_sm3_and_sm4_are_there_where_they_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.config.checks.unavailable", lambda: None)
    monkeypatch.setattr("gateway.config.checks.offered", lambda: (INTL,))
    assert [codes(f"crypto: {name}\n{GOOD_API}") for name in ("intl", "dual", "sm")] == [[], [], ["C076"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"policy_signers: ['{LI}']\n", []),
        (f"policy_signers: ['{LI}', '{WANG}']\npolicy_signatures: 2\n", []),
        (f"policy_signers: ['{LI}', '{LI_AS_WANG}']\n", ["C073"]),
        (f"policy_signers: ['{LI}', '{LI_AS_WANG}']\npolicy_signatures: 2\n", ["C073", "C074"]),
        (f"policy_signers: ['{LI}']\npolicy_signatures: 2\n", ["C074"]),
        ("policy_signatures: 1\n", ["C074"]),  # nobody is named: it must not look as if signatures were checked
    ],
)
def test_signers_are_counted_by_key_and_are_enough(text: str, expected: list[str]) -> None:
    assert codes(text + GOOD_API) == expected


@pytest.mark.parametrize(
    ("apis", "expected"),
    [
        (api("a", "/a/**") + api("b", "/a/b/**"), []),
        (api("a", "/a/**") + api("b", "/ab/**"), []),
        (api("a", "/a/**") + api("b", "/a/**"), ["C041"]),
        (api("a", "/a/**", ", hosts: [a.gov]") + api("b", "/a/**", ", hosts: [b.gov]"), []),
        (api("a", "/a/**", ", hosts: [a.gov]") + api("b", "/a/**", ", hosts: [b.gov, a.gov]"), ["C041"]),
        (api("a", "/a/**", ", hosts: [a.gov]") + api("b", "/a/**"), ["C041"]),
        (api("a", "/a/**") + api("a", "/b/**"), ["C040"]),
        (api("a", "/a/**", ", hosts: [c.gov]"), ["C045"]),
        (api("a", "/a/b/**", ", strip_prefix: /a"), []),
        (api("a", "/ab/**", ", strip_prefix: /a"), ["C044"]),
        (api("a", "/a/**", ", cors: {origins: ['*'], credentials: true}"), ["C046"]),
        (api("a", "/a/**", ", host: 'https://x'"), ["C067"]),
        (api("a", "/a/**", ", host: preserve, mode: observe"), ["C080"]),
        ("  - {name: a, match: /a/**, upstream: 'http://127.0.0.1:1', ca: f}\n", ["C047", "C048", "C050"]),
    ],
)
def test_apis_beside_each_other(apis: str, expected: list[str]) -> None:
    assert codes("hosts: [a.gov, b.gov]\napis:\n" + apis) == expected


def test_every_file_that_is_named_must_be_readable(folder: Path) -> None:
    (folder / "not-pem").write_text("hello")
    text = (
        "policies: ./nowhere\ntls: {cert: not-pem, key: file:missing, client_ca: missing.pem}\n"
        "device: {ca: tls.crt, reporters: [{id: a, key: missing.jwk}]}\n"
    )
    assert codes(text + GOOD_API, folder) == ["C021", "C050", "C050", "C051", "C053"]


@pytest.mark.parametrize("name", ["tls.crt", "mdm.jwk"])
def test_a_file_that_everybody_can_change_vouches_for_nothing(folder: Path, name: str) -> None:
    (folder / "mdm.jwk").write_text("{}")
    text = "device: {ca: tls.crt, reporters: [{id: mdm, key: mdm.jwk}]}\n" + GOOD_API
    assert codes(text, folder) == []
    (folder / name).chmod(0o666)
    assert codes(text, folder) == ["C054"]


def test_certificate_and_key_must_belong_together(folder: Path) -> None:
    assert codes("tls: {cert: tls.crt, key: file:tls.key}\n" + GOOD_API, folder) == []
    assert codes("tls: {cert: tls.crt, key: file:nameless.key}\n" + GOOD_API, folder) == ["C052"]


def test_a_key_must_be_a_file_that_only_we_can_write(folder: Path) -> None:
    text = "tls: {cert: tls.crt, key: KEY}\n" + GOOD_API
    (folder / "tls.key").chmod(0o644)
    assert codes(text.replace("KEY", "file:tls.key"), folder) == ["C025"]  # a warning: containers do that
    (folder / "tls.key").chmod(0o602)
    assert codes(text.replace("KEY", "file:tls.key"), folder) == ["C024"]
    assert codes(text.replace("KEY", "env:TLS_KEY"), folder, TLS_KEY="x") == ["C022"]
    assert codes(text.replace("KEY", "systemd:tls.key"), folder) == ["C021"]


def test_a_key_for_a_service_may_come_from_a_variable(folder: Path) -> None:
    text = "apis: [{name: a, match: /a/**, upstream: 'https://h', data: x, client: {cert: tls.crt, key: 'env:KEY'}}]\n"
    assert codes(text, folder, KEY=(folder / "tls.key").read_text()) == []
    assert codes(text, folder) == ["C021"]


def test_a_key_with_a_password_does_not_ask_for_it(folder: Path) -> None:
    encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI\n-----END ENCRYPTED PRIVATE KEY-----\n"
    (folder / "tls.key").write_text(encrypted)
    assert codes("tls: {cert: tls.crt, key: file:tls.key}\n" + GOOD_API, folder) == ["C052"]


def test_users_are_known_by_name_or_number() -> None:
    assert [uid_of("root"), uid_of("1000"), uid_of("no-such-user"), uid_of("-1"), uid_of("a\0b")] == [
        0,
        1000,
        None,
        None,
        None,
    ]
