"""`gateway policy sign`: keys are made once and stay private; what is signed is checked by every gate."""

import shutil
from pathlib import Path

import pytest

from gateway.crypto import sm2
from tests.cli.shell import Run


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "policies", tmp_path / "policies")
    return tmp_path / "policies"


def a_key(run: Run, name: str) -> str:
    done = run("policy", "sign", "--new-key", f"{name}.pem", "-o", "json")
    assert done.code == 0, done.err
    return str(done.json["verifier"])


def test_a_new_key_is_private_and_its_public_half_is_printed(run: Run, tmp_path: Path) -> None:
    done = run("policy", "sign", "--new-key", "sec.li.pem")
    assert done.code == 0
    assert done.out.splitlines()[1].startswith("sec.li+")
    assert (tmp_path / "sec.li.pem").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "sec.li.pem").read_bytes()
    again = run("policy", "sign", "--new-key", "sec.li.pem")
    assert (again.code, "exists and is kept" in again.err) == (3, True)
    assert (tmp_path / "sec.li.pem").read_bytes() == before


def test_a_signed_folder_passes_and_an_altered_one_does_not(run: Run, folder: Path) -> None:
    key = a_key(run, "sec.li")
    unsigned = run("policy", "check", "policies", "--signer", key)
    assert (unsigned.code, "P160" in unsigned.err) == (1, True)
    done = run("policy", "sign", "policies", "--key", "sec.li.pem", "-o", "json")
    assert (done.code, done.json["signers"], done.json["verifier"]) == (0, ["sec.li"], key)
    assert run("policy", "check", "policies", "--signer", key).code == 0
    people = folder / "people.yaml"
    people.write_text(people.read_text() + "# approved\n")
    altered = run("policy", "check", "policies", "--signer", key, "--lang", "zh-CN")
    assert altered.code == 1
    assert "people.yaml:1:1: 错误 P161：与签名时的内容不同" in altered.err


def test_the_configuration_says_whose_signatures_are_needed(run: Run, folder: Path, made: Path, tmp_path: Path) -> None:
    li, wang = a_key(run, "sec.li"), a_key(run, "sec.wang")
    text = (made / "gateway.yaml").read_text()
    (tmp_path / "gateway.yaml").write_text(f"{text}policy_signers: ['{li}', '{wang}']\npolicy_signatures: 2\n")
    assert run("policy", "sign", "--key", "sec.li.pem").code == 0  # the folder of the configuration
    one = run("policy", "check")
    assert (one.code, "P163: 1 of 2 signatures that are needed (signed: sec.li; not signed: sec.wang)" in one.err) == (
        1,
        True,
    )
    assert "P163" in run("check").err
    assert "P163" in run("doctor").out
    assert run("policy", "sign", "--key", "sec.wang.pem").out.startswith("signed ")
    assert run("policy", "check").code == 0
    assert "the policies are signed (2 signatures needed)" in run("doctor").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("policies",), 2, "name a key"),
        (("policies", "--key", "a.pem", "--new-key", "b.pem"), 2, "name a key"),
        (("policies", "--key", "nowhere.pem"), 1, "nowhere.pem"),
        (("nowhere", "--key", "sec.li.pem"), 3, "no such folder"),
        (("policies", "--key", "sec.li.pem", "--name", "a b"), 2, "cannot name a signer"),
        (("--new-key", "x.pem", "--name", "a+b"), 2, "cannot name a signer"),
        (("policies", "--key", "open.pem"), 1, "chmod 600"),
        (("policies", "--key", "rsa.pem"), 1, "not a key of Ed25519 or SM2"),
    ],
)
def test_what_cannot_sign_is_said_and_nothing_is_written(
    run: Run, folder: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    a_key(run, "sec.li")
    shutil.copy(tmp_path / "sec.li.pem", tmp_path / "open.pem")
    (tmp_path / "open.pem").chmod(0o644)
    (tmp_path / "rsa.pem").write_text("not a key")
    (tmp_path / "rsa.pem").chmod(0o600)
    done = run("policy", "sign", *words)
    assert (done.code, said in done.err) == (code, True), done.err
    assert not (folder / "bundle.sig").exists()
    assert not (tmp_path / "x.pem").exists()


def test_what_a_reload_would_refuse_is_not_signed_unless_forced(run: Run, folder: Path) -> None:
    """A signature says that somebody looked; a tired signer must not vouch for rules that fail their own tests."""
    a_key(run, "sec.li")
    wrong = folder / "tests" / "90.yaml"
    wrong.write_text("tests:\n  - {name: wrong, given: {role: clerk}, request: GET /health/visits, expect: permit}\n")
    done = run("policy", "sign", "policies", "--key", "sec.li.pem", "-o", "json")
    assert (done.code, done.json["signed"], done.json["tests"]["failed"]) == (1, None, ["wrong"])
    assert "FAILED  wrong  tests/90.yaml:2" in done.err
    assert "nothing was signed: 0 errors, 1 failed test" in done.err
    assert not (folder / "bundle.sig").exists()
    forced = run("policy", "sign", "policies", "--key", "sec.li.pem", "--force", "--lang", "zh-CN")
    assert (forced.code, "已强制签名" in forced.err) == (0, True)
    wrong.unlink()
    (folder / "people.yaml").write_text("odd: 1\n")
    faulty = run("policy", "sign", "policies", "--key", "sec.li.pem")
    assert (faulty.code, "people.yaml:" in faulty.err) == (1, True)


def test_the_revision_is_told_where_the_configuration_is_known(
    run: Run, folder: Path, made: Path, tmp_path: Path
) -> None:
    a_key(run, "sec.li")
    unknown = run("policy", "sign", "policies", "--key", "sec.li.pem", "-o", "json")
    assert (unknown.code, unknown.json["revision"]) == (0, None)
    shutil.copy(made / "gateway.yaml", tmp_path / "gateway.yaml")
    revision = run("check", "-o", "json").json["revision"]
    assert len(revision) == 64
    for words in ((), ("policies",)):
        done = run("policy", "sign", *words, "--key", "sec.li.pem", "-o", "json")
        assert (done.code, done.json["revision"]) == (0, revision)
    assert f"revision  {revision[:12]}, as a reload names it" in run("policy", "sign", "--key", "sec.li.pem").out


def test_a_link_is_not_signed(run: Run, folder: Path, tmp_path: Path) -> None:
    a_key(run, "sec.li")
    (folder / "rules" / "link.yaml").symlink_to(tmp_path / "sec.li.pem")
    done = run("policy", "sign", "policies", "--key", "sec.li.pem")
    assert (done.code, "P162: a link cannot be signed" in done.err) == (1, True)
    assert not (folder / "bundle.sig").exists()


def test_what_is_no_verifier_key_is_2(run: Run, folder: Path) -> None:
    done = run("policy", "check", "policies", "--signer", "sec.li")
    assert (done.code, done.out) == (2, "")


def test_a_configuration_with_faults_is_not_called_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("policies: [\n")
    (tmp_path / "k").write_text("")
    done = run("policy", "sign", "--key", "k")
    assert done.code == 3
    assert "gateway.yaml:1:11: error" in done.err


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_a_key_of_sm2_signs_too(run: Run, folder: Path, tmp_path: Path) -> None:
    made = run("policy", "sign", "--new-key", "sec.chen.pem", "--sm2", "-o", "json")
    assert made.code == 0, made.err
    assert (tmp_path / "sec.chen.pem").stat().st_mode & 0o777 == 0o600
    done = run("policy", "sign", "policies", "--key", "sec.chen.pem", "-o", "json")
    assert (done.code, done.json["verifier"]) == (0, made.json["verifier"])
    assert run("policy", "check", "policies", "--signer", made.json["verifier"]).code == 0
    assert run("policy", "sign", "policies", "--key", "sec.chen.pem", "--sm2").code == 2


def test_where_there_is_no_sm2_no_other_key_is_made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise sm2.Sm2Missing("no libcrypto is installed", "未安装 libcrypto")

    monkeypatch.setattr(sm2, "_library", missing)
    done = run("policy", "sign", "--new-key", "sec.chen.pem", "--sm2", "--lang", "zh-CN")
    assert (done.code, "未安装 libcrypto；请安装带 SM2 的 OpenSSL 3" in done.err) == (3, True)
    assert not (tmp_path / "sec.chen.pem").exists()
