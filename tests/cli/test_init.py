"""`gateway init`: what does a new project need?"""

import re
from pathlib import Path

import pytest

from gateway.catalog import load
from gateway.cli.init import SHIPPED, starter
from tests.cli.shell import Run

VKEY = re.compile(r"gateway/audit\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}")


def test_a_new_project_passes_its_own_check(spawn: Run, tmp_path: Path) -> None:
    done = spawn("init", "p")
    assert done.code == 0
    assert VKEY.search(done.out)
    assert "hand this to your auditor" in done.out
    checked = spawn("check", "-c", "p/gateway.yaml")
    assert checked.code == 0, checked.err
    assert "good: it would start" in checked.out
    assert "C080" in checked.err  # observe is said aloud


def test_keys_and_state_are_closed_to_everybody_else(run: Run, tmp_path: Path) -> None:
    run("init", "p")
    state = tmp_path / "p" / "state"
    for folder in (state, state / "keys", state / "journal", state / "ledger", state / "bundles"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for name in ("ledger.key", "assertion.key", "mask.key", "object.key"):
        assert (state / "keys" / name).stat().st_mode & 0o777 == 0o600, name
    assert (state / "keys" / "mask.key").read_bytes() != (state / "keys" / "object.key").read_bytes()
    assert len((state / "keys" / "mask.key").read_bytes()) == 32


def test_nothing_is_ever_overwritten(run: Run, tmp_path: Path) -> None:
    run("init", "p")
    before = {path: path.read_bytes() for path in (tmp_path / "p").rglob("*") if path.is_file()}
    (tmp_path / "p" / "policies" / "people.yaml").write_text("mine")
    again = run("init", "p", "--api", "http://127.0.0.1:9999")
    assert again.code == 0
    assert "everything is there already" in again.out
    after = {path: path.read_bytes() for path in (tmp_path / "p").rglob("*") if path.is_file()}
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed == {"people.yaml"}


def test_a_state_directory_named_by_an_existing_configuration_gets_its_keys(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("version: 1\nstate: ./elsewhere\naudit: {origin: gw.gov/audit}\n")
    done = run("init")
    assert (tmp_path / "elsewhere" / "keys" / "ledger.key").exists()
    assert "gw.gov/audit+" in done.out


def test_an_own_api_is_put_in_for_a_first_try(run: Run, tmp_path: Path) -> None:
    assert run("init", "q", "--api", "http://127.0.0.1:9000/permits").code == 0
    assert (
        "match: /permits/**\n    upstream: http://127.0.0.1:9000\n    level"
        in (tmp_path / "q/gateway.yaml").read_text()
    )
    assert run("init", "p", "--api", "https://permits.example.gov:8443").code == 0
    text = (tmp_path / "p" / "gateway.yaml").read_text()
    assert "name: permits-example-gov" in text
    assert "upstream: https://permits.example.gov:8443" in text
    assert "level: general-2" in text
    checked = run("check", "-c", "p/gateway.yaml")
    assert checked.code == 0, checked.err + checked.out


def test_an_api_of_a_first_try_that_goes_leaves_tests_and_it_is_said_what_becomes_of_them(
    run: Run, tmp_path: Path
) -> None:
    assert run("init", "p", "--api", "http://127.0.0.1:9000").code == 0
    config = tmp_path / "p" / "gateway.yaml"
    kept = config.read_text("utf-8").partition("apis:")[0]
    own = "apis:\n  - {name: civil-households, match: /civil/households/**, upstream: 'https://10.20.0.5:8443', data: household}\n"
    config.write_text(kept + own, "utf-8")
    done = run("check", "-c", config)
    assert (done.code, "edit or remove the tests in tests/50-api.yaml that speak of it" in done.err) == (1, True), (
        done.err
    )
    assert "请修改或删除 tests/50-api.yaml 中涉及它的测试" in run("check", "-c", config, "--lang", "zh-CN").err
    tested = run("policy", "test", "-c", config)
    assert "edit or remove the tests in tests/50-api.yaml" in tested.out + tested.err
    (tmp_path / "p" / "policies" / "tests" / "50-api.yaml").unlink()  # as the README says
    assert run("check", "-c", config).code == 0


@pytest.mark.parametrize("words", [(), ("--api", "http://127.0.0.1:9000/permits"), ("--api", "http://a.gov")])
def test_a_new_project_notices_every_mutant(run: Run, words: tuple[str, ...]) -> None:
    """A starter rule that is widened would reach the first try as well."""
    assert run("init", ".", *words).code == 0
    done = run("policy", "mutate", "--quick")
    assert done.code == 0, done.out


@pytest.mark.parametrize("first", SHIPPED)
def test_an_own_api_does_not_stand_where_the_starter_policies_speak(run: Run, tmp_path: Path, first: str) -> None:
    """Their tests would be about this API, and fail."""
    assert run("init", ".", "--api", f"http://127.0.0.1:9000/{first}").code == 0
    text = (tmp_path / "gateway.yaml").read_text()
    assert f"match: /api/{first}/**" in text
    assert "strip_prefix: /api\n" in text
    assert run("check").code == 0


def test_what_the_starter_lists_is_known() -> None:
    listed = load(starter() / "catalog").assets
    assert {endpoint.split("/")[1] for asset in listed for endpoint in asset.endpoints} == set(SHIPPED)


def test_an_address_that_cannot_be_a_service_is_refused_before_anything_is_made(run: Run, tmp_path: Path) -> None:
    for address, said in (
        ("ftp://x", "`ftp://x` is not the address of a service: write it like http://127.0.0.1:9000"),
        ("foo", "`foo` is not the address of a service"),
        ("127.0.0.1:9000", "`127.0.0.1:9000` is not the address of a service"),
        ("http://[", "is not the address of a service"),
        ("https://x:99999", "is not the address of a service"),
        ("http://u:p@x", "leave out everything before the @"),
        ("http://x/a?b", "leave out everything from the ? or # on"),
        ("http://x/a b", "not in canonical form"),
        ("http://x/../b", "not in canonical form"),
        ("http://x/.gateway/a", "reserved for the gateway"),
    ):
        done = run("init", "p", "--api", address)
        assert (done.code, done.out) == (2, ""), address
        assert said in done.err
    assert not (tmp_path / "p").exists()


def test_the_first_level_is_explained_where_it_is_given(run: Run, tmp_path: Path) -> None:
    done = run("init", "p", "--api", "http://127.0.0.1:9000")
    assert "/api/… goes to http://127.0.0.1:9000 as the API `api`, with the level general-2" in done.out
    assert "No shipped rule allows it yet" in done.out
    text = (tmp_path / "p" / "gateway.yaml").read_text()
    assert "match: /api/**" in text
    assert "level: general-2" in text
    assert "首次试用" in run("init", "q", "--api", "http://127.0.0.1:9000", "--lang", "zh-CN").out


def test_a_chinese_project_is_commented_in_chinese_and_passes_its_own_check(run: Run, tmp_path: Path) -> None:
    assert run("init", ".", "--api", "http://a.gov", "--lang", "zh-CN").code == 0
    for name in ("gateway.yaml", "policies/tests/50-a-gov.yaml"):
        comments = [
            line for line in (tmp_path / name).read_text().splitlines() if "# " in line and "$schema" not in line
        ]
        assert comments and all(re.search("[\u4e00-\u9fff]", line) for line in comments), name
    assert run("check").code == 0


def test_a_file_in_the_way_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("")
    done = run("init", "p")
    assert (done.code, done.err) == (3, "`p` is a file, and should be a folder\n")


def test_an_api_that_comes_late_is_not_lost_in_silence(run: Run) -> None:
    run("init", "p")
    late = run("init", "p", "--api", "http://127.0.0.1:9000/permits")
    assert late.code == 0
    assert "http://127.0.0.1:9000/permits was not put into it" in late.err
    assert "first try" not in late.out


def test_it_answers_in_json_and_in_chinese(spawn: Run) -> None:
    done = spawn("init", "p", "-o", "json", "--lang", "zh-CN")
    assert VKEY.fullmatch(done.json["verifier"])
    assert "请将以下公钥交给审计人员" in spawn("init", "p", "--lang", "zh-CN").out


def test_what_was_made_is_named_from_where_one_stands(run: Run) -> None:
    made = [line.split()[1] for line in run("init", "mine").out.splitlines() if line.startswith("made")]
    assert made[0] == "mine/gateway.yaml"
    assert "mine/state/keys/ledger.key" in made
    assert not [path for path in made if path.startswith("/")]
