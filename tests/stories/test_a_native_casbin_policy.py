"""A team brings its own model.conf and policy.csv: it decides, rules beside it only deny, and a broken table never rules."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Answer, Gateway, running, until

MODEL = """\
[request_definition]
r = sub, dom, obj, act

[policy_definition]
p = sub, dom, obj, act, eft   # who, where, what, how

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && \\
    keyMatch2(r.obj, p.obj) && r.act == p.act
"""
ROWS = """\
p, role:clerk, prov/civil, /civil/households/:id, GET, allow
p, role:clerk, prov/civil, /civil/households, GET, allow
p, li.na, prov/civil, /civil/*, GET, deny
g, zhang.wei, role:clerk, prov/civil
g, li.na, role:clerk, prov/civil
"""
DENY = """\
rules:
  - id: managed-only
    title: {zh: 仅限受管设备, en: managed devices only}
    effect: deny
    reason: device_untrusted
    when: not (device.trust == "managed" and device.fresh)
"""
HOUSEHOLD = "/civil/households/h-1"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("native")
    with running(folder) as gateway:
        bring(gateway)
        assert reload(gateway).status == 200
        gateway.report_health("laptop-7")
        yield gateway


def bring(gateway: Gateway) -> None:
    """Leave catalog, people and masks; casbin/ decides from now on."""
    policies = gateway.folder / "policies"
    for name in ("rules", "departments", "cities", "emergency", "tests"):
        shutil.rmtree(policies / name, ignore_errors=True)
    (policies / "rules").mkdir()
    (policies / "rules" / "10-devices.yaml").write_text(DENY, encoding="utf-8")
    (policies / "casbin").mkdir()
    (policies / "casbin" / "model.conf").write_text(MODEL, encoding="utf-8")
    table(gateway).write_text(ROWS, encoding="utf-8")


def table(gateway: Gateway) -> Path:
    return gateway.folder / "policies" / "casbin" / "policy.csv"


def reload(gateway: Gateway) -> Answer:
    return gateway.door("POST", "/v1/reload")


def decided(gateway: Gateway, answer: Answer) -> dict[str, object]:
    """What is on record about an answer."""
    path = f"/v1/decisions/{answer.headers['x-gateway-decision']}"
    until(lambda: gateway.door("GET", path).status == 200)
    return dict(gateway.door("GET", path).json["entry"])


def test_a_row_allows_and_the_answer_is_masked(gateway: Gateway) -> None:
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token())
    assert answer.status == 200
    assert "330106199003072319" not in answer.body.decode()
    reasons = decided(gateway, answer)["reasons"]
    assert reasons == [{"code": "rule_allowed", "rule": "casbin/policy.csv:1", "detail": "casbin:1", "layer": "casbin"}]


def test_a_row_denies_though_another_allows(gateway: Gateway) -> None:
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token("li.na"))
    assert (answer.status, answer.reason) == (403, "rule_denied")


@pytest.mark.parametrize(
    ("who", "org", "path"),
    [
        ("wang.fang", "prov/civil", HOUSEHOLD),
        ("zhang.wei", "hz/civil", HOUSEHOLD),
        ("zhang.wei", "prov/civil", "/market/enterprises"),
    ],
)
def test_what_no_row_speaks_about(gateway: Gateway, who: str, org: str, path: str) -> None:
    before = len(gateway.witness.requests)  # type: ignore[attr-defined]
    answer = gateway.get(path, gateway.issuer.token(who, org=org))
    assert (answer.status, answer.reason) == (403, "no_rule")
    assert len(gateway.witness.requests) == before  # type: ignore[attr-defined]


def test_nobody_and_an_unhealthy_device_are_refused(gateway: Gateway) -> None:
    assert (gateway.get(HOUSEHOLD).status, gateway.get(HOUSEHOLD).reason) == (401, "credential_missing")
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token(device_id="unknown-9"))
    assert (answer.status, answer.reason) == (403, "device_untrusted")


def test_a_broken_table_is_refused_and_the_last_good_one_stays(gateway: Gateway) -> None:
    good = ROWS.replace("li.na, prov/civil, /civil/*, GET, deny", "li.na, prov/civil, /civil/*, GET, Deny # left")
    table(gateway).write_text(good, encoding="utf-8")
    said = reload(gateway)
    assert said.status == 422
    assert "P150" in said.body.decode()
    assert gateway.get(HOUSEHOLD, gateway.issuer.token("li.na")).status == 403
    assert gateway.get(HOUSEHOLD, gateway.issuer.token()).status == 200
    table(gateway).write_bytes(("# 停用\n" + ROWS).encode("gbk"))
    assert reload(gateway).status == 422
    table(gateway).write_text(ROWS.replace("li.na, role:clerk", "wu.ying, role:clerk"), encoding="utf-8")
    assert reload(gateway).status == 200
    assert gateway.get(HOUSEHOLD, gateway.issuer.token("wu.ying")).status == 200
    table(gateway).write_text(ROWS, encoding="utf-8")
    assert reload(gateway).status == 200


def test_the_commands_know_it(gateway: Gateway) -> None:
    folder = str(gateway.folder / "policies")
    words = ("-c", str(gateway.config))
    assert "casbin/policy.csv:3" in gateway.run("policy", "show", folder, *words)
    gateway.run("policy", "check", folder, *words)
    explained = gateway.run(
        "policy", "explain", *words, "--as", "li.na", "--given", "org=prov/civil", "--do", f"GET {HOUSEHOLD}", code=1
    )
    assert "casbin/policy.csv:1" in explained
    assert "casbin/policy.csv:3" in explained
    tests = gateway.folder / "policies" / "tests"
    tests.mkdir(exist_ok=True)
    (tests / "native.yaml").write_text(
        "tests:\n"
        "  - {name: a clerk reads, given: {as: zhang.wei, org: prov/civil}, request: GET /civil/households/7, expect: permit, rule: 'casbin:1'}\n"
        "  - {name: one is suspended, given: {as: li.na, org: prov/civil}, request: GET /civil/households/7, expect: deny, rule: 'casbin:3'}\n"
    )
    gateway.run("policy", "test", folder, *words)
    shutil.rmtree(tests)
