"""`gateway policy show`."""

from pathlib import Path

from tests.cli.shell import Run


def test_rules_are_shown_with_their_places(run: Run, made: Path) -> None:
    shown = run("policy", "show", made / "policies", "--lang", "zh-CN")
    assert "rules/00-province.yaml:" in shown.out
    assert "规则" in shown.out
    assert run("policy", "show", made / "policies", "-o", "json").json["rules"]


def test_rows_of_a_native_policy_are_shown_with_their_lines(run: Run, tmp_path: Path) -> None:
    from tests.policy.native.world import write

    (tmp_path / "catalog").mkdir()
    (tmp_path / "devices.yaml").write_text("devices: []\n")
    write(tmp_path, policy="# who\np, alice, /a, GET\n")
    shown = run("policy", "show", tmp_path, "-o", "json")
    assert shown.json["native"] == [["casbin/policy.csv:2", "p, alice, /a, GET"]]
    assert "casbin/policy.csv:2" in run("policy", "show", tmp_path, "--lang", "zh-CN").out
