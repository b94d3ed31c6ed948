"""A device CA and certificates for tests."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.crypto.digest import thumbprint
from gateway.facts import Certificate
from tests.literals import NOW

WHEN = datetime.fromtimestamp(NOW, UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


class Ca:
    """One authority; `issue` gives a client certificate as edge would hand it on."""

    def __init__(self, name: str = "device CA") -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateBuilder(self.name, self.name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(WHEN - timedelta(days=9)).not_valid_after(WHEN + timedelta(days=900))
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        self.der = builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def issue(
        self, *names: str, days: tuple[int, int] = (-1, 30), ca: bool = False, server: bool = False
    ) -> Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
        builder = x509.CertificateBuilder(self.name, subject, KEY.public_key(), x509.random_serial_number())
        starts, ends = (WHEN + timedelta(days=day) for day in days)
        builder = builder.not_valid_before(starts).not_valid_after(ends)
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if server:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        der = builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)
        return Certificate(der, thumbprint(der), "tls")
