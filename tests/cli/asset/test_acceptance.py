"""How does what a person accepted come into the ledger?"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.discovery import write
from gateway.facts import Field, Grade
from tests.cli.asset.project import record
from tests.cli.shell import Run
from tests.discovery.answers import asset, learnt
from tests.inventory.records import outcome, verdict

ACCEPT = ("asset", "propose", "--accept", "wang.li", "--from", "p.yaml")


def proposed(folder: Path, *lines: str) -> None:
    (folder / "p.yaml").write_text("proposals:\n" + "".join(f"  - {line}\n" for line in lines), encoding="utf-8")


def test_each_field_carries_who_accepted_it_and_when(run: Run, policies: Path, tmp_path: Path) -> None:
    proposed(
        tmp_path,
        "{asset: household, path: $.contact_phone, identifier: phone, grade: general-4, confidence: 0.4, evidence: e}",
        "{asset: household, path: $.remark, grade: important}",
        "{asset: enterprise, path: $.x, grade: general-2}",
    )
    before = (policies / "catalog" / "civil.yaml").read_text()
    done = run(*ACCEPT)
    assert done.code == 0, done.err
    after = (policies / "catalog" / "civil.yaml").read_text()
    assert after.startswith(before)
    added = after.removeprefix(before).splitlines()
    assert [line.replace('"on"', "on").partition(", on:")[0] for line in added] == [
        "      - {path: $.contact_phone, identifier: phone, grade: general-4, reviewed: {by: wang.li",
        "      - {path: $.remark, grade: important, reviewed: {by: wang.li",
    ]
    assert "civil.yaml: 2 fields accepted by wang.li" in done.out
    assert run("asset", "list").code == 0
    again = run(*ACCEPT)
    assert (again.code, "is labelled already" in again.err) == (0, True)
    assert (policies / "catalog" / "civil.yaml").read_text() == after


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "{asset: none, path: $.x, grade: core}",
            "no asset `none` in the ledger: enter it first (`gateway asset import`",
        ),
        ("{asset: household, path: $.x}", "a proposal has `asset`, `path`, `grade`"),
        ("{asset: household, path: $.x, grade: secret}", "K004"),
        ("{asset: household, path: 'x y', grade: core}", "K009"),
        ("{asset: household, path: $.x, grade: core, identifer: phone}", "K001"),
        ("just text", "a proposal has"),
    ],
)
def test_all_or_nothing(run: Run, policies: Path, tmp_path: Path, line: str, said: str) -> None:
    catalog = policies / "catalog"
    before = {path: path.read_bytes() for path in catalog.iterdir()}
    good = "{asset: enterprise, path: $.good, grade: general-2}", "{asset: household, path: $.good, grade: core}"
    proposed(tmp_path, good[0], line, good[1])
    done = run(*ACCEPT)
    assert (done.code, said in done.err) == (1, True), done.err
    assert {path: path.read_bytes() for path in catalog.iterdir()} == before


def test_who_accepts_has_a_name(run: Run, policies: Path, tmp_path: Path) -> None:
    proposed(tmp_path, "{asset: household, path: $.x, grade: core}")
    for name in ("wang li", "x\ny", "a" * 65):
        assert run("asset", "propose", "--accept", name, "--from", "p.yaml").code == 2


def test_a_file_that_cannot_be_read_is_3_and_one_of_another_form_is_1(run: Run, policies: Path, tmp_path: Path) -> None:
    assert run(*ACCEPT).code == 3
    (tmp_path / "p.yaml").write_text("assets: []\n")
    assert run(*ACCEPT).code == 1


def test_a_label_above_its_asset_raises_what_is_asked_for_and_that_is_told(
    run: Run, policies: Path, tmp_path: Path
) -> None:
    proposed(tmp_path, "{asset: enterprise, path: $.mobile, identifier: phone, grade: general-3}")
    done = run(*ACCEPT, "--lang", "zh-CN")
    assert done.code == 0
    assert "enterprise：其请求级别由 general-2 升为 general-3" in done.err


def accepting(run: Run, folder: Path, *lines: str, lang: str = "en", since: str = "none.jsonl") -> tuple[int, str, str]:
    """What comes of these lines, and the catalog file of the households after it."""
    proposed(folder, *lines)
    done = run(*ACCEPT, "--lang", lang, "--since", since)
    return done.code, done.out + done.err, (folder / "policies" / "catalog" / "civil.yaml").read_text(encoding="utf-8")


def test_a_label_that_is_there_is_not_corrected_and_nobody_is_left_to_believe_it(
    run: Run, policies: Path, tmp_path: Path
) -> None:
    before = (policies / "catalog" / "civil.yaml").read_text()
    for line, said in (
        ("{asset: household, path: $..phone, identifier: landline, grade: general-4}", "`phone general-4`"),
        ("{asset: household, path: $..phone, identifier: phone, grade: core}", "`phone general-4`"),
        ("{asset: household, path: $..phone, identifier: mobile-phone, grade: general-4}", "K006"),
    ):
        code, text, after = accepting(run, tmp_path, "{asset: household, path: $.new, grade: core}", line)
        assert (code, said in text, after) == (1, True, before), text
    code, text, after = accepting(run, tmp_path, "{asset: household, path: $..phone, grade: general-3}")
    assert (code, "left as it is" in text, "nothing to accept" in text, after) == (0, True, True, before)


def test_a_path_that_no_answer_held_is_told(run: Run, recorded: Path, tmp_path: Path) -> None:
    lines = [f"{{asset: household, path: {path}, grade: important}}" for path in ("$.contact_phnoe", "$.remark")]
    code, text, after = accepting(run, tmp_path, *lines, since=str(recorded))
    assert (code, "$.contact_phnoe" in after) == (0, True)
    assert "p.yaml:2: no answer on record holds `$.contact_phnoe` of household, did you mean `$.contact_phone`?" in text
    assert "$.remark" not in text
    code, text, _ = accepting(run, tmp_path, "{asset: enterprise, path: $.x, grade: general-2}", since=str(recorded))
    assert (code, "no answer on record" in text) == (0, False)
    assert text.count("no answer of enterprise is on record") == 1


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("$.items[*].remark", False),
        ("$.items.remark", False),
        ("$.items[0].remark", False),
        ("$..remark", False),
        ("$.items", False),
        ("$.items[*].remark.text", True),
        ("$.remarks", True),
    ],
)
def test_where_everything_was_labelled_discovery_tells_what_answers_held(
    run: Run, policies: Path, tmp_path: Path, path: str, told: bool
) -> None:
    household = replace(asset((Field("$..remark", "", Grade.GENERAL_4),)), id="household")
    (tmp_path / "state").mkdir(exist_ok=True)
    write(tmp_path / "state", 0, learnt([{"items": [{"remark": "x"}]}] * 3, household).record())
    since = record(tmp_path, [verdict(0), outcome(1, 0)])
    code, text, _ = accepting(
        run, tmp_path, f"{{asset: household, path: '{path}', grade: important}}", since=str(since)
    )
    assert (code, f"no answer on record holds `{path}` of household" in text) == (0, told), text


def test_answers_without_a_field_that_nobody_labelled_hold_no_path_either(
    run: Run, policies: Path, tmp_path: Path
) -> None:
    since = str(record(tmp_path, [verdict(0), outcome(1, 0)]))
    lines = [f"{{asset: household, path: {path}, grade: important}}" for path in ("$.x", "$.data.phone")]
    code, text, _ = accepting(run, tmp_path, *lines, since=since)
    assert (code, text.count("no answer on record holds"), "`$.x` of household" in text) == (0, 1, True)


def test_nothing_to_accept_and_no_list(run: Run, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("proposals: []\n")
    done = run(*ACCEPT, "--lang", "zh-CN")
    assert (done.code, done.out, done.err) == (0, "没有可接受的建议\n", "")
    (tmp_path / "p.yaml").write_text("")
    done = run(*ACCEPT)
    assert (done.code, done.err) == (1, "p.yaml:1: the list `proposals:` is missing\n")


def test_a_file_that_is_not_there_is_written_by_propose(run: Run, policies: Path) -> None:
    done = run(*ACCEPT)
    assert (done.code, "`gateway asset propose --write p.yaml` writes" in done.err) == (3, True)
    assert "init" not in done.err
    assert "p.yaml 无法读取：" in run(*ACCEPT, "--lang", "zh-CN").err
