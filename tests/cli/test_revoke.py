"""`gateway revoke`: who may no longer come in, from now on?"""

import os
from pathlib import Path

import pytest

from gateway.cli.revoke import nameable
from gateway.cli.times import spelled
from gateway.control import Revocation
from gateway.crypto.digest import token_id
from tests.cli.shell import Run
from tests.control.doors import NOW, Behind

SOCKET = ("--socket", "c.sock")
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def test_it_is_done_when_every_worker_refuses(run: Run, behind: Behind) -> None:
    done = run("revoke", "subject", "zhang.wei", "--reason", "left the office", *SOCKET)
    assert (done.code, done.err) == (0, "")
    assert "every live worker (2) refuses" in done.out
    assert behind.asked[0][1] == Revocation("subject", "zhang.wei", "left the office", None)
    assert behind.acts[0].operator == f"uid:{os.geteuid()}"


def test_a_whole_token_does_not_travel(run: Run, behind: Behind) -> None:
    run("revoke", "token", TOKEN, *SOCKET)
    assert behind.asked[0][1].id == token_id(TOKEN) == nameable("token", TOKEN)
    assert nameable("subject", TOKEN) == TOKEN


def test_json_and_chinese(spawn: Run, behind: Behind) -> None:
    assert spawn("revoke", "device", "laptop-7", *SOCKET, "-o", "json").json == {
        "id": 7,
        "workers": 2,
        "seen": True,
    }
    assert "2 个工作进程已开始拒绝" in spawn("revoke", "device", "laptop-7", *SOCKET, "--lang", "zh-CN").out


def test_nobody_answers_is_3_and_says_where(spawn: Run, tmp_path: Path) -> None:
    done = spawn("revoke", "subject", "a", *SOCKET)
    assert (done.code, done.out) == (3, "")
    assert "c.sock`: there is no such socket: is it running?" in done.err
    assert "没有该套接字：网关是否在运行？" in spawn("revoke", "subject", "a", *SOCKET, "--lang", "zh-CN").err
    assert spawn("revoke", "subject", "a").code == 3


def test_a_configuration_with_faults_elsewhere_does_not_hold_a_revocation(
    run: Run, behind: Behind, tmp_path: Path
) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 9\nodd: [}\n".replace("[}", "x") + "control: {socket: c.sock}\n")
    assert run("revoke", "subject", "a").code == 0


def test_what_was_done_but_not_recorded_is_not_good(run: Run, behind: Behind) -> None:
    behind.recording = False
    done = run("revoke", "subject", "a", *SOCKET)
    assert done.code == 3
    assert "done, but not on record" in done.err


def test_a_refusal_of_the_gateway_is_1(run: Run, behind: Behind) -> None:
    done = run("revoke", "subject", "a" * 600, *SOCKET)
    assert done.code == 1
    assert "`id`" in done.err


@pytest.mark.parametrize("text", ["tomorrow", "2026-12-31T18:00", "12", "-1h"])
def test_a_time_that_could_mean_two_things_is_2(run: Run, text: str) -> None:
    done = run("revoke", "subject", "a", f"--until={text}")
    assert (done.code, f"`{text}`" in done.err) == (2, True)


def test_a_name_that_nobody_has_is_said_and_revoked_all_the_same(run: Run, behind: Behind) -> None:
    done = run("revoke", "subject", "nobody", *SOCKET)
    assert done.code == 0
    assert "revoked subject `nobody`" in done.out
    assert "nobody by that name has been seen in the record" in done.err
    assert "从未出现过" in run("revoke", "subject", "nobody", *SOCKET, "--lang", "zh-CN").err


def test_what_is_revoked_is_listed_with_its_end_and_who_did_it(run: Run, behind: Behind) -> None:
    done = run("revoke", "--list", *SOCKET)
    assert (done.code, done.out) == (0, "nothing is revoked\n")
    row = {"id": 7, "kind": "session", "key": "s-1", "reason": "lost", "by": "uid:0", "at": NOW}
    behind.revoked = [row | {"until": None}, row | {"id": 8, "until": NOW + 86400}]
    head, first, second, last = run("revoke", "--list", *SOCKET).out.splitlines()
    assert head.split() == ["number", "kind", "id", "until", "by", "since", "reason"]
    assert first.split()[:5] == ["7", "session", "s-1", "lifted", "uid:0"]
    assert spelled(NOW + 86400) in second
    assert last == "in force: 2 revocations"
    assert [row["id"] for row in run("revoke", "--list", *SOCKET, "-o", "json").json] == [7, 8]
    assert "解除为止" in run("revoke", "--list", *SOCKET, "--lang", "zh-CN").out
    assert [act.act for act in behind.acts] == ["revocation.list"] * 4


def test_a_revocation_is_lifted_by_its_number_for_a_reason(run: Run, behind: Behind) -> None:
    done = run("revoke", "--lift", "7", "--reason", "found again", *SOCKET)
    assert (done.code, done.err) == (0, "")
    assert "lifted number 7: subject `zhang.wei`" in done.out
    assert behind.acts[-1].detail == "#7 found again"
    still = run("revoke", "--lift", "8", *SOCKET)
    assert (still.code, "still refused: number 9" in still.err) == (0, True)
    none = run("revoke", "--lift", "5", *SOCKET)
    assert (none.code, none.out) == (1, "")
    assert "no revocation 5 is in force" in none.err


@pytest.mark.parametrize(
    "words",
    [(), ("subject",), ("subject", "a", "--list"), ("--lift", "7", "subject", "a"), ("--list", "--until", "24h")],
)
def test_what_could_mean_two_things_is_2(run: Run, words: tuple[str, ...]) -> None:
    done = run("revoke", *words, *SOCKET)
    assert (done.code, done.out) == (2, "")
    assert "--lift NUMBER" in done.err
