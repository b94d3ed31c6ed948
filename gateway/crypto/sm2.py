"""Can this machine sign with SM2, and who signed this?

SM2 with SM3 (GB/T 32918.2-2016), by the OpenSSL of the system through ctypes: the `cryptography` package has no
SM2, and a signature in Python would leak its key by the time it takes. Rules:

1. What is missing is said (`unavailable`), never worked around.
2. The signer's identity is part of what is signed, as the standard demands; ours is that of GM/T 0009.
3. Every object of OpenSSL is freed where it was made; an error of OpenSSL empties its queue, or the next caller in this
   thread would be told it.

Keys are PEM files: `EC PRIVATE KEY` or `PRIVATE KEY`, and `PUBLIC KEY`, as `openssl ecparam -name SM2 -genkey` and
`openssl genpkey -algorithm SM2` write them.
"""

import base64
import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p, create_string_buffer
from functools import cache
from typing import Final
from weakref import finalize

IDENTITY: Final = b"1234567812345678"
"""The signer's identity where nothing else was agreed (GM/T 0009-2012)."""
_PRIVATE, _WRAPPED, _PUBLIC = "EC PRIVATE KEY", "PRIVATE KEY", "PUBLIC KEY"
_NEEDED: Final = 0x30000000  # 3.0: provider interfaces
SONAME: Final = "libcrypto.so.3"
_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo of an uncompressed point on the curve 1.2.156.10197.1.301, up to the point."""
POINT_BYTES: Final = 65


class Sm2Missing(RuntimeError):
    """The system's OpenSSL has no SM2; the text, in both languages, says what was looked for."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class Sm2Fault(ValueError):
    """What was given is not an SM2 key, or OpenSSL refused it."""


@cache
def _library() -> ctypes.CDLL:
    """libcrypto with what is used of it. Raises Sm2Missing."""
    found, name = _opened()
    try:
        version = found.OpenSSL_version_num
    except AttributeError:
        raise Sm2Missing(f"`{name}` cannot be used", f"`{name}` 不可用") from None
    version.restype = ctypes.c_ulong
    if version() < _NEEDED:
        raise Sm2Missing(f"`{name}` is older than OpenSSL 3.0", f"`{name}` 低于 OpenSSL 3.0")
    for function, (result, arguments) in _SIGNATURES.items():
        try:
            entry = getattr(found, function)
        except AttributeError:
            raise Sm2Missing(f"`{name}` has no {function}", f"`{name}` 缺少 {function}") from None
        entry.restype, entry.argtypes = result, arguments
    return found


def _opened() -> tuple[ctypes.CDLL, str]:
    """The library by its own name; only where that is not known by the search, which starts other programs."""
    for name in _names():
        try:
            return ctypes.CDLL(name), name
        except OSError:
            continue
    raise Sm2Missing("no libcrypto is installed", "未安装 libcrypto")


def _names() -> Iterator[str]:
    yield SONAME
    found = ctypes.util.find_library("crypto")
    if found is not None:
        yield found


_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "EVP_PKEY_CTX_new_from_name": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_CTX_new_from_pkey": (c_void_p, [c_void_p, c_void_p, c_char_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_set1_id": (c_int, [c_void_p, c_char_p, c_int]),
    "EVP_PKEY_keygen_init": (c_int, [c_void_p]),
    "EVP_PKEY_generate": (c_int, [c_void_p, POINTER(c_void_p)]),
    "EVP_PKEY_is_a": (c_int, [c_void_p, c_char_p]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_set_pkey_ctx": (None, [c_void_p, c_void_p]),
    "EVP_DigestSignInit_ex": (c_int, [c_void_p, c_void_p, c_char_p, c_void_p, c_char_p, c_void_p, c_void_p]),
    "EVP_DigestSign": (c_int, [c_void_p, c_void_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_DigestVerifyInit_ex": (c_int, [c_void_p, c_void_p, c_char_p, c_void_p, c_char_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "ERR_clear_error": (None, []),
    "OpenSSL_version": (c_char_p, [c_int]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "i2d_PrivateKey": (c_int, [c_void_p, POINTER(c_void_p)]),
    "i2d_PUBKEY": (c_int, [c_void_p, POINTER(c_void_p)]),
}


def unavailable() -> Sm2Missing | None:
    """Why there is no SM2 here, None when there is: a key was made and used to find out."""
    try:
        key = PrivateKey.generate()
        good = key.public().verifies(b"", key.sign(b""))
    except Sm2Missing as why:
        return why
    except Sm2Fault as why:
        return Sm2Missing(str(why), "系统的 OpenSSL 无法使用 SM2")
    return None if good else Sm2Missing("its signatures do not verify", "其签名无法通过校验")


def version() -> str:
    """Which OpenSSL this is, as it says itself. Raises Sm2Missing."""
    said: bytes = _library().OpenSSL_version(0)
    return said.decode("ascii", "replace")


class _Key:
    """A key held by OpenSSL."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        finalize(self, _library().EVP_PKEY_free, handle).atexit = False
        if _library().EVP_PKEY_is_a(handle, b"SM2") != 1:
            raise Sm2Fault("not an SM2 key")


class PublicKey(_Key):
    """Checks signatures."""

    @classmethod
    def load(cls, pem: bytes) -> "PublicKey":
        """Read a PEM file. Raises Sm2Fault, Sm2Missing."""
        return cls(_read("d2i_PUBKEY", _unwrapped(pem, _PUBLIC)))

    def pem(self) -> bytes:
        """The key as a PEM file."""
        return _wrapped(_written("i2d_PUBKEY", self._handle), _PUBLIC)

    @classmethod
    def at(cls, point: bytes) -> "PublicKey":
        """The key at an uncompressed point of the curve, 65 bytes. Raises Sm2Fault, Sm2Missing."""
        if len(point) != POINT_BYTES:
            raise Sm2Fault(f"a point has {POINT_BYTES} bytes, not {len(point)}")
        return cls(_read("d2i_PUBKEY", _HEAD + point))

    def point(self) -> bytes:
        """The point that is the key: one spelling for one key."""
        der = _written("i2d_PUBKEY", self._handle)
        if der[:-POINT_BYTES] != _HEAD:
            raise Sm2Fault("the point of this key is written compressed: write it uncompressed")
        return der[-POINT_BYTES:]

    def verifies(self, data: bytes, signature: bytes, identity: bytes = IDENTITY) -> bool:
        """Whether this key's owner, under this identity, signed the data (DER of r and s)."""
        with _context(self._handle, identity, "EVP_DigestVerifyInit_ex") as context:
            said = _library().EVP_DigestVerify(context, signature, len(signature), data, len(data))
        _library().ERR_clear_error()
        return bool(said == 1)


class PrivateKey(_Key):
    """Signs."""

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key. Raises Sm2Missing."""
        library = _library()
        context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        if not context:
            library.ERR_clear_error()
            raise Sm2Missing("the system's OpenSSL was built without SM2", "系统的 OpenSSL 不含 SM2")
        made = c_void_p()
        try:
            if library.EVP_PKEY_keygen_init(context) != 1 or library.EVP_PKEY_generate(context, byref(made)) != 1:
                library.ERR_clear_error()
                raise Sm2Missing("the system's OpenSSL makes no SM2 keys", "系统的 OpenSSL 无法生成 SM2 密钥")
        finally:
            library.EVP_PKEY_CTX_free(context)
        return cls(_handle(made.value))

    @classmethod
    def load(cls, pem: bytes) -> "PrivateKey":
        """Read a PEM file. Raises Sm2Fault, Sm2Missing."""
        return cls(_read("d2i_AutoPrivateKey", _unwrapped(pem, _PRIVATE if _PRIVATE.encode() in pem else _WRAPPED)))

    def pem(self) -> bytes:
        """The key as a PEM file, unencrypted: for a file that only its owner can read."""
        return _wrapped(_written("i2d_PrivateKey", self._handle), _PRIVATE)

    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return PublicKey(_read("d2i_PUBKEY", _written("i2d_PUBKEY", self._handle)))

    def sign(self, data: bytes, identity: bytes = IDENTITY) -> bytes:
        """The signature, DER of r and s. Raises Sm2Fault."""
        length = c_size_t(256)
        out = create_string_buffer(length.value)
        with _context(self._handle, identity, "EVP_DigestSignInit_ex") as context:
            said = _library().EVP_DigestSign(context, out, byref(length), data, len(data))
        if said != 1:
            _library().ERR_clear_error()
            raise Sm2Fault("OpenSSL does not sign with this key")
        return out.raw[: length.value]


@contextmanager
def _context(key: int, identity: bytes, start: str) -> Iterator[int]:
    """A digest context for this key, begun with SM3 and the signer's identity."""
    library = _library()
    digest = library.EVP_MD_CTX_new()
    used = library.EVP_PKEY_CTX_new_from_pkey(None, key, None)
    try:
        ready = digest and used and library.EVP_PKEY_CTX_set1_id(used, identity, len(identity)) > 0
        if ready:
            library.EVP_MD_CTX_set_pkey_ctx(digest, used)
            ready = getattr(library, start)(digest, None, b"SM3", None, None, key, None) == 1
        if not ready:
            library.ERR_clear_error()
            raise Sm2Fault("OpenSSL does not work with this key")
        yield digest
    finally:
        library.EVP_MD_CTX_free(digest)
        library.EVP_PKEY_CTX_free(used)


def _read(function: str, der: bytes) -> int:
    """A key from DER, all of it."""
    start = c_char_p(der)
    before = ctypes.cast(start, c_void_p).value or 0
    handle = getattr(_library(), function)(None, byref(start), len(der))
    if not handle:
        _library().ERR_clear_error()
        raise Sm2Fault("not a key that OpenSSL reads")
    if (ctypes.cast(start, c_void_p).value or 0) - before != len(der):
        _library().EVP_PKEY_free(handle)
        raise Sm2Fault("something follows the key")
    return int(handle)


def _written(function: str, handle: int) -> bytes:
    write = getattr(_library(), function)
    size = write(handle, None)
    if size <= 0:
        _library().ERR_clear_error()
        raise Sm2Fault("OpenSSL does not write this key")
    out = create_string_buffer(size)
    write(handle, byref(ctypes.cast(out, c_void_p)))
    return out.raw


def _handle(value: int | None) -> int:
    if not value:
        raise Sm2Missing("the system's OpenSSL makes no SM2 keys", "系统的 OpenSSL 无法生成 SM2 密钥")
    return value


def _wrapped(der: bytes, label: str) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def _unwrapped(pem: bytes, label: str) -> bytes:
    """The DER between the lines of this label; what stands before them (curve parameters) is passed over."""
    begin, end = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    _, found, rest = pem.partition(begin)
    body, ended, _ = rest.partition(end)
    if not found or not ended:
        raise Sm2Fault(f"no `{label}` in PEM")
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        raise Sm2Fault("not base64") from None
