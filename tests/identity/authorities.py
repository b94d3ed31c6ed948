"""Certificate authorities and certificates for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gateway.crypto.digest import thumbprint
from gateway.facts import Certificate
from tests.literals import NOW

START = datetime.fromtimestamp(NOW, UTC)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@cache
def a_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def a_name(common: str | Sequence[str]) -> x509.Name:
    names = [common] if isinstance(common, str) else common
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


class Signer:
    """Something that signs certificates: an authority, an intermediate, or a leaf that must not."""

    def __init__(
        self,
        common: str,
        above: "Signer | None" = None,
        ca: bool | None = True,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        **changes: Any,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        basic = [] if ca is None else [(x509.BasicConstraints(ca, None), True)]
        self.certificate = build(common, self.key, above or self, [*basic, *extensions], **changes)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def issue(
        self,
        common: str | Sequence[str] = "zhang.wei",
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        names: Sequence[x509.GeneralName] = (),
        key: PrivateKey | None = None,
        **changes: Any,
    ) -> x509.Certificate:
        """A leaf, good in every way unless told otherwise."""
        san = [(x509.SubjectAlternativeName(names), False)] if names else []
        return build(common, key or a_key(), self, [*san, *extensions], **changes)


def build(
    common: str | Sequence[str],
    key: PrivateKey,
    signer: Signer,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    digest: HashAlgorithm | None = None,
    begins: timedelta = timedelta(days=-1),
    ends: timedelta = timedelta(days=30),
) -> x509.Certificate:
    above = getattr(signer, "certificate", None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(a_name(common))
        .issuer_name(a_name(common) if above is None else above.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START + begins)
        .not_valid_after(START + ends)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.key, digest or SHA256())


def shown(leaf: x509.Certificate, *chain: x509.Certificate, via: Any = "tls") -> Certificate:
    """The certificate as edge hands it over."""
    der = leaf.public_bytes(Encoding.DER)
    return Certificate(der, thumbprint(der), via, tuple(one.public_bytes(Encoding.DER) for one in chain))
