"""A folder with every file that a configuration names, so that a test changes one thing."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.certificates import Authority


def write_pair(cert: Path, key: Path, *names: str) -> None:
    """A self-signed certificate and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=2))
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    cert.write_bytes(builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM))
    key.touch(mode=0o600)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    write_pair(folder / "tls.crt", folder / "tls.key", "api.example.gov", "*.example.gov")
    write_pair(folder / "nameless.crt", folder / "nameless.key")
    for name in ("client-ca.pem", "device-ca.pem", "upstream-ca.pem"):
        (folder / name).write_bytes(Authority(name).pem())
    return folder


@pytest.fixture
def folder(tmp_path: Path, pairs: Path) -> Path:
    """`tls.crt`, `tls.key`, three authorities, and a `policies` folder."""
    for name in ("tls.crt", "nameless.crt"):
        (tmp_path / name).write_bytes((pairs / name).read_bytes())
    for name in ("client-ca.pem", "device-ca.pem", "upstream-ca.pem"):
        (tmp_path / name).write_bytes((pairs / name).read_bytes())
    for name in ("tls.key", "nameless.key"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes((pairs / name).read_bytes())
    (tmp_path / "policies").mkdir()
    return tmp_path
