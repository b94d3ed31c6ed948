"""What does a state directory need before the first start?

Its folders and the gateway's own keys (contracts, section 9). Rules:

1. Nothing that exists is ever replaced: a lost key loses the proof of everything it signed.
2. Folders are 0700, keys 0600, from the moment they exist.
3. The ledger's public key is handed over explicitly: an auditor who takes it from the gateway's own
   disk later proves nothing.
"""

import os
import secrets
import stat
from pathlib import Path

from msgspec import Struct

from gateway.config import mask_keys
from gateway.crypto import sm2
from gateway.crypto.jws import SigningKey
from gateway.crypto.keys import KeyFault, create, load, read_private, verifier_text
from gateway.crypto.suite import Profile

FORMAT = "1"
FOLDERS = ("keys", "journal", "ledger", "bundles")
SIGNING = {"ledger.key": "EdDSA", "assertion.key": "ES256"}
RANDOM = ("mask.key", "object.key")
RANDOM_BYTES = 32


class Prepared(Struct, frozen=True):
    """What was made, and the keys to hand to the auditor (C2SP verifier keys); that of SM2 is "" in the profile `intl`."""

    made: tuple[Path, ...]
    verifier: str
    sm2_verifier: str = ""


def prepare(state: Path, origin: str, profile: Profile = "intl") -> Prepared:
    """Make what is missing. Raises KeyFault, Sm2Missing, OSError.

    A lost `ledger.key` is not made again: what another key signs is not this ledger any more.
    """
    if not (state / "keys" / "ledger.key").exists() and any(path.exists() for path in _signed(state)):
        raise KeyFault(
            f"`{state / 'keys' / 'ledger.key'}` is lost, and what it signed is there: restore it from a backup, "
            "or begin another state directory",
            f"`{state / 'keys' / 'ledger.key'}` 已丢失，而其签署的内容仍在：请从备份恢复，或另用新的状态目录",
        )
    made = [folder for folder in (state, *(state / name for name in FOLDERS)) if _folder(folder)]
    for name, algorithm in SIGNING.items():
        if not (state / "keys" / name).exists():
            create(state / "keys" / name, SigningKey.generate(algorithm))
            made.append(state / "keys" / name)
    for name in RANDOM:
        if _write_new(state / "keys" / name, secrets.token_bytes(RANDOM_BYTES)):
            made.append(state / "keys" / name)
    verifier = verifier_of(state, origin)
    for path, text in ((state / "keys" / "ledger.pub", verifier), (state / "format", FORMAT)):
        if _write_new(path, f"{text}\n".encode()):
            made.append(path)
    national = prepare_sm2(state, origin) if profile != "intl" else Prepared((), "")
    return Prepared((*made, *national.made), verifier, national.sm2_verifier)


def prepare_sm2(state: Path, origin: str) -> Prepared:
    """Make the ledger's key of SM2 where it was never there. Raises KeyFault, Sm2Missing, OSError."""
    secret, published = _sm2_files(state)
    made = []
    if not secret.exists():
        if published.exists():
            raise KeyFault(
                f"`{secret}` is lost, and its public half was handed out: restore it from a backup",
                f"`{secret}` 已丢失，而其公钥已经发出：请从备份恢复",
            )
        create(secret, sm2.PrivateKey.generate())
        made.append(secret)
    verifier = verifier_text(origin, load_sm2(state).public())
    if _write_new(published, f"{verifier}\n".encode()):
        made.append(published)
    return Prepared(tuple(made), "", verifier)


def load_sm2(state: Path) -> sm2.PrivateKey:
    """The ledger's key of SM2. Raises KeyFault, Sm2Missing."""
    secret, _ = _sm2_files(state)
    try:
        return sm2.PrivateKey.load(read_private(secret))
    except sm2.Sm2Fault as fault:
        raise KeyFault(f"`{secret}`: {fault}", f"`{secret}` 不是可用的 SM2 私钥") from None


def _sm2_files(state: Path) -> tuple[Path, Path]:
    return state / "keys" / "ledger-sm2.key", state / "keys" / "ledger-sm2.pub"


def _signed(state: Path) -> tuple[Path, ...]:
    """What tells that a ledger key was in use."""
    return state / "keys" / "ledger.pub", state / "ledger" / "checkpoint"


def verifier_of(state: Path, origin: str) -> str:
    """The verifier key of this state directory: as it was handed out, else made from the ledger's key."""
    published = state / "keys" / "ledger.pub"
    if published.exists():
        return published.read_text(encoding="ascii").strip()
    key = load(state / "keys" / "ledger.key")
    return verifier_text(origin, key.public())


def verifiers(state: Path) -> tuple[str, ...]:
    """The verifier keys that were handed out, that of Ed25519 first: by these an auditor checks the ledger."""
    paths = (state / "keys" / "ledger.pub", _sm2_files(state)[1])
    return tuple(_text(path) for path in paths if path.is_file())


def faults(state: Path, origin: str, profile: Profile = "intl") -> list[KeyFault]:
    """What keeps this state directory from being used; empty when nothing does.

    The key of SM2 may be missing where it was never there: the first start makes it.
    """
    found = []
    handed_out = state / "keys" / "ledger.pub"
    if handed_out.exists() and not _text(handed_out).startswith(f"{origin}+"):
        found.append(
            KeyFault(
                f"`{handed_out}` was handed out under another name than `{origin}`: mend `audit.origin`",
                f"`{handed_out}` 发出时的名称不是 `{origin}`：请更正 `audit.origin`",
            )
        )
    for name, wanted in (("ledger.key", load), ("assertion.key", load), ("object.key", mask_keys.read_random)):
        try:
            wanted(state / "keys" / name)
        except KeyFault as fault:
            found.append(fault)
    if not found and handed_out.exists():
        secret = state / "keys" / "ledger.key"
        if _text(handed_out) != verifier_text(origin, load(secret).public()):
            found.append(_swapped(handed_out, secret, origin))
    if (state / "keys").is_dir():
        found += mask_keys.faults(state / "keys")
    return found + (_sm2_faults(state, origin) if profile != "intl" else [])


def _sm2_faults(state: Path, origin: str) -> list[KeyFault]:
    secret, handed_out = _sm2_files(state)
    if not secret.exists() and not handed_out.exists():
        return []
    try:
        own = verifier_text(origin, load_sm2(state).public())
    except KeyFault as fault:
        return [fault]
    except sm2.Sm2Missing as missing:
        return [KeyFault(missing.en, missing.zh)]
    return [_swapped(handed_out, secret, origin)] if handed_out.exists() and _text(handed_out) != own else []


def _swapped(public: Path, secret: Path, origin: str) -> KeyFault:
    return KeyFault(
        f"`{public}` is not the public half of `{secret}` under the name `{origin}`: restore that key",
        f"`{public}` 不是 `{secret}` 以 `{origin}` 为名的公钥：请恢复原密钥",
    )


def forgotten(state: Path) -> bool:
    """Whether the state store is gone (or empty) beside a record: a new one would let in whom an operator had locked out."""
    store = state / "state.db"
    if store.exists() and store.stat().st_size:
        return False
    return (state / "ledger" / "checkpoint").exists() or any((state / "journal").glob("*.log"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


class Exposed(Struct, frozen=True):
    """A way for another account into the state. `kind`: `writable`, `foreign` or `replaceable`; `place` to mend."""

    kind: str
    place: Path


def exposed(state: Path) -> Exposed | None:
    """How another account could put its own keys, policies or journals in the place of ours; None when none can.

    Links are followed: what counts is where the state really is, and who may rename on the way there.
    """
    for path in (state, *(state / name for name in FOLDERS)):
        if not path.exists():
            continue
        real = path.resolve()
        status = real.stat()
        if status.st_uid not in (0, os.geteuid()):
            return Exposed("foreign", real)
        if status.st_mode & 0o022:
            return Exposed("writable", real)
        for above in {*real.parents, *path.absolute().parents}:
            mode = above.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                return Exposed("replaceable", above)
    return None


def _folder(path: Path) -> bool:
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise
        return False
    path.chmod(0o700)  # whatever the umask says
    return True


def _write_new(path: Path, data: bytes) -> bool:
    """Write a file that nobody else can read, durable when this returns; False when it exists."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
    return True
