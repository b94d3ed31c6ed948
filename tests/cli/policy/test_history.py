"""`gateway policy history`: which policies were in force, since when, by whom?"""

from gateway.app.releases import Release
from tests.cli.shell import Run
from tests.control.doors import NOW, Behind

SOCKET = ("--socket", "c.sock")
ROWS = [
    Release("b" * 64 + "+II", "op.li", NOW, True, True, "rollback"),
    Release("a" * 64, "gateway", NOW - 60, False, False),
]


def test_the_table_names_what_is_active_pinned_and_gone(run: Run, behind: Behind) -> None:
    behind.past = ROWS
    done = run("policy", "history", *SOCKET)
    assert done.code == 0
    head, first, second, last = done.out.splitlines()
    assert head.split() == ["revision", "in", "force", "since", "by", "came", "by"]
    assert (first.split()[0], first.endswith("rollback  active, pinned")) == ("bbbbbbbbbbbb+II", True)
    assert (second.split()[0], second.endswith("no longer stored")) == ("aaaaaaaaaaaa", True)
    assert "`gateway reload` follows it again" in last
    assert run("policy", "history", *SOCKET, "-o", "json").json["history"][1]["digest"] == "a" * 64
    assert "回滚" in run("policy", "history", *SOCKET, "--lang", "zh-CN").out
    assert "生效中、已固定" in run("policy", "history", *SOCKET, "--lang", "zh-CN").out


def test_silence_is_3(run: Run) -> None:
    assert run("policy", "history", "--socket", "none.sock").code == 3
