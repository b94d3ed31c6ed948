"""TLS at the gateway itself, with curl: people and devices by certificate, bound tokens, renewal, bad handshakes."""

import base64
import contextlib
import hashlib
import http.client
import json
import ssl
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.certificates import Authority, thumbprint
from tests.components import Curled, curl, program
from tests.running import Gateway, Issuer, Witness, free_port, until

CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
tls:
  cert: {folder}/server.pem
  key: file:{folder}/server.key
  client_ca: {folder}/clients.pem
identity:
  issuer: {issuer}
  audience: gateway
  certificates:
    - {{ca: {folder}/people.pem, realm: staff, kind: person}}
device:
  ca: {folder}/devices.pem
  reporters:
    - {{id: mdm, key: {folder}/mdm.jwk}}
behaviour:
  office_hours: "00:00-23:59"
control:
  listen: 127.0.0.1:DOOR
  tls:
    cert: {folder}/server.pem
    key: file:{folder}/server.key
  tokens:
    - {{name: prometheus, role: metrics, sha256: DIGEST}}
policies: {folder}/policies
state: {folder}/state
workers: {workers}
apis:
  - name: enterprises
    match: /market/enterprises/**
    upstream: http://127.0.0.1:{witness}
    data: enterprise
  - name: households
    match: /civil/households/**
    upstream: http://127.0.0.1:{witness}
    data: household
"""
OPEN, HOUSEHOLD = "/market/enterprises", "/civil/households/h-1"
SCRAPER = "a-token-for-the-scraper-only"


class Guarded:
    """A gateway with TLS, and the authorities around it."""

    def __init__(self, folder: Path, witness: Witness, issuer: Issuer) -> None:
        self.folder = folder
        self.servers, self.people, self.devices = Authority("servers"), Authority("people"), Authority("devices")
        self.servers.issue("server", folder, server=True)
        (folder / "servers.pem").write_bytes(self.servers.pem())
        (folder / "people.pem").write_bytes(self.people.pem())
        (folder / "devices.pem").write_bytes(self.devices.pem())
        (folder / "clients.pem").write_bytes(self.people.pem() + self.devices.pem())
        self.door = free_port()
        config = CONFIG.replace("DOOR", str(self.door)).replace("DIGEST", hashlib.sha256(SCRAPER.encode()).hexdigest())
        self.gateway = Gateway(folder, witness, issuer, config=config)
        self.gateway.start()
        self.token = issuer.token

    def curl(self, path: str, *words: str, token: str = "", identity: tuple[Path, Path] | None = None) -> Curled:
        shown = ["--cert", str(identity[0]), "--key", str(identity[1])] if identity else []
        url = f"https://localhost:{self.gateway.port}{path}"
        return curl(url, "--cacert", str(self.folder / "servers.pem"), *shown, *words, token=token)

    def noted(self, name: str, detail: str = "") -> None:
        """Wait until this is on record."""
        until(lambda: any(e.get("name") == name and detail in e.get("detail", "") for e in self.gateway.entries()))

    def serial(self) -> int:
        """Of the certificate that new callers see."""
        pem = ssl.get_server_certificate(("127.0.0.1", self.gateway.port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    witness, issuer = Witness(), Issuer()
    started = Guarded(tmp_path_factory.mktemp("guarded"), witness, issuer)
    assert started.gateway.report_health("laptop-7").status == 202
    yield started
    started.gateway.stop()
    witness.close()
    issuer.close()


def test_a_token_over_tls(guarded: Guarded) -> None:
    answer = guarded.curl(OPEN, token=guarded.token())
    assert (answer.code, answer.status) == (0, 200)
    _, _, headers, _ = guarded.gateway.witness.requests[-1]
    assert headers["x-forwarded-proto"] == "https"


def test_a_person_signs_in_by_certificate(guarded: Guarded) -> None:
    answer = guarded.curl(OPEN, identity=guarded.people.issue("li.na", guarded.folder))
    assert answer.status == 200
    _, _, headers, _ = guarded.gateway.witness.requests[-1]
    assert headers["x-gateway-subject"] == "staff/li.na"
    assert guarded.curl(OPEN).reason == "credential_missing"


def test_a_device_is_proven_by_its_certificate_only(guarded: Guarded) -> None:
    claimed = guarded.curl(HOUSEHOLD, token=guarded.token())
    assert (claimed.status, claimed.reason) == (403, "device_untrusted")
    laptop = guarded.devices.issue("laptop-7", guarded.folder)
    proven = guarded.curl(HOUSEHOLD, token=guarded.token(), identity=laptop)
    assert (proven.status, proven.json["name"]) == (200, "王****")
    alone = guarded.curl(OPEN, identity=laptop)  # a machine is nobody
    assert (alone.status, alone.reason) == (401, "credential_missing")


def test_a_device_named_like_a_person_is_no_person(guarded: Guarded) -> None:
    answer = guarded.curl(OPEN, identity=guarded.devices.issue("li.na", guarded.folder))
    assert (answer.status, answer.reason) == (401, "credential_missing")


def test_a_token_from_another_laptop_is_taken_for_stolen(guarded: Guarded) -> None:
    other = guarded.devices.issue("laptop-8", guarded.folder)
    answer = guarded.curl(OPEN, token=guarded.token(), identity=other)
    assert (answer.status, answer.reason) == (403, "device_untrusted")


def test_a_bound_token_needs_its_certificate(guarded: Guarded) -> None:
    laptop = guarded.devices.issue("laptop-7", guarded.folder)
    token = guarded.token(cnf={"x5t#S256": thumbprint(laptop[0])})
    assert guarded.curl(OPEN, token=token, identity=laptop).status == 200
    other = guarded.people.issue("zhang.wei", guarded.folder)
    for identity in (None, other):
        answer = guarded.curl(OPEN, token=token, identity=identity)
        assert (answer.status, answer.reason) == (401, "token_binding")
    assert guarded.curl(OPEN, token=token, identity=laptop).status == 200


def test_certificates_in_headers_mean_nothing_here(guarded: Guarded) -> None:
    certificate, _ = guarded.people.issue("li.na", guarded.folder)
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    encoded = f"Client-Cert: :{base64.b64encode(der).decode()}:"
    answer = guarded.curl(OPEN, "-H", encoded)
    assert (answer.status, answer.reason) == (401, "credential_missing")


def test_a_certificate_nobody_vouches_for_fails_the_handshake_and_is_on_record(guarded: Guarded) -> None:
    heard = len(guarded.gateway.witness.requests)
    stranger = Authority("people").issue("li.na", guarded.folder)
    assert guarded.curl(OPEN, identity=stranger, token=guarded.token()).code != 0
    guarded.noted("tls.handshake_failed")
    ended = guarded.people.issue("wang.fang", guarded.folder, lasts=timedelta(minutes=-1))
    assert guarded.curl(OPEN, identity=ended, token=guarded.token()).code != 0
    guarded.noted("tls.handshake_failed", "certificate verify failed")
    assert len(guarded.gateway.witness.requests) == heard


def test_plain_http_and_noise_on_the_tls_port_harm_nobody(guarded: Guarded) -> None:
    assert curl(f"http://127.0.0.1:{guarded.gateway.port}{OPEN}").code != 0
    assert b"HTTP/1.1 200" not in guarded.gateway.raw(b"\x16\x03\x01\x00\x05noise", seconds=1.0)
    assert b"HTTP/1.1 200" not in guarded.gateway.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", seconds=1.0)
    guarded.noted("tls.handshake_failed")
    assert guarded.curl(OPEN, token=guarded.token()).status == 200


def test_old_protocol_versions_are_not_spoken(guarded: Guarded) -> None:
    for version in ("1.2", "1.3"):
        words = [f"--tlsv{version}", "--tls-max", version]
        assert guarded.curl(OPEN, *words, token=guarded.token()).status == 200
    old = guarded.curl(OPEN, "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", token=guarded.token())
    assert old.code != 0


def test_a_renewed_certificate_is_used_without_a_restart(guarded: Guarded) -> None:
    before = guarded.serial()
    trust = ssl.create_default_context(cafile=str(guarded.folder / "servers.pem"))
    kept = http.client.HTTPSConnection("127.0.0.1", guarded.gateway.port, context=trust, timeout=10)
    with contextlib.closing(kept):
        kept.request("GET", "/.gateway/health")
        assert kept.getresponse().read() == b"ok\n"
        pid = guarded.gateway.workers()
        guarded.servers.issue("server", guarded.folder, server=True)
        until(lambda: guarded.serial() != before)
        assert guarded.curl(OPEN, token=guarded.token()).status == 200
        kept.request("GET", "/.gateway/health")
        assert kept.getresponse().status == 200
    assert guarded.gateway.workers() == pid
    guarded.noted("tls.renewed")


def test_a_broken_renewal_leaves_the_old_certificate_in_use(guarded: Guarded) -> None:
    before = guarded.serial()
    good = (guarded.folder / "server.pem").read_bytes()
    (guarded.folder / "server.pem").write_bytes(good[:200])
    guarded.noted("tls.renewal_failed")
    assert guarded.serial() == before
    assert guarded.curl(OPEN, token=guarded.token()).status == 200
    (guarded.folder / "server.pem").write_bytes(good)


def test_prometheus_scrapes_over_tls_with_a_token_of_its_own(guarded: Guarded) -> None:
    url, trust = f"https://localhost:{guarded.door}", ("--cacert", str(guarded.folder / "servers.pem"))
    assert curl(f"{url}/metrics", *trust).status == 401
    assert curl(f"{url}/metrics", *trust, token=guarded.token()).status == 401
    assert curl(f"{url}/v1/policy", *trust, token=SCRAPER).status == 403
    scrape = curl(f"{url}/metrics", *trust, token=SCRAPER)
    assert scrape.status == 200
    words = [program("promtool"), "check", "metrics"]
    checked = subprocess.run(words, input=scrape.body, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    assert b'gateway_requests_total{api="enterprises"' in scrape.body


def test_the_ledger_holds_it_all_and_no_certificate(guarded: Guarded) -> None:
    assert "BEGIN CERTIFICATE" not in json.dumps(guarded.gateway.entries())
    guarded.gateway.stop()
    guarded.gateway.verify()
