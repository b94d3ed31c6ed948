"""Did one of our device authorities issue this certificate?

Rules:

1. An authority here is the issuing CA itself; it must be one that signs, and in its own validity.
2. Signature, validity, no SHA-1, no CA as a leaf, allowed for clients: all of them, or no device.
3. A judgement is remembered per certificate until the certificate or its issuer ends, and the
   memory is bounded: certificates are cheap to present.
"""

from typing import TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    DuplicateExtension,
    ExtendedKeyUsage,
    ExtensionNotFound,
    ExtensionType,
    InvalidVersion,
    KeyUsage,
    UnsupportedGeneralNameType,
    load_der_x509_certificate,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway import facts

REMEMBERED = 4096
_UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    InvalidVersion,
    DuplicateExtension,
    UnsupportedGeneralNameType,
)
_WEAK_HASHES = frozenset(("md5", "sha1"))
_Extension = TypeVar("_Extension", bound=ExtensionType)
_Judged = tuple[str | None, float, float]  # the name, valid from, valid until


class Certificates:
    """The device authorities, and what they said about the certificates seen lately."""

    def __init__(self, authorities: tuple[bytes, ...]) -> None:
        self._authorities = tuple(_authority(der) for der in authorities)
        self._judged: dict[str, _Judged] = {}

    def __bool__(self) -> bool:
        return bool(self._authorities)

    def name(self, certificate: facts.Certificate, at: float) -> str | None:
        """The name an authority gave the device ("" for none), or None when this is no device's certificate."""
        judged = self._judged.get(certificate.thumbprint)
        if judged is None:
            if len(self._judged) >= REMEMBERED:
                del self._judged[next(iter(self._judged))]
            judged = self._judged[certificate.thumbprint] = self._judge(certificate.der)
        return judged[0] if judged[1] <= at < judged[2] else None

    def _judge(self, der: bytes) -> _Judged:
        """The name and the time in which it holds; (None, …) when no authority stands behind it."""
        try:
            leaf = load_der_x509_certificate(der)
            if not _fit(leaf):
                return None, 0.0, 0.0
            for authority in self._authorities:
                if _issued(leaf, authority):
                    return _common_name(leaf), *_validity(leaf, authority)
        except _UNREADABLE:
            pass  # a certificate we cannot read is nobody's
        return None, 0.0, 0.0


def _authority(der: bytes) -> Certificate:
    """An authority of the settings. Raises ValueError: an operator's mistake stops the start."""
    try:
        certificate = load_der_x509_certificate(der)
    except _UNREADABLE as why:
        raise ValueError(f"a device authority is not a certificate in DER form: {why}") from why
    basic = _extension(certificate, BasicConstraints)
    usage = _extension(certificate, KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        raise ValueError(f"`{certificate.subject.rfc4514_string()}` is not a certificate authority")
    return certificate


def _issued(leaf: Certificate, authority: Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):  # another issuer, another kind of key
        return False
    return True


def _fit(leaf: Certificate) -> bool:
    """Whether this may be a device's client certificate at all."""
    basic = _extension(leaf, BasicConstraints)
    uses = _extension(leaf, ExtendedKeyUsage)
    if basic is not None and basic.ca:  # a sub-CA must not pose as a machine
        return False
    if uses is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in uses:  # a web server's key is no laptop
        return False
    digest = leaf.signature_hash_algorithm
    if digest is not None and digest.name in _WEAK_HASHES:
        return False
    key = leaf.public_key()
    if isinstance(key, RSAPublicKey):
        return key.key_size >= 2048
    return not isinstance(key, EllipticCurvePublicKey) or key.curve.key_size >= 256


def _validity(leaf: Certificate, authority: Certificate) -> tuple[float, float]:
    starts = max(leaf.not_valid_before_utc, authority.not_valid_before_utc)
    ends = min(leaf.not_valid_after_utc, authority.not_valid_after_utc)
    return starts.timestamp(), ends.timestamp()


def _common_name(leaf: Certificate) -> str:
    """The one common name; two of them are no name."""
    names = [str(item.value) for item in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    usable = len(names) == 1 and names[0].isprintable() and 0 < len(names[0]) <= 128
    return names[0] if usable else ""


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except ExtensionNotFound:
        return None
