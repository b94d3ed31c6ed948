"""Can what lies in deploy/ be used as it is? Each file is judged by the tool of its field."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def said(*command: str) -> tuple[int, str]:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def test_the_dockerfile_is_clean() -> None:
    code, text = said(tool("hadolint"), "Dockerfile")
    assert (code, text) == (0, "")


def test_the_yaml_files_are_clean() -> None:
    code, text = said(tool("yamllint"), "--strict", "deploy", "policies")
    assert (code, text) == (0, "")


def test_the_image_runs_as_nobody_with_a_health_check() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 65532:65532" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_unit_is_valid(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    gateway = tmp_path / "gateway"
    gateway.write_text("#!/bin/sh\n")
    gateway.chmod(0o755)
    for name in ("gateway.service", "gateway.socket"):
        text = (ROOT / "deploy" / "systemd" / name).read_text().replace("/opt/gateway/bin/gateway", str(gateway))
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    run = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / "gateway.service")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert [line for line in run.stderr.splitlines() if "gateway." in line] == []


def test_the_unit_exposes_little() -> None:
    code, text = said(
        tool("systemd-analyze"),
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        "deploy/systemd/gateway.service",
    )
    assert code == 0, text


SERIES = {
    code: f'gateway_withheld_total{{api="civil",code="{code}"}}'
    for code in ("residual_identifier", "cannot_inspect", "too_many_records", "no_record")
} | {
    contract: f'gateway_unlabelled_fields_total{{api="civil",contract="{contract}"}}'
    for contract in ("warn", "enforce")
}


@pytest.mark.parametrize(
    ("code", "values", "at", "alert"),
    [
        ("residual_identifier", "_ _ _ 1 1 1 1", "4m", "PersonalDataWhereNoneWasExpected"),
        ("residual_identifier", "1+0x20 2 2 2", "23m", "PersonalDataWhereNoneWasExpected"),
        ("residual_identifier", "1+0x30", "30m", ""),
        ("cannot_inspect", "0+1x30", "20m", "AnswersAreWithheld"),
        ("too_many_records", "0+1x30", "20m", "ManyRecordsAtOnce"),
        ("no_record", "0+1x30", "20m", ""),
        ("warn", "_ _ 4 4", "3m", "FieldsNobodyLabelled"),
        ("enforce", "_ _ 4 4", "3m", ""),
    ],
)
def test_prometheus_hears_of_what_is_withheld(tmp_path: Path, code: str, values: str, at: str, alert: str) -> None:
    rules = ROOT / "deploy" / "compose" / "alerts.yml"
    series = {"series": SERIES[code], "values": values}
    fires = 'count by (alertname) (ALERTS{alertstate="firing"})'
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []
    heard = {"expr": fires, "eval_time": at, "exp_samples": samples}
    test = {"interval": "1m", "input_series": [series], "promql_expr_test": [heard]}
    told = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yml").write_text(json.dumps(told))
    done, text = said(tool("promtool"), "test", "rules", str(tmp_path / "tests.yml"))
    assert done == 0, text
