"""Within which limits are answers inspected?"""

from msgspec import Struct

from gateway.crypto.suite import INTL, Suite

KIB = 1024
MIB = 1024 * KIB


class Settings(Struct, frozen=True, kw_only=True):
    """`hash_key` is the secret behind all keyed techniques: with another key every digest changes.

    `key_number` stands in what can be opened again, so that it is known which key opens it.
    """

    hash_key: bytes
    key_number: int = 1
    suite: Suite = INTL
    max_inspect: int = 8 * MIB  # bytes, packed and unpacked: a longer answer is withheld
    offload_over: int = 64 * KIB  # bytes: longer answers are walked in slices, with turns for others in between

    def __post_init__(self) -> None:
        if len(self.hash_key) < 16:  # resident ids are few: a short key is found by trying
            raise ValueError("`hash_key` is shorter than 16 bytes")
        if self.max_inspect < KIB:
            raise ValueError(f"`max_inspect` is below 1 KiB: `{self.max_inspect}`")
        if not KIB <= self.offload_over <= MIB:
            raise ValueError(f"`offload_over` is outside 1 KiB … 1 MiB: `{self.offload_over}`")
