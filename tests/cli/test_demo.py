"""The story a stranger sees in the first minute holds, in both languages."""

import subprocess
import sys

import pytest

from tests.running import free_port
from tests.test_layout import ROOT


@pytest.mark.parametrize(
    ("language", "said"), [("en", "The story holds: 9 of 9 steps"), ("zh-CN", "全部成立：9 步中 9 步")]
)
def test_the_story_holds(language: str, said: str) -> None:
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
