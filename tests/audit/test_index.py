"""The index: one row per decision, made again at will."""

import sqlite3
from pathlib import Path

import pytest

from gateway.audit.checkpoint import Signer
from gateway.audit.index import Index, is_damaged
from gateway.audit.journal import Ledger, Settings
from gateway.audit.query import lookup, query
from gateway.audit.sealer import Sealer
from gateway.facts import Challenge, Deny, Notice, Outcome, Reason, Revealed
from tests.audit.world import FACTS, OUTCOME, a_closed_life, die, live, seal_all, some_requests
from tests.literals import NOW


def damage(path: Path) -> None:
    """Overwrite the page in which the rows begin."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def rows(index: Index) -> list[tuple[object, ...]]:
    return sqlite3.connect(index.path).execute("SELECT * FROM entries ORDER BY n").fetchall()


def test_a_decision_and_its_outcome_are_one_row(settings: Settings, signer: Signer) -> None:
    ids: list[str] = []

    async def story(ledger: Ledger) -> None:
        ids.extend(await some_requests(ledger, 2))
        ledger.note(Notice("edge.refused", "10.0.0.1", "bad_framing", 4))
        ledger.act("root", "admin", "revocation.add", "session sid-1", ok=False)

    ledger = live(settings, story)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    batch = one.step()
    index.add(batch.first, batch.entries)
    found = query(index.path, "kind:verdict", now=NOW)
    assert [(row["outcome"], row["status"], row["records"]) for row in found] == [
        ("deny", 403, None), ("permit", 200, 3), ("deny", 403, None), ("permit", 200, 3)
    ]  # fmt: skip
    assert query(index.path, "status:403 | count by outcome", now=NOW) == [{"outcome": "deny", "count": 2}]
    assert found[-1]["id"] == ids[0]
    assert lookup(index.path, ids[0]) == 1
    assert lookup(index.path, "nobody.7") is None
    assert lookup(index.path, "x.y") is None
    act = query(index.path, "kind:act", now=NOW)[0]
    assert (act["subject"], act["name"], act["outcome"], act["target"]) == (
        "root",
        "revocation.add",
        "deny",
        "session sid-1",
    )
    assert query(index.path, "name:edge.refused", now=NOW)[0]["count"] == 4
    die(ledger)
    one.close()
    index.close()


def test_what_was_withheld_and_why_can_be_asked_for(settings: Settings, signer: Signer) -> None:
    revealed = Revealed(
        (("$.name", 2), ("suppressed", 4)), ("$.new",), 3, clear=5, removed=6, residual=("phone", "name")
    )
    withheld = Outcome(502, 0, 0, True, "residual_identifier", revealed, 0.0, 0.0, "phone name")

    async def story(ledger: Ledger) -> None:
        (id,) = await some_requests(ledger, 1, concluded=False)
        ledger.conclude(id, withheld)

    ledger = live(settings, story)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    batch = one.step()
    index.add(batch.first, batch.entries)
    for asked in (
        "code:residual_identifier",
        "residual:phone",
        "removed:6",
        "suppressed:>3",
        "clear:5",
        "detail:phone*",
    ):
        (row,) = query(index.path, asked, now=NOW)
        assert (row["code"], row["detail"], row["residual"]) == ("residual_identifier", "phone name", ["phone", "name"])
        assert (row["clear"], row["removed"], row["suppressed"], row["unlabelled"]) == (5, 6, 4, 1)
    die(ledger)
    one.close()
    index.close()


def test_an_outcome_that_comes_later_finds_its_row_even_after_a_restart(settings: Settings, signer: Signer) -> None:
    one, path = Sealer(settings, signer), settings.directory / "index.db"

    async def story(ledger: Ledger) -> None:
        index = Index(path)
        ids = await some_requests(ledger, 2, concluded=False)
        ledger._flush()
        batch = one.step()
        index.add(batch.first, batch.entries)
        ledger.conclude(ids[0], OUTCOME)
        ledger._flush()
        batch = one.step()
        index.add(batch.first, batch.entries)
        index.close()
        ledger.conclude(ids[1], OUTCOME)

    ledger = live(settings, story)
    ledger.close()
    index = Index(path)
    batch = one.step()
    index.add(batch.first, batch.entries)
    assert query(path, "outcome:permit status:200 | count", now=NOW) == [{"count": 2}]
    one.close()
    index.close()


def test_it_can_be_made_again_from_the_ledger(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 20)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    batch = one.step()
    index.add(0, batch.entries)
    again = Index(settings.directory / "again.db")
    assert again.catch_up(settings.directory / "ledger", one.size) == one.size
    assert rows(again) == rows(index)
    assert again.catch_up(settings.directory / "ledger", one.size) == 0
    one.close()
    index.close()
    again.close()


def test_one_that_knows_more_than_the_ledger_starts_over(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 5)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    index.add(0, seal_all(one))
    assert index.catch_up(settings.directory / "ledger", 4) == 4
    assert index.size == 4
    with pytest.raises(ValueError, match="holds 4 entries and was offered number 9"):
        index.add(9, [])
    one.close()
    index.close()


@pytest.mark.parametrize("content", [b"this is not a database at all" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_file_that_is_no_index_is_made_anew(settings: Settings, signer: Signer, content: bytes) -> None:
    a_closed_life(settings, 5)
    one = Sealer(settings, signer)
    one.step()
    path = settings.directory / "index.db"
    path.write_bytes(content)
    index = Index(path)
    assert index.catch_up(settings.directory / "ledger", one.size) == one.size
    assert path.stat().st_mode & 0o777 == 0o600
    one.close()
    index.close()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Challenge((Reason("step_up_required"),), "b", "aal3"), 401),
        (Deny((Reason("policy_error"), Reason("no_rule")), "b"), 503),
        (Deny((Reason("of the future"),), "b"), 403),
        (Deny((), "b"), 403),
    ],
)
def test_a_refusal_has_the_status_it_was_answered_with(
    settings: Settings, signer: Signer, refusal: Deny | Challenge, status: int
) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.commit(FACTS, refusal)

    die(live(settings, story))
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    index.add(0, seal_all(one))
    assert query(index.path, f"kind:verdict status:{status} | count", now=NOW) == [{"count": 1}]
    one.close()
    index.close()


def test_a_file_that_is_deleted_under_its_writer_is_made_again(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 5)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    index.add(0, seal_all(one))
    for path in settings.directory.glob("index.db*"):
        path.unlink()
    assert index.catch_up(settings.directory / "ledger", one.size) == one.size
    assert query(index.path, "outcome:permit status:200 | count", now=NOW) == [{"count": 5}]
    one.close()
    index.close()


def test_a_damaged_file_says_so_and_can_be_made_anew_little_by_little(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 5)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    entries = seal_all(one)
    index.add(0, entries)
    index.close()
    damage(index.path)
    index = Index(index.path)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        index.add(len(entries), entries)
    assert is_damaged(caught.value)
    assert not is_damaged(sqlite3.OperationalError("database is locked"))
    index.start_over()
    assert index.catch_up(settings.directory / "ledger", one.size, 3) == 3
    assert index.catch_up(settings.directory / "ledger", one.size) == one.size - 3
    assert query(index.path, "outcome:permit status:200 | count", now=NOW) == [{"count": 5}]
    one.close()
    index.close()


def test_another_format_is_made_anew(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db")
    index.add(0, [])
    index._connection.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    index.close()
    again = Index(tmp_path / "index.db")
    assert again.size == 0
    again.close()


def test_what_many_requests_share_is_written_once(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 50)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    index.add(0, seal_all(one))
    count = sqlite3.connect(index.path).execute("SELECT (SELECT count(*) FROM who), (SELECT count(*) FROM what)")
    assert count.fetchone() == (2, 4)  # the clerk and nobody; permit, refusal, opened, closed
    assert query(index.path, "subject:zhang.wei outcome:permit status:200 | count", now=NOW) == [{"count": 50}]
    one.close()
    index.close()


def test_a_batch_that_fails_leaves_nothing_and_the_next_one_is_whole(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 5)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    entries = seal_all(one)
    index._connection.execute("CREATE TRIGGER full BEFORE INSERT ON rows BEGIN SELECT raise(ABORT, 'disk full'); END")
    with pytest.raises(sqlite3.Error, match="disk full"):
        index.add(0, entries)
    assert (index.size, rows(index)) == (0, [])
    index._connection.execute("DROP TRIGGER full")
    index.add(0, entries)
    again = Index(settings.directory / "again.db")
    again.add(0, entries)
    assert rows(index) == rows(again) != []
    one.close()
    index.close()
    again.close()


def test_a_memory_that_is_full_loses_nothing(
    settings: Settings, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.audit.index._SHARED", 1)
    a_closed_life(settings, 5)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    index.add(0, seal_all(one))
    assert query(index.path, "kind:verdict | count by outcome", now=NOW) == [
        {"outcome": "deny", "count": 5},
        {"outcome": "permit", "count": 5},
    ]
    one.close()
    index.close()


@pytest.mark.parametrize(
    ("condition", "searched"),
    [
        ("subject = 'zhang.wei'", ("who_subject", "rows_who")),
        ("subject = 'zhang.wei' AND at >= 1", ("who_subject", "rows_who")),
        ("(j = (SELECT j FROM journals WHERE id = 'x') AND seq = 3)", ("rows_seq (j=? AND seq=?)",)),
        ("at >= 1 AND at < 2", ("rows_at",)),
    ],
)
def test_a_rare_thing_is_looked_up_and_not_searched_for(
    tmp_path: Path, condition: str, searched: tuple[str, ...]
) -> None:
    index = Index(tmp_path / "index.db")
    plan = index._connection.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM entries LEFT JOIN journals USING (j) WHERE {condition} ORDER BY n DESC LIMIT 9"  # literals above
    ).fetchall()
    text = "; ".join(str(step[3]) for step in plan)
    assert all(name in text for name in searched), text
    assert "SCAN" not in text
    index.close()


def test_a_rule_that_two_reasons_cite_is_counted_once(settings: Settings, signer: Signer) -> None:
    async def story(ledger: Ledger) -> None:
        twice = (Reason("device_untrusted", "rules/a.yaml:62"), Reason("step_up_required", "rules/a.yaml:62"))
        await ledger.commit(FACTS, Deny(twice, "b" * 64))

    live(settings, story)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    batch = one.step()
    index.add(batch.first, batch.entries)
    assert query(index.path, "outcome:deny | count by rule", now=NOW) == [{"rule": ["rules/a.yaml:62"], "count": 1}]


def test_decisions_are_found_by_the_layer_that_decided(settings: Settings, signer: Signer) -> None:
    async def story(ledger: Ledger) -> None:
        level = Reason("rule_denied", "emergency/II.yaml:6", "ii", "emergency:II")
        await ledger.commit(FACTS, Deny((level, Reason("rule_denied", "rules/a.yaml:1", "a", "base")), "b" * 64))
        await ledger.commit(FACTS, Deny((Reason("rule_denied", "rules/a.yaml:1", "a"),), "b" * 64))

    live(settings, story)
    one, index = Sealer(settings, signer), Index(settings.directory / "index.db")
    batch = one.step()
    index.add(batch.first, batch.entries)
    rows = query(index.path, "layer:emergency:II", now=NOW)
    assert [row["layer"] for row in rows] == [["emergency:II", "base"]]
    assert len(query(index.path, "outcome:deny", now=NOW)) == 2
