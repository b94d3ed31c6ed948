"""`gateway policy show`."""

import shutil
from pathlib import Path

from gateway.policy.engine import MODEL
from tests.cli.shell import ROOT, Run


def test_rules_are_shown_with_their_places(run: Run, made: Path) -> None:
    shown = run("policy", "show", made / "policies", "--lang", "zh-CN")
    assert "rules/00-province.yaml:" in shown.out
    assert "规则" in shown.out
    assert run("policy", "show", made / "policies", "-o", "json").json["rules"]


def test_what_a_profile_suppresses_is_shown(run: Run, tmp_path: Path, made: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "p")
    masks = tmp_path / "p" / "masks.yaml"
    crowd = '  crowd: {"*": keep, suppress: {k: 5, by: [birth-date, $..gender]}}\n'
    masks.write_text(masks.read_text().replace("profiles:\n", "profiles:\n" + crowd, 1))
    shown = run("policy", "show", "p", "-o", "json").json
    assert shown["suppress"] == {"crowd": {"k": 5, "by": ["$..gender", "birth-date"]}}
    assert "crowd" in shown["profiles"]


def test_rows_of_a_native_policy_are_shown_with_their_lines(run: Run, tmp_path: Path) -> None:
    from tests.policy.native.world import write

    (tmp_path / "catalog").mkdir()
    (tmp_path / "devices.yaml").write_text("devices: []\n")
    write(tmp_path, policy="# who\np, alice, /a, GET\n")
    shown = run("policy", "show", tmp_path, "-o", "json")
    assert shown.json["native"] == [["casbin/policy.csv:2", "p, alice, /a, GET"]]
    assert "casbin/policy.csv:2" in run("policy", "show", tmp_path, "--lang", "zh-CN").out


def test_casbin_shows_model_and_rows(run: Run) -> None:
    policies = ROOT / "policies"
    done = run("policy", "show", "--casbin", policies)
    model, _, rows = done.out.partition("# policy.csv\n")
    assert (done.code, model) == (0, f"# model.conf\n{MODEL}\n")
    assert 'p, open-data, allow, signed-in, *, open-data, read, <= general-2, , , "{""mask"":""none""}"\n' in rows
    assert rows.endswith("g3, health-visit, health\ng3, household, population\n")
    assert "#   when(env, when, eft)" in rows
    told = run("policy", "show", "--casbin", policies, "-o", "json").json
    assert told["g2"][0] == ["prov/civil", "prov"]
    assert (told["model"], told["native"], told["faults"]) == (MODEL, {}, [])
    assert "匹配器使用的函数" in run("policy", "show", "--casbin", policies, "--lang", "zh-CN").out


def test_casbin_also_shows_what_a_team_brought_along(run: Run, tmp_path: Path) -> None:
    from tests.policy.native.world import write

    (tmp_path / "catalog").mkdir()
    (tmp_path / "devices.yaml").write_text("devices: []\n")
    write(tmp_path, policy="# who\np, alice, /a, GET\n")
    shown = run("policy", "show", "--casbin", tmp_path)
    assert shown.out.endswith("# casbin/policy.csv\np, alice, /a, GET\n")
    assert run("policy", "show", "--casbin", tmp_path, "-o", "json").json["native"]["rows"] == [
        ["p", "alice", "/a", "GET"]
    ]


def test_a_row_that_breaks_its_line_is_1(run: Run, tmp_path: Path, made: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "p")
    rule = '{id: x, effect: deny, who: "user:a\\np, evil, allow"}'
    (tmp_path / "p" / "rules" / "90.yaml").write_text(f"rules:\n  - {rule}\n")
    done = run("policy", "show", "--casbin", "p")
    assert (done.code, done.out, "P123" in done.err) == (1, "", True)
    assert run("policy", "show", "--casbin", "p", "-o", "json").json["faults"][0]["code"] == "P123"
