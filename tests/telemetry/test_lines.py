"""One line per request, that nobody can break out of."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.entries import ActEntry, Entry
from gateway.facts import Reason, Risk
from gateway.telemetry.lines import Lines, _safe
from gateway.telemetry.pairs import Pairs, Told
from tests.literals import NOW, a_subject
from tests.telemetry.told import JOURNAL, a_notice, a_verdict, an_outcome


def written(*entries: Entry) -> list[dict[str, Any]]:
    stream = io.StringIO()
    lines = Lines(stream)
    for entry in entries:
        lines.write(entry)
    return [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]


def test_a_permit_and_its_outcome_are_one_line() -> None:
    verdict = a_verdict()
    assert written(verdict) == []
    (line,) = written(verdict, an_outcome(verdict))
    assert line["event.id"] == f"{JOURNAL}.0"
    assert line["@timestamp"] == "2026-09-21T14:13:20.000Z"
    assert (line["event.outcome"], line["event.type"]) == ("success", ["access", "allowed"])
    assert (line["user.id"], line["user.roles"], line["source.ip"]) == ("zhang.wei", ["clerk"], "10.23.4.5")
    assert (line["http.response.status_code"], line["event.duration"]) == (200, 20_000_000)
    assert (line["gateway.masked"], line["gateway.records"], line["event.risk_score"]) == (5, 7, 12.0)
    assert line["trace.id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "gateway.code" not in line


def test_a_refusal_is_a_line_at_once() -> None:
    (line,) = written(a_verdict(outcome="deny", reasons=(Reason("no_rule", "", "nearest: x"),), risk=Risk()))
    assert (line["event.reason"], line["http.response.status_code"]) == ("no_rule", 403)
    assert (line["event.outcome"], line["event.type"]) == ("failure", ["access", "denied"])
    assert "event.risk_score" not in line
    (line,) = written(
        a_verdict(outcome="challenge", reasons=(Reason("step_up_required"),), would="deny", purpose="care")
    )
    assert (line["http.response.status_code"], line["gateway.would"], line["gateway.purpose"]) == (401, "deny", "care")
    (line,) = written(a_verdict(outcome="deny", reasons=(Reason("of the future"),)))
    assert line["http.response.status_code"] == 403


def test_an_interrupted_or_unknown_ending_is_never_a_success() -> None:
    verdict = a_verdict()
    (line,) = written(verdict, an_outcome(verdict, status=0, complete=False, code="interrupted"))
    assert (line["event.outcome"], line["gateway.code"]) == ("unknown", "interrupted")
    (line,) = written(an_outcome(verdict))
    assert line["event.id"] == f"{JOURNAL}.0"
    assert "event.outcome" not in line


@pytest.mark.parametrize(
    ("code", "status", "outcome", "kind", "reason"),
    [
        ("too_many_records", 403, "failure", "denied", "too_many_records"),
        ("residual_identifier", 502, "failure", "denied", "residual_identifier"),
        ("token_revoked", 200, "failure", "denied", "token_revoked"),
        ("upstream_timeout", 504, "failure", "allowed", "rule_allowed"),
        ("client_gone", 200, "success", "allowed", "rule_allowed"),
    ],
)
def test_an_answer_that_was_withheld_does_not_look_like_one_that_was_given(
    code: str, status: int, outcome: str, kind: str, reason: str
) -> None:
    verdict = a_verdict()
    (line,) = written(verdict, an_outcome(verdict, status=status, code=code, detail="why"))
    assert (line["event.outcome"], line["event.type"]) == (outcome, ["access", kind])
    assert (line["event.reason"], line["gateway.code"], line["gateway.detail"]) == (reason, code, "why")
    assert (line["http.response.status_code"], line["gateway.outcome"]) == (status, "permit")


@pytest.mark.parametrize("code", ["", "residual_identifier"])
def test_what_was_taken_out_of_an_answer_is_told(code: str) -> None:
    verdict = a_verdict()
    masked = (("$.a", 2), ("suppressed", 4))
    ending = an_outcome(verdict, code=code, masked=masked, clear=8, removed=3, residual=("phone",))
    (line,) = written(verdict, ending)
    assert (line["gateway.clear"], line["gateway.removed"], line["gateway.suppressed"]) == (8, 3, 4)
    assert (line["gateway.unlabelled"], line["gateway.residual"]) == (1, ["phone"])
    (line,) = written(verdict, an_outcome(verdict, code=code, unlabelled=()))
    assert line["gateway.clear"] == 0
    assert not {"gateway.removed", "gateway.suppressed", "gateway.unlabelled", "gateway.residual"} & set(line)


def test_notices_and_acts_are_lines_too() -> None:
    notice, act = written(
        a_notice("edge.refused", "bad_framing", 4, "10.0.0.1"),
        ActEntry(1, JOURNAL, 20, NOW, "root", "admin", "revocation.add", "session sid-1", "lost", False),
    )
    assert (notice["event"], notice["gateway.count"], notice["gateway.subject"]) == ("edge.refused", 4, "10.0.0.1")
    assert (act["event"], act["user.id"], act["event.outcome"]) == ("revocation.add", "root", "failure")


@pytest.mark.parametrize(
    "attack",
    [
        "a\nb",
        "a\r\nb",
        "a\x1b[2Jb",
        "a\x9b2Jb",
        "a\u2028b",
        "a\u202eb",
        "a\x00b",
        "a\x7fb",
        'a","user.id":"root',
        "a\\",
    ],
)
def test_nothing_a_caller_sends_can_start_a_line_or_move_a_cursor(attack: str) -> None:
    stream = io.StringIO()
    Lines(stream).write(a_verdict(outcome="deny", path=attack, subject=a_subject(id=attack)))
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert not [c for c in text[:-1] if c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u202e"]
    line = json.loads(text)
    assert (line["url.path"], line["user.id"]) == (attack, attack)


@given(st.text(max_size=50))
def test_whatever_was_sent_is_one_line_of_json(text: str) -> None:
    stream = io.StringIO()
    Lines(stream).write(a_verdict(outcome="deny", path=text, method=text, api=text))
    assert len(stream.getvalue().splitlines()) == 1
    assert json.loads(stream.getvalue())["url.path"] == text


def test_what_gives_way_in_memory_is_still_written() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines._pairs._limit = 1
    for number in range(3):
        lines.write(a_verdict(seq=number))
    assert [json.loads(line)["event.id"] for line in stream.getvalue().splitlines()] == [f"{JOURNAL}.0", f"{JOURNAL}.1"]


class _Counted(io.StringIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, text: str, /) -> int:
        self.writes += 1
        return super().write(text)


def test_the_lines_of_a_batch_are_one_write() -> None:
    stream, pairs = _Counted(), Pairs()
    lines, verdicts = Lines(stream), [a_verdict(seq=2 * number) for number in range(50)]
    lines.take(pairs.join(verdicts))
    assert stream.writes == 0
    lines.take(pairs.join([an_outcome(verdict) for verdict in verdicts]))
    assert stream.writes == 1
    assert [json.loads(line)["event.id"] for line in stream.getvalue().splitlines()] == [
        f"{JOURNAL}.{2 * number}" for number in range(50)
    ]


@given(st.floats(0, 4e9))
def test_times_are_those_of_the_calendar(at: float) -> None:
    (line,) = written(a_notice("jwks.refreshed"), a_verdict(outcome="deny", at=at))[1:]
    told = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert line["@timestamp"] == told


SPOKEN = st.sampled_from(("x", "", '"', "\\", "\0", "\\u0000", "\x7f", "\u202e", "张", "GET")) | st.text(max_size=5)
STORIES = st.builds(
    lambda verdict, ending: Told(f"{JOURNAL}.{verdict.seq}", verdict, ending and an_outcome(verdict, **ending), True),
    st.builds(
        a_verdict,
        seq=st.integers(0, 9), at=st.floats(0, 4e9), request=SPOKEN, trace=SPOKEN, source=SPOKEN, path=SPOKEN, host=SPOKEN,
        method=SPOKEN, api=SPOKEN, route=SPOKEN, subject=st.builds(a_subject, id=SPOKEN), purpose=SPOKEN,
        outcome=st.sampled_from(("permit", "deny", "challenge")), would=st.sampled_from(("", "deny")),
        reasons=st.lists(st.builds(Reason, st.sampled_from(("no_rule", "step_up_required", "x")), SPOKEN), max_size=2).map(tuple),
        risk=st.builds(Risk, st.none() | st.floats(0, 100)),
    ),
    st.none() | st.fixed_dictionaries({
        "status": st.integers(0, 599), "sent": st.integers(0, 2**60), "complete": st.booleans(), "took": st.floats(0, 1e6),
        "waited": st.floats(0, 1e6), "code": st.sampled_from(("", "interrupted", "upstream_reset")),
        "masked": st.lists(st.tuples(SPOKEN, st.integers(0, 9)), max_size=2).map(tuple),
    }),
)  # fmt: skip
SAME = Lines(io.StringIO())  # one for all examples: what it keeps of one must not show in the line of another


@given(STORIES)
def test_a_line_like_others_before_is_what_it_would_be_put_together_key_by_key(story: Told) -> None:
    whole = _safe(SAME._fields(story))
    assert SAME._line(story) == whole
    assert SAME._line(story) == whole


def test_most_lines_are_like_others_before() -> None:
    lines, verdict = Lines(io.StringIO()), a_verdict()
    refused = a_verdict(seq=4, outcome="deny", reasons=(Reason("no_rule"),))
    for story in (Told("a.0", verdict, an_outcome(verdict), True), Told("a.4", refused, None, True)):
        assert story.verdict is not None
        assert json.loads(lines._usual(story, story.verdict))["event.id"] == story.id
