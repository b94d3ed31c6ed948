"""What does the record of this gateway say of its data?"""

import argparse
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.cli.asset.past import usage
from gateway.cli.screen import Screen
from gateway.inventory.usage import Usage
from tests.cli.policy.past import CONFIG, keep
from tests.inventory.records import a_day
from tests.literals import NOW


def read(folder: Path, since: str) -> Usage | int:
    args = argparse.Namespace(lang="en", output="text", config=str(folder / "gateway.yaml"), since=since)
    return usage(args, (), Screen(args))


def test_a_span_of_the_ledger_is_read_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    (tmp_path / "policies").mkdir()
    late = time.time() - NOW - 3600
    keep(tmp_path / "state", [replace(entry, at=entry.at + late) for entry in a_day()])  # type: ignore[misc]  # any entry
    before = {path: path.read_bytes() for path in (tmp_path / "state" / "ledger").rglob("*") if path.is_file()}
    found = read(tmp_path, "2h")
    assert isinstance(found, Usage)
    assert (found.entries, found.of_asset("household")[0].answers) == (7, 2)
    older = read(tmp_path, "30m")
    assert isinstance(older, Usage) and older.entries == 0
    assert {path: path.read_bytes() for path in before} == before


def test_what_cannot_be_read_is_counted_and_told(tmp_path: Path, recorded: Path, capsys: object) -> None:
    recorded.write_bytes(
        b'{"kind":"verdict","v":99}\nrubbish that is long enough to be taken for a line of a journal, is it not\n'
        + recorded.read_bytes()
    )
    found = read(tmp_path, str(recorded))
    assert isinstance(found, Usage) and found.entries == 7
    assert "2 entries of the record could not be read" in capsys.readouterr().err  # type: ignore[attr-defined]  # a fixture


def test_a_slip_is_2_and_no_record_is_3(tmp_path: Path, policies: Path) -> None:
    assert read(tmp_path, "7x") == 2
    assert read(tmp_path, "none.jsonl") == 3


def test_no_ledger_is_not_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    (tmp_path / "policies").mkdir()
    assert read(tmp_path, "7d") == 3
    assert f"nothing is on record in `{tmp_path / 'state'}` yet" in capsys.readouterr().err
