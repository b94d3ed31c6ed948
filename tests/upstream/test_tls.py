"""Real handshakes with real certificates."""

import asyncio
import datetime
import os
import socket
import ssl
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.facts import BodyFailed
from gateway.upstream.settings import Service
from gateway.upstream.tls import context
from tests.upstream.backend import OK, backend, carrying, says

pytestmark = pytest.mark.anyio
DAY = datetime.timedelta(days=1)


class Authority:
    """Makes certificates."""

    def __init__(self, name="test ca"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(self.name, self.key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.pem = self._pem(self.certificate)

    def _build(self, subject, public, until=DAY):
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + until)
        )

    def _pem(self, builder):
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, *names, until=DAY, client=False):
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        alternatives = [x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
        builder = self._build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key.public_key(), until)
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._pem(builder), secret


CA = Authority()


def server(tmp_path, *names, client_ca=None, **options):
    certificate, key = CA.issue(*names, **options)
    (tmp_path / "server.pem").write_bytes(certificate + key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tmp_path / "server.pem")
    if client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=client_ca.decode())
    return made


async def outcome(tls, script=says(OK), **changes):  # noqa: B008 # the script is a pure function
    async with backend(script, tls) as service, carrying(service.url, **({"ca": CA.pem} | changes)) as carried:
        answers = [await carried.forward() for _ in range(2)]
    return [getattr(answer, "body", None) or answer.code for answer in answers], service


async def test_a_service_with_the_right_certificate_is_asked(tmp_path):
    answers, service = await outcome(server(tmp_path, "127.0.0.1"))
    assert answers == [b"{}", b"{}"]
    assert service.connections == 1


@pytest.mark.parametrize(
    ("names", "options", "changes"),
    [
        (("svc.example.gov",), {}, {}),
        (("127.0.0.1",), {}, {"ca": Authority("another").pem}),
        (("127.0.0.1",), {}, {"ca": b""}),
        (("127.0.0.1",), {"until": -DAY}, {}),
        (("127.0.0.1",), {"client": True}, {}),
        (("127.0.0.1",), {}, {"server_name": "svc.example.gov"}),
    ],
    ids=[
        "another name",
        "another authority",
        "the system's authorities",
        "expired",
        "a client's",
        "not the name asked for",
    ],
)
async def test_another_certificate_is_not(tmp_path, names, options, changes):
    answers, service = await outcome(server(tmp_path, *names, **options), **changes)
    assert answers == ["upstream_unreachable"] * 2
    assert service.requests == []


async def test_the_name_in_the_certificate_may_be_given(tmp_path):
    tls = server(tmp_path, "svc.example.gov")
    asked = []
    tls.sni_callback = lambda connection, name, _: asked.append(name)
    answers, _ = await outcome(tls, server_name="svc.example.gov")
    assert answers[0] == b"{}"
    assert asked == ["svc.example.gov"]


async def test_verification_is_off_only_by_its_switch(tmp_path):
    answers, _ = await outcome(server(tmp_path, "wrong.example"), insecure=("unverified-upstream",), ca=b"")
    assert answers[0] == b"{}"


async def test_old_protocol_versions_are_refused(tmp_path):
    tls = server(tmp_path, "127.0.0.1")
    with pytest.warns(DeprecationWarning):
        tls.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    answers, _ = await outcome(tls)
    assert answers[0] == "upstream_unreachable"


async def test_a_client_certificate_is_shown(tmp_path):
    certificate, key = CA.issue("gateway", client=True)
    tls = server(tmp_path, "127.0.0.1", client_ca=CA.pem)
    assert (await outcome(tls, client_cert=certificate, client_key=key))[0][0] == b"{}"


async def test_without_the_client_certificate_that_is_wanted_nothing_is_sent(tmp_path):
    answers, service = await outcome(server(tmp_path, "127.0.0.1", client_ca=CA.pem))
    assert set(answers) <= {"upstream_reset", "upstream_unreachable"}
    assert service.requests == []


async def test_a_cut_body_without_length_is_not_taken_for_whole(tmp_path):
    """No close_notify: someone on the wire may have sent the FIN."""
    for in_order in (True, False):

        async def script(talk, in_order=in_order):
            await talk.request()
            await talk.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
            if in_order:
                talk.writer.close()
                await talk.writer.wait_closed()
            else:
                with socket.socket(fileno=os.dup(talk.writer.get_extra_info("socket").fileno())) as raw:
                    raw.shutdown(socket.SHUT_RDWR)

        async with (
            backend(script, server(tmp_path, "127.0.0.1")) as service,
            carrying(service.url, ca=CA.pem) as carried,
        ):
            reply = await carried.forward()
            pieces = []
            try:
                async for piece in reply.body:
                    pieces.append(piece)
                ended = "whole"
            except BodyFailed as error:
                ended = error.code
        assert (b"".join(pieces), ended) == (b"hello", "whole" if in_order else "upstream_reset")


async def test_plain_bytes_instead_of_a_handshake_are_unreachable():
    async def script(talk):
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await asyncio.sleep(0)

    async with backend(script) as service, carrying(service.url.replace("http:", "https:"), ca=CA.pem) as carried:
        assert (await carried.forward()).code == "upstream_unreachable"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ca": b"nonsense"}, "the authorities are not PEM"),
        ({"ca": b"\xff"}, "the authorities are not PEM"),
        ({"client_cert": b"x", "client_key": b"y"}, "do not fit or are not PEM"),
        ({"client_cert": CA.issue("a")[0], "client_key": CA.issue("b")[1]}, "do not fit or are not PEM"),
    ],
)
def test_unusable_files_stop_the_start(changes, said):
    with pytest.raises(ValueError, match=f"service `civil`: .*{said}"):
        context(Service("civil", ("https://a",), **changes))
