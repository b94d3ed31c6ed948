"""Commands as a person runs them, with their exit code and both outputs."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from gateway.cli import main
from gateway.cli.screen import source_of

ROOT = Path(__file__).resolve().parents[2]


class Ran(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def ran(*words: str | Path) -> Ran:
    """Run a command in this process: a process of its own would spend most of its time on imports."""
    out, err = io.StringIO(), io.StringIO()
    source_of.cache_clear()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(list(map(str, words)))
        except SystemExit as left:
            code = int(left.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())
