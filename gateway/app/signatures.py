"""Who answers for this policy folder, and is it still what they signed?

`bundle.sig` is a C2SP signed note. Its text names every file of the folder with its SHA-256, so that whoever reads it
sees what was signed, and a fault can say which file is another one. Rules:

1. Every file counts: rules, catalog, devices, tests, whatever lies there. Left out are hidden files (they are never
   read nor stored), the note itself, and what the gateway writes beside a stored folder (`bundle.json`, `apis.json`).
2. A link or a special file cannot be signed: what it stands for can change without the folder changing.
3. Signatures are counted by key. One key under two names is one signer.
4. What is checked is a copy that nobody else can change; a check of the folder itself only serves to tell early.
5. A signature says who and what, not when: an older folder that was signed is a signed folder. Which revision is in
   force, and who put it there, is in the record.
6. Keys are of Ed25519 or SM2. Where SM2 cannot be checked, what needs it is not good.
"""

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from gateway.audit.checkpoint import NoteSigner, Unsigned, Verifier, key_of
from gateway.audit.entry import Malformed
from gateway.crypto.sm2 import Sm2Missing
from gateway.document import Faulty, FileFault

NOTE = "bundle.sig"
HEAD = "zero-trust-gateway policy v1"
"""The first line of every listing: no note that the same key signed for another purpose can be taken for one."""
_LEFT_OUT = frozenset((NOTE, "bundle.json", "apis.json"))
_MAX_FILES = 5_000
_MAX_NOTE = 1_000_000
_SHOWN = 5  # files named one by one; a folder that is another one altogether would fill the screen
_CHUNK = 1 << 20


class _Said(NamedTuple):
    """One kind of fault, in both languages, with how to mend it."""

    code: str
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str

    def at(self, path: Path, **values: object) -> FileFault:
        return FileFault(
            str(path),
            1,
            1,
            self.code,
            self.en.format(**values),
            self.zh.format(**values),
            self.remedy_en,
            self.remedy_zh,
        )


_SIGN_AGAIN = ("review the change, then `gateway policy sign`", "请核对改动后执行 `gateway policy sign`")
UNSIGNED = _Said(
    "P160",
    "the policies are not signed",
    "策略未签名",
    "gateway policy sign DIR --key FILE",
    "gateway policy sign 目录 --key 文件",
)
CHANGED = _Said("P161", "is not what was signed", "与签名时的内容不同", *_SIGN_AGAIN)
ADDED = _Said("P161", "was not there when the policies were signed", "签名时没有该文件", *_SIGN_AGAIN)
GONE = _Said("P161", "was signed and is missing", "签名中有该文件，现已缺失", *_SIGN_AGAIN)
MORE = _Said("P161", "{count} more files are not what was signed", "另有 {count} 个文件与签名时不同", *_SIGN_AGAIN)
ODD = _Said(
    "P162", "{what_en} cannot be signed", "{what_zh}不能签名", "replace it with a regular file with a plain name, or remove it",
    "请换成名称普通的常规文件，或将其移走",
)  # fmt: skip
MANY = _Said(
    "P162",
    "more than {count} files cannot be signed",
    "文件超过 {count} 个，不能签名",
    "keep only policies here",
    "此处请只保留策略文件",
)
STRANGE = _Said(
    "P163", "{count} of {needed} signatures that are needed ({who_en})",
    "需要 {needed} 个有效签名，现有 {count} 个（{who_zh}）",
    "have it signed by those whom `policy_signers` names", "请由 `policy_signers` 中的签名人签名",
)  # fmt: skip
NO_NOTE = _Said("P164", "is not a signed listing of policies", "不是策略清单的签名文件", *_SIGN_AGAIN)
WRONG = _Said("P165", "the signature of `{name}` is wrong", "`{name}` 的签名无效", *_SIGN_AGAIN)
UNCHECKED = _Said(
    "P169",
    "the SM2 signature of `{name}` cannot be checked here: {why_en}",
    "此处无法校验 `{name}` 的 SM2 签名：{why_zh}",
    "install an OpenSSL 3 with SM2 (libcrypto.so.3)",
    "请安装带 SM2 的 OpenSSL 3（libcrypto.so.3）",
)


class Signers(Struct, frozen=True):
    """Who may sign (C2SP verifier keys), and how many of them must have. Without keys nothing needs a signature."""

    keys: tuple[str, ...] = ()
    needed: int = 1

    def faults(self, folder: Path) -> tuple[FileFault, ...]:
        """Why this folder is not good; empty when it is, or when nobody is named as a signer."""
        return tuple(_faults(folder, self)) if self.keys else ()


NOBODY = Signers()


def _faults(folder: Path, signers: Signers) -> Iterator[FileFault]:
    path = folder / NOTE
    try:
        listed = listing(folder)
    except Faulty as faulty:
        yield from faulty.faults
        return
    try:
        note = _read(path)
    except FileNotFoundError:
        yield UNSIGNED.at(path)
        return
    except (OSError, UnicodeDecodeError):
        yield NO_NOTE.at(path)
        return
    text = _text(note)
    if not text.startswith(f"{HEAD}\n"):
        yield NO_NOTE.at(path)
        return
    yield from _who(path, note, signers)
    if text != listed:
        yield from _what(folder, _lines(text), _lines(listed))


def _read(path: Path) -> str:
    """The note. It is a regular file: `listing` has refused everything else before."""
    with path.open("rb") as file:
        return file.read(_MAX_NOTE).decode()


def _text(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"


def _who(path: Path, note: str, signers: Signers) -> Iterator[FileFault]:
    """Whether enough of those who may have signed this text."""
    good: dict[str, str] = {}  # key -> name: two names of one key are one signer
    may = {vkey.partition("+")[2].partition("+")[2]: vkey.partition("+")[0] for vkey in reversed(signers.keys)}
    for vkey in signers.keys:
        name, _, rest = vkey.partition("+")
        try:
            Verifier(vkey).open(note)
        except Unsigned:
            continue
        except Malformed:
            yield WRONG.at(path, name=name)
            continue
        except Sm2Missing as missing:
            yield UNCHECKED.at(path, name=name, why_en=missing.en, why_zh=missing.zh)
            continue
        good.setdefault(rest.partition("+")[2], name)
    if len(good) < signers.needed:
        have, lack = sorted(good.values()), sorted(name for key, name in may.items() if key not in good)
        yield STRANGE.at(
            path,
            count=len(good),
            needed=signers.needed,
            who_en="; ".join(
                f"{what}: {', '.join(who)}" for what, who in (("signed", have), ("not signed", lack)) if who
            ),
            who_zh="；".join(f"{what}：{'、'.join(who)}" for what, who in (("已签", have), ("未签", lack)) if who),
        )


def _what(folder: Path, signed: dict[str, str], there: dict[str, str]) -> Iterator[FileFault]:
    """Which files are not what was signed, the first few by name."""
    names = sorted(name for name in signed.keys() | there.keys() if signed.get(name) != there.get(name))
    for name in names[:_SHOWN]:
        kind = GONE if name not in there else ADDED if name not in signed else CHANGED
        yield kind.at(folder / name)
    if len(names) > _SHOWN:
        yield MORE.at(folder, count=len(names) - _SHOWN)
    if not names:  # the same files in another order or twice: not a listing that we wrote
        yield NO_NOTE.at(folder / NOTE)


def _lines(text: str) -> dict[str, str]:
    return {name: digest for digest, _, name in (line.partition("  ") for line in text.split("\n")[1:] if line)}


def listing(folder: Path) -> str:
    """The text that is signed: every file with its SHA-256, in the order of their names. Raises Faulty, OSError."""
    faults: list[FileFault] = []
    found: list[tuple[str, Path]] = []
    for path in _everything(folder):
        name = path.relative_to(folder).as_posix()
        if odd := _odd(path, name):
            faults.append(ODD.at(path, what_en=odd[0], what_zh=odd[1]))
        elif name not in _LEFT_OUT and not path.is_dir():
            found.append((name, path))
    if len(found) > _MAX_FILES:
        faults.append(MANY.at(folder, count=_MAX_FILES))
    if faults:
        raise Faulty(faults)
    return f"{HEAD}\n" + "".join(f"{_digest(path)}  {name}\n" for name, path in sorted(found))


def _everything(folder: Path) -> Iterator[Path]:
    """Everything in the folder that is not hidden, without following a link."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith("."):
                yield Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    yield from _everything(Path(entry.path))


def _odd(path: Path, name: str) -> tuple[str, str] | None:
    """What it is when it is not a regular file or a folder with a name that fits on a line."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "a link", "链接"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "a special file", "特殊文件"
    if not name.isprintable():  # a line break in a name could forge a line; surrogates are bytes that are no text
        return "a file with such a name", "此名称的文件"
    return None


def _digest(path: Path) -> str:
    state = sha256()
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()


class Signed(NamedTuple):
    """What was signed: how many files, and who has signed now, in the order of the note."""

    files: int
    names: tuple[str, ...]


def sign(folder: Path, signer: NoteSigner) -> Signed:
    """Sign the folder as it is now. Signatures of others over the very same files stay. Raises Faulty, OSError."""
    text = listing(folder)
    line = signer.line(text)
    path = folder / NOTE
    try:
        note = _read(path)
    except (OSError, UnicodeDecodeError):
        note = ""
    old = note.removeprefix(f"{text}\n").splitlines() if note.startswith(f"{text}\n") else []
    lines = [*(one for one in old if one and _whose(one) != _whose(line.rstrip("\n"))), line.rstrip("\n")]
    _write(path, f"{text}\n" + "".join(f"{one}\n" for one in lines))
    return Signed(text.count("\n") - 1, tuple(one.split(" ")[1] for one in lines if one.count(" ") == 2))


def _whose(line: str) -> object:
    """The key of a signature line: one of SM2 is another line each time it signs."""
    try:
        return key_of(line)
    except Malformed:
        return line


def _write(path: Path, note: str) -> None:
    """At once, or not at all: whoever watches the folder never reads half of it."""
    draft = path.with_name(f".{NOTE}.{os.getpid()}")
    try:
        draft.write_text(note, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
