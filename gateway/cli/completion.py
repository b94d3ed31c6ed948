"""`gateway completion`: which words can come next, for a shell?"""

import argparse
from collections.abc import Iterator
from typing import Any

BASH = """\
_gateway() {{
  local words="" line="${{COMP_WORDS[*]:1:COMP_CWORD-1}}"
  case "$line" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _gateway gateway
"""


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("completion", help="completion.help", description="completion.help")
    parser.add_argument("shell", choices=("bash", "zsh"), help="completion.shell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from gateway.cli import parser

    found = sorted(_words(parser("en"), ""), reverse=True)  # the longest path of commands first
    cases = "\n".join(f'    "{path}"*) words="{" ".join(words)}" ;;' for path, words in found)
    head = "autoload -U +X bashcompinit && bashcompinit\n" if args.shell == "zsh" else ""
    print(head + BASH.format(cases=cases), end="")
    return 0


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    """Each path of commands, and what may follow it."""
    words: list[str] = []
    for action in parser._actions:  # argparse has no public way to ask
        words += action.option_strings
        if isinstance(action.choices, dict):
            for name, inner in action.choices.items():
                words.append(name)
                yield from _words(inner, f"{path} {name}".strip())
        elif action.choices and not action.option_strings:
            words += map(str, action.choices)
    yield path, words
