"""`gateway audit`: what happened, and is the record whole?"""

import csv
import io
from pathlib import Path

import pytest

from gateway.audit.checkpoint import Checkpoint, Sm2Signer, load_signer, signed
from gateway.audit.entry import Digests, verdict_entry
from gateway.audit.index import Index
from gateway.audit.merkle import root_of
from gateway.audit.query import query  # noqa: F401 - the command reads through it
from gateway.config.state import load_sm2, prepare
from gateway.crypto import sm2
from gateway.entries import ActEntry
from tests.cli.shell import Run
from tests.control.doors import Behind
from tests.literals import a_permit, an_ask, some_facts


def test_a_question_goes_through_the_door_and_is_on_record(spawn: Run, behind: Behind) -> None:
    done = spawn("audit", "query", "outcome:deny", "--socket", "c.sock", "--limit", "5")
    assert done.code == 0
    assert "zhang.wei" in done.out
    assert behind.asked == [("query", "outcome:deny", 5)]
    assert behind.acts[0].act == "audit.query"
    assert spawn("audit", "query", "outcome:deny", "--socket", "c.sock", "-o", "json").json == [
        {"subject": "zhang.wei"}
    ]


def test_a_question_that_cannot_be_read_is_2_and_says_why(run: Run, behind: Behind) -> None:
    done = run("audit", "query", "nonsense:1", "--socket", "c.sock")
    assert (done.code, done.out) == (2, "")
    assert "unknown field `nonsense`" in done.err
    assert "没有字段 `nonsense`" in run("audit", "query", "nonsense:1", "--socket", "c.sock", "--lang", "zh-CN").err


def test_without_a_gateway_the_index_answers_and_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    nothing = run("audit", "query", "outcome:deny", "--lang", "zh-CN")
    assert (nothing.code, "尚无记录：请启动网关" in nothing.err) == (3, True)
    prepare(tmp_path / "state", "gateway/audit")
    Index(tmp_path / "state" / "index.db").close()
    done = run("audit", "query", "outcome:deny")
    assert done.code == 0
    assert "not on record" in done.err
    assert run("audit", "query", "nonsense:1", "--offline").code == 2


def test_an_untouched_ledger_is_intact_and_its_own_key_is_remarked_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    key = prepare(tmp_path / "state", "gateway/audit").verifier
    nothing = run("audit", "verify")
    assert (nothing.code, nothing.out) == (3, "")
    assert "nothing is on record yet in" in nothing.err
    assert "own copy" not in nothing.err
    assert "尚无记录" in run("audit", "verify", "--lang", "zh-CN").err
    (tmp_path / "state" / "journal" / "20260921T133320-worker0-abc123.log").write_text("")
    assert run("audit", "verify").code == 5  # a gateway has run here: what it signed was removed
    signer = load_signer((tmp_path / "state" / "keys" / "ledger.key").read_bytes(), "gateway/audit")
    note = signer.sign(Checkpoint(signer.name, 0, root_of([])).text)
    (tmp_path / "state" / "ledger" / "checkpoint").write_text(note, encoding="utf-8")
    (tmp_path / "state" / "ledger" / "checkpoints").write_text(note + "\n", encoding="utf-8")
    assert run("audit", "verify").code == 0
    assert "the gateway's own copy" in run("audit", "verify").err
    (tmp_path / "handed.pub").write_text(key + "\n")
    for given in (key, "handed.pub"):
        done = run("audit", "verify", "state/ledger", "--public-key", given)
        assert (done.code, done.err) == (0, "")


def test_a_ledger_that_was_altered_is_4(spawn: Run, tmp_path: Path) -> None:
    key = prepare(tmp_path / "state", "gateway/audit").verifier
    (tmp_path / "state" / "ledger" / "checkpoints").write_text(
        "gateway/audit\n5\nAAAA\n\n\u2014 gateway/audit AAAA\n\n"
    )
    done = spawn("audit", "verify", "state/ledger", "--public-key", key, "--lang", "zh-CN")
    assert done.code == 4
    assert "已被篡改" in done.out


def test_what_the_auditor_names_wrongly_is_not_held_against_the_ledger(run: Run, tmp_path: Path) -> None:
    key = prepare(tmp_path / "state", "gateway/audit").verifier
    (tmp_path / "empty").mkdir()
    for given, code, said in (
        (("nowhere", "--public-key", key), 3, "no such folder"),
        (("empty", "--public-key", key), 3, "no ledger in"),
        (("state/ledger", "--public-key", "gone.pub"), 2, "no such file"),
        (("--public-key", key), 2, "name the ledger folder"),
        (("state/ledger", "--public-key", key, "--checkpoint", "empty.txt"), 2, "not a checkpoint file"),
        (("state/ledger", "--public-key", key, "--checkpoint", "gone.txt"), 3, "cannot read"),
        (("state/ledger", "--public-key", key, "--checkpoint", "/dev/zero"), 3, "/dev/zero"),
    ):
        (tmp_path / "empty.txt").write_bytes(b"\xff hello")
        done = run("audit", "verify", *given)
        assert (done.code, done.out) == (code, ""), given
        assert said in done.err


def test_a_table_that_no_terminal_reads_has_one_line_per_row_and_whole_cells(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    prepare(tmp_path / "state", "gateway/audit")
    index = Index(tmp_path / "state" / "index.db")
    facts = some_facts(ask=an_ask(path="/v1/" + "x" * 600))
    index.add(0, [verdict_entry("20260921T133320-worker0-abc123", 0, facts, a_permit(), Digests(b"k" * 32))])
    index.close()
    lines = run("audit", "query", "outcome:permit", "--offline").out.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[:4] == ["time", "id", "subject", "api"]
    assert "20260921T133320-worker0-abc123.0" in lines[1]
    assert "name" not in lines[0].split()  # no row has one


def test_in_chinese_the_reason_is_chinese(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    prepare(tmp_path / "state", "gateway/audit")
    Index(tmp_path / "state" / "index.db").close()
    assert "没有值 `dney`" in run("audit", "query", "outcome:dney", "--offline", "--lang", "zh-CN").err


def test_no_key_or_an_odd_one_is_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    assert run("audit", "verify", "ledger").code == 2
    done = run("audit", "verify", "ledger", "--public-key", "hello")
    assert (done.code, "public key" in done.err) == (2, True)


def test_the_detail_of_an_act_is_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    prepare(tmp_path / "state", "gateway/audit")
    index = Index(tmp_path / "state" / "index.db")
    act = ActEntry(
        1,
        "20260921T133320-control-abc123",
        0,
        1.0,
        "uid:0",
        "admin",
        "policy.rejected",
        "",
        "a.yaml:1:1: P001 x",
        False,
    )
    index.add(0, [act])
    index.close()
    assert "a.yaml:1:1: P001 x" in run("audit", "query", "kind:act", "--offline").out


def _recorded(folder: Path, paths: list[str]) -> None:
    (folder / "gateway.yaml").write_text("version: 1\n")
    prepare(folder / "state", "gateway/audit")
    index = Index(folder / "state" / "index.db")
    life = "20260921T133320-worker0-abc123"
    entries = [
        verdict_entry(life, number, some_facts(ask=an_ask(path=path)), a_permit(), Digests(b"k" * 32))
        for number, path in enumerate(paths)
    ]
    index.add(0, entries)
    index.close()


def test_a_list_that_was_cut_says_so(run: Run, tmp_path: Path) -> None:
    _recorded(tmp_path, ["/v1/a", "/v1/b", "/v1/c"])
    cut = run("audit", "query", "outcome:permit", "--offline", "--limit", "2")
    assert (cut.code, "cut after 2 rows, there may be more: raise --limit" in cut.err) == (0, True)
    chinese = run("audit", "query", "outcome:permit", "--offline", "--limit", "2", "--lang", "zh-CN", "-o", "json")
    assert (len(chinese.json), "仅为前 2 行" in chinese.err) == (2, True)
    assert "may be more" not in run("audit", "query", "outcome:permit", "--offline").err


def test_a_spreadsheet_gets_all_columns_and_no_formula(run: Run, tmp_path: Path) -> None:
    _recorded(tmp_path, ["/v1/a"])
    done = run("audit", "query", "outcome:permit", "--offline", "--csv")
    head, row = list(csv.reader(io.StringIO(done.out.removeprefix("\ufeff"))))
    assert done.out.startswith("\ufefftime,id,kind,subject,person,")
    assert (row[head.index("path")], row[head.index("device.trust")]) == ("/v1/a", "managed")
    counted = run("audit", "query", "outcome:permit | count by path", "--offline", "--csv")
    assert counted.out == "\ufeffpath,count\n/v1/a,1\n"
    assert run("audit", "query", "outcome:deny", "--offline", "--csv").out == "\ufeff"
    chinese = run("audit", "query", "结果:允许 | count by 结果", "--offline", "--csv", "--lang", "zh-CN")
    assert chinese.out == "\ufeff结果,次数\n允许,1\n"
    table = run("audit", "query", "结果:允许", "--offline", "--lang", "zh-CN").out.splitlines()
    assert table[0].split()[:4] == ["时间", "编号", "主体", "接口"]
    assert "+08:00" in table[1]
    assert run("audit", "query", "outcome:deny", "--offline", "--csv", "-o", "json").code == 2


def test_who_asks_for_a_rule_by_its_id_is_told_how_it_is_on_record(run: Run, tmp_path: Path) -> None:
    _recorded(tmp_path, ["/v1/a"])
    hint = "`gateway policy show` lists where each is"
    assert hint in run("audit", "query", "rule:civil-read", "--offline").err
    assert "文件和行号" in run("audit", "query", "规则：civil-read", "--offline", "--lang", "zh-CN").err
    assert hint not in run("audit", "query", "rule:rules/99-none.yaml:3", "--offline").err
    assert hint not in run("audit", "query", "subject:nobody", "--offline").err


def test_a_bad_verdict_says_what_to_do(run: Run, tmp_path: Path) -> None:
    key = prepare(tmp_path / "state", "gateway/audit").verifier
    (tmp_path / "state" / "journal" / "20260921T133320-worker0-abc123.log").write_text("")
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    assert "copy again" in run("audit", "verify", "--public-key", key).err
    (tmp_path / "state" / "ledger" / "checkpoints").write_text(
        "gateway/audit\n5\nAAAA\n\n\u2014 gateway/audit AAAA\n\n"
    )
    done = run("audit", "verify", "state/ledger", "--public-key", key, "--lang", "zh-CN")
    assert (done.code, "请保持机器与审计日志原状" in done.err) == (4, True)


def test_what_cannot_be_proven_is_said_so(run: Run, tmp_path: Path) -> None:
    prepare(tmp_path / "state", "gateway/audit")
    assert run("audit", "prove", "first").code == 2
    assert run("audit", "prove", "0", "nowhere").code == 3
    uncovered = run("audit", "prove", "0", "state/ledger")
    assert (uncovered.code, uncovered.out) == (1, "")
    assert "no signed checkpoint" in uncovered.err
    assert "未被任何签名检查点覆盖" in run("audit", "prove", "0", "state/ledger", "--lang", "zh-CN").err


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_every_key_that_is_named_is_checked_and_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\ncrypto: dual\n")
    state = tmp_path / "state"
    made = prepare(state, "gateway/audit", "dual")
    signer = load_signer((state / "keys" / "ledger.key").read_bytes(), "gateway/audit")
    note = signed(Checkpoint(signer.name, 0, root_of([])).text, signer, Sm2Signer("gateway/audit", load_sm2(state)))
    (state / "ledger" / "checkpoint").write_text(note, encoding="utf-8")
    (state / "ledger" / "checkpoints").write_text(note + "\n", encoding="utf-8")
    own = run("audit", "verify", "-o", "json")
    assert (own.code, [one["algorithm"] for one in own.json["keys"]]) == (0, ["Ed25519", "SM2"])
    given = ("--public-key", made.sm2_verifier, "--public-key", made.verifier)
    done = run("audit", "verify", "state/ledger", *given)
    assert done.code == 0
    assert "checked: `gateway/audit`, SM2, 1 checkpoint" in done.out
    bare = signer.sign(Checkpoint(signer.name, 0, root_of([])).text)
    (state / "ledger" / "checkpoint").write_text(bare, encoding="utf-8")
    (state / "ledger" / "checkpoints").write_text(bare + "\n", encoding="utf-8")
    assert run("audit", "verify", "state/ledger", "--public-key", made.verifier).code == 0
    alone = run("audit", "verify", "state/ledger", "--public-key", made.sm2_verifier)
    assert (alone.code, "name the key of Ed25519 too" in alone.err) == (4, True)
    both = run("audit", "verify", "state/ledger", *given)
    assert (both.code, "name the key of Ed25519 too" in both.err) == (0, False)

    def missing() -> None:
        raise sm2.Sm2Missing("no libcrypto is installed", "未安装 libcrypto")

    monkeypatch.setattr(sm2, "_library", missing)
    done = run("audit", "verify", "state/ledger", *given)
    assert (done.code, "cannot be checked here" in done.err) == (3, True)
