"""`gateway policy check`."""

import shutil
from pathlib import Path

from tests.cli.shell import Run


def test_the_shipped_policies_are_good(run: Run, made: Path) -> None:
    done = run("policy", "check", made / "policies")
    assert done.code == 0, done.err
    assert "good:" in done.out
    assert run("policy", "check", "-c", made / "gateway.yaml", "-o", "json").json["ok"] is True


def test_the_revision_is_told_as_check_tells_it(run: Run, made: Path) -> None:
    revision = run("check", "-c", made / "gateway.yaml", "-o", "json").json["revision"]
    assert run("policy", "check", "-c", made / "gateway.yaml", "-o", "json").json["revision"] == revision
    assert f"revision  {revision[:12]}, as" in run("policy", "check", "-c", made / "gateway.yaml").out
    # without the APIs of a configuration it would be another one
    assert run("policy", "check", made / "policies", "-o", "json").json["revision"] is None


def test_faults_are_1_with_their_places(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    people = tmp_path / "policies" / "people.yaml"
    people.write_text(people.read_text() + "odd: 1\n")
    done = run("policy", "check", "policies", "-o", "json")
    assert done.code == 1
    assert done.json["faults"][0]["file"].endswith("people.yaml")
    assert "people.yaml:" in done.err


def test_a_mask_for_a_field_that_nobody_labelled_is_warned_of(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    masks = tmp_path / "policies" / "masks.yaml"
    masks.write_text(masks.read_text().replace("  none:", '  none:\n    "$..remrk": drop', 1))
    catalog = next((tmp_path / "policies" / "catalog").glob("*.yaml"))
    catalog.write_text(
        "assets:\n  - {id: note, owner: prov, category: open-data, grade: general-1, endpoints: [GET /notes],"
        " fields: [{path: $..remark}]}\n"
    )
    done = run("policy", "check", "policies", "--lang", "zh-CN")
    assert "警告 L013：方案 `none` 对 `$..remrk` 脱敏，但目录中没有这样标注的字段" in done.err
    assert "您是不是想写“$..remark”" in done.err


def test_a_test_that_fails_or_cannot_be_read_is_not_good(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    extra = tmp_path / "policies" / "tests" / "90.yaml"
    extra.write_text("tests:\n  - {name: wrong, given: {role: clerk}, request: GET /health/visits, expect: permit}\n")
    done = run("policy", "check", "policies")
    assert (done.code, done.out) == (1, "not good: 0 errors, 1 failed test\n")
    assert "FAILED  wrong  tests/90.yaml:2" in done.err
    extra.write_text("tests: [")
    done = run("policy", "check", "policies", "-o", "json")
    assert (done.code, done.json["ok"], done.json["faults"][0]["code"]) == (1, False, "Y010")
    assert run("policy", "test", "policies").code == 1


def test_no_rules_and_no_tests_are_said_plainly(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    shutil.rmtree(tmp_path / "policies" / "tests")
    (tmp_path / "policies" / "rules" / "20-civil.yaml").write_text("rules:\n")
    done = run("policy", "check", "policies")
    assert done.code == 0
    assert "warning P089: there are no rules in this file" in done.err
    assert "warning P095: there are no tests" in done.err
    assert "write tests/NAME.yaml" in done.err
    assert "tests" not in done.out
    for name in ("rules", "departments"):
        shutil.rmtree(tmp_path / "policies" / name)
    assert "warning P086: no rule allows anything: every request is denied" in run("policy", "check", "policies").err
    none = run("policy", "test", "policies", "--lang", "zh-CN")
    assert (none.code, "没有运行任何测试" in none.out) == (1, True)
