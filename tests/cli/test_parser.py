"""What was typed, and which command answers it? Help, languages, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import COMMANDS, main
from gateway.cli.parser import language_of
from tests.cli.shell import ROOT, Run


def test_help_names_every_command_in_both_languages(spawn: Run) -> None:
    english, chinese = spawn("--help"), spawn("--help", "--lang", "zh-CN")
    for name in COMMANDS:
        assert name.replace("_", "-") in english.out
    assert "exit codes: 0 yes" in english.out
    assert "退出码：0 是" in chinese.out
    assert "检查配置" in chinese.out
    assert "run the gateway" not in chinese.out


def test_chinese_help_says_usage_once_and_has_chinese_headings(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["serve"], ["policy", "explain"], ["policy"], []):
        with pytest.raises(SystemExit):
            main([*command, "--help", "--lang", "zh-CN"], {})
        shown = capsys.readouterr().out
        assert shown.count("用法：") == 1
        assert shown.startswith("用法：gateway")
        assert "\n选项：\n" in shown


def test_every_help_text_is_translated(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["init"],
        ["check"],
        ["revoke"],
        ["doctor"],
        ["policy", "explain"],
        ["audit", "query"],
        ["audit", "verify"],
    ):
        with pytest.raises(SystemExit):
            main([*command, "--help", "--lang", "zh-CN"], {})
        shown = capsys.readouterr().out
        for line in shown.splitlines():
            assert (
                not line.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ= ")
                or any(ord(c) > 0x2E7F for c in line)
                or line.lstrip().startswith(("-", "{", "["))
            ), line


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["revoke", "planet", "x"], ["check", "--colour"], ["policy"], ["audit", "verify", "-o", "xml"]],
)
def test_what_cannot_be_understood_leaves_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words, {})
    assert left.value.code == 2
    assert capsys.readouterr().out == ""


def test_complaints_speak_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--lang", "zh-CN", "revoke", "planet", "x"], {})
    assert "的值 'planet' 无效" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (["policy", "test", "--at-least", "101"], "`101` is not a number from 0 to 100", "`101` 不是 0 至 100 的数字"),
        (["policy", "diff", "a", "b", "--jobs", "x"], "`x` is not a whole number", "`x` 不是整数"),
        (["revoke", "--list", "--lift", "7"], "not allowed with", "参数 --lift 与 --list 不能同时使用"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_what_could(
    words: list[str], english: str, chinese: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, said in (("en", english), ("zh-CN", chinese)):
        with pytest.raises(SystemExit):
            main([*words, "--lang", language], {})
        shown = capsys.readouterr().err
        assert said in shown
        assert "error: " not in shown or language == "en"


def test_every_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["policy"], ["policy", "diff"], ["audit", "verify"]):
        with pytest.raises(SystemExit):
            main([*command, "--help"], {})
        assert "exit codes: 0 yes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "environ", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (["check", "--lang", "en"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["--lang=zh-CN"], {}, "zh-CN"),
    ],
)
def test_the_language_is_the_asked_for_or_the_environments(
    argv: list[str], environ: dict[str, str], language: str
) -> None:
    assert language_of(argv, environ) == language


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from gateway.cli import parser; parser('en'); print(sorted({'pydantic','starlette','casbin','httpx','rich','yaml','msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_closed_pipe_is_no_error(made: Path) -> None:
    command = f"{sys.executable} -m gateway policy show -c {made}/gateway.yaml | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    "command", [["check"], ["serve"], ["doctor"], ["policy", "check"], ["audit", "verify"], ["revoke", "--list"]]
)
def test_without_a_configuration_every_command_says_the_same(run: Run, command: list[str]) -> None:
    done = run(*command)
    assert (done.code, done.out) == (3, "")
    assert done.err == "there is no `gateway.yaml` here: name one with -c, or make one with `gateway init`\n"
