"""`gateway keys`: which keys does this gateway have, and how does it get the next one for masking?"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli import decrypt
from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.config import Places

WORDS: dict[str, tuple[str, str]] = decrypt.WORDS | {
    "keys.help": ("the gateway's own keys", "网关自身的密钥"),
    "keys.list.help": ("which keys there are, and what each is for", "列出密钥及其用途"),
    "keys.rotate.help": (
        "make the next key for masking; the next start uses it, what older keys sealed is still opened",
        "生成下一个脱敏密钥：下次启动时启用，旧密钥加密的值仍可还原",
    ),
    "keys.which": ("which key; `mask` is the one that rotates", "要轮换的密钥；目前为 `mask`"),
    "keys.yes": ("do it, having read what it means", "已了解影响，确认执行"),
    "keys.ledger": ("signs checkpoints (Ed25519)", "签署检查点（Ed25519）"),
    "keys.sm2": ("signs checkpoints (SM2 with SM3)", "签署检查点（SM2、SM3）"),
    "keys.assertion": ("signs what services are told about callers (ES256)", "签署转发给业务服务的身份断言（ES256）"),
    "keys.object": (
        "digests of paths and objects in the record (HMAC-SHA-256)",
        "留痕中路径与对象的摘要（HMAC-SHA-256）",
    ),
    "keys.newest": ("masks", "脱敏"),
    "keys.both": ("masks; whom a record is about, and watermarks", "脱敏；并用于数据主体索引与水印"),
    "keys.older": ("opens what it sealed", "还原由其加密的值与令牌"),
    "keys.kept": (
        "whom a record is about, and watermarks, for ever; opens what it sealed",
        "永久用于数据主体索引与水印；还原由其加密的值与令牌",
    ),
    "keys.head_file": ("key", "密钥"),
    "keys.head_made": ("made", "生成时间"),
    "keys.head_use": ("for", "用途"),
    "keys.none": (
        "there are no keys in `{path}`: `gateway init` makes them",
        "`{path}` 中没有密钥：请用 `gateway init` 生成",
    ),
    "keys.meaning": (
        "key {number} will mask from the next start on:\n"
        "- `hash`, `fpe` and `noise` give other values than before; who joins old answers with new ones finds nothing\n"
        "- `encrypt` and `tokenise` give values of key {number} (`e{number}.…`); those of older keys are still opened\n"
        "- who saw whom and watermarks stay as they are: both stay with key 1\n"
        "- keep every key: back up `{folder}`",
        "下次启动起将由密钥 {number} 脱敏：\n"
        "- `hash`、`fpe`、`noise` 的结果与此前不同，新旧应答之间无法再关联\n"
        "- `encrypt` 与 `tokenise` 的值改由密钥 {number} 生成（`e{number}.…`），旧密钥的值仍可还原\n"
        "- 谁看过谁的数据、水印均不受影响：二者始终使用密钥 1\n"
        "- 请保留所有密钥：备份 `{folder}`",
    ),
    "keys.not_yet": ("nothing was changed; say --yes to make it", "未作任何更改；加 --yes 执行"),
    "keys.rotated": (
        "made {path}; in use from the next start of the gateway, back it up before",
        "已生成 {path}；下次启动网关时启用，请先备份",
    ),
    "keys.working": (
        "a gateway works on `{state}`: stop it, rotate, start it; else its workers would mask with different keys",
        "网关正在使用 `{state}`：请先停止，轮换后再启动，否则各工作进程会使用不同的密钥",
    ),
}
USES = {
    "ledger.key": "keys.ledger",
    "ledger-sm2.key": "keys.sm2",
    "assertion.key": "keys.assertion",
    "object.key": "keys.object",
}


class Key(NamedTuple):
    """One key file: its number among those that mask (0 for others), when it was made, and the text that says what for."""

    file: str
    number: int
    made: float
    use: str


def register(subparsers: Any) -> None:
    """Add the commands."""
    group = subparsers.add_parser("keys", help="keys.help", description="keys.help")
    commands = group.add_subparsers(dest="keys_command", metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="keys.list.help", description="keys.list.help")
    with_config(listed)
    listed.set_defaults(run=run, keys_run=_list)
    rotate = commands.add_parser("rotate", help="keys.rotate.help", description="keys.rotate.help")
    rotate.add_argument("key", choices=("mask",), help="keys.which")
    rotate.add_argument("--yes", action="store_true", help="keys.yes")
    with_config(rotate)
    rotate.set_defaults(run=run, keys_run=_rotate)
    decrypt.add(commands, run)


def run(args: argparse.Namespace) -> int:
    """0 done, 1 not done, 3 there is no configuration, or keys cannot be read or made."""
    from gateway.config import places
    from gateway.crypto.keys import KeyFault
    from gateway.document import Faulty

    screen = Screen(args)
    if not Path(args.config).exists():
        screen.warn("no_config", "error", path=args.config)
        return 3
    try:
        where = places(Path(args.config), os.environ)
        if not (where.state / "keys" / "mask.key").is_file():
            screen.warn("keys.none", "error", path=where.state / "keys")
            return 3
        code: int = args.keys_run(args, where, screen)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return 3
    except (KeyFault, OSError) as fault:
        screen.warn("plain", "error", text=fault)
        return 3
    return code


def _list(args: argparse.Namespace, where: "Places", screen: Screen) -> int:
    from gateway.cli.times import spelled, zone_of

    zone = zone_of(args.config)
    keys = list(_found(where.state / "keys"))
    head = [screen.text(f"keys.head_{name}") for name in ("file", "made", "use")]
    screen.table(head, [(one.file, spelled(one.made, zone), screen.text(one.use)) for one in keys])
    told = [one._asdict() | {"number": one.number or None, "use": one.use.removeprefix("keys.")} for one in keys]
    screen.result({"keys": told})
    return 0


def _found(folder: Path) -> "list[Key]":
    from gateway.config.mask_keys import numbered

    found = [
        Key(name, 0, (folder / name).stat().st_mtime, use) for name, use in USES.items() if (folder / name).is_file()
    ]
    masks = numbered(folder)
    newest = max(masks)
    for number, path in masks.items():
        only = "keys.both" if newest == 1 else "keys.kept" if number == 1 else "keys.older"
        use = "keys.newest" if number == newest > 1 else only
        found.append(Key(path.name, number, path.stat().st_mtime, use))
    return found


def _rotate(args: argparse.Namespace, where: "Places", screen: Screen) -> int:
    """0 made, 1 not asked for or a gateway works here, 3 the keys there are cannot be used."""
    from gateway.config.mask_keys import Working, numbered, rotate

    folder = where.state / "keys"
    number = max(numbered(folder)) + 1
    for line in screen.choose(*WORDS["keys.meaning"]).format(number=number, folder=folder).split("\n"):
        screen.warn("plain", "", text=line)
    if not args.yes:
        screen.warn("keys.not_yet", "warning")
        screen.result({"made": None, "number": number})
        return 1
    try:
        made = rotate(where.state)
    except Working:
        screen.warn("keys.working", "error", state=where.state)
        screen.result({"made": None, "number": number})
        return 1
    screen.say("keys.rotated", "good", path=made)
    screen.result({"made": str(made), "number": number})
    return 0
