"""Real certificates for tests: authorities that issue, and TLS contexts that use them."""

import ssl
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    """A certificate authority that lives as long as the test."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            self._builder(self.name, self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, SHA256())
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta = timedelta(days=1)
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + lasts)
        )

    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def issue(
        self, name: str, folder: Path, *, server: bool = False, lasts: timedelta = timedelta(days=1)
    ) -> tuple[Path, Path]:
        """A leaf for this common name, ended already when `lasts` is negative; the paths of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        leaf = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), lasts)
            .add_extension(x509.SubjectAlternativeName(names if server else [x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self.key, SHA256())
        )
        certificate_path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
        certificate_path.write_bytes(leaf.public_bytes(Encoding.PEM))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key_path.chmod(0o600)
        return certificate_path, key_path


def thumbprint(certificate: Path) -> str:
    """The x5t#S256 of a certificate file (RFC 8705 section 3.1)."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(SHA256())
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def contexts(folder: Path, authority: Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's TLS context; writes server.pem, server.key and ca.pem into `folder`."""
    certificate, key = authority.issue("server", folder, server=True)
    (folder / "ca.pem").write_bytes(authority.pem())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cadata=authority.pem().decode())
    return server, client
