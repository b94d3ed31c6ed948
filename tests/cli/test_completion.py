"""`gateway completion`: which words can come next, for a shell?"""

import subprocess
from pathlib import Path

from tests.cli.shell import Run


def test_completions_are_good_scripts(run: Run, tmp_path: Path) -> None:
    script = run("completion", "bash").out
    (tmp_path / "c.sh").write_text(
        script + '\nCOMP_WORDS=(gateway policy ""); COMP_CWORD=2; _gateway; echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", str(tmp_path / "c.sh")], capture_output=True, text=True, check=True)
    assert {"check", "test", "explain", "show"} <= set(done.stdout.split())
    assert "bashcompinit" in run("completion", "zsh").out
