"""`gateway policy diff`: what would change for whom?

Who could be misled, and what must hold:
 careless author    `no difference` is said only when all was judged: what could not be is 3, never 0
 hostile author     a folder that cannot be read, a digest that fits two revisions: 3, nothing is compared
 insider            the record is opened for reading only; every byte of the state stays what it was
"""

import ast
import shutil
from pathlib import Path

import pytest

from gateway.audit import encode
from tests.cli.policy.past import Past, a_past
from tests.cli.shell import ROOT, Run


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return a_past(tmp_path)


def stricter(past: Past, name: str = "next") -> Path:
    """The policies without the city's clerks."""
    folder = past.folder / name
    shutil.copytree(past.folder / "policies", folder)
    file = folder / "rules" / "20-civil.yaml"
    file.write_text(file.read_text().replace("org: [prov/civil, hz/civil]", "org: [prov/civil]"))
    return folder


def test_who_loses_is_said_first_and_then_where(run: Run, past: Past) -> None:
    stricter(past)
    done = run("policy", "diff", "active", "next", "--replay", "30d")
    assert done.code == 1, done.err
    lines = done.out.splitlines()
    assert lines[0] == "120 decisions judged by both"
    assert lines[1].endswith("decisions)")
    assert "would lose access" in lines[1]
    assert "hz/civil" in done.out
    assert "civil-read" in done.out
    assert past.entries[0].journal in done.out
    chinese = run("policy", "diff", "active", "next", "--replay", "30d", "--lang", "zh-CN").out
    assert "人将失去访问" in chinese


def test_as_json_everything_is_there(run: Run, past: Past) -> None:
    stricter(past)
    found = run("policy", "diff", "policies", "next", "--replay", "30d", "-o", "json").json
    assert {"decisions", "lost", "gained", "unmasked", "masked", "otherwise", "by", "drifted", "unjudged"} <= set(found)
    assert (found["decisions"], found["gained"]["decisions"], found["drifted"]["decisions"]) == (120, 0, 0)
    assert found["by"]["org"]["hz/civil"]["lost"] == found["lost"]
    assert set(found["by"]["rule"]) == {"civil-read", "civil-write"} & set(found["by"]["rule"])


def test_no_difference_is_0_and_only_when_all_was_judged(run: Run, past: Past) -> None:
    same = run("policy", "diff", "active", "policies", "--replay", "30d")
    assert (same.code, same.out) == (0, "120 decisions judged by both: no difference\n")
    lines = [encode(entry) for entry in past.entries]
    (past.folder / "some.jsonl").write_bytes(b"\n".join([*lines, b'{"kind":"verdict","v":1}', b""]))
    odd = run("policy", "diff", "active", "policies", "--replay", "some.jsonl")
    assert odd.code == 3
    assert "1 line could not be read" in odd.err
    (past.folder / "none.jsonl").write_text("")
    assert run("policy", "diff", "active", "policies", "--replay", "none.jsonl").code == 3


def test_a_span_takes_only_what_is_as_young(run: Run, past: Past) -> None:
    week = run("policy", "diff", "active", "policies", "--replay", "7d", "-o", "json").json
    young = [entry for entry in past.entries if entry.at > past.entries[-1].at - 6.5 * 86_400]
    assert 0 < len(young) <= week["decisions"] < 120


def test_a_file_may_be_a_journal_and_may_hold_other_entries(run: Run, past: Past) -> None:
    lines = [b"0" * 64 + b" " + encode(entry) for entry in past.entries]
    other = b'{"kind":"notice","v":1,"journal":"j","seq":1,"at":1.0,"name":"journal.opened"}'
    (past.folder / "j.log").write_bytes(b"\n".join([*lines, other, b""]))
    done = run("policy", "diff", "policies", "policies", "--replay", "j.log", "-o", "json")
    assert (done.code, done.json["decisions"], done.json["unreadable"]) == (0, 120, 0)


def test_several_processes_say_the_same(run: Run, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    stricter(past)
    monkeypatch.setattr("gateway.cli.policy.record._SLICE", 20_000)
    (past.folder / "some.jsonl").write_bytes(b"\n".join(encode(entry) for entry in past.entries))
    words = ("policy", "diff", "policies", "next", "--replay", "some.jsonl", "-o", "json")
    one, three = run(*words), run(*words, "--jobs", "3")
    assert one.json == three.json
    assert one.json["decisions"] == 120


def test_stored_revisions_are_named_by_the_beginning_of_a_digest(run: Run, past: Past) -> None:
    for word in (past.compiled.digest, past.compiled.digest[:12], past.compiled.bundle.digest[:12]):
        assert run("policy", "diff", word, "policies", "--replay", "30d").code == 0
    raised = run("policy", "diff", past.compiled.digest[:12], past.compiled.digest[:12] + "+I", "--replay", "30d")
    assert (raised.code, "would lose access" in raised.out) == (1, True)
    assert run("policy", "diff", past.compiled.digest[:4], "policies").code == 3
    assert run("policy", "diff", past.compiled.digest[:12] + "+V", "policies").code == 3
    assert run("policy", "diff", "nowhere", "policies").code == 3


def test_a_folder_that_cannot_be_read_is_3_with_its_faults(run: Run, past: Past) -> None:
    file = stricter(past) / "rules" / "20-civil.yaml"
    file.write_text(file.read_text().replace("effect: allow", "effect: Allow", 1))
    done = run("policy", "diff", "active", "next", "--replay", "30d")
    assert done.code == 3
    assert "P002" in done.err


def test_without_a_record_rules_are_compared_by_their_words(run: Run, past: Past) -> None:
    stricter(past)
    done = run("policy", "diff", "policies", "next")
    assert done.code == 1
    assert "~ rules civil-read\n    org: prov/civil, hz/civil → prov/civil\n" in done.out
    assert "2 edits: + added, - removed, ~ changed" in done.out
    found = run("policy", "diff", "policies", "next", "-o", "json").json
    assert [edit["id"] for edit in found["edits"]] == ["civil-read", "civil-write"]
    assert run("policy", "diff", "active", "policies").code == 0


def test_no_configuration_is_needed_for_two_folders_and_a_file(run: Run, past: Past) -> None:
    stricter(past)
    (past.folder / "some.jsonl").write_bytes(b"\n".join(encode(entry) for entry in past.entries))
    (past.folder / "gateway.yaml").unlink()
    done = run("policy", "diff", "policies", "next", "--replay", "some.jsonl", "-o", "json")
    unknown = sum(one["decisions"] for one in done.json["unjudged"])  # their paths are not on record
    assert (done.code, done.json["decisions"] + unknown, unknown > 0) == (1, 120, True)
    assert "by path alone" in done.err
    assert run("policy", "diff", "active", "next").code == 3
    assert run("policy", "diff", "policies", "next", "--replay", "30d").code == 3


@pytest.mark.parametrize(("word", "code"), [("30y", 2), ("policies", 3)])
def test_an_odd_span_is_2_and_what_is_no_record_3(run: Run, past: Past, word: str, code: int) -> None:
    assert run("policy", "diff", "active", "policies", "--replay", word).code == code


def test_odd_words_are_2(run: Run, past: Past) -> None:
    assert run("policy", "diff", "active", "policies", "--jobs", "0").code == 2
    assert run("policy", "diff", "active").code == 2


def test_every_byte_of_the_state_stays_what_it_was(run: Run, past: Past) -> None:
    stricter(past)
    before = past.digest()
    assert run("policy", "diff", "active", "next", "--replay", "30d").code == 1
    assert run("policy", "diff", "active", "next").code == 1
    assert past.digest() == before


def test_no_path_of_these_commands_can_write() -> None:
    writes = {"write", "write_text", "write_bytes", "unlink", "rename", "mkdir", "rmtree", "touch", "chmod", "truncate"}
    for name in ("diff", "replay", "record", "jobs", "entry", "stored", "trials"):
        tree = ast.parse((ROOT / "gateway" / "cli" / "policy" / f"{name}.py").read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            word = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            assert word not in writes
            if word == "open":
                assert [ast.literal_eval(mode) for mode in call.args] == ["rb"]


def test_the_active_one_can_be_taken_at_a_level(run: Run, past: Past) -> None:
    at = run("policy", "diff", "active", "active+I", "-c", past.folder / "gateway.yaml")
    assert (at.code, "+ rules level-i-seal" in at.out) == (1, True), at.err
    none = run("policy", "diff", "active", "active+V", "-c", past.folder / "gateway.yaml")
    assert (none.code, none.out) == (3, "")


def test_a_machine_and_a_place_that_appear_are_told(run: Run, past: Past) -> None:
    """One line in the register makes a stranger's machine a managed one."""
    folder = past.folder / "next"
    shutil.copytree(past.folder / "policies", folder)
    register, sites = folder / "devices.yaml", folder / "sites.yaml"
    register.write_text(register.read_text() + "  - {id: mallory, org: prov, managed: true, thumbprints: []}\n")
    sites.write_text(sites.read_text().replace("10.", "11.", 1))
    for one in ("policies", "active"):
        done = run("policy", "diff", one, "next")
        assert done.code == 1, done.out
        assert "+ devices mallory\n    org: prov\n    managed: true\n" in done.out
        assert "~ sites " in done.out


def test_a_test_that_was_removed_is_named_with_what_it_leaves_in_the_dark(run: Run, past: Past) -> None:
    """Whoever widens a rule takes away first the test that would tell."""
    folder = past.folder / "next"
    shutil.copytree(past.folder / "policies", folder)
    shutil.rmtree(folder / "tests")
    for one in ("policies", "active"):
        done = run("policy", "diff", one, "next")
        assert done.code == 1, done.out
        assert "- tests a clerk of civil affairs reads a household, masked\n" in done.out
        assert "no test reaches any more: GET /civil/households/{id}  permit\n" in done.out
        assert "more; -o json lists all" in done.out
    found = run("policy", "diff", "policies", "next", "-o", "json").json
    assert {"rule": "civil-read", "route": "", "outcome": ""} in found["untried"]
    chinese = run("policy", "diff", "policies", "next", "--lang", "zh-CN").out
    assert "不再有测试覆盖：GET /civil/households/{id}  允许\n" in chinese
