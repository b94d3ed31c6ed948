"""`gateway policy pilot`: what is typed is what is asked for, and what is answered can be read."""

import ast
from typing import Any

import pytest

from gateway.cli.policy.pilot import WHY, share
from gateway.control import PilotLimits, PilotWish, Rejected
from gateway.policy.pilot import Limits
from gateway.policy.trial import Crossed
from tests.cli.shell import ROOT, Run
from tests.control.doors import A_FAULT, PILOT, Behind

DOOR = ("--socket", "c.sock")


def wishes(behind: Behind) -> list[Any]:
    return [asked[1] for asked in behind.asked if asked[0] == "pilot"]


def test_a_start_without_words_only_looks_on(run: Run, behind: Behind) -> None:
    ran = run("policy", "pilot", "start", *DOOR)
    assert (ran.code, wishes(behind)) == (0, [PilotWish()])
    assert "pilot 3 has begun" in ran.out


def test_every_word_reaches_the_door(run: Run, behind: Behind) -> None:
    ran = run("policy", "pilot", "start", *DOOR, "--percent", "12.5%", "--org", "hz", "--org", "prov/civil", "--max-deny", "2%",
              "--max-gain", "30%",
              "--max-errors", "0.001", "--max-p99", "80ms", "--for", "2026-12-31T00:00:00+08:00")  # fmt: skip
    assert ran.code == 0, ran.err
    limits = PilotLimits(0.02, 0.001, 0.08, 0.3)
    assert wishes(behind) == [PilotWish(None, 12.5, ("hz", "prov/civil"), limits, 1798646400.0)]


def test_a_share_names_the_pilot_that_runs_and_only_what_changes(run: Run, behind: Behind) -> None:
    assert run("policy", "pilot", "share", *DOOR, "--percent", "50").code == 0
    assert run("policy", "pilot", "share", *DOOR, "--no-org").code == 0
    assert run("policy", "pilot", "share", *DOOR, "--max-deny", "0.5").code == 0
    assert wishes(behind) == [PilotWish(3, 50.0), PilotWish(3, orgs=()), PilotWish(3, limits=PilotLimits(0.5))]


@pytest.mark.parametrize(
    ("words", "option"),
    [(("--percent", "101"), "--percent"), (("--percent", "nan"), "--percent"), (("--percent", "half"), "--percent"),
     (("--max-deny", "2"), "--max-deny"), (("--max-deny", "200%"), "--max-deny"), (("--max-errors", "few"), "--max-errors"),
     (("--max-p99", "50"), "--max-p99"), (("--for", "2026-12-31T00:00:00"), "--for")],
)  # fmt: skip
def test_what_cannot_be_is_said_before_anybody_is_asked(
    run: Run, behind: Behind, words: tuple[str, str], option: str
) -> None:
    ran = run("policy", "pilot", "start", *DOOR, *words)
    assert (ran.code, behind.asked) == (2, [])
    assert f"`{words[1]}`" in ran.err
    assert option in ran.err


@pytest.mark.parametrize("words", [(), ("--org", "hz", "--no-org")])
def test_a_share_that_says_nothing_or_two_things_is_not_asked_for(
    run: Run, behind: Behind, words: tuple[str, ...]
) -> None:
    assert run("policy", "pilot", "share", *DOOR, *words).code == 2
    assert wishes(behind) == []


def test_faults_of_the_candidate_are_shown_with_place(run: Run, behind: Behind) -> None:
    behind.piloting = Rejected((A_FAULT,))
    ran = run("policy", "pilot", "start", *DOOR)
    assert (ran.code, "rules/10.yaml:3:5" in ran.err, "nothing has changed" in ran.err) == (1, True, True)


def test_the_pilot_that_was_looked_at_is_the_one_that_is_promoted(run: Run, behind: Behind) -> None:
    ran = run("policy", "pilot", "promote", *DOOR)
    assert ran.code == 0
    assert [(asked[0], asked[2]) for asked in behind.asked] == [("promote", 3)]
    assert "bbbbbbbbbbbb" in ran.out


def test_stopping_says_so(run: Run, behind: Behind) -> None:
    ran = run("policy", "pilot", "stop", *DOOR, "-o", "json")
    assert (ran.code, ran.json["why"]) == (0, "stopped")


def test_what_differs_is_shown(run: Run, behind: Behind) -> None:
    ran = run("policy", "pilot", "show", *DOOR)
    assert ran.code == 0
    for told in (
        "12.5% of the callers + prov/civil",
        "rules/99.yaml:2",
        "j.1 j.9",
        "1000 requests",
        "2 / 250",
        "3 / 700",
        "slower than 50ms",
    ):
        assert told in ran.out, told
    chinese = run("policy", "pilot", "show", *DOOR, "--lang", "zh-CN").out
    assert "由候选" in chinese or "判定范围" in chinese
    assert "would" not in chinese
    assert run("policy", "pilot", "show", *DOOR, "-o", "json").json["pilot"]["differences"][0]["count"] == 7


@pytest.mark.parametrize(("step", "words"), [("show", ()), ("promote", ()), ("share", ("--percent", "5"))])
def test_without_a_pilot_the_answer_is_no(run: Run, behind: Behind, step: str, words: tuple[str, ...]) -> None:
    behind.piloting = {"pilot": None, "past": []}
    ran = run("policy", "pilot", step, *DOOR, *words)
    assert ran.code == 1
    assert "no pilot is running" in ran.out + ran.err


def ended_because(why: str) -> dict[str, object]:
    past = {"pilot": 2, "candidate": "e" * 64, "by": "li", "at": 1.0, "ended_at": 2.0, "ended_by": "x", "why": why}
    return {"pilot": None, "past": [past]}


@pytest.mark.parametrize(
    ("why", "zh"),
    [
        ("promoted", "已采用为现行策略"),
        ("its candidate is not signed", "其候选策略未签名"),
        ("pilot.broken w1: KeyError", "有工作进程无法询问候选策略（w1: KeyError）"),
        (Crossed("deny", 5, 20, 0.02, 0.0).text(Limits()), "20 次中有 5 次拒绝了现行策略允许的请求，上限 2.00%"),
        (
            Crossed("gain", 5, 20, 0.02, 0.0).text(Limits()),
            "20 次中有 5 次允许或显示了现行策略不允许、不显示的内容，上限 2.00%",
        ),
        (Crossed("errors", 5, 20, 0.02, 0.01).text(Limits()), "5 次出错，上限 2.00%，同期现行策略为 1.00%"),
        (Crossed("p99", 5, 20, 0.02, 0.01).text(Limits()), "5 次慢于限值，上限 2.00%"),
        ("what nobody foresaw", "what nobody foresaw"),
    ],
)
def test_why_a_pilot_ended_is_told_in_the_language_of_the_operator(run: Run, behind: Behind, why: str, zh: str) -> None:
    behind.piloting = ended_because(why)
    assert zh in run("policy", "pilot", "show", *DOOR, "--lang", "zh-CN").out
    assert run("policy", "pilot", "show", *DOOR, "-o", "json").json["past"][0]["why"] == why


def test_every_reason_that_is_written_out_has_its_words() -> None:
    """What `_end` and `end_pilot` are given in the house, where it is written out."""
    written = set()
    for path in (ROOT / "gateway" / "app").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("_end", "end_pilot"):
                written |= {one.value for one in node.args if isinstance(one, ast.Constant) and one.value != "gateway"}
    assert {"promoted", "stopped"} < written <= set(WHY) | {"pilot.rolled_back"}


def test_before_workers_told_anything_it_says_so_instead_of_none(run: Run, behind: Behind) -> None:
    behind.piloting = {"pilot": PILOT | {"judged": {}, "counted_until": None}, "past": []}
    said = run("policy", "pilot", "show", *DOOR).out
    assert "no worker has told yet" in said
    behind.piloting = {"pilot": PILOT | {"judged": {}, "counted_until": None, "differences": []}, "past": []}
    assert "no decision differed" not in run("policy", "pilot", "show", *DOOR).out
    assert "asked 0" not in said


def test_a_promotion_upon_few_requests_says_so(run: Run, behind: Behind) -> None:
    assert "fewer than" not in run("policy", "pilot", "promote", *DOOR).err
    behind.piloting = {"pilot": PILOT | {"judged": {"permit": 198, "deny": 1}}, "past": []}
    ran = run("policy", "pilot", "promote", *DOOR)
    assert (ran.code, "only 199 requests were asked about, fewer than 200" in ran.err) == (0, True)


def test_pilots_that_ended_are_told_with_their_reason(run: Run, behind: Behind) -> None:
    past = {"pilot": 2, "candidate": "e" * 64, "by": "li", "at": 1.0, "ended_at": 2.0, "ended_by": "gateway",
            "why": "deny: 5 of 20"}  # fmt: skip
    behind.piloting = {"pilot": None, "past": [past]}
    assert "deny: 5 of 20" in run("policy", "pilot", "show", *DOOR).out


def test_nobody_answers_is_3(run: Run) -> None:
    assert run("policy", "pilot", "show", "--socket", "nowhere.sock").code == 3


@pytest.mark.parametrize(("text", "value"), [("2%", 0.02), ("0.02", 0.02), ("100%", 1.0), ("0", 0.0)])
def test_shares_are_written_as_people_do(text: str, value: float) -> None:
    assert share(text) == value
