"""Who vouches for how many entries?

Signed notes (c2sp.org/signed-note) with Ed25519, and checkpoints (c2sp.org/tlog-checkpoint) in them:

1. A note is text, an empty line, and signature lines `— <name> <base64 of key id and signature>`.
2. A signature of a key we do not know is ignored; a wrong signature of a key we know spoils the note.
3. A checkpoint's text is the origin, the size, and the root in base64, each on its line.
4. The public key travels as a verifier key: `<name>+<key id>+<base64 of type and key>`.
5. A note may carry a signature of SM2 with SM3 (GB/T 32918) beside the one of Ed25519. Verifiers of C2SP pass it over, so
   the one of Ed25519 always stands there.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from gateway.audit.entry import Malformed
from gateway.crypto import sm2
from gateway.crypto.jwk import VerificationKey
from gateway.crypto.keys import KeyFault, read_verifier, verifier_text

_DASH = "— "
_MAX_NOTE = 1_000_000
_MAX_SIGNATURES = 100


class Unsigned(Malformed):
    """A note that may be good, without a signature of the one who was asked about."""


class NoteSigner(Protocol):
    """Signs notes under a name with one key."""

    name: str
    vkey: str

    def line(self, text: str) -> str:
        """The signature line for this text, with the newline at its end."""


def signed(text: str, *signers: NoteSigner) -> str:
    """The note with this text, which must end with a newline."""
    if not text.endswith("\n"):
        raise ValueError("the text of a note ends with a newline")
    return f"{text}\n" + "".join(signer.line(text) for signer in signers)


class Signer:
    """Signs notes with Ed25519, under a name which for a ledger is its origin."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name, self._key = name, key
        self.vkey = _vkey(name, VerificationKey("", "EdDSA", key.public_key()))

    def line(self, text: str) -> str:
        """The signature line for this text, with the newline at its end."""
        return _line(self.vkey, self._key.sign(text.encode()))

    def sign(self, text: str) -> str:
        """The note with this text, signed by this key alone."""
        return signed(text, self)


class Sm2Signer:
    """Signs notes with SM2 and SM3, the signature in DER as GM/T 0009 has it. Raises Sm2Missing where there is none."""

    def __init__(self, name: str, key: sm2.PrivateKey) -> None:
        self.name, self._key = name, key
        self.vkey = _vkey(name, key.public())

    def line(self, text: str) -> str:
        """The signature line for this text, with the newline at its end."""
        return _line(self.vkey, self._key.sign(text.encode()))


def _vkey(name: str, key: VerificationKey | sm2.PublicKey) -> str:
    try:
        return verifier_text(name, key)
    except KeyFault:
        raise ValueError(f"`{name}` is not the name of a key: no spaces and no `+`") from None


def _line(vkey: str, signature: bytes) -> str:
    name, _, rest = vkey.partition("+")
    return f"{_DASH}{name} {b64encode(bytes.fromhex(rest[:8]) + signature).decode()}\n"


def load_signer(pem: bytes, name: str) -> Signer:
    """The signer of a private key file (PKCS #8 PEM). Raises ValueError when it is not an Ed25519 key."""
    key = load_pem_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the key of the ledger is not an Ed25519 key")
    return Signer(name, key)


def load_any_signer(pem: bytes, name: str) -> Signer | Sm2Signer:
    """The signer of a private key file of Ed25519 or SM2. Raises ValueError when it is neither, Sm2Missing."""
    try:
        load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # `cryptography` has no SM2, and says so in several ways
        return Sm2Signer(name, sm2.PrivateKey.load(pem))
    return load_signer(pem, name)


class Verifier:
    """Checks notes of one signer. Raises Malformed for a verifier key that cannot be one, Sm2Missing."""

    def __init__(self, vkey: str) -> None:
        try:
            key = read_verifier(vkey)
            self._checks = key.checker()
        except KeyFault as fault:
            raise Malformed(f"`{vkey.strip()[:200]}` {fault}") from None
        self.name, self.algorithm, self._id = key.name, key.algorithm, key.id

    def open(self, note: str) -> str:
        """The text that this signer signed. Raises Malformed when it is not a good note, Unsigned when it is another's."""
        text, signatures = _split(note)
        found = False
        for name, blob in signatures:
            if name != self.name or blob[:4] != self._id:
                continue
            if not self._checks(text.encode(), blob[4:]):
                raise Malformed(f"the signature of `{self.name}` with {self.algorithm} is wrong")
            found = True
        if not found:
            raise Unsigned(f"there is no signature of `{self.name}` with {self.algorithm}")
        return text


class Checkpoint(Struct, frozen=True):
    """What was signed: the origin's tree has this root at this size."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def read_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint in a signed note. Raises Malformed, also when the origin is not the signer's name."""
    lines = verifier.open(note).split("\n")
    if len(lines) < 4 or lines[0] != verifier.name:
        raise Malformed(f"not a checkpoint of `{verifier.name}`")
    size, root = lines[1], _base64(lines[2])
    if not (size.isascii() and size.isdigit()) or len(size) > 18 or (len(size) > 1 and size[0] == "0"):
        raise Malformed("the size of the checkpoint is not a number")
    if len(root) != 32:
        raise Malformed("the root of the checkpoint is not 32 bytes")
    return Checkpoint(lines[0], int(size), root)


def key_of(line: str) -> tuple[str, bytes]:
    """Whose signature line this is: the name and the 4 bytes that name the key. Raises Malformed."""
    name, blob = _signature(line)
    return name, blob[:4]


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, found, block = note.rpartition("\n\n")
    if not found or not block.endswith("\n") or len(note) > _MAX_NOTE or _unprintable(note):
        raise Malformed("not a signed note")
    lines = block[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise Malformed("the note has too many signatures")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    blob = _base64(encoded)
    if not line.startswith(_DASH) or not name or len(blob) < 5:
        raise Malformed("a signature line of the note cannot be read")
    return name, blob


def _unprintable(note: str) -> bool:
    """Control characters, and surrogates: they stand for bytes of a file that are not UTF-8."""
    return any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in note)


def _base64(text: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if b64encode(raw).decode() == text else b""  # one text for one value: nothing can be hidden in it
