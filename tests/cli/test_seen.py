"""`gateway audit seen`: who saw this citizen's data, without telling anybody else who was asked about?"""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Run
from tests.control.doors import NOW, Behind

SOCKET = ("--socket", "c.sock")
WHO = "330106199003072319"
LOOK: dict[str, Any] = {
    "at": NOW, "id": "w0.7", "subject": "zhang.wei", "person": "张伟", "org": "prov/civil", "purpose": "counter-service",
    "asset": "household", "category": "population", "route": "GET /civil/households/{id}", "clear": True,
}  # fmt: skip


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f" {WHO}\nmore\n"))


def looks(*found: dict[str, Any], larger: int = 0, cut: bool = False) -> dict[str, Any]:
    return {"looks": list(found), "larger": larger, "cut": cut}


@pytest.mark.usefixtures("typed")
def test_who_saw_it_when_and_how(run: Run, behind: Behind) -> None:
    behind.looks = looks(LOOK, LOOK | {"person": "", "clear": False, "id": "w0.3"}, larger=2)
    done = run("audit", "seen", *SOCKET)
    assert done.code == 0
    head, first, second, *_ = done.out.splitlines()
    assert head.split()[:3] == ["time", "who", "department"]
    assert "张伟 (zhang.wei)" in first and "in clear" in first and first.endswith("w0.7")
    assert "masked" in second
    assert "it may also be in 2 larger answers" in done.err
    assert behind.asked == [("seen", WHO, 0.0)]
    assert WHO not in done.out + done.err


@pytest.mark.usefixtures("typed")
def test_the_time_is_that_of_the_policies(run: Run, behind: Behind, made: Path) -> None:
    behind.looks = looks(LOOK | {"at": 0.0})
    assert "1970-01-01 08:00:00+08:00" in run("audit", "seen", *SOCKET, "-c", made / "gateway.yaml").out


@pytest.mark.usefixtures("typed")
def test_json_and_chinese(run: Run, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    behind.looks = looks(LOOK)
    assert run("audit", "seen", *SOCKET, "-o", "json").json == behind.looks
    monkeypatch.setattr("sys.stdin", io.StringIO(WHO))
    assert "明文" in run("audit", "seen", *SOCKET, "--lang", "zh-CN").out


@pytest.mark.parametrize(("larger", "code"), [(0, 1), (3, 5)])
@pytest.mark.usefixtures("typed")
def test_nobody_is_1_and_5_where_that_is_not_certain(run: Run, behind: Behind, larger: int, code: int) -> None:
    behind.looks = looks(larger=larger)
    assert run("audit", "seen", *SOCKET).code == code


@pytest.mark.usefixtures("typed")
def test_the_span_goes_back_from_now(run: Run, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.seen.time.time", lambda: NOW)
    run("audit", "seen", "--since", "30d", *SOCKET)
    assert behind.asked == [("seen", WHO, NOW - 30 * 86_400)]
    assert run("audit", "seen", "--since", "lately", *SOCKET).code == 2


def test_on_a_terminal_it_is_not_shown(run: Run, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: WHO if "not shown" in prompt else "")
    run("audit", "seen", *SOCKET)
    assert behind.asked == [("seen", WHO, 0.0)]


def test_the_mark_that_some_editors_begin_a_file_with_is_no_part_of_it(
    run: Run, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the answer would be that nobody saw it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\ufeff{WHO}\r\n"))
    run("audit", "seen", *SOCKET)
    assert behind.asked == [("seen", WHO, 0.0)]


@pytest.mark.parametrize("given", ["", "\n", "  \n", "\ufeff"])
def test_without_an_identifier_nothing_is_asked(
    run: Run, behind: Behind, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert (run("audit", "seen", *SOCKET).code, behind.asked) == (2, [])


def test_as_an_argument_it_is_refused(run: Run, behind: Behind) -> None:
    assert (run("audit", "seen", WHO, *SOCKET).code, behind.asked) == (2, [])


@pytest.mark.usefixtures("typed")
def test_silence_is_3(run: Run) -> None:
    assert run("audit", "seen", "--socket", "none.sock").code == 3
