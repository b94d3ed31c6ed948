"""Questions of an auditor, and of somebody who is not one."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.audit.entry import Digests, outcome_entry, verdict_entry
from gateway.audit.fields import FIELDS
from gateway.audit.index import Index
from gateway.audit.query import Unanswerable, query
from gateway.entries import Entry, NoticeEntry
from gateway.facts import Grade, Outcome, Reason, Revealed, Risk
from tests.literals import NOW, a_deny, a_permit, a_posture, a_subject, an_ask, an_asset, some_facts

JOURNAL = "20260921T133320-worker0-abc123"
DIGESTS = Digests(b"k" * 32)
HOUR, DAY = 3600.0, 86_400.0


def history() -> list[Entry]:
    """Six decisions of four people: who, org, level, when, what."""
    told = [
        ("zhang.wei", "prov/civil", Grade.IMPORTANT, NOW, a_permit(), 3),
        ("li.na", "prov/civil/hangzhou", Grade.CORE, NOW - 2 * HOUR, a_permit(), 40),
        ("li.na", "prov/civil/hangzhou", Grade.CORE, NOW - DAY, a_deny(reasons=(Reason("rule_denied", "rules/20.yaml:4"), Reason("no_rule"))), 0),
        ("wang_fang", "prov/tax", Grade.GENERAL_2, NOW - 8 * DAY, a_permit(reasons=(Reason("rule_allowed", "rules/1.yaml:9"),)), 7),
        ("wangXfang", "prov/tax", Grade.GENERAL_4, NOW - 9 * DAY, a_deny(), 0),
        ("100%", "prov/tax", Grade.GENERAL_1, NOW - 40 * DAY, a_deny(stage="observe"), 0),
    ]  # fmt: skip
    entries: list[Entry] = []
    for who, org, grade, at, decision, records in told:
        subject = a_subject(id=who, org=org, roles=("clerk", "auditor") if who == "li.na" else ("clerk2",))
        facts = some_facts(
            ask=an_ask(at=at),
            subject=subject,
            asset=an_asset(grade=grade),
            risk=Risk(float(records)),
            posture=a_posture(),
        )
        entries.append(verdict_entry(JOURNAL, len(entries), facts, decision, DIGESTS))
        if records:
            verdict = f"{JOURNAL}.{len(entries) - 1}"
            done = Outcome(200, 9, 0, True, "", Revealed((("$.x", 1),), (), records), 0.1, 0.2)
            entries.append(outcome_entry(JOURNAL, len(entries), at, verdict, done))
    entries.append(NoticeEntry(1, JOURNAL, len(entries), NOW, "edge.refused", "10.9.9.9", "bad_framing", 5))
    return entries


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = Index(tmp_path_factory.mktemp("query") / "index.db")
    index.add(0, history())
    index.close()
    return index.path


def who(path: Path, text: str) -> list[str]:
    return [row["subject"] for row in query(path, text, now=NOW + 60) if row["subject"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("subject:zhang.wei", ["zhang.wei"]),
        ("zhang.wei", ["zhang.wei"]),
        ("subject:(zhang.wei or wang_fang)", ["wang_fang", "zhang.wei"]),
        ("subject:(zhang.wei, wang_fang)", ["wang_fang", "zhang.wei"]),
        ("subject:(wang* and not wangX*)", ["wang_fang"]),
        ("subject:wang_*", ["wang_fang"]),
        ("subject:100%*", ["100%"]),
        ('subject:"wang*"', []),
        ("org:prov/civil", ["zhang.wei"]),
        ("org:prov/civil*", ["li.na", "li.na", "zhang.wei"]),
        ("outcome:deny", ["100%", "wangXfang", "li.na"]),
        ("outcome:allow level:core", ["li.na"]),
        ("结果:放行 level:core", ["li.na"]),
        ("outcome:DENY 级别:core", ["li.na"]),
        ("outcome:加强认证", []),
        ("outcome:den* level:core", ["li.na"]),
        ('"count"', []),
        ("not outcome:permit not kind:notice", ["100%", "wangXfang", "li.na"]),
        ("level:general", ["100%", "wangXfang", "wang_fang"]),
        ("level:>=important", ["li.na", "li.na", "zhang.wei"]),
        ("level:>general", ["li.na", "li.na", "zhang.wei"]),
        ("level:<general-4", ["100%", "wang_fang"]),
        ("level:<=general", ["100%", "wangXfang", "wang_fang"]),
        ("level:(important or core) outcome:deny", ["li.na"]),
        ("role:auditor", ["li.na", "li.na"]),
        ("role:clerk", ["li.na", "li.na"]),
        ("role:clerk*", ["100%", "wangXfang", "wang_fang", "li.na", "li.na", "zhang.wei"]),
        ("reason:no_rule", ["100%", "wangXfang", "li.na"]),
        ("rule:rules/20.yaml:4", ["li.na"]),
        ("rule:rules/1.yaml*", ["wang_fang"]),
        ("records:>=7", ["wang_fang", "li.na"]),
        ("records:>3 and records:<40", ["wang_fang"]),
        ("time:24h", ["li.na", "zhang.wei"]),
        ("time:>=7d outcome:permit", ["li.na", "zhang.wei"]),
        ("time:<7d", ["100%", "wangXfang", "wang_fang"]),
        ("time:2026-09-21", ["li.na", "zhang.wei"]),
        ("time:2026-09", ["wangXfang", "wang_fang", "li.na", "li.na", "zhang.wei"]),
        ("time:<2026-09", ["100%"]),
        ("time:<=2026-09-13T22", ["100%", "wangXfang", "wang_fang"]),
        ("time:>2026-09-21T22:12", ["zhang.wei"]),
        ("time:(>=2026-09-20 and <2026-09-21)", ["li.na"]),
        ("hour:22", ["100%", "wangXfang", "wang_fang", "li.na", "zhang.wei"]),
        ("hour:(>=20 or <6) level:core", ["li.na", "li.na"]),
        ("mode:observe", ["100%"]),
        ("id:20260921T133320-worker0-abc123.0", ["zhang.wei"]),
        ("20260921T133320-worker0-abc123.0", ["zhang.wei"]),
        ("status:*  records:40", ["li.na"]),
        ("ip:10.23.4.5 latency:<=0.2", ["wang_fang", "li.na", "zhang.wei"]),
        ("complete:true subject:li*", ["li.na"]),
        ("mask:none level:important", ["zhang.wei"]),
        ("部门:prov/tax 结果:拒绝", ["100%", "wangXfang"]),
        ("机构:prov/tax 结果:拒绝", ["100%", "wangXfang"]),
        ("级别：核心 且 结果：放行", ["li.na"]),
        ("主体:（zhang.wei 或 li.na） 非 结果:deny", ["li.na", "zhang.wei"]),
        ("SUBJECT:zhang.wei AND NOT outcome:deny", ["zhang.wei"]),
        ("(subject:li.na or subject:zhang.wei) (outcome:deny)", ["li.na"]),
        ("not (subject:li.na or org:prov/tax) not kind:notice", ["zhang.wei"]),
        ("nobody", []),
        ("name:edge.refused", []),
    ],
)  # fmt: skip
def test_a_question_finds_whom_it_means(path: Path, text: str, found: list[str]) -> None:
    assert who(path, text) == found


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("outcome:deny | count by org", [{"org": "prov/tax", "count": 2}, {"org": "prov/civil/hangzhou", "count": 1}]),
        ("kind:verdict | count", [{"count": 6}]),
        ("| count", [{"count": 7}]),
        ("kind:verdict | top 1 subject", [{"subject": "li.na", "count": 2}]),
        ("level:core | sum records by subject, outcome",
         [{"subject": "li.na", "outcome": "permit", "sum records": 40}, {"subject": "li.na", "outcome": "deny", "sum records": 0}]),
        ("| sum records", [{"sum records": 50}]),
        ("level:core | top 级别", [{"level": "core", "count": 2}]),
        ("name:edge.refused | sum count by detail", [{"detail": "bad_framing", "sum count": 5}]),
    ],
)  # fmt: skip
def test_a_question_can_count(path: Path, text: str, answer: list[dict[str, object]]) -> None:
    assert query(path, text, now=NOW) == answer


def test_rows_come_newest_first_and_bounded(path: Path) -> None:
    rows = query(path, "", limit=2, now=NOW)
    assert len(rows) == 2
    assert rows[0]["name"] == "edge.refused"
    assert len(query(path, "", limit=0, now=NOW)) == 1
    assert query(path, "subject:zhang.wei", now=NOW)[0]["level"] == "important"


@pytest.mark.parametrize(
    ("text", "said", "at"),
    [
        ("supject:x", 'there is no field `supject`; did you mean "subject"?', 0),
        ("outcome:deny 部們:x", "there is no field `部們`", 13),
        ("level:secret", "`secret` is not a level", 6),
        ("level:impotant", 'did you mean "important"?', 6),
        ("records:many", "`records` needs a number", 8),
        ("records:nan", "needs a number", 8),
        ("records:inf", "needs a number", 8),
        ("honey:maybe", "true or false", 6),
        ("time:yesterday", "`yesterday` is not a time", 5),
        ("time:2026-13", "is not a time", 5),
        ("time:9999", "is not a time", 5),
        ("time:2026-09-21T08:00:00:00", "is not a time", 5),
        ("subject:>li", "cannot be compared", 9),
        ("subject:", "needs a value", 8),
        ("subject:)", "needs a value", 8),
        ("(subject:a", "`)` is missing", 10),
        ("subject:a)", "`)` is not expected", 9),
        ("not", "a condition is missing", 3),
        ("a or", "a condition is missing", 4),
        ('"open', "quote is not closed", 0),
        ("outcome:dney", '`outcome` is never `dney`; did you mean "deny"?', 8),
        ("outcome:refused", "possible: challenge, deny, permit", 8),
        ("kind:verdikt", 'did you mean "verdict"?', 5),
        ("band:high", "possible: limit, normal, quarantine, step_up", 5),
        ("mode:enforced", 'did you mean "enforce"?', 5),
        ("method:GTE", 'did you mean "GET"?', 7),
        ("action:write", "possible: create, delete, other, read, reveal, update", 7),
        ("device.trust:mananged", 'did you mean "managed"?', 13),
        ("would:permit", "possible: challenge, deny, none", 6),
        ("reason:(no_rule or rule_denid)", 'did you mean "rule_denied"?', 19),
        ("reason:too_many_records", "ask `code:too_many_records`", 7),
        ("code:too_many_record", 'did you mean "too_many_records"?', 5),
        ('reason:"norule"', 'did you mean "no_rule"?', 7),
        ("a count by org", "stands after `|`: write `| count`", 2),
        ("计数", "write `| count`", 0),
        ("top 5 org", "write `| top`", 0),
        ("a | show by b", "after `|` stands count", 4),
        ("a | cuont by org", 'did you mean "count"?', 4),
        ("a | count org", "`by` and the fields", 10),
        ("a | count by", "there is no field", 12),
        ("a | count by org subject", "`subject` is not expected", 17),
        ("a | sum subject by org", "cannot be summed", 4),
        ("a | count by org, api, level, rule, reason, mask, data", "at most six", 54),
        ("(" * 40 + "a", "nested too deeply", 31),
        ("subject:" + "(" * 40 + "a", "nested too deeply", 39),
        ("a " * 40, "more than 200 conditions", 66),
        ("a" * 5000, "longer than 4000", 4000),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_with_its_place(path: Path, text: str, said: str, at: int) -> None:
    with pytest.raises(Unanswerable) as error:
        query(path, text, now=NOW)
    assert said in error.value.en
    assert error.value.zh
    assert error.value.at == at


@pytest.mark.parametrize(
    "text",
    [
        "subject:x'; DROP TABLE entries;--",
        'subject:"\'; DELETE FROM entries; --"',
        'subject:"a\\" OR 1=1 --"',
        "\"x' OR '1'='1\"",
        "subject:%",
        "subject:_",
        "role:%",
        "id:%.%",
    ],
)
def test_nothing_typed_becomes_sql(path: Path, text: str) -> None:
    assert who(path, text) == []
    assert query(path, "| count", now=NOW) == [{"count": 7}]


WORDS = st.sampled_from(
    [*FIELDS, "and", "or", "not", "(", ")", ":", ">=", "<", "=", "|", "count", "top", "sum", "by", ",", "*", '"', "\\", "a*", "5",
     "core", "24h", "2026-09", "'", "%", "结果", "：", "\x00", "\ud800", "99999999999999999999"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=25).map(" ".join) | st.lists(WORDS, max_size=25).map("".join) | st.text(max_size=40))
@example("id:.99999999999999999999")
@example("time:999999d")
@example("records:1e308 | sum records")
@example("subject:\ud800")
def test_whatever_is_typed_is_answered_or_explained(path: Path, text: str) -> None:
    try:
        assert isinstance(query(path, text, now=NOW), list)
    except Unanswerable as error:
        assert error.en
        assert error.zh


def test_a_question_that_takes_too_long_is_stopped(path: Path) -> None:
    index = Index(path.with_name("large.db"))
    entries = history()[-1:] * 3000
    index.add(0, entries)
    index.close()
    with pytest.raises(Unanswerable, match="takes too long"):
        query(index.path, "detail:bad* not subject:x | count by name, detail", now=NOW, seconds=-1.0)


def test_an_index_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    old = tmp_path / "index.db"
    connection = sqlite3.connect(old)
    connection.execute("CREATE TABLE journals (j, id)")
    connection.execute("CREATE TABLE entries (j, seq, n)")
    connection.close()
    with pytest.raises(Unanswerable, match="of another version"):
        query(old, "outcome:deny", now=NOW)


def test_asking_cannot_change_the_index(path: Path) -> None:
    before = sqlite3.connect(path).execute("SELECT count(*) FROM entries").fetchone()
    query(path, "subject:zhang.wei | count by org", now=NOW)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM entries").fetchone() == before
