"""`gateway policy sign`: who answers for these policies?

Writes `bundle.sig` beside them: a signed note over every file. It needs no gateway and no configuration when the folder
is named, so that the key can stay on a machine of its own. What is not good is not signed: a signature says that it was
looked at.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import Located, located, read_at
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.cli.policy.folder import Read

WORDS: dict[str, tuple[str, str]] = {
    "policy.sign.help": (
        "sign a policy folder, or make a key for it; `policy_signers` says whose signatures count",
        "为策略目录签名，或生成签名密钥；`policy_signers` 指定哪些签名有效",
    ),
    "sign.key": (
        "private key to sign with (Ed25519 or SM2, only yours to read)",
        "签名私钥（Ed25519 或 SM2，仅本人可读）",
    ),
    "sign.sm2": ("with --new-key: a key of SM2 instead of Ed25519", "与 --new-key 合用：生成 SM2 密钥，而非 Ed25519"),
    "sign.no_sm2": (
        "this machine has no SM2: {why}; install an OpenSSL 3 with SM2",
        "本机没有 SM2：{why}；请安装带 SM2 的 OpenSSL 3",
    ),
    "sign.new": (
        "make a new key here and print its public half; never overwrites",
        "在此生成新密钥并打印公钥；不会覆盖已有文件",
    ),
    "sign.name": ("name of the signer (default: the name of the key file)", "签名人名称（默认取密钥文件名）"),
    "sign.which": (
        "name a key with --key FILE, or make one with --new-key FILE",
        "请用 --key 文件 指定密钥，或用 --new-key 文件 生成",
    ),
    "sign.bad_key": ("`{path}` cannot sign: {why}", "`{path}` 不能用于签名：{why}"),
    "sign.bad_name": (
        "`{name}` cannot name a signer: no spaces, no `+`; say --name NAME",
        "`{name}` 不能作为签名人名称：不能含空格和 `+`；请用 --name 名称 指定",
    ),
    "sign.made": (
        "made {path}; its public half, for `policy_signers`:",
        "已生成 {path}；其公钥如下，请写入 `policy_signers`：",
    ),
    "sign.done": ("signed {files:file} in {path}, by {names}", "已为 {path} 中的 {files} 个文件签名，签名人：{names}"),
    "sign.not": ("nothing was signed", "未签名"),
    "sign.bad": (
        "nothing was signed: {errors:error}, {tests:failed test}; a reload would refuse it (--force signs it all the same)",
        "未签名：{errors} 个错误，{tests} 项测试失败，重新加载时会被拒绝（--force 可强制签名）",
    ),
    "sign.forced": (
        "signed although a reload would refuse it: {errors:error}, {tests:failed test}",
        "已强制签名，但重新加载时会被拒绝：{errors} 个错误，{tests} 项测试失败",
    ),
    "sign.force": ("sign even what has faults or fails its tests", "即使有错误或测试失败也签名"),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("sign", help="policy.sign.help", description="policy.sign.help")
    with_folder(parser)
    parser.add_argument("--key", default="", metavar="FILE", help="sign.key")
    parser.add_argument("--new-key", default="", metavar="FILE", help="sign.new")
    parser.add_argument("--sm2", action="store_true", help="sign.sm2")
    parser.add_argument("--name", default="", metavar="NAME", help="sign.name")
    parser.add_argument("--force", action="store_true", help="sign.force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 signed, 1 what is not good or cannot be signed, or a key not be used, 2 usage, 3 the folder or file cannot be reached."""
    screen = Screen(args)
    if bool(args.key) == bool(args.new_key) or (args.sm2 and args.key):
        screen.warn("sign.which", "error")
        return 2
    from gateway.crypto.sm2 import Sm2Missing

    try:
        return _make(args, screen) if args.new_key else _sign(args, screen)
    except Sm2Missing as missing:
        screen.warn("sign.no_sm2", "error", why=missing)
        return 3


def _make(args: argparse.Namespace, screen: Screen) -> int:
    from gateway.crypto import keys, sm2
    from gateway.crypto.jws import SigningKey

    path = Path(args.new_key)
    key = sm2.PrivateKey.generate() if args.sm2 else SigningKey.generate("EdDSA")
    name = args.name or path.stem
    try:
        verifier = keys.verifier_text(name, key.public())
    except keys.KeyFault:
        screen.warn("sign.bad_name", "error", name=name)
        return 2
    try:
        keys.create(path, key)
    except keys.KeyFault as fault:
        screen.warn("plain", "error", text=fault)
        return 3
    screen.say("sign.made", "good", path=path)
    screen.line(verifier)
    screen.result({"key": str(path), "verifier": verifier})
    return 0


def _sign(args: argparse.Namespace, screen: Screen) -> int:
    from gateway.app.signatures import NOTE, listing, sign
    from gateway.audit.checkpoint import load_any_signer
    from gateway.crypto import keys
    from gateway.document import Faulty

    place = located(args, screen)
    if place is None:
        return 3
    folder = place.folder
    path, name = Path(args.key), args.name or Path(args.key).stem
    try:
        pem = keys.read_private(path)
    except keys.KeyFault as fault:
        screen.warn("plain", "error", text=fault)
        return 1
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        screen.warn("sign.bad_name", "error", name=name)
        return 2
    try:
        signer = load_any_signer(pem, name)
    except ValueError:
        why = screen.choose("not a key of Ed25519 or SM2 in PEM", "不是 PEM 格式的 Ed25519 或 SM2 密钥")
        screen.warn("sign.bad_key", "error", path=path, why=why)
        return 1
    try:
        listing(folder)  # links first: what cannot be signed is not read either
        found = _looked_at(place, screen)
        bad = found.errors or found.failed
        if bad and not args.force:
            screen.warn("sign.bad", "error", errors=found.errors, tests=len(found.failed))
            screen.result({"signed": None, "faults": fault_values(found.faults), "tests": found.ran})
            return 1
        done = sign(folder, signer)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        screen.warn("sign.not", "error")
        return 1
    except OSError as error:
        screen.warn("cannot_write", "error", why=error)
        return 3
    screen.say("sign.done", "good", files=done.files, path=folder, names=", ".join(done.names))
    if bad:
        screen.warn("sign.forced", "warning", errors=found.errors, tests=len(found.failed))
    elif found.revision:
        screen.say("check.revision", revision=found.revision[:12])
    signed = {"signed": str(folder / NOTE), "files": done.files, "signers": done.names, "verifier": signer.vkey}
    screen.result(signed | {"revision": found.revision or None})
    return 0


def _looked_at(place: Located, screen: Screen) -> "Read":
    """The policies as a reload would read them, after telling what is wrong with them; who signed is no question yet."""
    from gateway.app.signatures import NOBODY

    found = read_at(place._replace(signers=NOBODY))
    screen.faults(found.faults)
    screen.failures(found.failed)
    return found
