"""The reader that remembers: whatever it has seen before, it reads what `decode` reads."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import reader
from gateway.audit.entry import Malformed, decode, encode
from gateway.audit.reader import Reader
from gateway.entries import ActEntry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Mask, Reason, Risk, Signal
from tests.literals import NOW, a_posture, a_subject

JOURNAL = "20260921T133320-worker0-abc123"
HOSTILE = ("", "x", '"', "\\", ',"api":', '","object":"', ',"subject":{"id":"', "},", ',"outcome":"permit"', "张", "\0")
TEXT = st.sampled_from(HOSTILE) | st.text(max_size=8)
KNOWN = Reader()  # one for all examples: what it remembers of one must not spoil another


def a_verdict(**changes: Any) -> VerdictEntry:
    values: dict[str, Any] = {
        "v": 1, "journal": JOURNAL, "seq": 0, "at": NOW, "request": "req-1",
        "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "source": "10.23.4.5", "method": "GET",
        "host": "api.example.gov", "path": "/civil/households/42", "digest": "d" * 32, "query": ("page",),
        "api": "civil", "route": "GET /civil/households/{id}", "asset": "household", "action": "read",
        "grade": "important", "category": "population", "owner": "prov/civil", "object": "0" * 32,
        "revision": "c" * 64, "subject": a_subject(), "posture": a_posture(), "risk": Risk(12.0), "outcome": "permit",
        "reasons": (Reason("rule_allowed", "rules/1.yaml:3"),), "bundle": "b" * 64, "mask": Mask("none", (), "pass"),
    }  # fmt: skip
    return VerdictEntry(**(values | changes))


def told(read: Any, raw: bytes) -> object:
    try:
        return read(raw)
    except Malformed as error:
        return str(error)


VERDICTS = st.builds(
    a_verdict,
    seq=st.integers(0, 3), method=TEXT, host=TEXT, path=TEXT, api=TEXT, owner=TEXT, object=TEXT | st.just("e" * 32),
    query=st.lists(TEXT, max_size=2).map(tuple), revision=TEXT | st.just("c" * 64),
    subject=st.builds(a_subject, id=TEXT, roles=st.lists(TEXT, max_size=2).map(tuple)),
    risk=st.builds(Risk, st.none() | st.floats(0, 100), signals=st.lists(st.builds(Signal, TEXT, st.just(1), st.just(NOW), TEXT), max_size=1).map(tuple)),
    outcome=st.sampled_from(("permit", "deny", "challenge")), reasons=st.lists(st.builds(Reason, TEXT, TEXT), max_size=2).map(tuple),
    purpose=TEXT, would=TEXT, honey=st.booleans(),
)  # fmt: skip


@given(VERDICTS)
def test_a_verdict_is_read_as_it_was_written(entry: VerdictEntry) -> None:
    raw = encode(entry)
    assert KNOWN.read(raw) == entry
    assert KNOWN.read(raw) == entry


@given(VERDICTS, VERDICTS, st.data())
def test_bytes_that_were_tampered_with_are_read_as_decode_reads_them(
    one: VerdictEntry, other: VerdictEntry, data: st.DataObject
) -> None:
    raw, second = encode(one), encode(other)
    KNOWN.read(raw)
    begin = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(begin, min(len(raw), begin + 40)))
    put = data.draw(
        st.sampled_from(
            (b"", b"}", b"{", b'"', b"\xff", b" ", b',"v":2', b',"seq":9', second[begin:end], second[begin:])
        )
    )
    forged = raw[:begin] + put + raw[end:]
    assert told(KNOWN.read, forged) == told(decode, forged)
    assert KNOWN.read(raw) == one


@pytest.mark.parametrize(
    "also",
    [
        b'"seq":7', b'"v":2', b'"kind":"outcome"', b'"outcome":"deny"', b'"outcome":"nonsense"', b'"object":"x"', b'"api":"other"',
        b'"subject":{"id":"root"}', b'"risk":{}', b'"unknown":1', b'"honey":true', b'"unknown":{"a":1,"api":"x"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "before", [b',"journal":', b',"api":', b',"object":', b',"revision":', b',"risk":', b',"outcome":', b',"bundle":']
)
def test_a_key_that_stands_twice_or_is_not_known_changes_nothing_between_the_two(also: bytes, before: bytes) -> None:
    raw = encode(a_verdict())
    KNOWN.read(raw)
    forged = raw.replace(before, b"," + also + before, 1)
    assert forged != raw
    assert told(KNOWN.read, forged) == told(decode, forged)
    assert told(KNOWN.read, forged) == told(decode, forged)


@pytest.mark.parametrize("seen", [True, False])
def test_every_byte_counts(seen: bool) -> None:
    raw = encode(a_verdict())
    one = Reader()
    for at in range(len(raw)):
        forged = raw[:at] + (b"{" if raw[at : at + 1] != b"{" else b"x") + raw[at + 1 :]
        if seen:
            one.read(raw)
        assert told(one.read, forged) == told(decode, forged), at


def test_entries_of_other_kinds_and_what_is_no_entry() -> None:
    entries = [
        OutcomeEntry(1, JOURNAL, 8, NOW, JOURNAL + ".7", 200, 1, 1, True, 0.1, 0.1),
        NoticeEntry(1, JOURNAL, 9, NOW, "edge.refused", "10.0.0.1", "bad_framing", 3),
        ActEntry(1, JOURNAL, 10, NOW, "root", "admin", "revocation.add", "session sid-1", "lost laptop", False),
    ]
    assert [Reader().read(encode(entry)) for entry in entries] == entries
    with pytest.raises(Malformed, match="version `2`"):
        Reader().read(encode(a_verdict()).replace(b'"v":1', b'"v":2'))
    for raw in (b"", b"{}", b'{"kind":"verdict",', b'{"kind":"verdict","v":1}', b"not json"):
        with pytest.raises(Malformed):
            Reader().read(raw)


def test_what_is_equal_is_the_same_object_and_needs_no_second_look() -> None:
    one = Reader()
    first, second = (one.read(encode(a_verdict(seq=seq, object=str(seq), risk=Risk(seq * 1.0)))) for seq in (1, 2))
    assert isinstance(first, VerdictEntry)
    assert isinstance(second, VerdictEntry)
    assert first.subject is second.subject
    assert first.posture is second.posture
    assert first.reasons is second.reasons
    assert first.route is second.route
    assert (first.seq, first.object, first.risk.score, second.seq, second.object, second.risk.score) == (
        1, "1", 1.0, 2, "2", 2.0
    )  # fmt: skip


def test_where_everybody_is_new_nothing_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_REMEMBERED", 4)
    monkeypatch.setattr(reader, "_LEAVE", 3)
    one = Reader()
    strangers = [encode(a_verdict(subject=a_subject(id=f"s{number}"))) for number in range(5)]
    assert [one.read(raw) for raw in strangers] == [decode(raw) for raw in strangers]
    same = [one.read(strangers[0]) for _ in range(6)]
    assert same == [decode(strangers[0])] * 6
    told_apart = [first.subject is second.subject for first, second in pairwise(same)]  # type: ignore[union-attr]
    assert told_apart == [False, False, False, True, True]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_REMEMBERED", 4)
    monkeypatch.setattr(reader, "_LONGEST", 3000)
    monkeypatch.setattr(reader, "_LEAVE", 0)
    one = Reader()
    for number in range(40):
        entry = a_verdict(host=f"h{number}", api=f"a{number}", subject=a_subject(id=f"s{number}" * (number * 50)))
        assert [one.read(encode(entry)) for _ in range(3)] == [entry] * 3
    for stretch in (one._what, *one._rest):
        assert max(len(stretch._seen), len(stretch.guesses)) <= 4
        assert all(seen.length <= 3000 for seen in stretch.guesses.values())
    assert 0 < len(one._whole) <= 4
