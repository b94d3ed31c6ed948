"""All trees up to 256 leaves, and the reference roots of Certificate Transparency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.merkle import (
    EMPTY,
    Frontier,
    consistency,
    consistent,
    included,
    inclusion,
    leaf,
    node,
    root_of,
    subtree_of,
)

REFERENCE = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [leaf(b"entry %d" % number) for number in range(257)]


def definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1 word for word."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(definition(leaves[:k]), definition(leaves[k:]))


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", ROOTS)
def test_the_reference_roots_come_out(size: int) -> None:
    tree = Frontier()
    for data in REFERENCE[:size]:
        tree.add(leaf(data))
    assert tree.root().hex() == ROOTS[size]


def test_every_tree_to_256_grows_as_the_definition_says() -> None:
    tree = Frontier()
    for size in range(257):
        assert tree.root() == definition(LEAVES[:size]) == root_of(LEAVES[:size])
        assert Frontier(tree.size, tree.edge).root() == tree.root()
        tree.add(LEAVES[size])


def test_every_entry_of_every_tree_to_256_can_be_shown() -> None:
    for size in range(1, 257):
        subtree = cached(size)
        root = subtree(0, size)
        for index in range(size):
            proof = inclusion(index, size, subtree)
            assert included(index, size, LEAVES[index], proof, root)


def test_every_tree_to_256_can_be_shown_to_have_grown() -> None:
    for new in range(1, 257):
        subtree = cached(new)
        for old in range(1, new + 1):
            proof = consistency(old, new, subtree)
            assert consistent(old, new, cached(old)(0, old), subtree(0, new), proof)


CACHE: dict[tuple[int, int], bytes] = {}


def cached(size: int):
    def subtree(start: int, end: int) -> bytes:
        if (start, end) not in CACHE:
            if end - start == 1:
                CACHE[start, end] = LEAVES[start]
            else:
                k = 1 << (end - start - 1).bit_length() - 1
                CACHE[start, end] = node(subtree(start, start + k), subtree(start + k, end))
        return CACHE[start, end]

    return subtree


@given(st.integers(1, 64), st.data())
def test_no_other_entry_place_size_or_root_passes(size: int, data: st.DataObject) -> None:
    subtree = subtree_of(LEAVES)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion(index, size, subtree), root_of(LEAVES[:size])
    assert not included(index, size, LEAVES[200], proof, root)
    assert not included((index + 1) % size, size, LEAVES[index], proof, root) or size == 1
    assert not included(index, size, LEAVES[index], [*proof, EMPTY], root)
    assert not included(size, size, LEAVES[index], proof, root)
    if proof:
        assert not included(index, size, LEAVES[index], proof[:-1], root)
        spoilt = [EMPTY, *proof[1:]]
        assert not included(index, size, LEAVES[index], spoilt, root)


@given(st.integers(1, 64), st.integers(1, 64))
def test_a_tree_that_was_rewritten_is_not_consistent(one: int, two: int) -> None:
    old, new = sorted((one, two))
    rewritten = [EMPTY, *LEAVES[1:new]]
    proof = consistency(old, new, subtree_of(rewritten))
    assert not consistent(old, new, root_of(LEAVES[:old]), root_of(rewritten), proof)
    assert not consistent(new + 1, old, EMPTY, EMPTY, proof)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion(3, 3, subtree_of(LEAVES))
    with pytest.raises(ValueError, match="not the beginning"):
        consistency(4, 3, subtree_of(LEAVES))
    with pytest.raises(ValueError, match="subtrees"):
        Frontier(3, [EMPTY])


@given(st.integers(0, 40), st.lists(st.integers(0, 20), max_size=6))
def test_many_leaves_at_once_are_the_same_tree(first: int, batches: list[int]) -> None:
    at_once, one_by_one, number = Frontier(), Frontier(), 0
    for count in (first, *batches):
        leaves = [leaf(str(number + each).encode()) for each in range(count)]
        at_once.extend(leaves)
        for digest in leaves:
            one_by_one.add(digest)
        number += count
        assert (at_once.size, at_once.edge, at_once.root()) == (number, one_by_one.edge, one_by_one.root())
