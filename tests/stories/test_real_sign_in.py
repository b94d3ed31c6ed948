"""A service and a person sign in at a real OpenID provider and go through the whole gateway with what they get."""

import base64
import contextlib
import hashlib
import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.components import Provider
from tests.running import Gateway, Issuer, Witness

CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
identity:
  issuers:
    - issuer: ISSUER
      audience: gateway
      claims: {{roles: realm_access.roles}}
  leeway: 0s
device:
  trusted_issuers: [ISSUER]
  reporters:
    - {{id: mdm, key: {folder}/mdm.jwk}}
policies: {folder}/policies
state: {folder}/state
mode: enforce
workers: {workers}
apis:
  - name: enterprises
    match: /market/enterprises/**
    upstream: http://127.0.0.1:{witness}
    data: enterprise
  - name: households
    match: /civil/households/**
    upstream: http://127.0.0.1:{witness}
    data: household
"""
OPEN = "/market/enterprises"
CALLBACK = "http://127.0.0.1/callback"


@contextlib.contextmanager
def signing_in(paths: pytest.TempPathFactory, first: str = "") -> Iterator[tuple[Provider, Gateway]]:
    """A provider, told `first`, and a gateway that believes it."""
    with contextlib.ExitStack() as stack:
        provider, witness, issuer = Provider(paths.mktemp("idp")), Witness(), Issuer()
        for each in (provider, witness, issuer):
            stack.callback(each.close)
        if first:
            provider.tell(first)
        config = CONFIG.replace("ISSUER", provider.url)
        gateway = Gateway(paths.mktemp("gateway"), witness, issuer, config=config)
        gateway.start()
        stack.callback(gateway.stop)
        yield provider, gateway


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Gateway]]:
    """For the tests that leave the provider as it is."""
    with signing_in(tmp_path_factory) as both:
        yield both


@pytest.fixture
def provider(pair: tuple[Provider, Gateway]) -> Provider:
    return pair[0]


@pytest.fixture
def gateway(pair: tuple[Provider, Gateway]) -> Gateway:
    return pair[1]


def service_token(provider: Provider, resource: str = "urn:gateway:RS256") -> str:
    """What the client credentials grant gives."""
    answer = httpx.post(
        f"{provider.url}/token",
        auth=("reports", "reports-secret"),
        data={"grant_type": "client_credentials", "scope": "read", "resource": resource},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def person_token(provider: Provider, login: str, resource: str = "urn:gateway:ES256") -> str:
    """What the authorization code flow gives a person who fills in the forms (RFC 7636, RFC 8707)."""
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    question = {
        "client_id": "portal", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid read",
        "code_challenge": challenge, "code_challenge_method": "S256", "resource": resource,
    }  # fmt: skip
    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(f"{provider.url}/auth", params=question)
        for _ in range(12):
            if answer.is_redirect and answer.headers["location"].startswith(CALLBACK):
                break
            if answer.is_redirect:
                answer = browser.get(httpx.URL(str(answer.url)).join(answer.headers["location"]))
                continue
            assert answer.status_code == 200, answer.text
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
            assert action and prompt, answer.text
            answer = browser.post(action[1], data={"prompt": prompt[1], "login": login, "password": "any"})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        given = browser.post(
            f"{provider.url}/token",
            auth=("portal", "portal-secret"),
            data={
                "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier,
                "resource": resource,
            },
        )  # fmt: skip
    assert given.status_code == 200, given.text
    return str(given.json()["access_token"])


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256"])
def test_a_service_comes_in_with_client_credentials(gateway: Gateway, provider: Provider, algorithm: str) -> None:
    answer = gateway.get(OPEN, service_token(provider, f"urn:gateway:{algorithm}"))
    assert answer.status == 200
    _, _, headers, _ = gateway.witness.requests[-1]
    assert (headers["x-gateway-subject"], headers["x-gateway-org"]) == ("reports", "prov/civil")
    assert headers["x-gateway-roles"] == "reader"


def test_a_person_who_signed_in_reads_masked_records(gateway: Gateway, provider: Provider) -> None:
    assert gateway.report_health("laptop-7").status == 202
    answer = gateway.get("/civil/households/h-1", person_token(provider, "zhang.wei"))
    assert (answer.status, answer.json["name"]) == (200, "王****")
    assert "330106199003072319" not in answer.body.decode()
    _, _, headers, _ = gateway.witness.requests[-1]
    assert (headers["x-gateway-subject"], headers["x-gateway-device"]) == ("zhang.wei", "laptop-7")


def test_a_token_for_another_service_is_refused(gateway: Gateway, provider: Provider) -> None:
    heard = len(gateway.witness.requests)
    for token in (service_token(provider, "urn:payroll:RS256"), person_token(provider, "li.na", "urn:payroll:RS256")):
        answer = gateway.get(OPEN, token)
        assert (answer.status, answer.reason) == (401, "token_audience")
    assert len(gateway.witness.requests) == heard


def test_an_expired_token_is_refused_although_it_was_remembered(gateway: Gateway, provider: Provider) -> None:
    token = service_token(provider, "urn:gateway:RS256:3")
    assert gateway.get(OPEN, token).status == 200
    deadline = time.monotonic() + 10
    while (answer := gateway.get(OPEN, token)).status == 200:
        assert time.monotonic() < deadline
    assert (answer.status, answer.reason) == (401, "token_expired")


def test_new_keys_are_taken_at_once_and_old_ones_are_forgotten(tmp_path_factory: pytest.TempPathFactory) -> None:
    with signing_in(tmp_path_factory) as (provider, gateway):
        old = service_token(provider)
        assert gateway.get(OPEN, old).status == 200
        provider.tell("rotate")
        assert gateway.get(OPEN, service_token(provider)).status == 200
        answer = gateway.get(OPEN, old)
        assert (answer.status, answer.reason) == (401, "token_key_unknown")


def test_keys_that_are_known_serve_while_the_key_set_is_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    with signing_in(tmp_path_factory) as (provider, gateway):
        provider.tell("down")
        assert gateway.get(OPEN, service_token(provider)).status == 200
        provider.tell("rotate")
        answer = gateway.get(OPEN, service_token(provider))
        assert (answer.status, answer.reason) == (401, "token_key_unknown")
        gateway.stop()
        assert "jwks.failed" in {entry.get("name") for entry in gateway.entries()}


def test_without_any_keys_nobody_comes_in_until_they_are_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    with signing_in(tmp_path_factory, "down") as (provider, gateway):
        token = service_token(provider)
        answer = gateway.get(OPEN, token)
        assert (answer.status, answer.reason) == (503, "identity_unavailable")
        assert gateway.witness.requests == []
        provider.tell("up")
        deadline = time.monotonic() + 15
        while (answer := gateway.get(OPEN, token)).status != 200:
            assert (answer.status, answer.reason) == (503, "identity_unavailable")
            assert time.monotonic() < deadline
