"""Within which limits are answers inspected?"""

from msgspec import Struct

from gateway.crypto.suite import INTL, Suite

KIB = 1024
MIB = 1024 * KIB


class Settings(Struct, frozen=True, kw_only=True):
    """`hash_key` is the secret behind all keyed techniques: with another key every digest changes.

    `older` are the keys before it, the first first: they open what they sealed, and the first one stays the key of what
    has to be found again after any number of changes.
    """

    hash_key: bytes
    older: tuple[bytes, ...] = ()
    suite: Suite = INTL
    max_inspect: int = 8 * MIB  # bytes, packed and unpacked: a longer answer is withheld
    offload_over: int = 64 * KIB  # bytes: longer answers are walked in slices, with turns for others in between

    def __post_init__(self) -> None:
        if min(map(len, (self.hash_key, *self.older))) < 16:  # resident ids are few: a short key is found by trying
            raise ValueError("`hash_key` or one of `older` is shorter than 16 bytes")
        if self.max_inspect < KIB:
            raise ValueError(f"`max_inspect` is below 1 KiB: `{self.max_inspect}`")
        if not KIB <= self.offload_over <= MIB:
            raise ValueError(f"`offload_over` is outside 1 KiB … 1 MiB: `{self.offload_over}`")

    @property
    def key_number(self) -> int:
        """The number of `hash_key`: it stands in what can be opened again."""
        return len(self.older) + 1

    @property
    def first_key(self) -> bytes:
        """Key 1, of what stays the same over rotations: whom a record is about, and the watermark."""
        return self.older[0] if self.older else self.hash_key

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """All keys, the first first."""
        return *self.older, self.hash_key
