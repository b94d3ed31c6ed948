"""The story a stranger sees in the first minute holds, in both languages."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import free_port
from tests.test_layout import ROOT


@pytest.mark.parametrize(
    ("language", "said", "who"),
    [
        ("en", "The story holds: 9 of 9 steps", "wang.fang (unmanaged device) >"),
        ("zh-CN", "全部成立：9 步中 9 步", "wang.fang（非受管设备） >"),
    ],
)
def test_the_story_holds(language: str, said: str, who: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gateway", "--lang", language, "demo", "--once", "--port", str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert said in run.stdout
    assert who in run.stdout


def test_a_gateway_that_dies_while_we_wait_is_noticed(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "gateway", "demo", "--port", str(free_port()), "--dir", str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if "Stop with Ctrl-C." in line:
                found = re.search(r"gateway +pid (\d+)", said)
                assert found, said
                os.kill(int(found[1]), signal.SIGTERM)
        code = demo.wait(30)
    assert (code, "STOPPED: gateway ended (exit code 0); it said:" in said) == (3, True), said
    assert "@timestamp" in said.rpartition("STOPPED")[2]  # the last lines of its log
