"""How does a command speak?"""

import argparse
import os
from pathlib import Path

import pytest

from gateway.cli.screen import Screen, fault_values, source_of
from gateway.document import FileFault

FAULT = FileFault("f.yaml", 1, 1, "C001", "unknown key `a`", "未知的键 `a`", "did you mean", "您是不是想写")


def screen(lang: str = "en", output: str = "text") -> Screen:
    return Screen(argparse.Namespace(lang=lang, output=output))


def test_answers_go_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    voice = screen()
    voice.say("audit.rows", "dim", count=3)
    voice.warn("audit.no_key", "error")
    voice.faults([FAULT, FAULT])
    shown = capsys.readouterr()
    assert shown.out == "3 rows\n"
    assert shown.err.count("error C001") == 1
    assert "no public key" in shown.err


def test_one_thing_is_not_several() -> None:
    assert screen().text("audit.rows", count=1) == "1 row"
    assert screen().text("audit.rows", count=0) == "0 rows"
    assert screen().text("doctor.config_bad", count=1).startswith("1 fault:")
    assert screen().text("audit.incomplete", size=1, why="x").startswith("INCOMPLETE  1 entry: x")
    assert screen().text("audit.incomplete", size=2, why="x").startswith("INCOMPLETE  2 entries: x")
    assert screen("zh-CN").text("audit.rows", count=1) == "1 行"


def test_json_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    voice = screen(output="json")
    voice.say("audit.rows", "dim", count=3)
    voice.line("words")
    voice.table(("a",), [("b",)])
    voice.result({"中": [1]})
    assert capsys.readouterr().out == '{\n  "中": [\n    1\n  ]\n}\n'


def test_a_name_with_control_characters_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    screen().table(("who",), [("zhang\x1b[2Jwei\r\n[red]",)])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_a_name_an_author_wrote_begins_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Build servers take `::error` and `##vso` at the beginning of a line for commands."""
    name = "a test\n##vso[task.setvariable variable=x]y\x1b[2K"
    screen().say("policy.failed", name=name, place="tests/x.yaml:1", why="denied")
    screen().warn("policy.failed", name=name, place="tests/x.yaml:1", why="denied")
    out, err = capsys.readouterr()
    assert not any(line.startswith("##") or "\x1b" in line for line in (out + err).split("\n"))


def test_what_a_fault_quotes_begins_no_line_and_moves_no_cursor(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a:\tb\x1b[2J\u202e\n")
    said = "no grade `x\n::error file=y::z\x1b[2J`"
    screen().faults(
        [FileFault(str(file), 1, 1, "I005", said, said), FileFault("a\n::error::b", 1, 1, "I001", "e", "z")]
    )
    shown = capsys.readouterr().err
    assert all(part.isprintable() for line in shown.split("\n") for part in line.split("\t"))
    assert ("a:\tb" in shown, "\n::" in shown) == (True, False)


def test_chinese_columns_stay_in_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen("zh-CN").table(("甲", "乙"), [("省民政厅", "x"), ("a", "y")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].index("x") + 4 == lines[2].index("y")  # four wide characters before it


def test_a_long_cell_does_not_pad_the_lines_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    screen().table(("a", "b"), [("1", "x" * 300), ("2", "y")])
    assert [len(line) for line in capsys.readouterr().out.splitlines()] == [4, 303, 4]


def test_what_a_caller_sent_is_no_formula_in_a_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    screen().csv(("path", "count"), [('=HYPERLINK("x",1)', "3"), ("+1\x1b", "-2"), ("@a", "张, 伟"), ("＝1", "")])
    assert capsys.readouterr().out == (
        '\ufeffpath,count\n"\'=HYPERLINK(""x"",1)",3\n\'+1�,\'-2\n\'@a,"张, 伟"\n\'＝1,\n'
    )


def test_no_colour_without_a_terminal() -> None:
    assert screen().colour is False
    assert screen().paint("a", "error") == "a"


def test_faults_as_values() -> None:
    assert fault_values([FAULT])[0]["remedy_zh"] == "您是不是想写"


@pytest.mark.parametrize("file", ["/dev/zero", "/proc/self/mem"])
def test_what_has_no_end_is_not_quoted(file: str) -> None:
    assert source_of(file) == ""


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert source_of(str(tmp_path / "fifo")) == ""
