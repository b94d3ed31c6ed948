"""How does the command line explain itself, in which language?

argparse, with help in two languages: commands give the key of a text (`gateway.cli.texts`) or a plain
English one, and it is looked up when it is shown.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from gateway.cli.texts import TEXTS, Language

_HEADINGS = {"positional arguments": "参数", "options": "选项", "usage: ": "用法："}
_COMPLAINTS = (
    (r"the following arguments are required: (.*)", r"缺少必需的参数：\1"),
    (r"unrecognized arguments: (.*)", r"无法识别的参数：\1"),
    (r"argument (.*): invalid choice: (.*) \(choose from (.*)\)", r"参数 \1 的值 \2 无效，可用值：\3"),
    (r"argument (.*): expected one argument", r"参数 \1 需要一个值"),
    (r"argument (.*): invalid percent value: '(.*)'", r"参数 \1 的值 `\2` 不是 0 至 100 的数字"),
    (r"argument (.*): invalid int value: '(.*)'", r"参数 \1 的值 `\2` 不是整数"),
    (r"argument (.*): not allowed with argument (.*)", r"参数 \1 与 \2 不能同时使用"),
)

_CLEARER = (
    (r"invalid percent value: '(.*)'", r"`\1` is not a number from 0 to 100"),
    (r"invalid int value: '(.*)'", r"`\1` is not a whole number"),
)


def language_of(argv: Sequence[str], environ: Mapping[str, str]) -> Language:
    """`--lang`, else the language of the environment, else English."""
    chosen = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    for position, word in enumerate(argv):
        if word == "--lang" and position + 1 < len(argv):
            chosen = argv[position + 1]
        elif word.startswith("--lang="):
            chosen = word.removeprefix("--lang=")
    return "zh-CN" if chosen.lower().startswith("zh") else "en"


def said(text: str | None, language: Language) -> str | None:
    """The text behind a key; a text that is no key as it is."""
    found = TEXTS.get(text or "")
    return found[language == "zh-CN"] if found else text


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Shows help in the parser's language."""

    language: Language = "en"

    def start_section(self, heading: str | None) -> None:
        super().start_section(_HEADINGS.get(heading or "", heading) if self.language == "zh-CN" else heading)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        if prefix is None and self.language == "zh-CN":  # argparse asks with "" for what stands before a command
            prefix = _HEADINGS["usage: "]
        super().add_usage(usage, actions, groups, prefix)

    def format_help(self) -> str:
        text = super().format_help()
        return re.sub(r"^(参数|选项):$", r"\1：", text, flags=re.M) if self.language == "zh-CN" else text

    def add_text(self, text: str | None) -> None:
        super().add_text(said(text, self.language))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return said(action.help, self.language)


class ChineseFormatter(Formatter):
    """Shows help in Chinese."""

    language: Language = "zh-CN"


class Parser(argparse.ArgumentParser):
    """A parser that knows `--lang` and `-o` wherever they stand, and complains in its language."""

    def __init__(self, *args: Any, language: Language | None = None, **options: Any) -> None:
        if language is not None:
            Parser.speaking = language
        self.language = Parser.speaking
        formatter = ChineseFormatter if self.language == "zh-CN" else Formatter
        options.setdefault("epilog", "exit_codes")
        options |= {"formatter_class": formatter, "add_help": False, "allow_abbrev": False}
        super().__init__(*args, **options)
        self.add_argument("-h", "--help", action="help", help="help")
        self.add_argument("-o", "--output", choices=("text", "json"), default=argparse.SUPPRESS, help="output")
        self.add_argument("--lang", choices=("zh-CN", "en"), default=argparse.SUPPRESS, help="lang")

    speaking: Language = "en"  # subparsers are made by argparse, which hands nothing down

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with what was typed; leave with 2."""
        if self.language == "en":
            for pattern, english in _CLEARER:
                message = re.sub(pattern, english, message)
            super().error(message)
        for pattern, chinese in _COMPLAINTS:
            message = re.sub(pattern, chinese, message)
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}：错误：{message}\n")


def with_door(parser: argparse.ArgumentParser) -> None:
    """Let a command name the gateway that it asks: by its socket, or by the configuration that says where it is."""
    parser.add_argument("--socket", default="", metavar="PATH", help="socket")
    with_config(parser)


def with_folder(parser: argparse.ArgumentParser) -> None:
    """Let a command name the policies that it reads: their folder, or the configuration that says where it is."""
    with_config(parser)
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")


def with_config(parser: argparse.ArgumentParser) -> None:
    """Let a command name its configuration file."""
    parser.add_argument("-c", "--config", metavar="FILE", default="gateway.yaml", help="config")
