"""The chain of a journal."""

from hashlib import sha256

import pytest

from gateway.audit import chain
from gateway.audit.entry import Malformed

JOURNAL = "20260921T133320-worker0-abc123"


def test_a_line_is_written_as_the_contract_says() -> None:
    first = sha256(sha256(JOURNAL.encode()).digest() + b'{"a":1}').digest()
    second = sha256(first + b'{"b":2}').digest()
    assert chain.link(chain.start(JOURNAL), b'{"a":1}') == first
    assert chain.link(first, b'{"b":2}') == second
    assert chain.write(second, b'{"b":2}') == second.hex().encode() + b' {"b":2}\n'
    assert chain.read(chain.write(second, b'{"b":2}')[:-1]) == (second, b'{"b":2}')


def test_no_two_journals_begin_alike() -> None:
    assert chain.start(JOURNAL) != chain.start(JOURNAL.replace("worker0", "worker1"))


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"0" * 64 + b" ", b"0" * 63 + b" {}", b"0" * 64 + b"{}", b"G" * 64 + b" {}"]
)
def test_what_is_no_line_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        chain.read(line)


def test_a_journal_is_named_after_its_time_and_process() -> None:
    assert chain.journal_id(1_790_000_000.0, "worker0", "abc123") == "20260921T141320-worker0-abc123"


@pytest.mark.parametrize("name", ["", "Worker", "../../etc", "w/0", "w.0", "w0 "])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a journal"):
        chain.journal_id(0.0, name, "abc123")
    assert not chain.is_journal(f"20260921T141320-{name}-abc123")
