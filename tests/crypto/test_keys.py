import base64
import contextlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.crypto import keys, sm2
from gateway.crypto.jws import SigningKey, VerificationKey
from gateway.crypto.keys import KeyFault, create, load, note_key_id, read_private, read_verifier, verifier_text

VERIFIER = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def test_a_key_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create(tmp_path / "key.pem", SigningKey.generate())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    key = SigningKey.generate("EdDSA")
    create(tmp_path / "key.pem", key)
    assert load(tmp_path / "key.pem").kid == key.kid
    assert load(tmp_path / "key.pem", "ledger-1").kid == "ledger-1"


def test_an_existing_key_is_never_lost(tmp_path: Path) -> None:
    create(tmp_path / "key.pem", SigningKey.generate())
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(KeyFault, match="exists and is kept"):
        create(tmp_path / "key.pem", SigningKey.generate())
    assert (tmp_path / "key.pem").read_bytes() == before


def test_a_link_laid_in_wait_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFault):
        create(tmp_path / "key.pem", SigningKey.generate())
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="nowhere"):
        create(tmp_path / "nowhere" / "key.pem", SigningKey.generate())
    with pytest.raises(KeyFault, match="cannot be read"):
        load(tmp_path / "nowhere")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    create(tmp_path / "key.pem", SigningKey.generate())
    return tmp_path / "key.pem"


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644, 0o666, 0o620, 0o660])
def test_a_file_that_others_reach_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFault, match=f"chmod 600 {key_file}"):
        load(key_file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_is_read(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert load(key_file).alg == "ES256"


@pytest.mark.parametrize(
    ("owner", "mode", "refused"),
    [
        (0, 0o440, False),  # a secret mounted by Kubernetes for a group
        (0, 0o640, False),
        (0, 0o444, True),
        (1000, 0o400, False),
        (1000, 0o440, True),
        (1001, 0o400, True),  # another account's file: it can be replaced under us
    ],
)
def test_who_owns_the_file_counts(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, owner: int, mode: int, refused: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    parts = list(key_file.stat())
    parts[stat.ST_UID], parts[stat.ST_MODE] = owner, stat.S_IFREG | mode
    status = os.stat_result(parts)
    with pytest.raises(KeyFault) if refused else contextlib.nullcontext():
        keys._check_closed(status, key_file)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFault, match="regular"):
        read_private(tmp_path / "pipe")
    with pytest.raises(KeyFault):
        read_private(tmp_path)


def test_a_file_too_large_for_a_key_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.touch(0o600)
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(KeyFault, match="larger"):
        load(path)


def test_what_is_wrong_is_said_in_both_languages(tmp_path: Path, key_file: Path) -> None:
    key_file.chmod(0o644)
    for path, zh in (
        (key_file, f"其他账号可访问 `{key_file}`（权限 0644）：chmod 600 {key_file}"),
        (tmp_path / "gone", f"无法读取 `{tmp_path / 'gone'}`：文件或目录不存在"),
        (tmp_path, f"`{tmp_path}` 不是常规文件"),
    ):
        with pytest.raises(KeyFault) as fault:
            load(path)
        assert (fault.value.zh, fault.value.en) == (zh, str(fault.value))


def test_a_file_without_a_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.touch(0o600)
    path.write_bytes(b"hello")
    with pytest.raises(KeyFault, match="text"):
        load(path)


def test_a_verifier_key_of_the_specification() -> None:
    """The example of C2SP signed-note."""
    note = read_verifier(VERIFIER)
    sent = base64.b64decode(
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    )
    assert sent[:4] == note.id
    assert note.checker()(b"This is an example message.\n", sent[4:])
    assert not note.checker()(b"This is another message.\n", sent[4:])
    key = VerificationKey("", "EdDSA", Ed25519PublicKey.from_public_bytes(note.public))
    assert verifier_text(note.name, key) == VERIFIER


def test_our_own_verifier_key_comes_back() -> None:
    key = SigningKey.generate("EdDSA")
    note = read_verifier(verifier_text("gw.example.gov/audit", key.public()) + "\n")
    assert note.name == "gw.example.gov/audit"
    assert note.algorithm == "Ed25519"
    assert note.checker()(b"note", key.sign_bytes(b"note"))
    assert not note.checker()(b"note", b"short")


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_a_verifier_key_of_sm2_comes_back() -> None:
    key = sm2.PrivateKey.generate()
    text = verifier_text("gw.example.gov/audit", key.public())
    note = read_verifier(text)
    assert (note.name, note.algorithm) == ("gw.example.gov/audit", "SM2")
    assert note.checker()(b"note", key.sign(b"note"))
    assert not note.checker()(b"another", key.sign(b"note"))
    assert base64.b64decode(text.split("+", 2)[2])[:13] == b"\xffsm2-with-sm3"


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_a_verifier_key_beside_the_curve_checks_nothing() -> None:
    raw = b"\xffsm2-with-sm3\x04" + bytes(63) + b"\x01"
    text = f"gw+{note_key_id('gw', raw).hex()}+{base64.b64encode(raw).decode()}"
    with pytest.raises(KeyFault, match="not a key of SM2"):
        read_verifier(text).checker()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+530d903a",
        "example.com/bar" + VERIFIER[15:],
        VERIFIER.replace("530d903a", "530d903b"),
        VERIFIER[:-1],
        VERIFIER.replace("+Aek", "+Bek"),
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VERIFIER.replace("530d903a", "zz"),
        VERIFIER.replace("530d903a", "530D903A"),
        VERIFIER + "\nAAAA",
    ],
)
def test_an_altered_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(KeyFault):
        read_verifier(text)


def test_only_ed25519_and_sm2_sign_notes_and_names_are_words() -> None:
    with pytest.raises(KeyFault, match="neither Ed25519 nor SM2"):
        verifier_text("gw", SigningKey.generate("ES256").public())
    public: VerificationKey = SigningKey.generate("EdDSA").public()
    for name in ("", "a+b", "a b", "a\nb", "a\u3000b"):
        with pytest.raises(KeyFault):
            verifier_text(name, public)
