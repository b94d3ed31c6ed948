"""`gateway policy fmt`: do all files look the same?"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import located
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.document import FileFault

WORDS = {
    "fmt.help": ("lay out policy files: one order, one style, comments stay", "整理策略文件：统一顺序与样式，保留注释"),
    "fmt.paths": ("files or folders (default: the policy folder)", "文件或目录（默认为策略目录）"),
    "fmt.check": ("only tell what would change; 1 when something would", "仅列出会改变的文件；有改变时退出码为 1"),
    "fmt.changed": ("laid out: {path}", "已整理：{path}"),
    "fmt.would": ("would change: {path}", "将会改变：{path}"),
    "fmt.done": ("{count:file}, {changed} changed", "{count} 个文件，{changed} 个已整理"),
    "fmt.checked": ("{count:file}, {changed} would change", "{count} 个文件，{changed} 个将会改变"),
    "fmt.signed": (
        "{path} signs the files as they were: sign them again with `gateway policy sign`",
        "{path} 签署的是整理前的文件：请用 `gateway policy sign` 重新签署",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("fmt", help="fmt.help", description="fmt.help")
    with_config(parser)
    parser.add_argument("paths", nargs="*", default=[], metavar="PATH", help="fmt.paths")
    parser.add_argument("--check", action="store_true", help="fmt.check")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lay files out: 0 done, 1 something would change, 3 a file was left as it is."""
    screen = Screen(args)
    named = [Path(path) for path in args.paths]
    if not named:
        place = located(args, screen)
        if place is None:
            return 3
        named = [place.folder]
    files = list(dict.fromkeys(file for path in named for file in _files(path)))
    changed: list[Path] = []
    left: list[FileFault] = []
    for path in files:
        faults, new = _lay_out(path, args.check)
        left += faults
        if new:
            changed.append(path)
            screen.say("fmt.would" if args.check else "fmt.changed", path=path)
    screen.faults(left)
    screen.say("fmt.checked" if args.check else "fmt.done", "dim", count=len(files), changed=len(changed))
    if not args.check:
        _remind(screen, changed)
    code = 3 if left else 1 if args.check and changed else 0
    screen.result(
        {"ok": code == 0, "files": len(files), "changed": [str(path) for path in changed], "faults": fault_values(left)}
    )
    return code


def _files(path: Path) -> Iterator[Path]:
    """A file as it is; of a folder every .yaml file, without hidden ones."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*.yaml")):
        if not any(part.startswith(".") for part in file.relative_to(path).parts) and not file.is_dir():
            yield file


def _lay_out(path: Path, check: bool) -> "tuple[tuple[FileFault, ...], bool]":
    """Lay out one file: why it was left as it is, and whether it changed (or would)."""
    from gateway.cli.policy.forms import FILE
    from gateway.cli.policy.rewrite import Refused, put, take
    from gateway.document import Faulty, FileFault, Unsafe, lay_out, read

    try:
        original = take(path)
        text = original.data.decode("utf-8-sig")
        data = lay_out(text, str(path), FILE).encode()
        if data == original.data:
            return (), False
        if not check:
            put(original, data)
        return (), True
    except Faulty as faulty:
        return faulty.faults, False
    except UnicodeDecodeError:
        try:
            read(path)  # says it as every command does
        except Faulty as faulty:
            return faulty.faults, False
        return (), False
    except Unsafe as unsafe:
        en, zh = f"left as it is, because of {unsafe.en}", f"保持原样，原因：{unsafe.zh}"
        hint = "lay this file out by hand", "请手工整理该文件"
        return (FileFault(str(path), unsafe.line, 1, "P110", en, zh, *hint),), False
    except Refused as refused:
        en, zh = f"left as it is: it {refused.en}", f"保持原样：{refused.zh}"
        return (FileFault(str(path), 1, 1, "P111", en, zh),), False


def _remind(screen: Screen, changed: list[Path]) -> None:
    notes = {folder / "bundle.sig" for path in changed for folder in list(path.resolve().parents)[:2]}
    for note in sorted(notes):
        if note.is_file():
            screen.warn("fmt.signed", "warning", path=note)
