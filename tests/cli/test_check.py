"""`gateway check`: would the gateway start with these files?"""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    shutil.copytree(made, folder)
    return folder


def test_every_kind_of_fault_is_told_in_one_run(run: Run, project: Path) -> None:
    config = project / "gateway.yaml"
    config.write_text(
        config.read_text().replace("mode: observe", "mode: observ").replace("audience: gateway", "audiense: gateway")
    )
    rules = project / "policies" / "rules" / "20-civil.yaml"
    rules.write_text(rules.read_text().replace("effect:", "efect:", 1))
    (project / "state" / "keys" / "mask.key").chmod(0o644)
    done = run("check", "-c", config)
    assert done.code == 1
    assert f"{config}:10:7: error C004: `observ` is not a value of `mode`" in done.err
    assert 'did you mean "audience"?' in done.err
    assert "20-civil.yaml:" in done.err
    assert "mask.key" in done.err
    assert "not good" in done.out
    assert "mask.key`（权限 0644）：chmod 600" in run("check", "-c", config, "--lang", "zh-CN").err


def test_a_fault_is_shown_with_its_line_and_a_caret(spawn: Run, project: Path) -> None:
    config = project / "gateway.yaml"
    config.write_text(config.read_text().replace("{keep: 3y}", "{keep: 30d}"))
    done = spawn("check", "-c", config, "--lang", "zh-CN")
    assert "错误 C070：`30d` 短于法律要求" in done.err
    lines = done.err.splitlines()
    shown = next(at for at, line in enumerate(lines) if "keep: 30d" in line)
    assert lines[shown].index("30d") == lines[shown + 1].index("^")
    assert "网络安全法第二十三条" in lines[shown + 2]


def test_a_secret_written_into_the_file_is_not_printed(run: Run, project: Path) -> None:
    config = project / "gateway.yaml"
    config.write_text(config.read_text() + "control: {tokens: [{name: a, role: odd, token: hunter2hunter2}]}\n")
    done = run("check", "-c", config)
    assert "C020" in done.err
    assert "hunter2" not in done.err + done.out


def test_a_failing_policy_test_fails_the_check(run: Run, project: Path) -> None:
    tests = sorted((project / "policies" / "tests").glob("*.yaml"))[0]
    text = tests.read_text()
    tests.write_text(
        text.replace("expect: permit", "expect: deny", 1)
        if "expect: permit" in text
        else text.replace("expect: deny", "expect: permit", 1)
    )
    done = run("check", "-c", project / "gateway.yaml")
    assert done.code == 1
    assert "FAILED" in done.err
    assert "1 failed test\n" in done.out


def test_a_variable_that_overrides_is_named_in_its_fault(run: Run, project: Path) -> None:
    done = run("check", "-c", project / "gateway.yaml", GATEWAY__AUDIT__KEEP="5d")
    assert done.code == 1
    assert "GATEWAY__AUDIT__KEEP:1:1: error C070" in done.err


def test_json_goes_to_stdout_and_everything_else_to_stderr(spawn: Run, project: Path) -> None:
    done = spawn("check", "-c", project / "gateway.yaml", "-o", "json")
    assert done.code == 0
    assert done.json["ok"] is True
    assert done.json["observing"] == ["civil-households"]
    assert [fault["code"] for fault in done.json["faults"]] == ["C080"]
    assert "\x1b[" not in done.out + done.err


def test_no_file_is_another_answer_than_a_bad_file(spawn: Run) -> None:
    done = spawn("check")
    assert done.code == 3
    assert "gateway init" in done.err
    assert done.out == ""


def test_a_file_that_is_not_yaml_or_not_text_is_a_fault(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_bytes("version: 1 # 中文".encode("gbk"))
    done = run("check")
    assert (done.code, "Y003" in done.err) == (1, True)
    (tmp_path / "gateway.yaml").write_text("a: [")
    assert run("check").code == 1


def test_the_shipped_schema_is_the_one_that_is_made(run: Run, tmp_path: Path) -> None:
    assert run("check", "--write-schema", "s.json").code == 0
    made = json.loads((tmp_path / "s.json").read_text())
    assert made == json.loads((ROOT / "deploy" / "schema" / "gateway.schema.json").read_text())


def test_a_folder_that_is_not_there_is_one_fault(run: Run, made: Path) -> None:
    done = run("check", "-c", made / "gateway.yaml", GATEWAY__POLICIES="./nowhere")
    assert (done.code, done.err.count("error C053"), done.err.count("Y001")) == (1, 1, 0)
    assert "not good: 1 error, 0 failed tests" in done.out


def test_a_file_that_is_not_there_says_from_where_it_was_looked_for(run: Run, made: Path) -> None:
    said = run("check", "-c", made / "gateway.yaml", GATEWAY__TLS="{cert: tls.crt, key: 'file:tls.key'}")
    assert said.err.count("relative paths start at the folder of the configuration") == 2
    chinese = run("check", "-c", made / "gateway.yaml", "--lang", "zh-CN", GATEWAY__DEVICE="{ca: ca.pem}")
    assert "相对路径以配置文件所在目录为起点" in chinese.err
