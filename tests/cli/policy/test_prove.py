"""`gateway policy prove`."""

import shlex
import shutil
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run
from tests.review.native_folder import native_folder

BASE = ROOT / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies, to change."""
    shutil.copytree(BASE, tmp_path / "new")
    return tmp_path / "new"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_narrower_is_0(run: Run, folder: Path) -> None:
    change(folder / "rules" / "00-province.yaml", "subject.assurance < 2", "subject.assurance <= 2")
    done = run("policy", "prove", BASE, folder)
    assert (done.code, done.out.startswith("narrower: ")) == (0, True), done.out
    assert run("policy", "prove", BASE, folder, "--lang", "zh-CN").out.startswith("未放宽：")
    told = run("policy", "prove", BASE, folder, "-o", "json")
    assert (told.code, told.json["verdict"], told.json["witness"]) == (0, "narrower", None)
    assert told.json["proof"]["cells"] > 5


def test_wider_is_1_with_commands_that_can_be_pasted(run: Run, folder: Path) -> None:
    change(folder / "rules" / "00-province.yaml", "subject.assurance < 3", "subject.assurance < 2")
    done = run("policy", "prove", BASE, folder)
    assert (done.code, done.out.startswith("wider: ")) == (1, True)
    commands = [shlex.split(line) for line in done.out.splitlines() if line.startswith("   gateway ")]
    assert [run(*words[1:]).code for words in commands] == [0, 1]  # allowed by the candidate, not by the base
    told = run("policy", "prove", BASE, folder, "-o", "json")
    witness = told.json["witness"]
    assert (told.code, told.json["verdict"], witness["what"], witness["rule"]) == (
        1,
        "wider",
        "permits",
        "health-treatment",
    )


def test_what_is_shown_more_openly_is_told_by_field(run: Run, folder: Path) -> None:
    change(folder / "masks.yaml", "phone: partial(3,4)", "phone: keep")
    done = run("policy", "prove", BASE, folder)
    assert (done.code, "$..phone partial(3,4) → keep" in done.out) == (1, True), done.out


def test_a_level_that_takes_less_away_is_wider(run: Run, folder: Path) -> None:
    """Nobody sees it before the emergency: then the candidate lets through what the base refused."""
    file = folder / "emergency" / "II.yaml"
    change(file, 'level: ">= core"', 'level: ">= core"\n    org: prov/health')
    done = run("policy", "prove", BASE, folder)
    assert (done.code, "emergency level II" in done.out, "   gateway " in done.out) == (1, True, False), done.out
    told = run("policy", "prove", BASE, folder, "-o", "json").json
    assert (told["verdict"], told["levels"]["II"], told["levels"]["I"]) == ("wider", "wider", "narrower")
    file.unlink()
    assert run("policy", "prove", BASE, folder).code == 1
    assert run("policy", "prove", folder, BASE).code == 0  # one that is new takes away


def test_what_runs_out_is_not_proved_and_3(run: Run, folder: Path) -> None:
    change(folder / "rules" / "00-province.yaml", "subject.assurance < 2", "subject.assurance <= 1")
    for bound in (("--budget", "3"), ("--seconds", "0.000001")):
        done = run("policy", "prove", BASE, folder, *bound)
        assert (done.code, done.out.startswith("not proved: ran out after ")) == (3, True), done.out
        assert "--seconds N" in done.out and "open: GET /civil/households" in done.out
        assert run("policy", "prove", BASE, folder, *bound, "--lang", "zh-CN").out.startswith("未能证明：")
        told = run("policy", "prove", BASE, folder, *bound, "-o", "json").json
        assert (told["verdict"], told["proof"]["ran_out"]) == ("unknown", True)
    assert run("policy", "prove", BASE, folder, "--seconds", "100").code == 0


def test_a_duty_that_goes_is_told(run: Run, folder: Path) -> None:
    change(folder / "rules" / "30-health.yaml", "notify: [security, prov-health]", "notify: [prov-health]")
    done = run("policy", "prove", BASE, folder)
    assert (done.code, done.out.startswith(f"wider: {folder} owes less than {BASE}\n")) == (1, True), done.out
    assert "`health-statistics` permits it, and no longer owes notify: security" in done.out
    assert run("policy", "prove", BASE, folder, "-o", "json").json["witness"]["duties"] == ["notify: security"]
    assert run("policy", "prove", folder, BASE).code == 0


def test_the_candidate_is_the_configured_folder_when_none_is_named(run: Run, made: Path) -> None:
    assert run("policy", "prove", made / "policies", "-c", made / "gateway.yaml").code == 0


def test_what_cannot_be_read_is_3_and_odd_words_are_2(run: Run, folder: Path) -> None:
    assert run("policy", "prove").code == 2
    assert run("policy", "prove", BASE, folder, "--budget", "0").code == 2
    assert run("policy", "prove", BASE, folder, "--seconds", "0").code == 2
    assert run("policy", "prove", "--overlays", BASE, folder).code == 2
    assert run("policy", "prove", "--overlays", "nowhere").code == 3
    assert run("policy", "prove", "nowhere", folder).code == 3
    (folder / "rules" / "10-open.yaml").write_text("rules: [")
    broken = run("policy", "prove", BASE, folder)
    assert (broken.code, "10-open.yaml:1:8: error Y010" in broken.err) == (3, True), broken.err


def test_each_overlay_is_compared_with_the_rest(run: Run, folder: Path) -> None:
    done = run("policy", "prove", "--overlays", folder)
    assert done.code == 0, done.out
    assert "departments/health.yaml: allows more, about its own data only" in done.out
    assert "narrower: cities/hz.yaml" in done.out
    assert "narrower: emergency/IV.yaml" in done.out
    told = run("policy", "prove", "--overlays", folder, "-o", "json").json
    assert [(one["file"], one["verdict"]) for one in told["overlays"]] == [
        ("departments/health.yaml", "own"),
        ("cities/hz.yaml", "narrower"),
        ("emergency/I.yaml", "narrower"),
        ("emergency/II.yaml", "narrower"),
        ("emergency/III.yaml", "narrower"),
        ("emergency/IV.yaml", "narrower"),
    ]


def test_a_department_whose_own_data_ran_out_is_not_proved(run: Run, folder: Path) -> None:
    """About data of others there was nothing to search; that is no proof about its own."""
    told = run("policy", "prove", "--overlays", folder, "--budget", "1", "-o", "json")
    assert (told.code, told.json["overlays"][0]["verdict"]) == (3, "unknown")
    done = run("policy", "prove", "--overlays", folder, "--budget", "1")
    assert done.out.startswith("not proved: ran out after 1 step, with"), done.out
    assert "about departments/health.yaml left" in done.out


def test_a_level_that_freezes_grants_is_narrower(run: Run, folder: Path) -> None:
    """Also for whoever is shown a record under a grant and by another rule too."""
    (folder / "emergency" / "III.yaml").write_text("level: III\nfreeze_grants: true\n", encoding="utf-8")
    assert run("policy", "prove", "--overlays", folder).code == 0


def test_a_folder_without_overlays_has_nothing_to_show(run: Run, folder: Path) -> None:
    for name in ("cities", "departments", "emergency"):
        shutil.rmtree(folder / name)
    done = run("policy", "prove", "--overlays", folder)
    assert (done.code, "no city, department or emergency files" in done.out) == (0, True)


def test_a_native_policy_is_known_only_as_equal_or_unknown_and_that_is_said(run: Run, tmp_path: Path) -> None:
    native_folder(tmp_path / "a")
    native_folder(tmp_path / "b", "p, bob, /households, GET, allow\ng, alice, reader\n")
    assert run("policy", "prove", "a", "a").code == 0
    done = run("policy", "prove", "a", "b")
    assert (done.code, done.out.splitlines()[:2]) == (
        3,
        [
            "not proved: b has 3 questions about what cannot be varied; more time does not help",
            "   native casbin rows (casbin/) are known only as equal or unknown: where they differ, nothing is proved",
        ],
    )


def test_one_way_that_is_shown_need_not_be_the_only_one(run: Run, folder: Path) -> None:
    change(folder / "rules" / "00-province.yaml", "subject.assurance < 3", "subject.assurance < 2")
    assert run("policy", "prove", BASE, folder).out.endswith("there may be others: mend this and ask again\n")


def test_outside_a_project_the_usual_is_said(run: Run, folder: Path) -> None:
    done = run("policy", "prove", folder)
    assert (done.code, done.err) == (
        3,
        "there is no `gateway.yaml` here: name one with -c, or make one with `gateway init`\n",
    )
    assert run("policy", "prove", "--overlays").code == 3
