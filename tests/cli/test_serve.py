"""`gateway serve` says at once why it cannot run, and never runs half."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ran
from tests.running import Gateway, running, until
from tests.test_layout import ROOT

CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
identity: {{issuer: http://127.0.0.1:9, audience: gateway}}
policies: ./policies
state: ./state
apis:
  - {{name: households, match: /civil/households/**, upstream: http://127.0.0.1:9, data: household}}
"""


def gateway(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    (tmp_path / "gateway.yaml").write_text(CONFIG.format(port=0))
    return tmp_path


def test_a_faulty_configuration_is_named_with_line_and_caret(project: Path) -> None:
    (project / "gateway.yaml").write_text(CONFIG.format(port=8080).replace("upstream:", "upsteam:"))
    run = gateway("serve", "-c", str(project / "gateway.yaml"))
    assert run.returncode == 1
    assert "gateway.yaml:7:" in run.stderr
    assert 'did you mean "upstream"?' in run.stderr
    assert run.stdout == ""


def test_without_keys_it_says_how_to_make_them(project: Path) -> None:
    (project / "gateway.yaml").write_text(CONFIG.format(port=8080))
    run = gateway("serve", "-c", str(project / "gateway.yaml"))
    assert run.returncode == 3
    assert "gateway init" in run.stderr


@pytest.mark.parametrize("name", ["ledger.key", "assertion.key", "object.key", "mask.key"])
def test_a_damaged_key_is_named_before_anything_starts(project: Path, name: str) -> None:
    (project / "gateway.yaml").write_text(CONFIG.format(port=8080))
    assert ran("init", project).code == 0
    (project / "state" / "keys" / name).write_text("garbage\n")
    run = gateway("serve", "-c", str(project / "gateway.yaml"))
    assert run.returncode == 3
    assert name in run.stderr
    assert "Traceback" not in run.stderr


def test_a_faulty_policy_stops_the_start(project: Path) -> None:
    (project / "gateway.yaml").write_text(CONFIG.format(port=8080))
    assert ran("init", project).code == 0
    (project / "policies" / "rules" / "99-bad.yaml").write_text("rules:\n  - id: x\n    effect: Deny\n")
    run = gateway("serve", "-c", str(project / "gateway.yaml"))
    assert run.returncode == 1
    assert "99-bad.yaml:3:" in run.stderr


def test_an_address_in_use_is_named(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (project / "gateway.yaml").write_text(CONFIG.format(port=port))
        assert ran("init", project).code == 0
        run = gateway("serve", "-c", str(project / "gateway.yaml"))
        chinese = gateway("serve", "-c", str(project / "gateway.yaml"), "--lang", "zh-CN")
    assert run.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}: another program uses it" in run.stderr
    assert f"change `listen` in {project / 'gateway.yaml'}" in run.stderr
    assert "已被其他程序占用" in chinese.stderr


def test_two_gateways_do_not_share_a_state_directory(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        run = gateway("serve", "-c", str(first.config))
    assert run.returncode == 3
    assert str(first.state) in run.stderr


def test_observe_is_said_loudly_and_lets_pass_what_rules_deny(tmp_path: Path) -> None:
    with running(tmp_path) as stopped:
        stopped.stop()
        stopped.config.write_text(stopped.config.read_text().replace("mode: enforce", "mode: observe"))
        stopped.start()
        assert "OBSERVE MODE" in stopped.log.read_text()
        token = stopped.issuer.token("stranger", org="hz", roles=["visitor"])
        answer = stopped.get("/civil/households/h-1", token)
        assert answer.status == 200
        assert "330106199003072319" not in answer.body.decode()
        assert stopped.get("/health/visits/v-1", token).status == 403  # core data is never let through
        assert stopped.get("/civil/households/h-1", "eyJhbGciOiJub25lIn0.e30.").status == 401
        assert_would_deny(stopped)


def assert_would_deny(stopped: Gateway) -> None:
    observed = [entry for entry in stopped.entries() if entry.get("stage") == "observe"]
    assert [entry["would"] for entry in observed if entry["outcome"] == "permit"] == ["deny"]


@pytest.mark.parametrize("name", ["", "keys", "journal", "bundles"])
def test_a_state_that_others_can_change_is_not_served_from(project: Path, name: str) -> None:
    (project / "gateway.yaml").write_text(CONFIG.format(port=8080))
    assert ran("init", project).code == 0
    (project / "state" / name).chmod(0o770)
    run = gateway("serve", "-c", str(project / "gateway.yaml"))
    assert run.returncode == 3
    assert f"other accounts can change `{project / 'state' / name}`" in run.stderr


def test_other_apis_after_a_restart_do_not_make_workers_try_the_last_reload_for_ever(tmp_path: Path) -> None:
    with running(tmp_path) as restarted:
        devices = restarted.folder / "policies" / "devices.yaml"
        devices.write_text(devices.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
        assert restarted.door("POST", "/v1/reload").status == 200
        restarted.stop()
        config = restarted.config.read_text()
        more = "apis:\n  - {name: more, match: /more/**, upstream: 'http://127.0.0.1:9', level: general-2}\n"
        restarted.config.write_text(config.replace("apis:\n", more, 1))
        restarted.start()
        devices.write_text(devices.read_text() + "  - {id: laptop-98, org: prov, managed: true}\n")
        assert restarted.door("POST", "/v1/reload").status == 200  # back when every worker has prepared it
        restarted.stop()
        assert [entry for entry in restarted.entries() if entry.get("name") == "policy.unprepared"] == []
        assert "policy.unprepared" not in restarted.log.read_text()


def test_a_lost_state_store_is_not_made_anew_in_silence(tmp_path: Path) -> None:
    """Abuse: remove state.db and wait for a restart; whoever was locked out would be let in again."""
    with running(tmp_path) as stopped:
        stopped.report_health("laptop-7")
        assert stopped.door("POST", "/v1/revocations", {"kind": "subject", "id": "li.na"}).status == 200
        stopped.stop()
        for path in stopped.state.glob("state.db*"):
            path.unlink()
        run = gateway("serve", "-c", str(stopped.config))
        assert (run.returncode, (stopped.state / "state.db").exists()) == (3, False)
        assert "gateway serve --fresh-state" in run.stderr
        (stopped.state / "state.db").touch()
        assert "缺失或为空" in gateway("serve", "-c", str(stopped.config), "--lang", "zh-CN").stderr
        stopped.options = ("--fresh-state",)
        stopped.start()
        until(lambda: [entry for entry in stopped.entries() if entry.get("name") == "state.anew"])
        assert "STATE STORE BEGAN ANEW" in stopped.log.read_text()


def test_what_it_keeps_is_nobody_elses_whatever_the_umask(tmp_path: Path) -> None:
    with running(tmp_path) as started:
        started.stop()
        bundles = started.state / "bundles"
        shutil.rmtree(bundles)
        before = os.umask(0)
        try:
            started.start()
        finally:
            os.umask(before)
        made = [bundles / "candidate", *bundles.glob("*/bundle.json"), *bundles.glob("*/apis.json")]
        assert [path.stat().st_mode & 0o077 for path in made] == [0, 0, 0]
