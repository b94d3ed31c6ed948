from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA224
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.facts import ANONYMOUS, Certificate, Reason, Subject
from gateway.identity import Authority
from gateway.identity.certificate import Certificates
from tests.identity.authorities import Signer, a_key, build, shown
from tests.identity.world import World
from tests.literals import NOW, an_ask

STAFF, SERVICES, DEVICES, STRANGERS = Signer("staff"), Signer("services"), Signer("devices"), Signer("strangers")
AUTHORITIES = (
    Authority((STAFF.der,), "cert", "person", 3),
    Authority((SERVICES.der,), "svc", "service", 2),
    Authority((DEVICES.der,), "dev", "device", 0),
)
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


def prove(certificate: Certificate, at: float = NOW, clock: float = 1000.0) -> Subject | None:
    return Certificates(AUTHORITIES).prove(certificate, at, clock)


def code(certificate: Certificate, at: float = NOW) -> str:
    subject = prove(certificate, at)
    assert subject is not None
    if subject.rejection is None:
        return ""
    assert (subject.id, subject.kind) == ("", "anonymous")
    return subject.rejection.code


def test_a_person_is_told_by_the_authority_that_vouches() -> None:
    leaf = shown(STAFF.issue("张伟", names=[x509.RFC822Name("zhang.wei@corp.gov")]))
    subject = prove(leaf)
    assert subject is not None
    assert (subject.id, subject.kind, subject.name) == ("cert/zhang.wei@corp.gov", "person", "张伟")
    assert (subject.assurance, subject.rejection) == (3, None)
    assert (subject.proof.method, subject.proof.bound) == ("certificate", True)
    assert len(subject.proof.token) == 22
    assert subject.proof.issuer == "CN=staff"
    assert (subject.proof.issued_at, subject.proof.expires_at) == (NOW - 86400, NOW + 30 * 86400)


def test_a_service_is_told_by_its_authority() -> None:
    leaf = SERVICES.issue("x", names=[x509.UniformResourceIdentifier("spiffe://gov.example/reports")])
    subject = prove(shown(leaf))
    assert subject is not None
    assert (subject.id, subject.kind, subject.assurance) == ("svc/spiffe://gov.example/reports", "service", 2)


def test_a_device_is_nobody_whatever_its_certificate_says() -> None:
    leaf = DEVICES.issue("zhang.wei", names=[x509.RFC822Name("zhang.wei@corp.gov")])
    assert prove(shown(leaf)) is None


ROOT = Signer("root")
PEOPLE_BELOW, MACHINES_BELOW = Signer("people", ROOT), Signer("machines", ROOT)


@pytest.mark.parametrize(
    ("people", "machines"),
    [(ROOT, MACHINES_BELOW), (PEOPLE_BELOW, ROOT), (PEOPLE_BELOW, MACHINES_BELOW)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_authorities_of_one_root_are_told_apart_whatever_chain_is_sent(
    people: Signer, machines: Signer, turned: bool
) -> None:
    authorities = [Authority((people.der,), "cert", "person"), Authority((machines.der,), "dev", "device")]
    certificates = Certificates(reversed(authorities) if turned else authorities)
    person = certificates.prove(shown(PEOPLE_BELOW.issue("li.na"), PEOPLE_BELOW.certificate), NOW, 0)
    assert person is not None
    assert person.id == "cert/li.na"
    machine = MACHINES_BELOW.issue("zhang.wei")
    assert certificates.prove(shown(machine, MACHINES_BELOW.certificate), NOW, 0) is None
    for chain in ([], [PEOPLE_BELOW.certificate], [PEOPLE_BELOW.certificate, ROOT.certificate]):
        found = certificates.prove(shown(machine, *chain), NOW, 0)
        assert found is None or found.rejection is not None  # a path that is missing: nobody at all


def test_one_authority_under_two_names_speaks_for_nobody() -> None:
    twice = (Authority((STAFF.der,), "a", "person"), Authority((STAFF.der,), "b", "service"))
    subject = Certificates(twice).prove(shown(STAFF.issue()), NOW, 0)
    assert subject is not None
    assert subject.rejection is not None


@pytest.mark.parametrize("via", ["tls", "client-cert", "xfcc"])
def test_a_proxys_word_is_judged_like_a_handshake(via: Any) -> None:
    assert code(shown(STAFF.issue(), via=via)) == ""
    assert code(shown(STRANGERS.issue(), via=via)) == "certificate_untrusted"


def test_the_chain_between_may_be_sent_along() -> None:
    between = Signer("between", STAFF)
    leaf = between.issue()
    assert code(shown(leaf, between.certificate)) == ""
    assert code(shown(leaf)) == "certificate_untrusted"
    assert code(shown(leaf, STRANGERS.certificate, between.certificate)) == ""


def basic(ca: bool) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.BasicConstraints(ca, None), True)]


def usage(**said: bool) -> list[tuple[x509.ExtensionType, bool]]:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return [(x509.KeyUsage(**{name: said.get(name, False) for name in names}), True)]


def purpose(*purposes: x509.ObjectIdentifier) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.ExtendedKeyUsage(purposes), False)]


LEAF_SIGNER = Signer("zhang.wei", STAFF, ca=False)
UNMARKED_SIGNER = Signer("zhang.wei", STAFF, ca=None)
LIMITED = Signer("limited", STAFF, extensions=[(x509.NameConstraints([x509.RFC822Name("city.gov")], None), True)])

UNTRUSTED: dict[str, Certificate] = {
    "of an unknown authority": shown(STRANGERS.issue()),
    "of an authority of the same name": shown(Signer("staff").issue()),
    "signed by itself": shown(Signer("zhang.wei", ca=False).certificate),
    "the authority itself": shown(STAFF.certificate),
    "an authority below": shown(Signer("between", STAFF).certificate),
    "signed by a leaf": shown(LEAF_SIGNER.issue(), LEAF_SIGNER.certificate),
    "signed by what does not say what it is": shown(UNMARKED_SIGNER.issue(), UNMARKED_SIGNER.certificate),
    "signed with a weak digest": shown(STAFF.issue(digest=SHA224())),
    "a web server's": shown(STAFF.issue(extensions=purpose(ExtendedKeyUsageOID.SERVER_AUTH))),
    "for signing code": shown(STAFF.issue(extensions=purpose(ExtendedKeyUsageOID.CODE_SIGNING))),
    "for encryption only": shown(STAFF.issue(extensions=usage(key_encipherment=True))),
    "with an unknown critical extension": shown(
        STAFF.issue(extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)])
    ),
    "RSA of 1024 bits": shown(STAFF.issue(key=rsa.generate_private_key(65537, 1024))),
    "a curve nobody uses": shown(STAFF.issue(key=ec.generate_private_key(ec.SECP256K1()))),
    "two addresses": shown(STAFF.issue(names=[x509.RFC822Name("a@corp.gov"), x509.RFC822Name("b@corp.gov")])),
    "two common names": shown(STAFF.issue(["zhang.wei", "li.na"])),
    "a common name with a line end": shown(STAFF.issue("zhang\nwei")),
    "a name with two at signs": shown(STAFF.issue("a@evil@corp.gov")),
    "a name with a space in front": shown(STAFF.issue(" zhang.wei")),
    "outside what the authority may name": shown(
        LIMITED.issue(names=[x509.RFC822Name("zhang@other.gov")]), LIMITED.certificate
    ),
    "garbage": Certificate(b"garbage", "x" * 43, "client-cert"),
    "half a certificate": Certificate(STAFF.issue().public_bytes(Encoding.DER)[:200], "x" * 43, "client-cert"),
    "good, with garbage in its chain": Certificate(
        STAFF.issue().public_bytes(Encoding.DER), "x" * 43, "client-cert", (b"garbage",)
    ),
}


@pytest.mark.parametrize("certificate", UNTRUSTED.values(), ids=UNTRUSTED.keys())
def test_a_certificate_that_proves_nothing_is_refused(certificate: Certificate) -> None:
    assert code(certificate) == "certificate_untrusted"


def test_an_authority_that_may_not_sign_signs_nothing() -> None:
    mute = Signer("mute", extensions=usage(crl_sign=True))
    subject = Certificates([Authority((mute.der,))]).prove(shown(mute.issue()), NOW, 0)
    assert subject is not None
    assert subject.rejection is not None


FINE: dict[str, Certificate] = {
    "that says nothing": shown(STAFF.issue()),
    "for clients": shown(STAFF.issue(extensions=purpose(ExtendedKeyUsageOID.CLIENT_AUTH))),
    "for clients and servers": shown(
        STAFF.issue(extensions=purpose(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH))
    ),
    "for signatures": shown(STAFF.issue(extensions=usage(digital_signature=True))),
    "that says it is a leaf": shown(STAFF.issue(extensions=basic(False))),
    "RSA of 2048 bits": shown(STAFF.issue(key=rsa.generate_private_key(65537, 2048))),
    "P-384": shown(STAFF.issue(key=ec.generate_private_key(ec.SECP384R1()))),
    "within what its authority may name": shown(
        LIMITED.issue(names=[x509.RFC822Name("zhang@city.gov")]), LIMITED.certificate
    ),
}


@pytest.mark.parametrize("certificate", FINE.values(), ids=FINE.keys())
def test_a_good_certificate_is_accepted(certificate: Certificate) -> None:
    assert code(certificate) == ""


def test_a_certificate_has_its_time() -> None:
    leaf = shown(STAFF.issue())
    assert code(leaf, NOW + 30 * 86400 - 1) == ""
    assert code(leaf, NOW + 30 * 86400) == "certificate_expired"
    assert code(leaf, NOW - 86401) == "certificate_expired"


def test_a_link_of_the_chain_has_its_time_too() -> None:
    between = Signer("between", STAFF, ends=timedelta(days=2))
    leaf = shown(between.issue(), between.certificate)
    assert code(leaf) == ""
    assert code(leaf, NOW + 3 * 86400) == "certificate_untrusted"


def test_what_was_proven_is_remembered_until_the_first_link_ends() -> None:
    between = Signer("between", STAFF, ends=timedelta(hours=1))
    certificates = Certificates(AUTHORITIES)
    leaf = shown(between.issue(), between.certificate)
    first = certificates.prove(leaf, NOW, 0.0)
    assert first is not None
    assert first.rejection is None
    assert certificates.prove(leaf, NOW + 1, 1.0) is first
    late = certificates.prove(leaf, NOW + 3601, 2.0)
    assert late is not None
    assert late.rejection is not None


def test_a_refusal_is_remembered_for_a_minute() -> None:
    certificates = Certificates(AUTHORITIES)
    leaf = shown(STAFF.issue(begins=timedelta(seconds=30)))
    early = certificates.prove(leaf, NOW, 0.0)
    assert early is not None
    assert early.rejection is not None
    assert certificates.prove(leaf, NOW + 31, 31.0) is early
    late = certificates.prove(leaf, NOW + 61, 61.0)
    assert late is not None
    assert late.rejection is None


def test_the_memory_is_not_fooled_by_another_chain_or_thumbprint() -> None:
    between = Signer("between", STAFF)
    certificates = Certificates(AUTHORITIES)
    whole, bare = shown(between.issue(), between.certificate), shown(STRANGERS.issue())
    assert certificates.prove(whole, NOW, 0.0) is not None
    forged = Certificate(bare.der, whole.thumbprint, "xfcc", whole.chain)
    subject = certificates.prove(forged, NOW, 0.0)
    assert subject is not None
    assert subject.rejection is not None


def test_a_certificate_of_which_only_a_hash_came_proves_nobody() -> None:
    assert prove(Certificate(b"", "x" * 43, "xfcc")) is None


def test_without_authorities_of_people_certificates_are_no_credential() -> None:
    assert Certificates([]).prove(shown(STRANGERS.issue()), NOW, 0) is None
    assert Certificates([AUTHORITIES[2]]).prove(shown(STRANGERS.issue()), NOW, 0) is None


def upn(text: str, tag: int = 0x0C) -> x509.OtherName:
    raw = text.encode()
    return x509.OtherName(UPN, bytes((tag, len(raw))) + raw)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([upn("zhang@corp.gov"), x509.RFC822Name("other@corp.gov")], "cert/zhang@corp.gov"),
        ([x509.RFC822Name("zhang@corp.gov"), x509.UniformResourceIdentifier("urn:x")], "cert/zhang@corp.gov"),
        ([x509.UniformResourceIdentifier("urn:uuid:5"), x509.DNSName("a.example")], "cert/urn:uuid:5"),
        ([x509.DNSName("a.example")], "cert/cn"),
        ([], "cert/cn"),
        ([upn("zhang@corp.gov", tag=0x16)], None),  # not a UTF8String: another reader may see another name
        ([x509.OtherName(UPN, b"\x0c\x81\x82" + b"a" * 130)], None),
        ([x509.OtherName(UPN, b"\x0c\x02\xff\xff")], None),
    ],
)
def test_the_best_kind_of_name_is_taken(names: list[x509.GeneralName], expected: str | None) -> None:
    subject = prove(shown(STAFF.issue("cn", names=names)))
    assert subject is not None
    assert (subject.id or None) == expected


def test_a_service_may_be_named_by_its_host() -> None:
    subject = prove(shown(SERVICES.issue("cn", names=[x509.DNSName("reports.example.gov")])))
    assert subject is not None
    assert subject.id == "svc/reports.example.gov"


def test_a_certificate_that_names_nobody_is_nobodys() -> None:
    key = a_key()
    leaf = build([], key, STAFF, [])
    assert code(shown(leaf)) == "certificate_untrusted"


def test_every_changed_byte_is_refused_or_names_the_same_certificate() -> None:
    """Exhaustive over the bytes of one certificate, as a hostile proxy header would bring it."""
    good = STAFF.issue("zhang.wei").public_bytes(Encoding.DER)
    certificates = Certificates(AUTHORITIES)
    original = certificates.prove(Certificate(good, "x" * 43, "client-cert"), NOW, 0.0)
    for place in range(len(good)):
        changed = good[:place] + bytes((good[place] ^ 0x01,)) + good[place + 1 :]
        subject = certificates.prove(Certificate(changed, "x" * 43, "client-cert"), NOW, 0.0)
        assert subject is not None
        # The envelope of a signature has some play: then who it is, and what revokes it, stay the same.
        assert subject.rejection is not None or subject == original, place


def test_the_twin_of_a_revoked_certificate_has_the_same_name() -> None:
    leaf = STAFF.issue("zhang.wei")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(leaf.signature)
    twin_signature = encode_dss_signature(r, order - s)
    der = leaf.public_bytes(Encoding.DER)
    head = der[: der.index(leaf.tbs_certificate_bytes) + len(leaf.tbs_certificate_bytes) + 12][4:]
    tail = b"\x03" + bytes((len(twin_signature) + 1,)) + b"\x00" + twin_signature
    twin = b"\x30\x82" + len(head + tail).to_bytes(2, "big") + head + tail
    assert twin != der
    certificates = Certificates(AUTHORITIES)
    found = [certificates.prove(Certificate(one, "x" * 43, "client-cert"), NOW, 0.0) for one in (der, twin)]
    assert found[0] is not None
    assert found[0] == found[1]
    assert found[0].rejection is None


def test_an_authority_that_is_no_certificate_stops_the_start() -> None:
    with pytest.raises(ValueError, match="realm `cert`"):
        Certificates([Authority((b"garbage",))])


# --- in the journey's order -------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_certificate_speaks_where_no_token_is_shown() -> None:
    world = World(authorities=AUTHORITIES)
    certificate = shown(STAFF.issue("li.na"))
    assert (await world.recogniser.recognise(an_ask(certificate=certificate))).id == "cert/li.na"
    device = shown(DEVICES.issue("laptop-7"))
    assert await world.recogniser.recognise(an_ask(certificate=device)) is ANONYMOUS
    assert world.withdrawn.asked == 1


@pytest.mark.anyio
async def test_a_bad_token_is_not_mended_by_a_good_certificate() -> None:
    world = World(authorities=AUTHORITIES)
    certificate = shown(STAFF.issue("li.na"))
    assert await world.code("x.y.z", certificate=certificate) == "credential_malformed"
    assert await world.code(world.token(exp=5), certificate=certificate) == "token_expired"
    bad = an_ask(headers=((b"authorization", b""),), certificate=certificate)
    assert (await world.recogniser.recognise(bad)).rejection is not None


@pytest.mark.anyio
async def test_the_token_is_the_subject_whoever_holds_the_certificate() -> None:
    world = World(authorities=AUTHORITIES)
    subject = await world.recognise(world.token(), certificate=shown(STAFF.issue("li.na")))
    assert (subject.id, subject.proof.method) == ("zhang.wei", "bearer")


@pytest.mark.anyio
async def test_a_person_with_a_certificate_can_be_cut_off() -> None:
    world = World(authorities=AUTHORITIES)
    ask = an_ask(certificate=shown(STAFF.issue("li.na")))
    assert (await world.recogniser.recognise(ask)).rejection is None
    world.withdrawn.subjects["cert/li.na"] = Reason("subject_revoked")
    assert (await world.recogniser.recognise(ask)).rejection == Reason("subject_revoked")
    world.withdrawn.subjects.clear()
    assert (await world.recogniser.recognise(ask)).rejection is None
