"""Is the entry that was asked for found, whatever the index says, and nothing changed?"""

import shutil
from pathlib import Path

import pytest

from gateway.audit import Index
from gateway.cli.policy.entry import decision, find, signed
from tests.cli.policy.kept import Kept
from tests.review import history


@pytest.fixture
def copy(kept: Kept, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept.state, tmp_path / "copy"))


def test_a_decision_is_found_with_its_number_and_how_it_ended(kept: Kept) -> None:
    found = find(kept.state, kept.ids["allowed"])
    assert found is not None
    assert (found.number, found.entry["outcome"], found.entry["subject"]["id"]) == (1, "permit", "zhang.wei")
    assert found.outcome is not None
    assert found.outcome["status"] == 200
    refused = find(kept.state, kept.ids["step_up"])
    assert refused is not None
    assert refused.outcome is None
    assert find(kept.state, kept.ids["allowed"] + "9") is None


@pytest.mark.parametrize("index", ["none", "broken", "other"])
def test_the_index_is_only_a_signpost(kept: Kept, copy: Path, index: str) -> None:
    before = find(kept.state, kept.ids["forged"])
    (copy / "index.db").unlink()
    if index == "broken":
        (copy / "index.db").write_bytes(b"not a database at all" * 100)
    if index == "other":
        Index(copy / "index.db").close()
    assert find(copy, kept.ids["forged"]) == before


def test_nothing_is_written(kept: Kept, copy: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in copy.rglob("*") if path.is_file() and path.suffix != ".db-shm"}

    before = contents()
    find(copy, kept.ids["allowed"])
    assert contents() == before


def test_a_folder_without_a_ledger_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find(tmp_path, "j.1")


def test_the_checkpoint_says_how_much_is_signed(kept: Kept, copy: Path) -> None:
    assert signed(kept.state) == 12
    (copy / "ledger" / "checkpoint").write_text("gateway/audit\nmany\n")
    assert signed(copy) is None
    (copy / "ledger" / "checkpoint").unlink()
    assert signed(copy) is None


@pytest.mark.parametrize("identity", ["", "x", "../../x.1", f"{history.JOURNAL}.-1", f"{history.JOURNAL}.٣", "a/b.1"])
def test_what_is_no_id_is_not_looked_for(tmp_path: Path, identity: str) -> None:
    assert decision(tmp_path, identity) is None


def test_a_decision_is_found_before_and_after_it_is_sealed(kept: Kept, copy: Path) -> None:
    for name in ("allowed", "stranger"):
        found = decision(kept.state, kept.ids[name])
        assert found is not None
        assert f"{found.journal}.{found.seq}" == kept.ids[name]
    journal = kept.ids["allowed"].rpartition(".")[0]
    assert decision(copy, f"{journal}.0") is None  # the notice that opens a journal is no decision
    before = decision(copy, kept.ids["allowed"])
    shutil.rmtree(copy / "ledger")
    assert list((copy / "journal").glob("*.log")), "the journal is still there"
    assert decision(copy, kept.ids["allowed"]) == before
