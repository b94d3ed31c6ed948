"""How are digits enciphered so that as many digits come out?

FF1 of NIST SP 800-38G, over AES-128 or SM4. Numbers of `length` digits in a radix are permuted among each other.
Domains below a million numbers are refused, as the second draft of revision 1 (2025) demands: in a small domain who
sees some pairs knows the others. FF3 is not offered: it was broken and withdrawn.
"""

from collections.abc import Iterator
from typing import Final

from gateway.crypto.suite import Block

LEAST_DOMAIN: Final = 1_000_000
MOST_BITS: Final = 96
_ROUNDS: Final = 10
_BLOCK: Final = 16


class SmallDomain(ValueError):
    """Fewer than a million numbers: not enciphered."""


class FF1:
    """The permutation of all numbers of one length, under one key and tweak."""

    def __init__(self, block: Block, length: int, radix: int = 10, tweak: bytes = b"") -> None:
        """Raises SmallDomain, and ValueError when half a number has more than 96 bits (28 decimal digits)."""
        if length < 2 or radix**length < LEAST_DOMAIN:
            raise SmallDomain(f"{length} digits in radix {radix} are fewer than {LEAST_DOMAIN} numbers")
        left, right = length // 2, length - length // 2
        self._left: int = radix**left
        self._right: int = radix**right
        bits = (self._right - 1).bit_length()
        if bits > MOST_BITS:  # with no more, each round is one block and yields one
            raise ValueError(f"half of {length} digits in radix {radix} has more than {MOST_BITS} bits")
        width = (bits + 7) // 8
        first = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([_ROUNDS, left % 256]) + length.to_bytes(4)
        last = tweak + bytes(-(len(tweak) + width + 1) % _BLOCK + 1 + width)  # round and half go where zeros are
        chained = 0
        for part in _blocks(first + len(tweak).to_bytes(4) + last[:-_BLOCK]):
            chained = int.from_bytes(block((chained ^ part).to_bytes(_BLOCK)))
        self._block: Block = block
        self._chained = chained ^ int.from_bytes(last[-_BLOCK:])  # the same in every round
        self._turn: int = 8 * width
        self._surplus: int = 128 - 8 * (4 * ((width + 3) // 4) + 4)

    def encrypt(self, number: int) -> int:
        """Another number of this length. Raises ValueError for a number that is too long."""
        a, b = self._parted(number)
        for turn in range(_ROUNDS):
            a, b = b, (a + self._mixed(turn, b)) % (self._right if turn & 1 else self._left)
        return a * self._right + b

    def decrypt(self, number: int) -> int:
        """The number that became this one. Raises ValueError for a number that is too long."""
        a, b = self._parted(number)
        for turn in reversed(range(_ROUNDS)):
            a, b = (b - self._mixed(turn, a)) % (self._right if turn & 1 else self._left), a
        return a * self._right + b

    def _parted(self, number: int) -> tuple[int, int]:
        if not 0 <= number < self._left * self._right:
            raise ValueError("not a number of this length")
        return divmod(number, self._right)

    def _mixed(self, turn: int, half: int) -> int:
        """The round function over the other half."""
        mixed = self._block((self._chained ^ turn << self._turn ^ half).to_bytes(_BLOCK))
        return int.from_bytes(mixed) >> self._surplus


def _blocks(data: bytes) -> Iterator[int]:
    for at in range(0, len(data), _BLOCK):
        yield int.from_bytes(data[at : at + _BLOCK])
