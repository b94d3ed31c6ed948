"""`gateway doctor`: what would fail tomorrow?"""

import contextlib
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.crypto import sm2
from gateway.crypto.suite import INTL
from gateway.detect import ENGINE
from tests.cli.shell import ROOT, Run
from tests.control.doors import Behind


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture
def listener() -> Iterator[str]:
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield f"127.0.0.1:{made.getsockname()[1]}"


def test_it_names_what_is_good_bad_and_unknown(run: Run, project: Path) -> None:
    (project / "state" / "keys" / "mask.key").chmod(0o644)
    (project / "state" / "state.db").write_bytes(b"not a database, and long enough to be read as one" * 100)
    done = run("doctor", "-c", project / "gateway.yaml", "-o", "json", GATEWAY__IDENTITY__ISSUER="http://127.0.0.1:1")
    assert done.code == 1
    found = {one["subject"]: one["state"] for one in done.json["findings"]}
    assert found["keys"] == "bad"
    assert found["store"] == "bad"
    assert found["issuer"] == "bad"
    assert found["packages"] == "good"
    assert found["chain"] == "good"
    assert found["door"] == "unknown"


def test_bad_beats_unknown_and_unknown_beats_good(run: Run, project: Path, listener: str) -> None:
    bare = project / "gateway.yaml"
    bare.write_text(
        bare.read_text()
        .replace("identity:\n  issuer: http://127.0.0.1:8082", "identity:\n  leeway: 30s")
        .replace("  audience: gateway\n", "")
    )
    done = run("doctor", "-c", bare, GATEWAY__APIS__0__UPSTREAM=f"http://{listener}")
    assert done.code == 3, done.out + done.err
    assert "no gateway answers" in done.out


def test_live_asks_only_the_running_gateway(spawn: Run, behind: Behind) -> None:
    done = spawn("doctor", "--live", "--socket", "c.sock")
    assert (done.code, done.out) == (0, "good  control door: answers, 1 worker\n")
    behind.recording = False
    assert spawn("doctor", "--live", "--socket", "c.sock", "--lang", "zh-CN").code == 1
    assert spawn("doctor", "--live", "--socket", "none.sock").code == 3
    assert spawn("doctor", "--live").code == 3


def test_a_certificate_about_to_end_is_seen(run: Run, project: Path, pairs: Path) -> None:
    for name in ("tls.crt", "tls.key"):
        shutil.copy(pairs / name, project / name)
    (project / "tls.key").chmod(0o600)
    config = project / "gateway.yaml"
    config.write_text(config.read_text() + "tls: {cert: tls.crt, key: file:tls.key}\n")
    done = run("doctor", "-c", config, "-o", "json")
    found = [one for one in done.json["findings"] if one["subject"] == "certificate"]
    assert [(one["state"], one["values"]["days"]) for one in found] == [("warn", 1)]


def test_a_damaged_checkpoint_is_seen(run: Run, project: Path) -> None:
    (project / "state" / "ledger" / "checkpoints").write_text("gateway/audit\n5\nAAAA\n\n\u2014 gateway/audit AAAA\n\n")
    done = run("doctor", "-c", project / "gateway.yaml", "-o", "json")
    assert next(one["state"] for one in done.json["findings"] if one["subject"] == "chain") == "bad"
    (project / "state" / "keys" / "ledger.pub").unlink()
    (project / "state" / "keys" / "ledger.key").chmod(0o644)
    said = run("doctor", "-c", project / "gateway.yaml", "--lang", "zh-CN").out
    assert said.count("其他账号可访问") == 2  # of the keys, and of the chain that cannot be checked by them


def test_policies_are_compiled_and_tried(run: Run, project: Path) -> None:
    def finding() -> tuple[str, str]:
        done = run("doctor", "-c", project / "gateway.yaml", "-o", "json")
        return next((one["state"], one["key"]) for one in done.json["findings"] if one["subject"] == "policies")

    assert finding() == ("good", "doctor.policies_good")
    extra = project / "policies" / "tests" / "90.yaml"
    extra.write_text("tests:\n  - {name: wrong, given: {role: clerk}, request: GET /health/visits, expect: permit}\n")
    assert finding() == ("bad", "doctor.policies_bad")
    extra.unlink()
    (project / "policies" / "masks.yaml").unlink()
    done = run("doctor", "-c", project / "gateway.yaml")
    assert "BAD  policies: 1 fault, 0 failed tests" in done.out
    shutil.rmtree(project / "policies" / "tests")
    shutil.copy(ROOT / "policies" / "masks.yaml", project / "policies" / "masks.yaml")
    assert finding()[0] == "warn"


def test_a_service_that_callers_would_not_reach_is_bad(run: Run, project: Path, listener: str) -> None:
    def said(upstream: str, *more: str) -> str:
        done = run("doctor", "-c", project / "gateway.yaml", *more, GATEWAY__APIS__0__UPSTREAM=upstream)
        return next(line for line in done.out.splitlines() if "civil-households" in line)

    assert said(f"http://{listener}") == f"good  service: `civil-households` takes connections at http://{listener}"
    assert said("http://127.0.0.1:1").startswith("BAD  service: `civil-households`: nobody listens at")
    assert "无人监听" in said("http://127.0.0.1:1", "--lang", "zh-CN")


def test_a_service_whose_certificate_is_not_accepted_is_bad(run: Run, project: Path, pairs: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pairs / "tls.crt", pairs / "tls.key")

    def greet(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), server.wrap_socket(plain.accept()[0], server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as made:
        thread = threading.Thread(target=greet, args=(made,))
        thread.start()
        url = f"https://127.0.0.1:{made.getsockname()[1]}"
        done = run("doctor", "-c", project / "gateway.yaml", GATEWAY__APIS__0__UPSTREAM=url)
        thread.join(10)
    line = next(line for line in done.out.splitlines() if "civil-households" in line)
    assert line.startswith(f"BAD  service: `civil-households`: no TLS with {url}, callers get 502: self")


def test_an_address_that_is_taken_is_seen_before_the_start(run: Run, project: Path, listener: str) -> None:
    taken = run("doctor", "-c", project / "gateway.yaml", GATEWAY__LISTEN=listener)
    assert f"look  address: {listener} is in use" in taken.out
    free = run("doctor", "-c", project / "gateway.yaml", GATEWAY__LISTEN="127.0.0.1:0")
    assert "good  address: 127.0.0.1:0 is free" in free.out


def test_it_tells_the_algorithms_and_the_engine(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(profile: str) -> dict[str, tuple[str, str]]:
        done = run("doctor", "-c", project / "gateway.yaml", "-o", "json", GATEWAY__CRYPTO=profile)
        return {one["subject"]: (one["state"], one["key"]) for one in done.json["findings"]}

    def lacks(why: sm2.Sm2Missing | None) -> None:
        for place in ("gateway.crypto.sm2.unavailable", "gateway.config.checks.unavailable"):
            monkeypatch.setattr(place, lambda: why)  # the second one refuses the configuration

    for profile, needed in (("intl", False), ("sm", True), ("dual", True)):
        lacks(None)
        monkeypatch.setattr(sm2, "version", lambda: "OpenSSL 3.0.19")
        here = found(profile)
        assert here["crypto"] == ("good", f"doctor.crypto_{profile}")
        assert here["sm34"] == ("good", "doctor.sm34_good")
        assert here["sm2"] == ("good", "doctor.sm2_good")
        assert here["engine"] == ("good", f"doctor.engine_{ENGINE}")
        lacks(sm2.Sm2Missing("no libcrypto is installed", "未安装 libcrypto"))
        assert found(profile)["sm2"] == ("bad" if needed else "good", "doctor.sm2_none")
        with monkeypatch.context() as lacking:
            lacking.setattr("gateway.crypto.suite.offered", lambda: (INTL,))
            assert found(profile)["sm34"] == ("bad" if profile == "sm" else "good", "doctor.sm34_none")
    said = run("doctor", "-c", project / "gateway.yaml", "--lang", "zh-CN", GATEWAY__CRYPTO="sm").out
    assert "SM2：本机没有（未安装 libcrypto）" in said
