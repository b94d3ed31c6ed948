"""What was typed, and which command answers it?

Each command is a module with `register(subparsers)` and `run(args) -> exit code`; it imports what is
heavy inside `run`, so that `--help` is there at once. Exit codes: 0 yes · 1 the answer is no · 2 usage ·
3 could not find out · 4 integrity failure · 5 incomplete.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from gateway import __version__
from gateway.cli.parser import Parser, language_of
from gateway.cli.texts import TEXTS, Language

COMMANDS = (
    "init",
    "check",
    "serve",
    "demo",
    "reload",
    "revoke",
    "risk",
    "doctor",
    "policy",
    "asset",
    "emergency",
    "audit",
    "trace",
    "keys",
    "explain_code",
    "completion",
)


def parser(language: Language) -> Parser:
    """The whole command line, speaking this language."""
    top = Parser(prog="gateway", description="gateway", language=language)
    top.add_argument("--version", action="version", version=f"gateway {__version__}", help="version")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = import_module(f"gateway.cli.{name}")
        TEXTS.update(getattr(command, "WORDS", {}))  # a command may bring its texts along
        command.register(subparsers)
    return top


def main(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; its exit code."""
    language = language_of(argv, environ)
    args = parser(language).parse_args(argv)
    args.lang = language
    args.output = getattr(args, "output", "text")
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # `gateway audit query … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code
