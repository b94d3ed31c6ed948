"""`gateway emergency`: asked by one, confirmed by another, and rehearsed by anybody."""

import re
import shutil
import time
from pathlib import Path

import pytest

from gateway.control import EmergencyWish
from gateway.stores import Emergency
from tests.cli.policy.past import a_past
from tests.cli.shell import Run
from tests.control.doors import NOW, Behind

SOCKET = ("--socket", "c.sock")


def test_asking_says_the_number_and_how_another_confirms(run: Run, behind: Behind) -> None:
    done = run("emergency", "ask", "II", "--until", "6h", "--reason", "flood", *SOCKET)
    assert done.code == 0
    assert "number 3: level II until " in done.out
    assert "gateway emergency confirm 3" in done.out
    _, wish, _ = behind.asked[0]
    assert (wish.level, wish.reason) == ("II", "flood")
    assert 6 * 3600 - 60 < wish.until - time.time() <= 6 * 3600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ask", "II", "--reason", "flood"), "--until TIME"),
        (("ask", "II", "--until", "6h"), "--reason TEXT"),
        (("ask", "II", "--until", "6h", "--reason", " "), "--reason TEXT"),
        (("ask", "II", "--until", "2026-07-01T12:00", "--reason", "flood"), "is no end"),
        (("ask", "V", "--until", "6h", "--reason", "flood"), "invalid choice"),
        (("end",), "say --reason TEXT: why the level may end goes on record"),
    ],
)
def test_no_level_without_an_end_and_a_reason(run: Run, behind: Behind, words: tuple[str, ...], said: str) -> None:
    done = run("emergency", *words, *SOCKET)
    assert (done.code, said in done.err) == (2, True), done.err
    assert behind.asked == []


def test_a_confirmation_says_what_is_in_force(run: Run, behind: Behind) -> None:
    done = run("emergency", "confirm", "3", "II", *SOCKET)
    assert (done.code, done.out.startswith("level II is in force in 2 workers until ")) == (0, True)
    assert run("emergency", "confirm", "4", "end", *SOCKET).out == "no level is in force any more\n"
    assert run("emergency", "confirm", "9", "end", *SOCKET).code == 1
    mistaken = run("emergency", "confirm", "4", "II", *SOCKET)
    assert (mistaken.code, "under number 4 stands the end of the level" in mistaken.err) == (1, True), mistaken.err
    assert run("emergency", "confirm", "3", "II", "--socket", "none.sock").code == 3


def test_an_end_is_asked_for_too(run: Run, behind: Behind) -> None:
    done = run("emergency", "end", "--reason", "the water fell", *SOCKET, "--lang", "zh-CN")
    assert (done.code, "编号 3：提前结束须由另一名操作员在" in done.out) == (0, True)
    assert behind.asked[0][1] == EmergencyWish("", "the water fell")


def test_the_table_says_what_waits_and_what_was(run: Run, behind: Behind) -> None:
    behind.standing = {
        "level": "II",
        "until": NOW + 60,
        "waiting": [Emergency(4, "", "the water fell", "op.wang", NOW, NOW + 600)],
        "history": [
            Emergency(3, "II", "flood", "op.li", NOW, time.time() + 60, "op.wang", NOW + 1),
            Emergency(2, "I", "dam", "op.li", NOW - 9999, NOW - 99),
            Emergency(1, "IV", "drill", "op.li", NOW - 9999, NOW - 99, "op.wang", NOW - 9998, NOW - 5000),
        ],
    }
    done = run("emergency", "show", *SOCKET)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("level II is in force until ")
    states = [("4", "waits"), ("3", "in force"), ("2", "not confirmed"), ("1", "over")]
    for (number, state), line in zip(states, lines[2:], strict=True):
        assert line.startswith(number) and state in line
    assert run("emergency", "show", *SOCKET, "-o", "json").json["waiting"][0]["level"] == ""


def test_a_rehearsal_tells_what_would_change_and_asks_nobody(run: Run, made: Path) -> None:
    done = run("emergency", "ask", "II", "--rehearse", "-c", made / "gateway.yaml", "-o", "json")
    assert done.code == 0, done.err
    assert (done.json["level"], done.json["rules"], done.json["mask"], done.json["freezes"]) == (
        "II",
        3,
        "pii-strict",
        True,
    )
    assert 0 < len(done.json["differ"]) < done.json["tests"]
    assert (done.json["revision"], done.json["folder"]) == (None, str(made / "policies"))
    text = run("emergency", "ask", "II", "--rehearse", "-c", made / "gateway.yaml").out
    assert text.startswith(f"rehearsed with the folder {made / 'policies'}: what is in force cannot be read here\n")
    assert text.splitlines()[1] == "level II: 3 rules more"
    assert re.search(r"^level-ii-step-up +\d+ +\d+ +\d+$", text, re.MULTILINE)
    assert "tests/10-examples.yaml" not in text
    assert text.endswith("policy tests come out otherwise than they say; nothing was switched\n-v shows each of them\n")
    long = run("emergency", "ask", "II", "--rehearse", "-v", "-c", made / "gateway.yaml", "--lang", "zh-CN").out
    assert long.count("（tests/") == len(done.json["differ"])
    assert "level-ii-step-up, level-ii-step-up" not in long
    assert run("emergency", "ask", "II", "--rehearse", "-c", "nowhere.yaml").code == 3


def test_what_is_in_force_is_rehearsed_not_what_somebody_edits(run: Run, tmp_path: Path) -> None:
    past = a_past(tmp_path, 1)
    config = past.folder / "gateway.yaml"
    (past.folder / "policies" / "emergency" / "II.yaml").unlink()  # a draft without the level
    done = run("emergency", "ask", "II", "--rehearse", "-c", config, "-o", "json")
    assert (done.code, done.json["revision"], done.json["rules"]) == (0, past.compiled.digest, 3)
    assert done.json["folder"] == str(past.state / "bundles" / past.compiled.digest)
    text = run("emergency", "ask", "II", "--rehearse", "-c", config).out
    assert text.startswith(f"rehearsed with revision {past.compiled.digest[:12]}, which is in force\n")
    shutil.rmtree(past.state / "bundles" / past.compiled.digest)  # not to be read: the folder is said to be tried
    gone = run("emergency", "ask", "II", "--rehearse", "-c", config)
    assert (gone.code, "rehearsed with the folder" in gone.out, "no emergency level II" in gone.err) == (1, True, True)


def test_a_rehearsal_of_a_level_that_is_not_there_is_1(run: Run, tmp_path: Path) -> None:
    assert run("init", ".").code == 0
    (tmp_path / "policies" / "emergency" / "III.yaml").unlink()
    done = run("emergency", "ask", "III", "--rehearse", "--lang", "zh-CN")
    assert (done.code, "策略中没有 III 级应急措施" in done.err) == (1, True)
