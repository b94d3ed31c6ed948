"""`gateway policy replay`: does a recorded decision come out the same again?"""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.facts import Reason
from tests.cli.policy.past import Past, a_past, keep
from tests.cli.shell import Run


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return a_past(tmp_path, 60)


def test_a_decision_and_all_of_them_come_out_the_same(run: Run, past: Past) -> None:
    done = run("policy", "replay", past.ids[0], past.ids[7])
    assert (done.code, done.out.count("same")) == (0, 2), done.err
    whole = run("policy", "replay", "--all", "-o", "json")
    assert (whole.code, whole.json["same"], whole.json["differs"]) == (0, 60, [])
    assert run("policy", "replay", "--all", "--lang", "zh-CN").out == "复判 60 个判定：60 个一致，0 个不一致\n"


def test_what_was_altered_is_4_with_both_values(run: Run, past: Past) -> None:
    denied = next(entry for entry in past.entries if entry.outcome == "deny")
    shutil.rmtree(past.state / "ledger")
    (past.state / "index.db").unlink()
    forged = replace(denied, outcome="permit", reasons=(Reason("rule_allowed", "rules/1.yaml:1", "x"),))
    keep(past.state, [past.entries[0], forged])
    done = run("policy", "replay", f"{forged.journal}.{forged.seq}")
    assert done.code == 4
    assert "DIFFERS" in done.out
    for word in ('"permit"', '"deny"', "rule_allowed"):
        assert word in done.out
    assert run("policy", "replay", "--all").code == 4
    found = run("policy", "replay", "--all", "-o", "json").json["differs"][0]
    assert {part["field"]: (part["recorded"], part["replayed"]) for part in found["differs"]}["outcome"] == (
        "permit", "deny",
    )  # fmt: skip


def test_what_cannot_be_judged_is_3_and_says_why(run: Run, past: Past) -> None:
    assert run("policy", "replay", "20260921T133320-worker0-9f3a1c.999").code == 3
    assert run("policy", "replay", "../../etc/passwd.1").code == 3
    shutil.rmtree(past.state / "bundles" / past.compiled.digest)
    done = run("policy", "replay", past.ids[0])
    assert done.code == 3
    assert "no longer stored" in done.err
    whole = run("policy", "replay", "--all", "-o", "json")
    assert (whole.code, whole.json["unjudged"][0]["decisions"], whole.json["ok"]) == (3, 60, False)


def test_a_stored_revision_that_was_changed_judges_nothing(run: Run, past: Past) -> None:
    file = past.state / "bundles" / past.compiled.digest / "catalog" / "market.yaml"
    file.write_text(file.read_text().replace("general-2", "general-1"))
    assert run("policy", "replay", past.ids[0]).code == 3


def test_other_apis_since_then_do_not_matter(run: Run, past: Past) -> None:
    config = past.folder / "gateway.yaml"
    config.write_text(
        config.read_text().replace("mode: enforce", "mode: observe").replace("/market/**", "/market/enterprises/**")
    )
    assert run("policy", "replay", "--all").code == 0


def test_the_record_needs_no_index_and_not_even_a_ledger(run: Run, past: Past) -> None:
    (past.state / "index.db").unlink()
    assert run("policy", "replay", past.ids[3]).code == 0
    from gateway.audit import encode

    shutil.rmtree(past.state / "ledger")
    line = b"0" * 64 + b" " + encode(past.entries[3]) + b"\n"
    (past.state / "journal" / f"{past.entries[3].journal}.log").write_bytes(line)
    assert run("policy", "replay", past.ids[3]).code == 0


def test_several_processes_find_the_same(run: Run, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (run("policy", "replay", "--all", "--jobs", jobs, "-o", "json").json for jobs in ("1", "2"))
    assert one == two


@pytest.mark.parametrize("words", [(), ("--all", "x.1"), ("--all", "--jobs", "0")])
def test_odd_words_are_2(run: Run, past: Past, words: tuple[str, ...]) -> None:
    assert run("policy", "replay", *words).code == 2


def test_nothing_is_written(run: Run, past: Past) -> None:
    before = past.digest()
    run("policy", "replay", "--all")
    run("policy", "replay", past.ids[0])
    assert past.digest() == before


def test_an_empty_record_is_called_empty(run: Run, past: Past) -> None:
    for file in (past.state / "ledger" / "entries").iterdir():
        file.unlink()
    done = run("policy", "replay", "--all")
    assert (done.code, done.out) == (3, "")
    assert "no decision is on record in" in done.err
