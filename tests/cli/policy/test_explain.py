"""`gateway policy explain`: why this decision?"""

import os
import re
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from gateway.app.revisions import store
from gateway.audit import Digests, encode
from gateway.audit.entry import verdict_entry
from gateway.config import load
from gateway.facts import Exposure, Grade, Subject
from gateway.policy import Policy
from tests.cli.policy.past import Past, a_past
from tests.cli.shell import Run
from tests.control.doors import Behind
from tests.literals import a_subject, an_ask, some_facts

GIVEN = ("--given", "role=clerk", "--given", "org=prov/civil")


def test_an_allowed_and_a_denied_request_are_explained(run: Run, made: Path) -> None:
    config = ("-c", made / "gateway.yaml")
    allowed = run("policy", "explain", "--as", "zhang.wei", "--do", "GET /civil/households/1", *GIVEN, *config)
    assert (allowed.code, "ALLOW" in allowed.out) == (0, True), allowed.out
    denied = run(
        "policy", "explain", "--as", "wang.fang", "--do", "GET /civil/households/1", *config, "--lang", "zh-CN"
    )
    assert (denied.code, "拒绝" in denied.out) == (1, True)
    assert (
        run("policy", "explain", "--as", "a", "--do", "GET /civil/households/1", *config, "-o", "json").json["outcome"]
        == "deny"
    )
    unlisted = run("policy", "explain", "--as", "a", "--do", "GET /nowhere", *config)
    assert "in no asset of the catalog" in unlisted.err


def test_what_cannot_be_supposed_is_2(run: Run, made: Path) -> None:
    config = ("-c", made / "gateway.yaml")
    assert run("policy", "explain", *config).code == 2
    assert run("policy", "explain", "--as", "a", "--do", "households", *config).code == 2
    assert run("policy", "explain", "--as", "a", "--do", "GET /x", "--given", "risk", *config).code == 2
    odd = run("policy", "explain", "--as", "a", "--do", "GET /x", "--given", "rsk=85", *config)
    assert (odd.code, "risk" in odd.err) == (2, True)


def test_a_recorded_decision_is_told(run: Run, behind: Behind) -> None:
    done = run("policy", "explain", "j.1", "--socket", "c.sock")
    assert (done.code, "j.1" in done.out) == (0, True)
    subject = {"id": "anna", "roles": ["clerk", "auditor"]}
    behind.decided = {
        "entry": {"v": 1, "outcome": "deny", "reasons": [{"code": "no_rule"}], "at": 0.0, "subject": subject},
        "outcome": {"status": 200, "method": "GET", "code": ""},
    }
    rows = [
        line.split(maxsplit=1) for line in run("policy", "explain", "j.1", "--socket", "c.sock").out.splitlines()[3:]
    ]
    told = {name: value.strip() for name, value in rows}
    assert told.pop("at")[:10] in ("1969-12-31", "1970-01-01")
    assert told == {
        "subject.id": "anna",
        "subject.roles": "clerk, auditor",
        "outcome.status": "200",
    }
    assert run("policy", "explain", "j.9", "--socket", "c.sock").code == 1
    assert run("policy", "explain", "j.1", "--socket", "none.sock").code == 3


def test_what_passed_in_observe_is_told_plainly(run: Run, behind: Behind) -> None:
    reasons = [{"code": "no_rule"}, {"code": "device_untrusted", "rule": "rules/00-province.yaml:12", "detail": "base"}]
    entry = {"outcome": "permit", "stage": "observe", "api": "households", "reasons": reasons}
    behind.decided = {"entry": {**entry, "would": "deny", "would_reasons": reasons}}
    told = run("policy", "explain", "j.1", "--socket", "c.sock").out.splitlines()
    assert told[:3] == [
        "was LET THROUGH because the API `households` is in observe mode; enforced, it would have been DENIED by:",
        "   no_rule  no rule allows this request",
        "   device_untrusted  this device does not meet the requirements  rules/00-province.yaml:12  base",
    ]
    chinese = run("policy", "explain", "j.1", "--socket", "c.sock", "--lang", "zh-CN").out
    assert chinese.startswith("已放行，仅因接口 `households` 处于观察模式；若为强制模式，将被拒绝，依据：\n")
    behind.decided = {"entry": {**entry, "outcome": "deny"}}
    assert run("policy", "explain", "j.1", "--socket", "c.sock").out.startswith("was DENIED by:\n   no_rule")


def test_what_was_refused_can_be_asked_again_as_pasted(run: Run, made: Path, behind: Behind) -> None:
    entry = {
        "outcome": "deny",
        "reasons": [{"code": "no_rule"}],
        "method": "GET",
        "path": "/health/visits/{id}",
        "source": "10.0.0.1",
        "purpose": "a visit's bill",
        "subject": {"id": "zhang.wei", "kind": "person", "org": "prov/civil", "roles": ["clerk"], "clearance": 5},
        "posture": {
            "trust": "managed",
            "fresh": True,
            "checks": [{"name": "firewall", "passed": True, "seen_at": 0.0}],
        },
        "risk": {
            "score": 38.3,
            "signals": [{"name": "off_hours", "points": 6.9, "since": 0.0, "evidence": "11 h on a weekday"}],
        },
    }
    behind.decided = {"entry": entry}
    config = ("-c", str(made / "gateway.yaml"))
    told = run("policy", "explain", "j.1", "--socket", "c.sock", *config).out.splitlines()
    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in told if line.startswith(("subject.c", "pos", "ri"))}
    assert shown["subject.clearance"] == "important"
    assert shown["posture.checks.firewall"] == "true  1970-01-01 08:00:00+08:00"
    assert shown["risk.signals.off_hours"].endswith("11 h on a weekday")
    chinese = run("policy", "explain", "j.1", "--socket", "c.sock", *config, "--lang", "zh-CN").out
    assert "工作日 11 时" in chinese
    gateway, *words = shlex.split(told[-1])
    again = run(*words)
    assert (gateway, again.code) == ("gateway", 1)
    assert "no_rule" in again.out
    assert again.err == ""
    entry["posture"] = {}  # what the record leaves out is unknown, not the quiet case
    poor = run("policy", "explain", "j.1", "--socket", "c.sock", *config).out.splitlines()[-1]
    assert "device.trust=unknown --given fresh=false" in poor
    assert "assurance=0" in poor
    behind.decided = {"entry": {**entry, "outcome": "permit"}}
    assert "gateway policy explain" not in run("policy", "explain", "j.1", "--socket", "c.sock", *config).out


HOUSEHOLD = ("policy", "explain", "--as", "zhang.wei", "--do", "GET /civil/households/1")


def test_a_supposed_request_is_told_to_each_who_asks(run: Run, made: Path) -> None:
    given = (*HOUSEHOLD, "--policies", made / "policies", *GIVEN, "--given", "device=unmanaged")
    operator = run(*given)
    assert operator.out.endswith("would be allowed:\n   on a managed device with a fresh health report\n")
    caller = run(*given, "--for", "caller")
    assert (caller.code, caller.out.splitlines()[0]) == (
        1, "this device does not meet the requirements  (device_untrusted, 403)",
    )  # fmt: skip
    assert not {"base-managed-device", "rules/00-province.yaml", "prov/civil", "managed-"} & set(caller.out.split())
    auditor = run(*given, "--for", "auditor", "-o", "json")
    assert (auditor.code, auditor.json["audited"]["layers"], auditor.json["record"]) == (1, ["base"], None)
    assert "on no record" in auditor.err
    flips = run(*given, "-o", "json").json
    assert (flips["searched"], flips["flips"][0]["changes"][0]["name"]) == (True, "device.trust")


def test_names_that_the_policies_do_not_know_are_remarked_on(run: Run, made: Path) -> None:
    odd = run(*HOUSEHOLD, "--policies", made / "policies", "--given", "role=clrek", "--given", "org=prov/civl")
    assert odd.code == 1
    assert 'the role `clrek`, so it counts for nothing. did you mean "clerk"?' in odd.err
    assert 'the org `prov/civl`, so it counts for nothing. did you mean "prov/civil"?' in odd.err
    chinese = run(*HOUSEHOLD, "--policies", made / "policies", "--given", "role=clrek", "--lang", "zh-CN")
    assert "策略中没有角色 `clrek`，因此不起作用。" in chinese.err
    near = run("policy", "explain", "--as", "a", "--do", "GET /civil/household/1", "--policies", made / "policies")
    assert "GET /civil/households/{id}" in near.err


def test_a_decision_and_a_supposed_request_do_not_mix(run: Run, made: Path) -> None:
    assert run(*HOUSEHOLD, "j.1").code == 2
    assert run(*HOUSEHOLD, "--state", "s").code == 2
    both = run("policy", "explain", "j.1", "--given", "role=clerk", "--lang", "zh-CN")
    assert (both.code, "二选一" in both.err) == (2, True)
    assert run(*HOUSEHOLD, "--for", "nobody").code == 2


DOCTOR = ("policy", "explain", "--as", "li.na", "--do", "GET /health/visits/9", "--given", "role=doctor")
TREATING = ("--given", "org=prov/health", "--given", "purpose=treatment", "--given", "assurance=3")


def test_an_emergency_level_can_be_supposed(run: Run, made: Path) -> None:
    asked = (*DOCTOR, *TREATING, "--policies", made / "policies")
    calm, raised = run(*asked, "-o", "json"), run(*asked, "--emergency", "II", "-o", "json")
    assert (calm.code, calm.json["outcome"]) == (0, "permit")
    assert (raised.code, raised.json["bundle"]) == (1, calm.json["bundle"] + "+II")
    assert "emergency:II" in raised.json["layers"]
    assert f"bundle {calm.json['bundle'][:12]}+II" in run(*asked, "--emergency", "II").out
    odd = run(*asked, "--emergency", "V")
    assert (odd.code, "no emergency level `V`; they have: I, II, III, IV" in odd.err) == (2, True)
    assert "没有应急级别 `V`" in run(*asked, "--emergency", "V", "--lang", "zh-CN").err
    alone = run("policy", "explain", "j.1", "--emergency", "II")
    assert (alone.code, "--emergency" in alone.err) == (2, True)


def test_a_stored_revision_can_be_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "past").mkdir()
    past = a_past(tmp_path / "past", 1)
    asked = (*DOCTOR, *TREATING, "-c", past.folder / "gateway.yaml", "-o", "json", "--policies")
    digest = past.compiled.bundle.digest
    (past.folder / "policies" / "rules" / "00-province.yaml").write_text("odd")  # the folder of today is not asked
    assert (run(*asked, "active").code, run(*asked, "active").json["bundle"]) == (0, digest)
    raised = run(*asked, f"{digest[:12]}+II")
    assert (raised.code, raised.json["bundle"]) == (1, f"{digest}+II")
    nowhere = run(*asked, "no/such/folder")
    assert (nowhere.code, "`no/such/folder` is neither a folder" in nowhere.err) == (3, True)


def test_what_was_refused_in_an_emergency_is_asked_again_in_one(run: Run, tmp_path: Path, behind: Behind) -> None:
    (tmp_path / "past").mkdir()
    past = a_past(tmp_path / "past", 1)
    digest = past.compiled.bundle.digest
    subject = {"id": "li.na", "kind": "person", "org": "prov/health", "roles": ["doctor"], "assurance": 3}
    entry = {
        "outcome": "deny", "reasons": [{"code": "rule_denied"}], "method": "GET", "path": "/health/visits/{id}",
        "purpose": "treatment", "subject": subject, "bundle": f"{digest}+II", "revision": past.compiled.catalog.digest,
    }  # fmt: skip
    behind.decided = {"entry": entry}
    told = run("policy", "explain", "j.1", "--socket", "c.sock", "-c", past.folder / "gateway.yaml").out.splitlines()
    assert told[-1] == f"by the policies that decided: the same with --policies {past.compiled.digest[:12]}"
    words = shlex.split(told[-2])[1:]
    assert words[words.index("--emergency") + 1] == "II"
    assert run(*words, "--policies", past.compiled.digest[:12], "-o", "json").json["bundle"] == f"{digest}+II"
    behind.decided = {"entry": {**entry, "bundle": "0" * 64}}
    unknown = run("policy", "explain", "j.1", "--socket", "c.sock", "-c", past.folder / "gateway.yaml").out
    assert "--emergency" not in unknown and "--policies" not in unknown


CLERK = replace(a_subject(org="prov/civil", clearance=Grade.CORE), id="zhang.wei", roles=("clerk",), assurance=2)
AUDITOR = replace(CLERK, org="prov", roles=("auditor",))


def recorded(past: Past, subject: Subject, exposure: Exposure, purpose: str = "") -> dict[str, Any]:
    """A decision of the stored revision about a household, as the door tells it."""
    asset = past.compiled.catalog.find("GET", "/civil/households/42", "households")
    asked = an_ask(api="households", path="/civil/households/42", purpose=purpose)
    asset = past.compiled.catalog.aggregated(replace(asset, mode="enforce"), exposure)
    facts = some_facts(ask=asked, subject=subject, asset=asset, exposure=exposure)
    entry = verdict_entry("j", 1, facts, Policy(past.compiled.bundle).decide(facts), Digests(bytes(32)))
    return {"number": 1, "entry": json.decode(encode(entry)), "outcome": None}


@pytest.mark.parametrize(
    ("subject", "purpose", "exposure", "code", "rule"),
    [
        (CLERK, "", Exposure(10_000), "no_rule", "core, by aggregation rule `day-population`"),
        (CLERK, "", Exposure(1, 0, ("health",)), "no_rule", "core, by aggregation rule `population-with-health`"),
        (CLERK, "", Exposure(unread=True), "no_rule", "core, by aggregation rule `day-population`"),
        (AUDITOR, "audit", Exposure(0, 0, (), ("audit-day",), "hard"), "budget_spent", "audit-day"),
        (AUDITOR, "audit", Exposure(1000, 0, (), ("audit-day",), "hard"), "budget_spent", "audit-day"),
    ],
)
def test_a_decision_that_rested_on_what_was_shown_today_is_asked_again_as_pasted(
    run: Run, tmp_path: Path, behind: Behind, subject: Subject, purpose: str, exposure: Exposure, code: str, rule: str
) -> None:
    (tmp_path / "past").mkdir()
    past = a_past(tmp_path / "past", 1)
    behind.decided = recorded(past, subject, exposure, purpose)
    told = run("policy", "explain", "j.1", "--socket", "c.sock", "-c", past.folder / "gateway.yaml").out.splitlines()
    for more in ((), tuple(told[-1].split()[-2:])):
        again = run(*shlex.split(told[-2])[1:], *more)
        assert (again.code, code in again.out, rule in again.out) == (1, True, True), again.out + again.err
    quiet = re.sub(r" --given '?exposure[^ ]*", "", told[-2])
    assert code not in run(*shlex.split(quiet)[1:]).out


def test_the_revision_that_decided_is_named_though_the_rules_are_the_same_with_another_catalog(
    run: Run, tmp_path: Path, behind: Behind
) -> None:
    (tmp_path / "past").mkdir()
    past = a_past(tmp_path / "past", 1)
    behind.decided = recorded(past, CLERK, Exposure(10_000))
    config = past.folder / "gateway.yaml"
    limit = past.folder / "policies" / "catalog" / "aggregation.yaml"
    limit.write_text(limit.read_text("utf-8").replace("records: 10000", "records: 90000"), "utf-8")
    made = load(config, os.environ)
    later = store(made.state, made.policies, made.apis, time.time())
    assert (later.bundle.digest, later.digest) != (past.compiled.bundle.digest, past.compiled.digest)
    assert later.bundle.digest == past.compiled.bundle.digest
    told = run("policy", "explain", "j.1", "--socket", "c.sock", "-c", config).out.splitlines()
    assert told[-1] == f"by the policies that decided: the same with --policies {past.compiled.digest[:12]}"
    words = shlex.split(told[-2])[1:]
    assert run(*words, "--policies", past.compiled.digest[:12]).out.startswith("DENY")
    assert run(*words, "--policies", later.digest[:12]).out.startswith("ALLOW")


def test_where_a_higher_grade_comes_from_is_told(run: Run, made: Path) -> None:
    asked = ("policy", "explain", "--as", "zhang.wei", *GIVEN, "--policies", made / "policies", "--do")
    export = run(*asked, "GET /civil/households/export")
    assert "\ngrade  core, by endpoint GET /civil/households/export; the asset itself is important\n" in export.out
    assert run(*asked, "GET /civil/households/export", "-o", "json").json["raised"] == {
        "own": "important", "by": "endpoint", "name": "GET /civil/households/export",
    }  # fmt: skip
    assert run(*asked, "GET /civil/households/1", "-o", "json").json["raised"] is None
