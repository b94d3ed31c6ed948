"""Is every decision of a record read once, and are the old ones left?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import encode
from gateway.audit.shelf import Shelf
from gateway.cli.policy import record
from gateway.cli.policy.record import Taken, decisions, file_spans, ledger_spans, seconds
from tests.review import history

ENTRIES = list(history.record(history.shipped(), 60))


@pytest.mark.parametrize(
    ("text", "found"), [("30d", 2_592_000.0), ("12h", 43_200.0), ("90m", 5400.0), ("2w", 1_209_600.0)]
)
def test_spans_have_units(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "30 d", "１d", "30D", "record.jsonl"])
def test_other_words_are_no_spans(text: str) -> None:
    assert seconds(text) is None


@given(st.integers(min_value=1, max_value=9000))
def test_pieces_of_a_file_hold_every_line_once(size: int) -> None:
    path = Path(__file__).parent / "past.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "_SLICE", size)
        spans = file_spans(path)
    data = path.read_bytes()
    pieces = [data[span.start : span.end] for span in spans]
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces)


def ledger(folder: Path, file: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("gateway.audit.shelf.FILE", file)
    shelf = Shelf(folder)
    raws = [encode(entry) for entry in ENTRIES]
    shelf.append(raws, [b"\0" * 32] * len(raws))
    shelf.close()
    return folder


def test_files_of_the_ledger_that_are_too_old_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ledger(tmp_path, 8, monkeypatch)
    whole, some = ledger_spans(folder), ledger_spans(folder, ENTRIES[40].at)
    assert len(whole) == 8
    assert len(some) < 6
    read = [entry.seq for span in some for entry in decisions(span, Taken())]
    assert read == [entry.seq for entry in ENTRIES if entry.at >= ENTRIES[40].at]
    assert [entry.seq for span in whole for entry in decisions(span, Taken())] == list(range(60))


def test_what_is_no_decision_is_passed_over_and_what_cannot_be_read_counted(tmp_path: Path) -> None:
    lines = [
        encode(ENTRIES[0]),
        b'{"kind":"notice","v":1,"journal":"j","seq":1,"at":1.0,"name":"journal.opened"}',
        b'{ "kind": "verdict" }',
        b"nonsense",
        b'{"kind":"verdict","v":9,"at":x,',
    ]
    (tmp_path / "f").write_bytes(b"\n".join(lines))
    taken = Taken()
    (span,) = file_spans(tmp_path / "f")
    assert [entry.seq for entry in decisions(span, taken)] == [0]
    assert (taken.decisions, taken.unreadable) == (1, 3)


def test_an_entry_in_other_spacing_is_read(tmp_path: Path) -> None:
    import json

    (tmp_path / "f").write_text(json.dumps(json.loads(encode(ENTRIES[5]))) + "\r\n")
    assert list(decisions(file_spans(tmp_path / "f")[0], Taken())) == [ENTRIES[5]]
