"""`gateway trace`: who leaked is named, the innocent are not, and what cannot be told is not told."""

import json
from pathlib import Path
from time import process_time
from typing import Any

import orjson
import pytest

from gateway.masking.watermark import Marks, marked
from tests.cli.shell import Run
from tests.control.doors import Behind
from tests.masking.test_watermark import people

KEY = b"k" * 32


@pytest.fixture
def town(run: Run, behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and the key of the marks."""
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True)
    keys.chmod(0o700)
    (keys / "mask.key").write_bytes(KEY)
    (keys / "mask.key").chmod(0o600)
    (tmp_path / "gateway.yaml").write_text("version: 1\nstate: state\n")
    return tmp_path


def leaked(town: Path, recipient: str, count: int = 30) -> Path:
    path = town / "leak.json"
    path.write_bytes(marked(orjson.dumps({"items": people(count)}), Marks(KEY).of(recipient)))
    return path


def words(town: Path, leak: Path, *more: str) -> tuple[str, ...]:
    return ("trace", str(leak), "-c", str(town / "gateway.yaml"), "--socket", "c.sock", *more)


def test_who_was_given_it_is_named_and_the_question_is_on_record(run: Run, behind: Behind, town: Path) -> None:
    done = run(*words(town, leaked(town, "zhang.wei"), "--asset", "household"))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2].split()[:2] == ["zhang.wei", "30"]
    question = "kind:verdict outcome:permit asset:household time:90d | count by subject"
    assert behind.asked[-1] == ("query", question, 10_000)
    assert [act.act for act in behind.acts] == ["audit.query"]


def test_somebody_else_is_none_of_the_candidates(run: Run, town: Path) -> None:
    done = run(*words(town, leaked(town, "li.min")))
    assert done.code == 1
    assert "none of the candidates" in done.out
    alone = town / "alone.txt"
    alone.write_text("wang.li\n")
    one = run(*words(town, leaked(town, "li.min"), "--candidates", str(alone)))
    assert one.out.splitlines()[0] == "30 objects that can carry a mark, 1 candidate"
    listed = town / "staff.txt"
    listed.write_text("wang.li\nli.min\n\nzhao.lei\n")
    said = run(*words(town, leaked(town, "li.min"), "--candidates", str(listed), "-o", "json"))
    assert said.code == 0
    assert [one["recipient"] for one in said.json["named"]] == ["li.min"]
    assert said.json["candidates"] == 3


def test_lines_and_single_records_are_read_too(run: Run, town: Path) -> None:
    records = json.loads(leaked(town, "zhang.wei").read_text())["items"]
    lines = town / "leak.ndjson"
    lines.write_text("\n".join([json.dumps(one, ensure_ascii=False) for one in records[::2]] + ["# a remark"]))
    done = run(*words(town, lines))
    assert done.code == 0
    assert "left out" in done.err


def test_a_copy_that_was_cut_off_and_written_anew_is_enough(run: Run, town: Path) -> None:
    """As it is copied from a screen: indented, in the charset of the office, from the middle of one record to that of another."""
    whole = json.dumps(json.loads(leaked(town, "zhang.wei").read_text()), ensure_ascii=False, indent=4)
    for charset in ("utf-8", "utf-8-sig", "utf-16", "gb18030"):
        for text in (whole[: -len(whole) // 5], whole[300:-300], f"<pre>{whole}</pre>"):
            part = town / "part.txt"
            part.write_bytes(text.encode(charset))
            done = run(*words(town, part))
            assert (done.code, done.out.splitlines()[2].split()[0]) == (0, "zhang.wei"), (charset, done.err)
            assert "left out" in done.err


def test_objects_are_found_among_whatever_looks_like_one(run: Run, town: Path) -> None:
    """A page full of braces: each that began no object was once held against all the text before it."""
    record = {"name": "王小明", "note": "x" * 10_000, "n": int("9" * 30), "id": 1}
    whole = marked(orjson.dumps(people(30)), Marks(KEY).of("zhang.wei")).decode()
    leak = town / "page.html"
    leak.write_text("{" * 100_000 + json.dumps(record) + '{"a":' * 1_000 + whole[1:-1] + '{"cut": "' + "{" * 50_000)
    started = process_time()
    done = run(*words(town, leak, "-o", "json"))
    assert (done.code, done.json["objects"]) == (0, 31)
    assert process_time() - started < 10


def test_what_was_marked_under_the_algorithms_of_before_is_found(run: Run, town: Path) -> None:
    leak = leaked(town, "zhang.wei")
    (town / "gateway.yaml").write_text("version: 1\nstate: state\ncrypto: sm\n")
    assert run(*words(town, leak)).code == 0


def test_a_key_that_was_cut_off_names_nobody_and_clears_nobody(run: Run, town: Path) -> None:
    (town / "state" / "keys" / "mask.key").write_bytes(KEY[:7])
    done = run(*words(town, leaked(town, "zhang.wei")))
    assert (done.code, "must hold 32 bytes" in done.err) == (3, True)


def test_too_long_is_not_called_no_json(run: Run, town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.trace.LONGEST", 100)
    done = run(*words(town, leaked(town, "zhang.wei")))
    assert (done.code, "longer than" in done.err) == (2, True)


def test_candidates_without_end_are_not_read_to_their_end(
    run: Run, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.trace.LONGEST", 100_000)
    told = run(*words(town, leaked(town, "zhang.wei"), "--candidates", "/dev/zero"))
    assert (told.code, "/dev/zero" in told.err, "Traceback" in told.err) == (3, True, False)


def test_too_little_and_wiped_marks_are_told_as_that(run: Run, town: Path) -> None:
    little = run(*words(town, leaked(town, "zhang.wei", 1)))
    assert little.code == 3
    assert "too little to name anybody" in little.err
    wiped = town / "wiped.json"
    wiped.write_bytes(orjson.dumps(people(30), option=orjson.OPT_SORT_KEYS))
    done = run(*words(town, wiped))
    assert done.code == 3
    assert "the marks were wiped away" in done.err
    assert "none of the candidates" not in done.out


@pytest.mark.parametrize(("content", "code"), [(b"no json", 2), (b"", 2), (b"\xff\xfe", 2)])
def test_what_is_no_json_is_no_question(run: Run, town: Path, content: bytes, code: int) -> None:
    path = town / "odd"
    path.write_bytes(content)
    assert run(*words(town, path)).code == code


def test_without_key_file_or_gateway_nothing_is_found_out(run: Run, town: Path) -> None:
    leak = leaked(town, "zhang.wei")
    assert run(*words(town, town / "gone.json")).code == 3
    assert run(*words(town, leak, "--asset", "a b")).code == 2
    assert run("trace", str(leak), "-c", str(town / "gateway.yaml"), "--socket", "none.sock").code == 3
    (town / "state" / "keys" / "mask.key").unlink()
    done = run(*words(town, leak))
    assert done.code == 3
    assert "the keys of the marks cannot be read" in done.err


def test_a_mistyped_asset_is_not_taken_for_one_that_nobody_was_given(run: Run, behind: Behind, town: Path) -> None:
    catalog = town / "policies" / "catalog"
    catalog.mkdir(parents=True)
    (catalog / "a.yaml").write_text(
        "assets:\n  - {id: pension, owner: prov, category: c, grade: general-1, endpoints: [GET /p]}\n"
    )
    behind.rows = []
    leak = leaked(town, "zhang.wei")
    staff = town / "staff.txt"
    staff.write_text("zhang.wei\n")
    for more in ((), ("--candidates", str(staff))):
        done = run(*words(town, leak, "--asset", "pensions", *more))
        assert (done.code, done.err) == (2, 'there is no asset `pensions`; did you mean "pension"?\n')
    known = run(*words(town, leak, "--asset", "pension"))
    assert (known.code, "nobody on record" in known.err) == (3, True)
    assert run(*words(town, leak, "--asset", "pension", "--candidates", str(staff))).code == 0


def test_it_speaks_chinese(run: Run, town: Path) -> None:
    said: Any = run(*words(town, leaked(town, "zhang.wei"), "--lang", "zh-CN")).out
    assert "30 个可承载水印的对象" in said
    assert "至多有一次误认" in said
    gone = run(*words(town, town / "gone.json", "--lang", "zh-CN")).err
    assert gone == f"无法读取：{town}/gone.json：文件不存在\n"
