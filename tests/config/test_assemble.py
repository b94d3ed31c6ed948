"""What does a good file come to?"""

from pathlib import Path

import pytest

from gateway.config import load
from gateway.crypto.jws import SigningKey
from gateway.document import Faulty

TWO = """\
version: 1
state: ../state
identity:
  issuers:
    - {issuer: https://a.gov, audience: [x, y], realm: a, claims: {roles: realm_access.roles}, algorithms: [ES256]}
    - {issuer: https://b.gov, audience: x, realm: b, typ: any}
device: {reporters: [{id: mdm, key: reporter.jwk}, {id: edr, key: reporter.pem, orgs: [prov/civil]}]}
behaviour: {office_hours: "08:00-18:00", sites: [{name: vpn, networks: [10.9.0.0/16], kind: vpn}], weights: {}}
mode: observe
apis:
  - {name: a, match: /**, upstream: [https://h1, https://h2], data: x, mode: enforce}
  - {name: b, match: /b/**, upstream: https://h, level: core}
"""


@pytest.fixture
def made(folder: Path) -> Path:
    import json

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = SigningKey.generate("ES256")
    (folder / "reporter.jwk").write_text(json.dumps(key.public_jwk()))
    public = key.public().key
    (folder / "reporter.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "gateway.yaml").write_text(TWO)
    return folder / "gateway.yaml"


def test_every_part_arrives_in_its_room(made: Path) -> None:
    config = load(made, {})
    assert config.state == made.parent.parent / "state"
    assert config.keys == config.state / "keys"
    assert [(one.url, one.realm, one.typ) for one in config.identity.issuers] == [
        ("https://a.gov", "a", "at+jwt"),
        ("https://b.gov", "b", "any"),
    ]
    assert config.identity.issuers[0].claims.roles == "realm_access.roles"
    assert config.identity.issuers[0].claims.org == "org"
    assert config.identity.issuers[0].algorithms == ("ES256",)
    assert [(one.id, one.key.alg, one.orgs) for one in config.device.reporters] == [
        ("mdm", "ES256", ()),
        ("edr", "ES256", ("prov/civil",)),
    ]
    assert config.behaviour.office_hours == (480, 1080)
    assert config.behaviour.sites[0].kind == "vpn"
    assert [api.prefix for api in config.edge.apis] == ["/", "/b"]
    assert [(service.prefix, len(service.addresses)) for service in config.upstream.services] == [("", 2), ("/b", 1)]
    assert config.observing == ("b",)
    assert [(api.mode, api.grade) for api in config.apis] == [("enforce", None), ("observe", "core")]
    assert config.upstream.assertion.issuer == config.public_url == config.edge.public_url


def test_a_reporters_private_key_is_not_its_public_key(made: Path) -> None:
    (made.parent / "reporter.jwk").write_bytes(SigningKey.generate("ES256").pem())
    with pytest.raises(Faulty) as caught:
        load(made, {})
    refused = [one for one in caught.value.faults if not one.warning]
    assert [one.code for one in refused] == ["C090"]
    assert "reporter.jwk" in refused[0].en


def test_what_several_rooms_refuse_is_told_at_once(made: Path) -> None:
    text = TWO.replace("weights: {}", "weights: {flying: 3}").replace("state: ../state", "audit: {origin: a b}")
    made.write_text(text.replace("realm: a,", "realm: 'a b',"))
    with pytest.raises(Faulty) as caught:
        load(made, {})
    assert [one.line for one in caught.value.faults if one.code == "C090"] == [2, 4, 8]
