"""From a file and the environment to a configuration, or to everything that is wrong with them."""

from pathlib import Path

import pytest

from gateway.config import Config, fingerprint, load, schema
from gateway.document import Faulty, parse

NEWCOMER = """\
# yaml-language-server: $schema=./gateway.schema.json
version: 1
listen: 0.0.0.0:8443
tls: {cert: DIR/tls.crt, key: file:DIR/tls.key}
identity:
  issuer: https://sso.example.gov/realms/staff     # or a list under `issuers:`
  audience: gateway
device:
  ca: DIR/device-ca.pem                   # mTLS device certificates
policies: ./policies
state: DIR/state                            # journals, ledger, index, snapshots
audit: {keep: 3y}
mode: observe                                      # observe -> enforce when the record is clean
apis:
  - name: civil-households
    match: /civil/households/**
    upstream: https://10.20.0.5:8443
    ca: DIR/upstream-ca.pem
    data: household                                # an asset of policies/catalog/
"""

EVERYTHING = """\
# yaml-language-server: $schema=./gateway.schema.json
version: 1
listen: 0.0.0.0:8443
tls: {cert: DIR/tls.crt, key: file:DIR/tls.key, client_ca: DIR/client-ca.pem}
hosts: [api.example.gov]            # Host allow-list; required unless listening on loopback
public_url: https://api.example.gov
trusted_proxies: []                 # CIDRs; default: nobody
client_certificate_header: null     # client-cert (RFC 9440) | xfcc, from a trusted proxy only
identity:
  issuer: https://sso.example.gov/realms/staff
  audience: gateway
  certificates: [{ca: DIR/client-ca.pem, realm: cert, kind: person, assurance: 3}]
  leeway: 30s
device: {ca: DIR/device-ca.pem, freshness: 24h, reporters: []}
behaviour: {timezone: Asia/Shanghai, office_hours: "07:00-20:00"}
policies: ./policies
state: DIR/state
audit: {keep: 3y, strength: {general: written, important: written, core: synced}, origin: gw.example.gov/audit}
control: {socket: null, listen: 127.0.0.1:9443, tls: {cert: DIR/tls.crt, key: file:DIR/tls.key}, tokens: [{name: scraper, role: metrics, sha256: DIGEST}], operators: {root: admin, "1000": audit}}
mode: observe                       # observe | enforce; an API may say its own
workers: 1
limits: {header_bytes: 16384, connections: 100}
insecure: []
apis:
  - name: civil-households
    match: /civil/households/**     # a prefix by segments, with /** at the end
    hosts: []                       # default: all of `hosts`
    upstream: https://10.20.0.5:8443   # or a list
    ca: DIR/upstream-ca.pem
    client: {cert: DIR/tls.crt, key: file:DIR/tls.key}
    data: household                 # asset id(s) of policies/catalog/
    mode: enforce
    strip_prefix: /civil
    host: upstream                  # Host sent: `upstream` (default) or `preserve` or a name
    timeouts: {connect: 3s, first_byte: 30s, idle: 30s, total: 300s}
    body_max: 10MiB
    inspect_max: 16MiB
    headers: {forward: [x-tenant], return: [x-total-count]}   # beyond the defaults of section 5
    cors: {origins: [https://portal.example.gov], methods: [GET], headers: [authorization], credentials: false, max_age: 10m}
    health: {path: /healthz, every: 5s}
    level: general-2                # a first try without catalog files: these three make a fragment
    fields: {"$..id_number": resident-id}
    opaque: false
""".replace("DIGEST", "ab" * 32)

LOCAL = """\
version: 1
identity: {issuer: http://127.0.0.1:9000, audience: gateway}
apis:
  - {name: a, match: /a/**, upstream: http://localhost:9001, data: a}
"""

BAD = """\
version: 2
listen: 0.0.0.0:8443
identity:
  issuer: http://sso.example.gov/realms/staff
  audiense: gateway
audit: {keep: 90d, strength: {core: none}}
mode: watch
trusted_proxies: [0.0.0.0/0, 10.0.0.1/8]
behaviour: {timezone: Asia/Peking, office_hours: "7-20"}
control: {listen: 0.0.0.0:9443, tokens: [{name: a, role: admn, token: hunter2}], operators: {no-such-user: audit}}
apis:
  - name: civil-households
    match: /civil/households
    upsteam: https://10.20.0.5:8443
    timeouts: {connect: 3}
    body_max: 10 megabytes
    data: household
  - name: civil-households
    match: /a/**
    upstream: http://10.0.0.1:80
    data: a
  - name: b
    match: /a/**
    upstream: [https://u:p@10.0.0.1:80/x, 7]
    client: {cert: nofile.crt, key: -----BEGIN PRIVATE KEY-----}
    hosts: [Foo]
    headers: {forward: [X_Gateway.Subject]}
    strip_prefix: /b
    data: b
tls2: {}
"""

FAULTS_OF_BAD = [
    (1, 10, "C004"),  # version
    (2, 9, "C030"),  # plaintext listen
    (2, 9, "C034"),  # hosts
    (4, 11, "C031"),  # plaintext issuer
    (5, 3, "C001"),  # audiense
    (6, 15, "C070"),  # keep
    (6, 37, "C071"),  # strength
    (7, 7, "C004"),  # mode
    (8, 19, "C063"),  # trusts everyone
    (8, 30, "C062"),  # host bits
    (9, 23, "C068"),  # time zone
    (9, 50, "C069"),  # hours
    (10, 19, "C082"),  # control in the clear
    (10, 58, "C004"),  # role
    (10, 71, "C020"),  # token inline
    (10, 94, "C083"),  # operator
    (13, 12, "C042"),  # match
    (14, 5, "C001"),  # upsteam: one fault, not two
    (15, 25, "C060"),  # duration without a unit
    (16, 15, "C061"),  # size
    (18, 11, "C040"),  # name twice
    (20, 15, "C032"),  # plaintext upstream
    (23, 12, "C041"),  # prefix twice
    (24, 16, "C023"),  # password in URL
    (24, 43, "C066"),  # not an address
    (25, 20, "C050"),  # file
    (25, 37, "C020"),  # key inline
    (26, 13, "C067"),  # host
    (27, 25, "C06B"),  # reserved header
    (28, 19, "C044"),  # strip_prefix
    (30, 1, "C001"),  # tls2
]


def write(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(text.replace("DIR", str(folder)), encoding="utf-8")
    return path


def config_of(folder: Path, text: str, **environ: str) -> Config:
    return load(write(folder, text), environ)


def faults_of(folder: Path, text: str, **environ: str) -> list[tuple[int, int, str]]:
    with pytest.raises(Faulty) as caught:
        config_of(folder, text, **environ)
    return [(one.line, one.column, one.code) for one in caught.value.faults if not one.warning]


def test_the_newcomers_file_loads_as_printed(folder: Path) -> None:
    config = config_of(folder, NEWCOMER)
    assert str(config.listen[0]) == "0.0.0.0:8443"
    assert config.edge.hosts == ("api.example.gov",)  # taken from the certificate; its wildcard is not
    assert config.public_url == "https://api.example.gov"
    assert config.tls is not None
    assert config.tls.client_authorities == (folder / "device-ca.pem",)
    assert config.policies == folder / "policies"
    assert config.keep == 3 * 365 * 86400
    assert config.observing == ("civil-households",)
    assert [one.kind for one in config.identity.authorities] == ["device"]
    assert [one.code for one in config.warnings] == ["C080"]


def test_every_key_of_the_contract_loads_and_arrives_in_its_room(folder: Path) -> None:
    config = config_of(folder, EVERYTHING)
    service = config.upstream.services[0]
    assert (service.strip_prefix, service.timeouts.connect, service.forward_headers) == ("/civil", 3.0, ("x-tenant",))
    assert service.client_key.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert config.edge.limits.header_bytes == 16384
    assert config.edge.limits.header_seconds == 10.0
    api = config.edge.apis[0]
    assert (api.prefix, api.body_max, api.cors and api.cors.max_age) == ("/civil/households", 10 * 1024 * 1024, 600.0)
    assert config.inspect_max == {"civil-households": 16 * 1024 * 1024}
    assert config.control.operators == ((0, "admin"), (1000, "audit"))
    assert config.control.tokens == (("scraper", "metrics", "ab" * 32),)
    assert config.control.socket == folder / "state/control.sock"
    assert config.audit.strength == {"general": "written", "important": "written", "core": "synced"}
    assert config.audit.origin == "gw.example.gov/audit"
    assert config.apis[0].fields == {"$..id_number": "resident-id"}
    assert config.observing == ()


def test_a_local_file_needs_neither_tls_nor_hosts(folder: Path) -> None:
    config = config_of(folder, LOCAL)
    assert str(config.listen[0]) == "127.0.0.1:8080"
    assert config.public_url == "http://127.0.0.1:8080"
    assert config.mode == "enforce"
    assert config.warnings == ()


def test_every_fault_of_a_bad_file_is_reported_in_one_run_at_its_place(folder: Path) -> None:
    assert faults_of(folder, BAD) == FAULTS_OF_BAD


def test_faults_have_a_remedy_and_both_languages(folder: Path) -> None:
    with pytest.raises(Faulty) as caught:
        config_of(folder, BAD)
    for one in caught.value.faults:
        assert one.en and one.zh and one.en != one.zh
        assert bool(one.remedy_en) == bool(one.remedy_zh)
        assert "{" not in one.en + one.zh + one.remedy_en + one.remedy_zh
        assert "hunter2" not in one.en + one.zh  # a secret written by mistake is not repeated
    unknown = next(one for one in caught.value.faults if one.line == 14)
    assert (unknown.en, unknown.remedy_en) == ("unknown key `upsteam`", 'did you mean "upstream"?')


def test_a_room_that_refuses_its_part_is_a_fault_at_that_part(folder: Path) -> None:
    text = LOCAL.replace("audience: gateway}", "audience: gateway, realm: -odd-}")
    assert faults_of(folder, text) == [(2, 11, "C090")]


def test_a_switch_that_weakens_is_said_and_so_is_one_that_does_nothing(folder: Path) -> None:
    plain = NEWCOMER.replace("https://10.20.0.5:8443", "http://10.20.0.5:80").replace(
        "    ca: DIR/upstream-ca.pem\n", ""
    )
    config = config_of(folder, plain + "insecure: [plaintext-upstream, plaintext-listen]\n")
    assert config.insecure == ("plaintext-upstream", "plaintext-listen")
    assert {one.code for one in config.warnings} == {"C035", "C036", "C080"}
    assert faults_of(folder, plain) == [(17, 15, "C032")]


def test_an_empty_file_and_a_list_are_faults_not_crashes(folder: Path) -> None:
    assert faults_of(folder, "") == [(1, 1, "C003")]
    assert faults_of(folder, "- a\n") == [(1, 1, "C003")]
    assert faults_of(folder, "version: 1\n") == [(1, 1, "C002")]
    assert faults_of(folder, "version: 1\napis: 5\nlisten: {a: b}\nidentity: []\ncontrol: {operators: [a]}\n") == [
        (2, 7, "C003"),
        (3, 9, "C003"),
        (4, 11, "C003"),
        (5, 22, "C003"),
    ]


def test_the_schema_knows_every_key_and_says_what_it_is_for() -> None:
    made = schema()
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["additionalProperties"] is False
    api = made["$defs"]["Api"]["properties"]
    assert api["upstream"]["anyOf"] == [{"type": "string"}, {"items": {"type": "string"}, "type": "array"}]
    assert api["match"]["description"].startswith("path prefix")
    assert set(made["$defs"]["PassedHeaders"]["properties"]) == {"forward", "return"}


def test_a_configuration_that_everybody_can_change_is_not_used(folder: Path) -> None:
    path = write(folder, NEWCOMER)
    path.chmod(0o666)
    with pytest.raises(Faulty) as caught:
        load(path, {})
    assert [one.code for one in caught.value.faults if not one.warning] == ["C054"]
    path.chmod(0o664)
    assert load(path, {}).apis


def test_a_configuration_is_the_same_whatever_its_comments_and_the_order_of_its_keys() -> None:
    one, same, other = (
        fingerprint(parse(text, "gateway.yaml"))
        for text in ("a: 1\nb: [x]\n", "# a remark\nb: [x]\na: 1\n", "a: 2\nb: [x]\n")
    )
    assert one == same != other


@pytest.mark.parametrize(("size", "bound"), [("64MiB", "32MiB or less"), ("100B", "1KiB or more")])
def test_how_much_of_an_answer_is_read_has_bounds(folder: Path, size: str, bound: str) -> None:
    with pytest.raises(Faulty) as caught:
        config_of(folder, LOCAL.replace("data: a", f"data: a, inspect_max: {size}"))
    assert [fault.en for fault in caught.value.faults] == [f"`inspect_max` must be {bound}"]


def test_eight_mebibytes_of_an_answer_are_read_where_nothing_is_said(folder: Path) -> None:
    assert config_of(folder, LOCAL).inspect_max == {"a": 8 * 1024 * 1024}
