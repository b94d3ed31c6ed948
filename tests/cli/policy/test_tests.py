"""`gateway policy test`."""

from pathlib import Path

from tests.cli.shell import Run


def test_tests_run_and_can_be_chosen(run: Run, made: Path) -> None:
    whole = run("policy", "test", made / "policies", "-o", "json").json
    assert whole["ok"] is True
    assert whole["passed"] == len(whole["tests"]) > 10
    name = whole["tests"][0]["name"]
    one = run("policy", "test", made / "policies", "-k", name, "-v")
    assert name in one.out
    assert run("policy", "test", made / "policies", "-k", "no such test").code == 1
