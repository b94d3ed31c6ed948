"""`gateway policy rollback`: back to policies that were in force before."""

from gateway.control import Rejected, Reloaded
from tests.cli.shell import Run
from tests.control.doors import A_FAULT, Behind

SOCKET = ("--socket", "c.sock")


def test_what_came_into_force_is_said(run: Run, behind: Behind) -> None:
    behind.reloading = Reloaded("a" * 64 + "+II", "b" * 64 + "+II")
    done = run("policy", "rollback", "AAAAaaaa", *SOCKET)
    assert done.code == 0
    assert done.out.startswith("in force in every worker: aaaaaaaaaaaa+II (before bbbbbbbbbbbb+II); pinned")
    assert behind.asked[0][:2] == ("rollback", "aaaaaaaa")
    assert run("policy", "rollback", *SOCKET, "-o", "json").json["previous"] == "b" * 64 + "+II"
    assert behind.asked[1][1] == ""


def test_what_has_faults_now_is_1_and_silence_is_3(run: Run, behind: Behind) -> None:
    behind.reloading = Rejected((A_FAULT,))
    done = run("policy", "rollback", *SOCKET)
    assert (done.code, "P001" in done.err) == (1, True)
    assert run("policy", "rollback", "--socket", "none.sock").code == 3


def test_what_was_in_force_already_is_only_pinned(run: Run, behind: Behind) -> None:
    behind.reloading = Reloaded("a" * 64, "a" * 64)
    assert "was in force already" in run("policy", "rollback", "a" * 64, *SOCKET).out
