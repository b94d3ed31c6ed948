"""Figures that cannot contradict the record."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.entries import ActEntry, Entry
from gateway.facts import Mask, Reason, Risk
from gateway.telemetry.metrics import LABEL_VALUES, Gauges, Meter
from gateway.telemetry.pairs import Pairs
from tests.literals import NOW, a_subject
from tests.telemetry.told import JOURNAL, a_notice, a_verdict, an_outcome

STATE = Gauges(
    workers=2, inflight=3, connections=40, loop_lag=0.002, revocations=5, sealed_size=100, checkpoint_at=NOW,
    unsealed=4, policy="7c1e", policy_loaded_at=NOW - 60, observing=("health",), enforcing=("civil",),
    switches=("plaintext-listen",), jwks_age=(("https://sso.example.gov", 12.0),),
)  # fmt: skip


def read(meter: Meter, name: str, **labels: str) -> float | None:
    return meter.registry.get_sample_value(name, labels)


def a_busy_meter() -> Meter:
    meter, verdict = Meter("0.1.0", "3.11"), a_verdict(mask=Mask("pii", (), "warn"))
    meter.read(verdict)
    meter.read(an_outcome(verdict))
    meter.read(a_verdict(seq=2, outcome="deny", reasons=(Reason("no_rule"), Reason("rule_denied"))))
    meter.read(
        a_verdict(
            seq=3, outcome="deny", reasons=(Reason("token_expired"),), grade="core", honey=True, risk=Risk(),
            subject=a_subject(rejection=Reason("token_expired")),
        )
    )  # fmt: skip
    meter.read(a_verdict(seq=4, outcome="challenge", reasons=(Reason("step_up_required"),), stage="observe"))
    lost = a_verdict(seq=5)
    meter.read(lost)
    meter.read(
        an_outcome(lost, status=0, complete=False, code="interrupted", masked=(), unlabelled=(), records=0, waited=0.0)
    )
    kept = a_verdict(seq=7, mask=Mask("pii", (), "redact"))
    meter.read(kept)
    meter.read(
        an_outcome(
            kept, status=403, code="too_many_records", masked=(), unlabelled=("$.b", "$.c"), records=0, waited=0.0
        )
    )
    for notice in (
        a_notice("edge.refused", "bad_framing", 4, "10.0.0.1"),
        a_notice("edge.shed", "in_flight", 9),
        a_notice("audit.unavailable", "permits that were not forwarded", 2),
        a_notice("policy.reload"),
        a_notice("policy.rejected", "F001"),
        a_notice("policy.mismatch"),
        a_notice("pilot.judged", "", 7, "deny"),
        a_notice("pilot.would_deny", "{}", 3, "civil"),
        a_notice("worker.died", "worker1"),
        a_notice("posture.report", "rejected: bad signature"),
        a_notice("jwks.refreshed"),
    ):
        meter.read(notice)
    meter.read(ActEntry(1, JOURNAL, 20, NOW, "root", "admin", "posture.report"))
    meter.read(ActEntry(1, JOURNAL, 21, NOW, "root", "admin", "policy.reload", ok=False))
    meter.read(ActEntry(1, JOURNAL, 22, NOW, "gateway", "system", "policy.rejected", ok=False))
    meter.gauges(STATE)
    return meter


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("gateway_requests_total", {"api": "civil", "method": "GET", "code_class": "2xx", "outcome": "permit"}, 1),
        ("gateway_requests_total", {"api": "civil", "method": "GET", "code_class": "none", "outcome": "permit"}, 1),
        ("gateway_requests_total", {"api": "civil", "method": "GET", "code_class": "4xx", "outcome": "deny"}, 2),
        ("gateway_requests_total", {"api": "civil", "method": "GET", "code_class": "4xx", "outcome": "challenge"}, 1),
        ("gateway_request_duration_seconds_count", {"api": "civil"}, 2),
        ("gateway_request_duration_seconds_bucket", {"api": "civil", "le": "0.025"}, 2),
        ("gateway_upstream_duration_seconds_bucket", {"api": "civil", "le": "0.005"}, 1),
        ("gateway_decisions_total", {"api": "civil", "outcome": "deny", "reason": "no_rule", "grade": "important", "stage": "enforce"}, 1),
        ("gateway_decisions_total", {"api": "civil", "outcome": "challenge", "reason": "step_up_required", "grade": "important", "stage": "observe"}, 1),
        ("gateway_withheld_total", {"api": "civil", "code": "too_many_records"}, 1),
        ("gateway_withheld_total", {"api": "civil", "code": "interrupted"}, None),
        ("gateway_masked_fields_total", {"api": "civil"}, 5),
        ("gateway_unlabelled_fields_total", {"api": "civil", "contract": "warn"}, 1),
        ("gateway_unlabelled_fields_total", {"api": "civil", "contract": "enforce"}, 2),
        ("gateway_unlabelled_fields_total", {"api": "civil", "contract": ""}, None),
        ("gateway_records_total", {"api": "civil", "grade": "important"}, 7),
        ("gateway_auth_failures_total", {"reason": "token_expired"}, 1),
        ("gateway_refused_total", {"reason": "bad_framing"}, 4),
        ("gateway_refused_total", {"reason": "audit_unavailable"}, 2),
        ("gateway_shed_total", {"reason": "in_flight"}, 9),
        ("gateway_risk_score_count", {}, 5),
        ("gateway_honey_touched_total", {}, 1),
        ("gateway_audit_entries_total", {"kind": "verdict"}, 6),
        ("gateway_audit_entries_total", {"kind": "outcome"}, 3),
        ("gateway_audit_entries_total", {"kind": "notice"}, 11),
        ("gateway_audit_entries_total", {"kind": "act"}, 3),
        ("gateway_audit_sealed_size", {}, 100),
        ("gateway_audit_checkpoint_timestamp_seconds", {}, NOW),
        ("gateway_audit_unsealed_entries", {}, 4),
        ("gateway_interrupted_total", {}, 1),
        ("gateway_policy_info", {"digest": "7c1e"}, 1),
        ("gateway_policy_loaded_timestamp_seconds", {}, NOW - 60),
        ("gateway_policy_reloads_total", {"result": "loaded"}, 1),
        ("gateway_policy_reloads_total", {"result": "rejected"}, 3),
        ("gateway_policy_mismatches_total", {}, 1),
        ("gateway_pilot_decisions_total", {"outcome": "deny"}, 7),
        ("gateway_pilot_differences_total", {"kind": "would_deny", "api": "civil"}, 3),
        ("gateway_revocations_active", {}, 5),
        ("gateway_posture_reports_total", {"result": "accepted"}, 1),
        ("gateway_posture_reports_total", {"result": "rejected"}, 1),
        ("gateway_workers", {}, 2),
        ("gateway_worker_restarts_total", {}, 1),
        ("gateway_inflight_requests", {}, 3),
        ("gateway_connections", {}, 40),
        ("gateway_loop_lag_seconds", {}, 0.002),
        ("gateway_observe_mode", {"api": "health"}, 1),
        ("gateway_observe_mode", {"api": "civil"}, 0),
        ("gateway_insecure_switch", {"switch": "plaintext-listen"}, 1),
        ("gateway_jwks_age_seconds", {"issuer": "https://sso.example.gov"}, 12),
        ("gateway_build_info", {"version": "0.1.0", "python": "3.11"}, 1),
    ],
)  # fmt: skip
def test_what_happened_is_what_is_counted(name: str, labels: dict[str, str], value: float | None) -> None:
    assert read(a_busy_meter(), name, **labels) == value


@pytest.mark.parametrize("reason", ["in_flight", "connections", "address", "slow_reader"])
def test_whoever_is_shed_is_counted_by_the_word_that_edge_says(reason: str) -> None:
    meter = Meter()
    meter.read(a_notice("edge.shed", reason, 2))
    assert read(meter, "gateway_shed_total", reason=reason) == 2


def test_names_and_labels_are_those_of_the_contract() -> None:
    text = Path("docs/design/contracts.md").read_text(encoding="utf-8")
    section = text[text.index("## 11. Metrics") : text.index("## 12.")]
    promised = {}
    for name, _, labels in re.findall(r"`(gateway_[a-z_]+)(\{([a-z_,]+)\})?`", section):
        promised[name] = set(labels.split(",")) - {""}
    exported: dict[str, set[str]] = {}
    for family in a_busy_meter().registry.collect():
        name = family.name + "_total" if family.type == "counter" else family.name
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                exported.setdefault(name, set()).update(set(sample.labels) - {"le"})
    assert exported == promised


def test_invented_names_cannot_grow_the_metrics_or_the_memory() -> None:
    meter = Meter()
    for number in range(LABEL_VALUES * 3):
        meter.read(a_verdict(seq=number, api=f"api-{number}", outcome="deny", method=f"X{number}"))
        meter.read(a_notice("edge.refused", f"10.0.0.{number} said hello"))
    text = meter.render()[0].decode()
    assert text.count("gateway_requests_total{") == LABEL_VALUES + 1
    assert 'api="_other"' in text
    assert "X5" not in text
    assert "said hello" not in text
    assert len(meter._requests._counts) <= LABEL_VALUES + 1
    assert read(meter, "gateway_refused_total", reason="_other") == LABEL_VALUES * 3


def test_nothing_about_a_person_is_a_label() -> None:
    text = a_busy_meter().render()[0].decode()
    for secret in ("zhang.wei", "10.23.4.5", "/civil/households/42", "t0k3nd1gest", "laptop-7", "10.0.0.1"):
        assert secret not in text


def test_an_outcome_from_before_the_start_is_counted_as_an_entry_only() -> None:
    meter = Meter()
    meter.read(an_outcome(a_verdict()))
    assert read(meter, "gateway_audit_entries_total", kind="outcome") == 1
    assert "gateway_requests_total{" not in meter.render()[0].decode()


def test_a_state_that_passed_is_gone() -> None:
    meter = a_busy_meter()
    meter.gauges(Gauges(policy="other"))
    text = meter.render()[0].decode()
    assert 'digest="7c1e"' not in text
    assert "plaintext-listen" not in text


@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        ("", "text/plain; version=0.0.4", ""),
        ("text/plain", "text/plain; version=0.0.4", ""),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", "# EOF\n"),
    ],
)
def test_the_exposition_is_the_one_that_was_asked_for(accept: str, content_type: str, end: str) -> None:
    body, told = a_busy_meter().render(accept)
    assert told.startswith(content_type)
    assert body.decode().endswith(end)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt install prometheus)"
)
def test_promtool_has_nothing_to_say() -> None:
    body, _ = a_busy_meter().render()
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_many_at_once_count_what_one_by_one_counts() -> None:
    verdicts = [a_verdict(seq=number, api=f"api-{number % 3}", risk=Risk(float(number))) for number in range(20)]
    entries: list[Entry] = [*verdicts, *[an_outcome(verdict, waited=0.001) for verdict in verdicts[:15]]]
    entries += [a_verdict(seq=30, outcome="deny", reasons=(Reason("no_rule"),)), a_notice("worker.died")]
    one_by_one, at_once = Meter(), Meter()
    for entry in entries:
        one_by_one.read(entry)
    at_once.take(Pairs().join(entries))
    assert sorted(at_once.render()[0].splitlines()) == sorted(one_by_one.render()[0].splitlines())


def test_what_a_candidate_would_do_is_counted_by_kind_and_api() -> None:
    meter = Meter()
    for name, count, subject in (
        ("pilot.judged", 7, "deny"), ("pilot.judged", 2, "deny"), ("pilot.would_deny", 3, "civil"),
        ("pilot.would_show", 1, "civil"), ("pilot.started", 1, "abc"),
    ):  # fmt: skip
        meter.read(a_notice(name, "", count, subject))
    text = meter.render()[0].decode()
    assert 'gateway_pilot_decisions_total{outcome="deny"} 9.0' in text
    assert 'gateway_pilot_differences_total{api="civil",kind="would_deny"} 3.0' in text
    assert 'gateway_pilot_differences_total{api="civil",kind="would_show"} 1.0' in text
    assert "started" not in text
