"""Where is a private key kept, and who else can read it?

Key files and the text form of the ledger's public key. Rules:

1. A private key file is made with 0600 in one step and never over an existing file (O_EXCL): there is
   no moment at which another account can read it, and no run of `init` that loses a key.
2. A file that others can read is refused with the command that mends it. A group may read it only when
   root owns it: that is how systemd and Kubernetes hand out secrets.
3. What is checked is the open file, not the path: a swap between check and use gains nothing.
4. A public key that checks notes travels as a C2SP verifier key, `name+hash+base64(type ‖ key)`. The type of Ed25519 is
   0x01; that of SM2 with SM3 is ours: 0xff, which C2SP leaves to others, and its name, so that it meets no other's.
"""

import base64
import binascii
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.crypto import sm2
from gateway.crypto.digest import sha256
from gateway.crypto.jws import SigningKey, VerificationKey

MAX_FILE: Final = 64 * 1024
_ED25519: Final = b"\x01"  # the signature types of C2SP signed-note
_SM2: Final = b"\xffsm2-with-sm3"
_LENGTHS: Final = {_ED25519: 32, _SM2: sm2.POINT_BYTES}


class KeyFault(ValueError):
    """A key or key file that may not be used: what, where, and how to mend it, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class NoteKey(Struct, frozen=True):
    """A public key that checks notes: its name, the 4 bytes by which a signature names it, and the key itself."""

    name: str
    id: bytes
    algorithm: Literal["Ed25519", "SM2"]
    public: bytes  # 32 bytes, or the 65 of an uncompressed point

    def checker(self) -> Callable[[bytes, bytes], bool]:
        """What says whether (data, signature) is of this key. Raises KeyFault for no point, Sm2Missing."""
        if self.algorithm == "Ed25519":
            return _checks(Ed25519PublicKey.from_public_bytes(self.public))
        try:
            return sm2.PublicKey.at(self.public).verifies
        except sm2.Sm2Fault as fault:
            raise KeyFault(f"is not a key of SM2: {fault}", "不是 SM2 公钥") from None


def _checks(key: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    def checks(data: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return checks


def create(path: Path, key: SigningKey | sm2.PrivateKey) -> None:
    """Write a new private key file, durable when this returns. Raises KeyFault."""
    write_private(path, key.pem())


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, durable when this returns. Raises KeyFault."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeyFault(
            f"`{path}` exists and is kept: move it away to make a new key",
            f"`{path}` 已存在，予以保留：如需新密钥请先将其移走",
        ) from None
    except OSError as error:
        raise KeyFault(f"`{path}` cannot be made: {error.strerror}", f"无法创建 `{path}`：{_why(error)}") from error
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # whatever the umask says
        file.write(data)
        file.flush()
        os.fsync(handle)
    _sync_folder(path.parent)


def load(path: Path, kid: str = "") -> SigningKey:
    """Read a private key file that only its owner can read. Raises KeyFault."""
    pem = read_private(path)
    try:
        return SigningKey.load(pem, kid)
    except ValueError as why:
        zh = f"`{path}` 不是可用的私钥：须为未加密 PEM 格式的 P-256 或 Ed25519 密钥"
        raise KeyFault(f"`{path}`: {why}", zh) from None


def read_private(path: Path) -> bytes:
    """The bytes of a secret file, once nobody else can read it. Raises KeyFault."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a fifo must not hold the start
        try:
            _check_closed(os.fstat(handle), path)
            data = os.read(handle, MAX_FILE + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise KeyFault(f"`{path}` cannot be read: {error.strerror}", f"无法读取 `{path}`：{_why(error)}") from error
    if len(data) > MAX_FILE:
        raise KeyFault(f"`{path}` is larger than a key file can be", f"`{path}` 过大，不会是密钥文件")
    return data


def _check_closed(status: os.stat_result, path: Path) -> None:
    """Refuse a file that somebody else could read or replace, with the remedy. Raises KeyFault."""
    if not stat.S_ISREG(status.st_mode):
        raise KeyFault(f"`{path}` is not a regular file", f"`{path}` 不是常规文件")
    if status.st_uid not in (0, os.geteuid()):
        remedy = f"chown {os.geteuid()} {path}"
        raise KeyFault(f"`{path}` belongs to another account: {remedy}", f"`{path}` 属于其他账号：{remedy}")
    allowed = 0o740 if status.st_uid == 0 else 0o700
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o777 & ~allowed:
        raise KeyFault(
            f"`{path}` can be reached by other accounts (mode {mode:04o}): chmod 600 {path}",
            f"其他账号可访问 `{path}`（权限 {mode:04o}）：chmod 600 {path}",
        )


def _why(error: OSError) -> str:
    """The cause in Chinese, where it is one of the usual."""
    return _CAUSES.get(error.errno or 0, error.strerror or str(error))


_CAUSES: Final = {
    errno.ENOENT: "文件或目录不存在",
    errno.EACCES: "没有权限",
    errno.ELOOP: "是符号链接",
    errno.ENOTDIR: "上级不是目录",
}


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too, not only the bytes behind it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def verifier_text(name: str, key: VerificationKey | sm2.PublicKey) -> str:
    """The C2SP verifier key of an Ed25519 or SM2 key under this name. Raises KeyFault."""
    if isinstance(key, sm2.PublicKey):
        raw = _SM2 + key.point()
    elif isinstance(key.key, Ed25519PublicKey):
        raw = _ED25519 + key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        raise KeyFault("the key is neither Ed25519 nor SM2", "该密钥既不是 Ed25519 也不是 SM2")
    return f"{name}+{note_key_id(name, raw).hex()}+{base64.b64encode(raw).decode()}"


def note_key_id(name: str, raw: bytes) -> bytes:
    """The 4 bytes that name a key in a note; `raw` is the type byte and the key. Raises KeyFault."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise KeyFault(
            f"`{name}` cannot name a key: it needs letters and no `+` or space",
            f"`{name}` 不能作为密钥名称：须有字符，且不含 `+` 与空格",
        )
    return sha256(name.encode() + b"\n" + raw)[:4]


def read_verifier(text: str) -> NoteKey:
    """Read a C2SP verifier key. Raises KeyFault."""
    name, _, rest = text.strip().partition("+")
    shown, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
        named = bytes.fromhex(shown)
    except (binascii.Error, ValueError):
        raise KeyFault("is not of the form `name+hash+base64`", "不是 `名称+散列+base64` 的形式") from None
    kind = next(
        (kind for kind, length in _LENGTHS.items() if raw.startswith(kind) and len(raw) == len(kind) + length), b""
    )
    if not kind or base64.b64encode(raw).decode() != encoded:  # one spelling: a key in two spellings would sign twice
        raise KeyFault("is not a verifier key of Ed25519 or SM2", "不是 Ed25519 或 SM2 的校验公钥")
    if note_key_id(name, raw) != named or named.hex() != shown:
        raise KeyFault(
            "its hash does not fit its name and key: it was copied wrongly or altered",
            "散列与名称和密钥不符：抄写有误或已被改动",
        )
    return NoteKey(name, named, "Ed25519" if kind == _ED25519 else "SM2", raw.removeprefix(kind))
