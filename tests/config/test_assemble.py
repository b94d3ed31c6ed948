"""What does a good file come to?"""

from pathlib import Path

import pytest

from gateway.config import load
from gateway.crypto.jws import SigningKey
from gateway.crypto.keys import verifier_text
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


def test_who_signs_policies_and_how_long_an_emergency_may_last(made: Path) -> None:
    plain = load(made, {})
    assert (plain.policy_signers, plain.policy_signatures, plain.emergency_longest) == ((), 1, 72 * 3600.0)
    names = ("sec.li", "sec.wang")
    keys = [verifier_text(name, SigningKey.generate("EdDSA").public()) for name in names]
    more = f"policy_signers: {keys}\npolicy_signatures: 2\nemergency: {{longest: 6h}}\n"
    made.write_text(TWO.replace("state: ../state\n", f"state: ../state\n{more}"))
    said = load(made, {})
    assert said.policy_signers == tuple(keys)
    assert (said.policy_signatures, said.emergency_longest) == (2, 6 * 3600.0)


def test_discovery_is_on_and_can_be_turned_off(made: Path) -> None:
    assert load(made, {}).sample == 64
    made.write_text(made.read_text() + "discovery: {sample: 0}\n")
    assert load(made, {}).sample == 0


@pytest.mark.parametrize("key", ["sec.li", "sec.li+00000000+AAAA", "file:/etc/key.pem"])
def test_what_is_no_verifier_key_is_a_fault(made: Path, key: str) -> None:
    made.write_text(TWO.replace("state: ../state\n", f"state: ../state\npolicy_signers: ['{key}']\n"))
    with pytest.raises(Faulty) as caught:
        load(made, {})
    assert [fault.code for fault in caught.value.faults if not fault.warning] == ["C072"]


def test_the_candidate_folder_is_found_from_the_file(made: Path) -> None:
    assert load(made, {}).candidate is None
    made.write_text(made.read_text() + "candidate: ./policies.next\n")
    assert load(made, {}).candidate == made.parent / "policies.next"
