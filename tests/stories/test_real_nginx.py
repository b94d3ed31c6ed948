"""nginx in front of the gateway, ending TLS for it, and nginx behind it as a service with TLS of its own.

What it guards against: headers about the caller that anybody but the proxy wrote, and a service that is
not the one it should be.
"""

import base64
import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.certificates import Authority, thumbprint
from tests.components import Curled, curl, nginx, rfc9440_map
from tests.running import Gateway, Issuer, Witness, free_port

CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
TRUST
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
FRONT = """\
{map}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_client_certificate {folder}/clients.pem;
        ssl_verify_client optional_no_ca;
        location / {{
            proxy_pass http://127.0.0.1:{gateway};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-For 203.0.113.7;
            {hand_over}
        }}
    }}
"""
HAND_OVER = {
    "client-cert": "proxy_set_header Client-Cert $client_cert; proxy_set_header X-Forwarded-Client-Cert '';",
    "xfcc": "proxy_set_header X-Forwarded-Client-Cert $xfcc; proxy_set_header Client-Cert '';",
}
XFCC_MAP = """\
    map $ssl_client_escaped_cert $xfcc { default 'Cert="$ssl_client_escaped_cert"'; "" ""; }
"""
OPEN, HOUSEHOLD = "/market/enterprises", "/civil/households/h-1"


class Fronted:
    """A gateway behind an nginx that ends TLS."""

    def __init__(self, folder: Path, trust: str, way: str, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.people, self.devices = Authority("people"), Authority("devices")
        servers = Authority("servers")
        servers.issue("server", folder, server=True)
        (folder / "servers.pem").write_bytes(servers.pem())
        (folder / "people.pem").write_bytes(self.people.pem())
        (folder / "devices.pem").write_bytes(self.devices.pem())
        (folder / "clients.pem").write_bytes(self.people.pem() + self.devices.pem())
        self.witness, self.issuer = Witness(), Issuer()
        stack.callback(self.witness.close)
        stack.callback(self.issuer.close)
        self.gateway = Gateway(folder, self.witness, self.issuer, config=CONFIG.replace("TRUST", trust))
        self.gateway.start()
        stack.callback(self.gateway.stop)
        assert self.gateway.report_health("laptop-7").status == 202
        self.port = free_port()
        maps = rfc9440_map() + XFCC_MAP
        http = FRONT.format(
            map=maps, port=self.port, folder=folder, gateway=self.gateway.port, hand_over=HAND_OVER[way]
        )
        stack.enter_context(nginx(folder / "nginx", http, self.port))

    def curl(self, path: str, *words: str, token: str = "", identity: tuple[Path, Path] | None = None) -> Curled:
        """Through nginx."""
        shown = ["--cert", str(identity[0]), "--key", str(identity[1])] if identity else []
        url = f"https://localhost:{self.port}{path}"
        return curl(url, "--cacert", str(self.folder / "servers.pem"), *shown, *words, token=token)

    def past(self, path: str, *words: str, token: str = "") -> Curled:
        """Around nginx, at the gateway's own port."""
        return curl(f"http://127.0.0.1:{self.gateway.port}{path}", *words, token=token)


@pytest.fixture(scope="module", params=["client-cert", "xfcc"])
def fronted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    trust = f"trusted_proxies: [127.0.0.1]\nclient_certificate_header: {request.param}"
    with contextlib.ExitStack() as stack:
        yield Fronted(tmp_path_factory.mktemp("fronted"), trust, request.param, stack)


@pytest.fixture(scope="module")
def untrusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    """The same nginx in front, but the gateway was not told to believe it."""
    with contextlib.ExitStack() as stack:
        yield Fronted(tmp_path_factory.mktemp("untrusting"), "", "client-cert", stack)


def handed_over(certificate: Path) -> list[str]:
    """Every header in which a certificate is handed over, for curl."""
    pem = certificate.read_text()
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
    return ["-H", f"Client-Cert: :{der}:", "-H", f'X-Forwarded-Client-Cert: Cert="{quote(pem, safe="")}"']


def test_a_person_signs_in_by_certificate_at_the_proxy(fronted: Fronted) -> None:
    answer = fronted.curl(OPEN, identity=fronted.people.issue("li.na", fronted.folder))
    assert (answer.code, answer.status) == (0, 200)
    _, _, headers, _ = fronted.witness.requests[-1]
    assert headers["x-gateway-subject"] == "staff/li.na"
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("203.0.113.7", "https")
    assert not {"client-cert", "x-forwarded-client-cert"} & set(headers)


def test_without_a_certificate_nobody_has_signed_in(fronted: Fronted) -> None:
    answer = fronted.curl(OPEN)
    assert (answer.status, answer.reason) == (401, "credential_missing")
    assert fronted.curl(OPEN, token=fronted.issuer.token()).status == 200


def test_a_certificate_that_the_proxy_did_not_judge_is_judged_here(fronted: Fronted) -> None:
    stranger = Authority("strangers").issue("li.na", fronted.folder)
    answer = fronted.curl(OPEN, identity=stranger)
    assert (answer.status, answer.reason) == (401, "certificate_untrusted")
    laptop = Authority("strangers").issue("laptop-7", fronted.folder)
    answer = fronted.curl(HOUSEHOLD, token=fronted.issuer.token(), identity=laptop)
    assert (answer.status, answer.reason) == (403, "device_untrusted")


def test_a_caller_cannot_hand_over_somebody_elses_certificate(fronted: Fronted) -> None:
    certificate, _ = fronted.people.issue("li.na", fronted.folder)
    answer = fronted.curl(OPEN, *handed_over(certificate))
    assert (answer.status, answer.reason) == (401, "credential_missing")


def test_a_device_is_proven_at_the_proxy(fronted: Fronted) -> None:
    laptop = fronted.devices.issue("laptop-7", fronted.folder)
    answer = fronted.curl(HOUSEHOLD, token=fronted.issuer.token(), identity=laptop)
    assert (answer.status, answer.json["name"]) == (200, "王****")
    refused = fronted.curl(HOUSEHOLD, token=fronted.issuer.token())
    assert (refused.status, refused.reason) == (403, "device_untrusted")


def test_a_bound_token_is_checked_against_the_proxys_word(fronted: Fronted) -> None:
    laptop = fronted.devices.issue("laptop-7", fronted.folder)
    token = fronted.issuer.token(cnf={"x5t#S256": thumbprint(laptop[0])})
    assert fronted.curl(OPEN, token=token, identity=laptop).status == 200
    assert fronted.curl(OPEN, token=token).reason == "token_binding"


def test_what_the_proxy_garbles_is_an_error_and_never_no_certificate(fronted: Fronted) -> None:
    garbled = fronted.past(
        OPEN, "-H", "Client-Cert: x", "-H", "X-Forwarded-Client-Cert: x", token=fronted.issuer.token()
    )
    assert (garbled.status, garbled.reason) == (400, "bad_header")
    assert fronted.past(OPEN, token=fronted.issuer.token()).status == 200


def test_one_connection_of_the_proxy_carries_many_callers(fronted: Fronted) -> None:
    for name in ("li.na", "wang.fang", "chen.jie"):
        answer = fronted.curl(OPEN, identity=fronted.people.issue(name, fronted.folder))
        assert answer.status == 200
        assert fronted.witness.requests[-1][2]["x-gateway-subject"] == f"staff/{name}"
        assert fronted.curl(OPEN).status == 401


def test_without_trust_the_same_headers_change_nothing(untrusting: Fronted) -> None:
    certificate, key = untrusting.people.issue("li.na", untrusting.folder)
    for answer in (
        untrusting.curl(OPEN, identity=(certificate, key)),
        untrusting.past(OPEN, *handed_over(certificate)),
        untrusting.past(OPEN),
    ):
        assert (answer.status, answer.reason) == (401, "credential_missing")
    laptop, _ = untrusting.devices.issue("laptop-7", untrusting.folder)
    claimed = untrusting.past(HOUSEHOLD, *handed_over(laptop), token=untrusting.issuer.token())
    assert (claimed.status, claimed.reason) == (403, "device_untrusted")
    bound = untrusting.issuer.token(cnf={"x5t#S256": thumbprint(laptop)})
    assert untrusting.past(OPEN, *handed_over(laptop), token=bound).reason == "token_binding"
    assert untrusting.curl(OPEN, token=untrusting.issuer.token()).status == 200
    _, _, headers, _ = untrusting.witness.requests[-1]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not {"client-cert", "x-forwarded-client-cert"} & set(headers)


# --- nginx behind -----------------------------------------------------------------------------------

BEHIND = """\
version: 1
listen: 127.0.0.1:{port}
identity:
  issuer: {issuer}
  audience: gateway
policies: {folder}/policies
state: {folder}/state
workers: {workers}
apis:
  - name: known
    match: /market/enterprises/**
    upstream: https://localhost:PORT
    ca: {folder}/services.pem
    client: {{cert: {folder}/gateway.pem, key: file:{folder}/gateway.key}}
    data: enterprise
  - name: stranger
    match: /stranger/**
    strip_prefix: /stranger
    upstream: https://localhost:PORT
    ca: {folder}/others.pem
    client: {{cert: {folder}/gateway.pem, key: file:{folder}/gateway.key}}
    data: stranger
  - name: shy
    match: /shy/**
    strip_prefix: /shy
    upstream: https://localhost:PORT
    ca: {folder}/services.pem
    data: shy
  - name: misnamed
    match: /misnamed/**
    strip_prefix: /misnamed
    upstream: https://127.0.0.2:PORT
    ca: {folder}/services.pem
    client: {{cert: {folder}/gateway.pem, key: file:{folder}/gateway.key}}
    data: misnamed
"""
ASSET = """\
  - id: {name}
    title: {{zh: 开放数据, en: open data}}
    owner: prov/market
    category: open-data
    grade: general-1
    endpoints: [GET /{name}/**]
"""
SERVICE = """\
    server {{
        listen 127.0.0.1:{port} ssl;
        listen 127.0.0.2:{port} ssl;
        ssl_certificate {folder}/service.pem;
        ssl_certificate_key {folder}/service.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_client_certificate {folder}/gateways.pem;
        ssl_verify_client on;
        location / {{
            default_type application/json;
            return 200 '{{"name":"$ssl_client_s_dn_cn","status":"$ssl_protocol"}}';
        }}
    }}
    map $ssl_client_s_dn $ssl_client_s_dn_cn {{ "~CN=(?<cn>[^,]+)" $cn; default ""; }}
"""


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("behind")
    services, gateways, others = Authority("services"), Authority("gateways"), Authority("others")
    services.issue("service", folder, server=True)
    gateways.issue("gateway", folder)
    (folder / "gateways.pem").write_bytes(gateways.pem())
    (folder / "services.pem").write_bytes(services.pem())
    (folder / "others.pem").write_bytes(others.pem())
    port = free_port()
    with contextlib.ExitStack() as stack:
        stack.enter_context(nginx(folder / "nginx", SERVICE.format(port=port, folder=folder), port))
        witness, issuer = Witness(), Issuer()
        stack.callback(witness.close)
        stack.callback(issuer.close)
        gateway = Gateway(folder, witness, issuer, config=BEHIND.replace("PORT", str(port)))
        assets = "".join(ASSET.format(name=name) for name in ("stranger", "shy", "misnamed"))
        (folder / "policies" / "catalog" / "90-real.yaml").write_text("assets:\n" + assets)
        gateway.start()
        stack.callback(gateway.stop)
        yield gateway


def test_the_gateway_shows_its_certificate_to_a_service_it_knows(behind: Gateway) -> None:
    answer = behind.get("/market/enterprises", behind.issuer.token())
    assert (answer.status, answer.json) == (200, {"name": "gateway", "status": "TLSv1.3"})


@pytest.mark.parametrize("name", ["stranger", "misnamed"])
def test_a_service_with_the_wrong_authority_or_name_hears_nothing(behind: Gateway, name: str) -> None:
    log = behind.folder / "nginx" / "access.log"
    before = log.read_text()
    answer = behind.get(f"/{name}/a", behind.issuer.token())
    assert (answer.status, answer.reason) == (502, "upstream_unreachable")
    assert log.read_text() == before


def test_a_service_that_demands_a_certificate_refuses_a_gateway_without(behind: Gateway) -> None:
    answer = behind.get("/shy/a", behind.issuer.token())
    assert answer.status in (400, 502)
    assert b"TLSv1.3" not in answer.body
