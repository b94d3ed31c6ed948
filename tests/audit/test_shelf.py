"""The ledger's files."""

from pathlib import Path

import pytest

from gateway.audit import shelf
from gateway.audit.entry import Malformed
from gateway.audit.merkle import consistency, consistent, included, inclusion, leaf, root_of
from gateway.audit.shelf import Leaves, Shelf, read_entries, read_leaves, read_notes, split, subtree


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "FILE", 8)


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % number * (number % 3 + 1) for number in range(count)]


def fill(folder: Path, count: int, step: int = 5) -> Shelf:
    one = Shelf(folder)
    every = entries(count)
    for start in range(0, count, step):
        batch = every[start : start + step]
        one.append(batch, [leaf(raw) for raw in batch])
    one.sync()
    return one


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 37])
def test_what_is_put_in_comes_out_from_any_place(tmp_path: Path, count: int) -> None:
    fill(tmp_path, count).close()
    every = entries(count)
    for start in range(count + 1):
        assert list(read_entries(tmp_path, start)) == every[start:]
    assert read_leaves(tmp_path, 0, count) == [leaf(raw) for raw in every]
    following = Leaves(tmp_path)
    assert [following.next() for _ in every] == [leaf(raw) for raw in every]
    assert following.next() == b""


def test_proofs_come_out_of_the_files(tmp_path: Path) -> None:
    fill(tmp_path, 37).close()
    leaves = [leaf(raw) for raw in entries(37)]
    hash_of = subtree(tmp_path)
    assert hash_of(0, 37) == root_of(leaves)
    for index in range(37):
        assert included(index, 37, leaves[index], inclusion(index, 37, hash_of), root_of(leaves))
    for old in range(1, 37):
        proof = consistency(old, 37, hash_of)
        assert consistent(old, 37, root_of(leaves[:old]), root_of(leaves), proof)


@pytest.mark.parametrize("kept", [0, 3, 8, 12, 16, 20])
def test_opening_cuts_what_was_never_signed(tmp_path: Path, kept: int) -> None:
    fill(tmp_path, 20).close()
    inside = entries(20)[kept - kept % 8 : kept]
    again = Shelf(tmp_path, kept, sum(len(raw) + 2 for raw in inside))
    assert list(read_entries(tmp_path)) == entries(20)[:kept]
    rest = entries(30)[kept:]
    again.append(rest, [leaf(raw) for raw in rest])
    again.close()
    assert list(read_entries(tmp_path)) == entries(30)
    assert subtree(tmp_path)(0, 30) == root_of([leaf(raw) for raw in entries(30)])


def test_a_ledger_that_lost_something_is_not_opened(tmp_path: Path) -> None:
    fill(tmp_path, 20).close()
    with pytest.raises(Malformed, match="shorter"):
        Shelf(tmp_path, 25, 10)
    (tmp_path / "leaves" / "000000000008.bin").write_bytes(b"")
    with pytest.raises(Malformed, match="leaf hash of entry 8"):
        read_leaves(tmp_path, 0, 20)


def test_half_an_entry_at_the_end_is_not_an_entry() -> None:
    assert list(split(b"\0\1a\0\2b")) == [b"a"]
    assert list(split(b"\0")) == []


def test_checkpoints_are_read_one_by_one(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == []
    (tmp_path / "checkpoints").write_text("a\n1\nr\n\n— s x\n\nb\n2\nr\n\n— s y\n\n", encoding="utf-8")
    assert read_notes(tmp_path) == ["a\n1\nr\n\n— s x\n", "b\n2\nr\n\n— s y\n"]
