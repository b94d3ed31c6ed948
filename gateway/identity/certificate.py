"""Whom does this client certificate prove, if anybody?

Path validation is `cryptography`'s (RFC 5280, no SHA-1, RSA from 2048 bits up the path); what a
certificate means is decided by the authority that issued it. Rules:

1. The nearest authority speaks: a device's certificate never proves a person, however it is worded, also
   where the authorities of devices and of people hang from one root.
2. The leaf is no authority, may be used for clients where it says what it may be used for, and its own
   key is sound. An authority says that it is one, and may sign certificates.
3. The name is the one name of the best kind it has. Two names of that kind are nobody's.
4. A certificate from a proxy's header is judged exactly as one from the handshake.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from msgspec import Struct

from gateway.crypto.digest import thumbprint
from gateway.facts import Certificate, Proof, Reason, Subject
from gateway.identity.recent import Recent
from gateway.identity.settings import Authority

PROVEN_SECONDS: Final = 600.0
REFUSED_SECONDS: Final = 60.0
MAX_DEPTH: Final = 4
_UPN: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class _Judged(Struct, frozen=True):
    subject: Subject | None
    until: float  # wall clock
    clock_until: float


class Certificates:
    """The authorities of people, services and devices."""

    def __init__(self, authorities: Iterable[Authority], entries: int = 20_000) -> None:
        self._authorities = tuple((authority, _store(authority)) for authority in authorities)
        self._speaks = any(authority.kind != "device" for authority, _ in self._authorities)
        self._judged: Recent[tuple[bytes, tuple[bytes, ...]], _Judged] = Recent(entries)

    def prove(self, certificate: Certificate, at: float, clock: float) -> Subject | None:
        """The subject, one with a `rejection`, or None when the certificate is not a proof of this kind."""
        if not self._speaks or not certificate.der:
            return None
        key = (certificate.der, certificate.chain)
        judged = self._judged.get(key)
        if judged is None or at >= judged.until or clock >= judged.clock_until:
            judged = self._judge(certificate, at, clock)
            self._judged.put(key, judged, len(certificate.der) + sum(map(len, certificate.chain)))
        return judged.subject

    def _judge(self, certificate: Certificate, at: float, clock: float) -> _Judged:
        try:
            leaf = x509.load_der_x509_certificate(certificate.der)
            chain = [x509.load_der_x509_certificate(der) for der in certificate.chain[:MAX_DEPTH]]
            return self._prove(leaf, chain, certificate, at, clock)
        except _UNREADABLE as why:
            return _refuse("certificate_untrusted", f"cannot be read: {why}", certificate, at, clock)

    def _prove(
        self, leaf: x509.Certificate, chain: list[x509.Certificate], certificate: Certificate, at: float, clock: float
    ) -> _Judged:
        if not leaf.not_valid_before_utc.timestamp() <= at < leaf.not_valid_after_utc.timestamp():
            until = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
            return _refuse("certificate_expired", f"valid from {until}", certificate, at, clock)
        if not _sound(leaf):
            return _refuse("certificate_untrusted", "its key is too weak", certificate, at, clock)
        found = self._nearest(leaf, chain, at)
        if isinstance(found, str):
            return _refuse("certificate_untrusted", found, certificate, at, clock)
        authority, path = found
        if authority.kind == "device":
            return _Judged(None, at + PROVEN_SECONDS, clock + PROVEN_SECONDS)
        name = subject_name(leaf, authority.kind)
        if not name:
            return _refuse("certificate_untrusted", "it does not name one subject", certificate, at, clock)
        ends = min(one.not_valid_after_utc.timestamp() for one in path)
        return _Judged(_subject(leaf, authority, name), ends, clock + PROVEN_SECONDS)

    def _nearest(
        self, leaf: x509.Certificate, chain: list[x509.Certificate], at: float
    ) -> tuple[Authority, list[x509.Certificate]] | str:
        """The authority with the shortest path, and the path; or why there is none."""
        paths: list[tuple[int, Authority, list[x509.Certificate]]] = []
        why = "no registered authority issued it"
        for authority, store in self._authorities:
            try:
                path = _validate(leaf, chain, store, at)
            except VerificationError as fault:
                why = str(fault)
            else:
                paths.append((len(path), authority, path))
        if not paths:
            return why
        nearest = min(length for length, _, _ in paths)
        speaking = [(authority, path) for length, authority, path in paths if length == nearest]
        return speaking[0] if len(speaking) == 1 else "two authorities are equally near"


def _refuse(code: str, why: str, certificate: Certificate, at: float, clock: float) -> _Judged:
    proof = Proof(method="certificate", token=certificate.thumbprint[:22])
    subject = Subject(id="", kind="anonymous", proof=proof, rejection=Reason(code, detail=why[:200]))
    return _Judged(subject, at + REFUSED_SECONDS, clock + REFUSED_SECONDS)


def _subject(leaf: x509.Certificate, authority: Authority, name: str) -> Subject:
    return Subject(
        id=f"{authority.realm}/{name}",
        kind="service" if authority.kind == "service" else "person",
        name=_common_name(leaf),
        assurance=authority.assurance,
        proof=Proof(
            method="certificate",
            issuer=leaf.issuer.rfc4514_string()[:256],
            token=thumbprint(leaf.tbs_certificate_bytes)[:22],  # as `token_id`: a signature has twins
            issued_at=leaf.not_valid_before_utc.timestamp(),
            expires_at=leaf.not_valid_after_utc.timestamp(),
            bound=True,  # the handshake proved possession of the key
        ),
    )


def _sound(leaf: x509.Certificate) -> bool:
    """The leaf's own key: the library judges only the keys that sign certificates."""
    key = leaf.public_key()
    if isinstance(key, RSAPublicKey):
        return key.key_size >= 2048 and key.public_numbers().e >= 65537
    if isinstance(key, EllipticCurvePublicKey):
        return key.curve.name in ("secp256r1", "secp384r1", "secp521r1")
    return True


def _is_authority(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority may not sign certificates")


def _is_no_authority(policy: Policy, certificate: x509.Certificate, basic: x509.BasicConstraints | None) -> None:
    if basic is not None and basic.ca:
        raise ValueError("the certificate is an authority's own")


def _may_sign(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("the certificate may not be used to sign a handshake")


def _is_for_clients(policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise ValueError("the certificate is not for clients")  # a web server's key is no person


_ANY: Final = Criticality.AGNOSTIC
_AUTHORITY_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, _ANY, None)
    .may_be_present(x509.KeyUsage, _ANY, _is_authority)
)
_LEAF_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, _ANY, _is_no_authority)
    .may_be_present(x509.KeyUsage, _ANY, _may_sign)
    .may_be_present(x509.ExtendedKeyUsage, _ANY, _is_for_clients)
)


def _store(authority: Authority) -> Store:
    try:
        return Store([x509.load_der_x509_certificate(der) for der in authority.certificates])
    except _UNREADABLE as why:
        raise ValueError(f"the authority of realm `{authority.realm}` is not a certificate: {why}") from why


def _validate(leaf: x509.Certificate, chain: list[x509.Certificate], store: Store, at: float) -> list[x509.Certificate]:
    """The path from the leaf to an authority. Raises VerificationError."""
    builder = PolicyBuilder().store(store).time(datetime.fromtimestamp(at, UTC)).max_chain_depth(MAX_DEPTH)
    policy = builder.extension_policies(ca_policy=_AUTHORITY_POLICY, ee_policy=_LEAF_POLICY)
    return policy.build_client_verifier().verify(leaf, chain).chain


def subject_name(leaf: x509.Certificate, kind: str) -> str:
    """The one name of the best kind: for a person UPN, e-mail, URI, CN; for a service URI, DNS, CN."""
    for names in _names(leaf, kind):
        if names:
            name = names[0]
            usable = len(names) == 1 and name.isprintable() and name == name.strip() and len(name) <= 256
            return name if usable and name.count("@") <= 1 else ""
    return ""


def _names(leaf: x509.Certificate, kind: str) -> Iterable[list[str]]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    if kind == "person":
        yield [_utf8(name.value) for name in names.get_values_for_type(x509.OtherName) if name.type_id == _UPN]
        yield names.get_values_for_type(x509.RFC822Name)
    yield names.get_values_for_type(x509.UniformResourceIdentifier)
    if kind == "service":
        yield names.get_values_for_type(x509.DNSName)
    yield [str(name.value) for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _utf8(der: bytes) -> str:
    """The text of a DER UTF8String of short form; anything else is not a name."""
    if len(der) < 3 or der[0] != 0x0C or der[1] != len(der) - 2 or der[1] > 127:
        raise ValueError("a principal name is not a short UTF8String")
    return der[2:].decode("utf-8")


def _common_name(leaf: x509.Certificate) -> str:
    names = [str(name.value) for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names[0][:256] if names and names[0].isprintable() else ""
