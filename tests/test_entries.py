"""Entries read back as they were written, whole or in brief."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import fields

from gateway.entries import Brief, Entry, NoticeEntry, OutcomeBrief, OutcomeEntry, VerdictBrief, VerdictEntry
from tests.audit.test_reader import VERDICTS

OUTCOMES = st.builds(
    OutcomeEntry,
    v=st.just(1), seq=st.integers(0, 9), at=st.floats(0, 2e9), status=st.integers(100, 599), sent=st.integers(0, 9),
    received=st.integers(0, 9), waited=st.floats(0, 9), took=st.floats(0, 9), records=st.integers(0, 9),
    seen=st.binary(max_size=24), unlisted=st.integers(0, 9), clear=st.integers(0, 9), removed=st.integers(0, 9),
    masked=st.lists(st.tuples(st.text(max_size=5), st.integers(0, 9)), max_size=2).map(tuple),
)  # fmt: skip


def read(entry: Entry, kind: Any) -> Any:
    return json.decode(json.encode(entry), type=kind)


def test_an_entry_is_read_back_by_its_kind() -> None:
    entry = NoticeEntry(1, "20260101T000000-w1-abcdef", 7, 1.5, "edge.refused", "10.0.0.1", "bad_target", 3)
    assert read(entry, Entry) == entry
    assert json.decode(json.encode(entry))["kind"] == "notice"


@given(VERDICTS | OUTCOMES)
def test_an_entry_is_read_in_brief_as_it_is_read_whole(entry: VerdictEntry | OutcomeEntry) -> None:
    brief = read(entry, Brief)
    assert type(brief) is (VerdictBrief if type(entry) is VerdictEntry else OutcomeBrief)
    for field in fields(brief):
        if field.name != "subject":
            assert getattr(brief, field.name) == getattr(entry, field.name)
    if isinstance(entry, VerdictEntry):
        assert (brief.subject.id, brief.subject.org) == (entry.subject.id, entry.subject.org)


@pytest.mark.parametrize(("brief", "whole"), [(VerdictBrief, VerdictEntry), (OutcomeBrief, OutcomeEntry)])
def test_what_is_left_out_when_it_is_written_is_the_same_in_both(brief: Any, whole: Any) -> None:
    defaults = {field.name: field.default for field in fields(whole)}
    assert all(field.default == defaults[field.name] for field in fields(brief))
