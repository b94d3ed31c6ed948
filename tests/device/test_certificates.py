"""Which certificates prove a device, and until when."""

import pytest

from gateway.device.certificates import REMEMBERED, Certificates
from gateway.facts import Certificate
from tests.device.authority import Ca
from tests.literals import NOW

CA, OTHER = Ca(), Ca()  # the same name, another key
DAY = 86_400.0


@pytest.fixture
def certificates() -> Certificates:
    return Certificates((CA.der,))


def test_a_certificate_of_the_device_authority_names_its_device(certificates: Certificates) -> None:
    issued = CA.issue("laptop-7")
    assert certificates.name(issued, NOW) == "laptop-7"
    assert certificates.name(issued, NOW + DAY) == "laptop-7"


@pytest.mark.parametrize(
    "certificate",
    [
        OTHER.issue("laptop-7"),  # an authority of the same name
        CA.issue("laptop-7", ca=True),
        CA.issue("laptop-7", server=True),
        CA.issue("laptop-7", days=(-9, -1)),
        CA.issue("laptop-7", days=(1, 9)),
        Certificate(b"", "x" * 43, "xfcc"),
        Certificate(b"\x30\x03abc", "y" * 43, "tls"),
    ],
)
def test_anything_else_proves_no_device(certificates: Certificates, certificate: Certificate) -> None:
    assert certificates.name(certificate, NOW) is None
    assert certificates.name(certificate, NOW) is None  # nor the second time, from memory


def test_a_remembered_certificate_ends_when_it_ends(certificates: Certificates) -> None:
    issued = CA.issue("laptop-7", days=(-1, 1))
    assert certificates.name(issued, NOW) == "laptop-7"
    assert certificates.name(issued, NOW + DAY) is None


@pytest.mark.parametrize("names", [(), ("laptop-7", "laptop-8"), ("x" * 9 + "\n",)])
def test_a_certificate_without_one_clear_name_names_no_device(
    certificates: Certificates, names: tuple[str, ...]
) -> None:
    assert certificates.name(CA.issue(*names), NOW) == ""


def test_memory_is_bounded_whatever_is_presented(certificates: Certificates) -> None:
    for n in range(REMEMBERED + 100):
        certificates.name(Certificate(b"", str(n), "tls"), NOW)
    assert len(certificates._judged) == REMEMBERED


def test_an_authority_that_is_none_stops_the_start() -> None:
    with pytest.raises(ValueError, match="not a certificate authority"):
        Certificates((CA.issue("laptop-7").der,))
