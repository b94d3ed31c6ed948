"""Within which limits are answers inspected?"""

from msgspec import Struct

from gateway.crypto.suite import INTL, Suite

KIB = 1024
MIB = 1024 * KIB
INSPECT_MOST = 32 * MIB  # what a walk holds, and how long its longest step takes, grow with the answer


class Settings(Struct, frozen=True, kw_only=True):
    """`hash_key` is the secret behind all keyed techniques: with another key every digest changes.

    `older` are the keys before it, the first first: they open what they sealed, and the first one stays the key of what
    has to be found again after any number of changes.
    """

    hash_key: bytes
    older: tuple[bytes, ...] = ()
    suite: Suite = INTL
    inspect_max: int = 8 * MIB  # bytes, packed and unpacked: a longer answer is withheld
    inspect_max_of: dict[str, int] = {}  # the same of APIs by name, where it is another
    held_bytes: int = 256 * MIB  # of answers that are read whole, all together
    offload_over: int = 64 * KIB  # bytes: longer answers are walked in slices, with turns for others in between

    def __post_init__(self) -> None:
        if min(map(len, (self.hash_key, *self.older))) < 16:  # resident ids are few: a short key is found by trying
            raise ValueError("`hash_key` or one of `older` is shorter than 16 bytes")
        if self.held_bytes < 2 * INSPECT_MOST:
            raise ValueError(f"`held_bytes` is below 64 MiB: `{self.held_bytes}`")
        for most in (self.inspect_max, *self.inspect_max_of.values()):
            if not KIB <= most <= INSPECT_MOST:
                raise ValueError(f"`inspect_max` is outside 1 KiB … 32 MiB: `{most}`")
        if not KIB <= self.offload_over <= MIB:
            raise ValueError(f"`offload_over` is outside 1 KiB … 1 MiB: `{self.offload_over}`")

    def inspected(self, api: str) -> int:
        """How many bytes of an answer of this API are held, packed or unpacked."""
        return self.inspect_max_of.get(api, self.inspect_max)

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
