"""Which number stands for all entries so far, and how is one entry shown to be among them?

The Merkle tree of RFC 6962 section 2 (RFC 9162 section 2.1), SHA-256:

1. leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right): the prefixes keep a node from
   being shown as an entry (second preimage).
2. A tree of n leaves splits at the largest power of two below n.
3. The tree of no leaves is SHA-256 of nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree that only grows: one hash for each complete subtree on its right edge.

    `size` leaves; `edge` has one hash for each bit that is set in `size`, the largest subtree first.
    """

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        self.size = size
        self.edge = list(edge)
        if len(self.edge) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} subtrees, not {len(self.edge)}")

    def add(self, digest: bytes) -> None:
        """Append the hash of a leaf."""
        edge, size = self.edge, self.size
        while size & 1:
            digest = sha256(b"\1" + edge.pop() + digest).digest()
            size >>= 1
        edge.append(digest)
        self.size += 1

    def extend(self, digests: Sequence[bytes]) -> None:
        """Append the hashes of these leaves: level by level, which takes half the time of one by one."""
        edge, size, level = self.edge, self.size, list(digests)
        self.size += len(level)
        grown: list[bytes] = []  # the new edge, from the lowest level up
        while level:
            if size & 1:
                level.insert(0, edge.pop())
            if len(level) & 1:
                grown.append(level.pop())
            each = iter(level)
            level = [sha256(b"\1" + left + right).digest() for left, right in zip(each, each, strict=True)]
            size >>= 1
        edge.extend(reversed(grown))

    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.edge:
            return EMPTY
        root = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            root = node(left, root)
        return root


Subtree = Callable[[int, int], bytes]
"""The hash of the leaves from the first number up to, not including, the second."""


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The hash of a tree with these leaf hashes."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)] + odd
    return level[0]


def subtree_of(leaves: Sequence[bytes]) -> Subtree:
    """A Subtree over leaf hashes in memory."""
    return lambda start, end: root_of(leaves[start:end])


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves (RFC 6962 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size}")
    return _path(index, 0, size, subtree)


def _path(index: int, start: int, end: int, subtree: Subtree) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, subtree), subtree(middle, end)]
    return [*_path(index, middle, end, subtree), subtree(start, middle)]


def consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of the tree of `new` (RFC 6962 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} is not the beginning of a tree of {new}")
    return _shared(old, 0, new, True, subtree)


def _shared(old: int, start: int, end: int, whole: bool, subtree: Subtree) -> list[bytes]:
    if old == end - start:
        return [] if whole else [subtree(start, end)]
    split = _split(end - start)
    middle = start + split
    if old <= split:
        return [*_shared(old, start, middle, whole, subtree), subtree(middle, end)]
    return [*_shared(old - split, middle, end, False, subtree), subtree(start, middle)]


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def included(index: int, size: int, digest: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows this leaf hash at `index` under `root` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last = index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            digest = node(sibling, digest)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            digest = node(digest, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and digest == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree grew from `old_root` to `new_root` (RFC 9162 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new or not proof:
        return False
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = node(sibling, first), node(sibling, second)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node(second, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
