"""`gateway policy show`."""

from pathlib import Path

from tests.cli.shell import Run


def test_rules_are_shown_with_their_places(run: Run, made: Path) -> None:
    shown = run("policy", "show", made / "policies", "--lang", "zh-CN")
    assert "rules/00-province.yaml:" in shown.out
    assert "规则" in shown.out
    assert run("policy", "show", made / "policies", "-o", "json").json["rules"]
