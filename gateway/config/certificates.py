"""Which certificates are in this PEM file, and for which names do they speak?"""

import re
import ssl
from pathlib import Path

from cryptography import x509

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def ders(path: Path) -> tuple[bytes, ...]:
    """The certificates of a PEM file. Raises OSError, ValueError when there is none."""
    found = _BLOCK.findall(path.read_text(encoding="ascii", errors="replace"))
    if not found:
        raise ValueError(f"`{path}` holds no certificate in PEM form")
    certificates = tuple(ssl.PEM_cert_to_DER_cert(block) for block in found)
    for der in certificates:
        x509.load_der_x509_certificate(der)
    return certificates


def names(path: Path) -> tuple[str, ...]:
    """The exact DNS names that the first certificate speaks for; a wildcard is no name. Never raises."""
    try:
        first = x509.load_der_x509_certificate(ders(path)[0])
        alternatives = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return ()
    found = alternatives.get_values_for_type(x509.DNSName)
    return tuple(name.lower() for name in found if "*" not in name)


def expiry(path: Path) -> float:
    """When the first certificate of the file ends, in seconds since 1970. Raises OSError, ValueError."""
    return x509.load_der_x509_certificate(ders(path)[0]).not_valid_after_utc.timestamp()
