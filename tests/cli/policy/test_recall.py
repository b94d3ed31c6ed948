"""Is a decision on record told to each who asks, from what decided then, and is a wrong record noticed?"""

import shutil
from pathlib import Path

from gateway.audit import check_proof, read_entries
from tests.cli.policy.kept import SIGNER, Kept
from tests.cli.shell import Ran, Run
from tests.control.doors import Behind


def explained(run: Run, kept: Kept, name: str, *words: str) -> Ran:
    return run("policy", "explain", kept.ids[name], "--state", kept.state, "-c", kept.config, *words)


def test_the_caller_hears_what_the_answer_said(run: Run, kept: Kept) -> None:
    allowed = explained(run, kept, "allowed", "--for", "caller")
    assert (allowed.code, allowed.out) == (0, "the request was allowed  (rule_allowed, 200)\n")
    stepped = explained(run, kept, "step_up", "--for", "caller", "-o", "json").json
    assert (stepped["reason"], stepped["acr_values"], stepped["status"]) == ("step_up_required", "aal2", 401)
    chinese = explained(run, kept, "stranger", "--for", "caller", "--lang", "zh-CN").out
    assert chinese.splitlines()[0] == "没有规则允许该请求（no_rule，403）"
    for secret in ("clrek", "civil", "rules/", "prov", "mallory"):
        assert secret not in chinese


def test_the_caller_of_an_answer_that_was_withheld_is_not_told_that_it_was_allowed(run: Run, kept: Kept) -> None:
    told = explained(run, kept, "withheld", "--for", "caller").out.splitlines()
    assert told[0].endswith("is withheld  (residual_identifier, 502)")
    assert told[1] == "what to do: contact the operator with the decision id"
    assert "phone" not in "".join(told)
    chinese = explained(run, kept, "withheld", "--for", "caller", "--lang", "zh-CN").out
    assert chinese.startswith("服务的应答在意外位置含有个人信息，已被扣留（residual_identifier，502）\n")


def test_the_operator_hears_first_that_the_answer_was_withheld_and_what_to_do(run: Run, kept: Kept) -> None:
    told = explained(run, kept, "withheld").out.splitlines()
    assert told[0].startswith("the answer was WITHHELD after the decision: residual_identifier  ")
    assert told[0].endswith("(502)")
    assert any("Label the field." in line for line in told[1:5])
    assert any(line.split() == ["outcome.residual", "phone"] for line in told)
    assert any(line.split() == ["outcome.took", "0.004383"] for line in told)
    chinese = explained(run, kept, "withheld", "--lang", "zh-CN").out
    assert chinese.startswith("应答在判定之后被扣留：residual_identifier  ")
    assert "WITHHELD" not in explained(run, kept, "allowed").out


def test_the_auditor_hears_what_came_after_the_decision(run: Run, kept: Kept) -> None:
    done = explained(run, kept, "withheld", "--for", "auditor", "-o", "json")
    assert done.json["ended"] == {"code": "residual_identifier", "status": 502, "detail": "phone"}
    text = explained(run, kept, "withheld", "--for", "auditor").out
    assert "after the decision" in text
    assert "WITHHELD" in text
    assert explained(run, kept, "stranger", "--for", "auditor", "-o", "json").json["ended"] == {}


def test_the_operator_hears_the_clauses_of_the_revision_that_decided(run: Run, kept: Kept) -> None:
    told = explained(run, kept, "step_up").out
    assert "applies  base-assurance" in told
    assert "would be allowed:\n   after signing in with aal2\n" in told
    assert "no change of the caller's own would help" in explained(run, kept, "stranger").out
    assert "\nthe permit would end:\n" in explained(run, kept, "allowed").out
    whole = explained(run, kept, "stranger", "-o", "json").json
    assert (whole["entry"]["outcome"], whole["outcome"]) == ("deny", None)


def test_the_auditor_hears_grounds_and_place_and_it_is_judged_again(run: Run, kept: Kept) -> None:
    done = explained(run, kept, "step_up", "--for", "auditor", "-o", "json")
    assert done.code == 0
    assert done.json["audited"]["layers"] == ["base"]
    (rule,) = done.json["audited"]["rules"]
    assert (rule["id"], rule["owner"], rule["codes"]) == ("base-assurance", "prov", ["step_up_required", "rule_denied"])
    assert done.json["record"] == {
        "number": 3, "checkpoint": 12, "prove": f"gateway audit prove 3 {kept.state}/ledger",
    }  # fmt: skip
    assert done.json["replay"]["state"] == "same"
    text = explained(run, kept, "step_up", "--for", "auditor", "--lang", "zh-CN").out
    assert "与记录逐字节一致" in text
    assert "已由 12 条记录的签名检查点覆盖" in text


def test_the_command_that_is_named_proves_the_entry(run: Run, kept: Kept) -> None:
    prove = explained(run, kept, "stranger", "--for", "auditor", "-o", "json").json["record"]["prove"].split()
    done = run(*prove[1:], "-o", "json")
    entry = list(read_entries(kept.state / "ledger"))[done.json["number"]]
    assert b"mallory" in entry
    assert check_proof(done.json["proof"], entry, SIGNER.vkey).size == 12


def test_a_record_that_its_facts_do_not_carry_is_an_integrity_failure(run: Run, kept: Kept) -> None:
    done = explained(run, kept, "forged", "--for", "auditor", "-o", "json")
    assert (done.code, done.json["replay"]["state"]) == (4, "differs")
    assert "outcome" in done.json["replay"]["differs"]


def test_without_the_revision_nothing_is_guessed(run: Run, kept: Kept, tmp_path: Path) -> None:
    state = shutil.copytree(kept.state, tmp_path / "copy", ignore=shutil.ignore_patterns("bundles"))
    words = ("policy", "explain", kept.ids["step_up"], "--state", state, "-c", kept.config)
    done = run(*words, "--for", "auditor", "-o", "json")
    assert (done.code, done.json["replay"]["state"]) == (5, "impossible")
    assert {(rule["layer"], rule["basis_en"]) for rule in done.json["audited"]["rules"]} == {("base", "")}
    assert "are not told" in done.err
    assert run(*words, "--for", "caller", "-o", "json").json["acr_values"] == ""
    assert "would be allowed" not in run(*words).out


def test_what_is_no_decision_is_said_to_be_none(run: Run, kept: Kept) -> None:
    journal = kept.ids["allowed"].rpartition(".")[0]
    words = ("--state", kept.state, "-c", kept.config)
    assert run("policy", "explain", "yesterday", *words).code == 2
    assert run("policy", "explain", "yesterday", *words, "--lang", "zh-CN").err.startswith("`yesterday` 不是判定编号")
    assert run("policy", "explain", f"{journal}.900", *words).code == 1
    opened = run("policy", "explain", f"{journal}.0", "--for", "auditor", *words)  # the notice that opens a journal
    assert (opened.code, "is not a decision" in opened.err) == (1, True)
    assert run("policy", "explain", "j.1", "--state", kept.state / "nowhere").code == 3


def test_the_door_is_asked_when_no_state_is_named(run: Run, behind: Behind) -> None:
    entry = {"kind": "verdict", "outcome": "deny"}
    behind.decided = {"number": 1, "entry": entry, "outcome": None}
    done = run("policy", "explain", "j.1", "--for", "caller", "--socket", "c.sock")
    assert (done.code, "is not a decision" in done.err) == (1, True)
