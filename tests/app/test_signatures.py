"""A folder is what its signers signed, or it is not good; each way to cheat is a row."""

import base64
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app.signatures import NOTE, Signers, listing, sign
from gateway.audit.checkpoint import Signer, Sm2Signer, load_signer
from gateway.crypto import sm2
from gateway.crypto.jws import SigningKey
from gateway.document import Faulty


def a_signer(name: str) -> Signer:
    return load_signer(SigningKey.generate("EdDSA").pem(), name)


LI, WANG, MALLORY = a_signer("sec.li"), a_signer("sec.wang"), a_signer("sec.mallory")
ONE = Signers((LI.vkey,))
ROLES, RULES = b"roles: {}\n", b"rules: []\n"
TWO = Signers((LI.vkey, WANG.vkey), 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "policies"
    (made / "rules").mkdir(parents=True)
    (made / "people.yaml").write_bytes(ROLES)
    (made / "rules" / "10.yaml").write_bytes(RULES)
    return made


def codes(folder: Path, signers: Signers) -> list[str]:
    return [fault.code for fault in signers.faults(folder)]


def test_the_listing_names_every_file_with_its_digest(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "bundle.json").write_text("{}")
    (folder / "rules" / "bundle.sig").write_text("only the one at the top is left out")
    assert listing(folder) == (
        "zero-trust-gateway policy v1\n"
        f"{sha256(ROLES).hexdigest()}  people.yaml\n"
        f"{sha256(RULES).hexdigest()}  rules/10.yaml\n"
        f"{sha256(b'only the one at the top is left out').hexdigest()}  rules/bundle.sig\n"
    )


def test_without_signers_nothing_needs_a_signature(folder: Path) -> None:
    assert Signers().faults(folder) == ()


def test_a_signed_folder_is_good(folder: Path) -> None:
    done = sign(folder, LI)
    assert (done.files, done.names) == (2, ("sec.li",))
    assert ONE.faults(folder) == ()


def test_two_signatures_over_the_same_files_stand_side_by_side(folder: Path) -> None:
    sign(folder, LI)
    assert codes(folder, TWO) == ["P163"]
    assert sign(folder, WANG).names == ("sec.li", "sec.wang")
    assert sign(folder, WANG).names == ("sec.li", "sec.wang")  # twice is once
    assert TWO.faults(folder) == ()


def test_signing_after_a_change_drops_the_signatures_over_the_old_files(folder: Path) -> None:
    sign(folder, LI)
    (folder / "people.yaml").write_text("roles: {a: {}}\n")
    assert sign(folder, WANG).names == ("sec.wang",)
    assert codes(folder, TWO) == ["P163"]


def change(folder: Path) -> None:
    (folder / "rules" / "10.yaml").write_text("rules: []\n# harmless\n")


def add(folder: Path) -> None:
    (folder / "rules" / "99.yaml").write_text("rules: []\n")


def remove(folder: Path) -> None:
    (folder / "rules" / "10.yaml").unlink()


def swap_names(folder: Path) -> None:
    (folder / "rules" / "10.yaml").rename(folder / "rules" / "11.yaml")


def hide_in_the_note(folder: Path) -> None:
    """Also list the new file in the note: the signature is then over another text."""
    add(folder)
    old = (folder / NOTE).read_text()
    (folder / NOTE).write_text(listing(folder) + "\n" + old.rpartition("\n\n")[2])


def unsign(folder: Path) -> None:
    (folder / NOTE).unlink()


def sign_as_somebody_else(folder: Path) -> None:
    (folder / NOTE).unlink()
    sign(folder, MALLORY)


def take_the_name(folder: Path) -> None:
    """A signature of another key under a signer's name: the key id does not fit, so it is nobody's."""
    (folder / NOTE).unlink()
    sign(folder, Signer("sec.li", MALLORY._key))


def forge(folder: Path) -> None:
    """The right name and key id with somebody else's signature."""
    text = listing(folder)
    blob = bytes.fromhex(LI.vkey.split("+")[1]) + MALLORY._key.sign(text.encode())
    (folder / NOTE).write_text(f"{text}\n— sec.li {base64.b64encode(blob).decode()}\n")


def link_a_file(folder: Path) -> None:
    (folder / "rules" / "10.yaml").rename(folder.parent / "10.yaml")
    (folder / "rules" / "10.yaml").symlink_to(folder.parent / "10.yaml")


def link_a_folder(folder: Path) -> None:
    (folder / "cities").symlink_to(folder.parent)


def put_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "rules" / "pipe")


def link_the_note(folder: Path) -> None:
    (folder / NOTE).rename(folder.parent / NOTE)
    (folder / NOTE).symlink_to(folder.parent / NOTE)


def break_a_name(folder: Path) -> None:
    (folder / "rules" / "a\nb.yaml").write_text("rules: []\n")


def spoil(folder: Path) -> None:
    (folder / NOTE).write_bytes(b"\xff\xfe")


def empty(folder: Path) -> None:
    (folder / NOTE).write_text("")


def another_purpose(folder: Path) -> None:
    """What the same key signed elsewhere, a checkpoint of a ledger, is no signature of policies."""
    (folder / NOTE).write_text(LI.sign("sec.li\n5\nAAAA\n"))


@pytest.mark.parametrize(
    ("cheat", "expected"),
    [
        (change, ["P161"]),
        (add, ["P161"]),
        (remove, ["P161"]),
        (swap_names, ["P161", "P161"]),
        (hide_in_the_note, ["P165", "P163"]),
        (unsign, ["P160"]),
        (sign_as_somebody_else, ["P163"]),
        (take_the_name, ["P163"]),
        (forge, ["P165", "P163"]),
        (link_a_file, ["P162"]),
        (link_a_folder, ["P162"]),
        (put_a_pipe, ["P162"]),
        (link_the_note, ["P162"]),
        (break_a_name, ["P162"]),
        (spoil, ["P164"]),
        (empty, ["P164"]),
        (another_purpose, ["P164"]),
    ],
)
def test_what_was_not_signed_is_not_good(folder: Path, cheat: Callable[[Path], None], expected: list[str]) -> None:
    sign(folder, LI)
    cheat(folder)
    assert codes(folder, ONE) == expected


def test_it_is_said_who_has_signed_and_who_has_not(folder: Path) -> None:
    sign(folder, MALLORY)
    (none,) = TWO.faults(folder)
    assert none.en == "0 of 2 signatures that are needed (not signed: sec.li, sec.wang)"
    sign(folder, WANG)
    (one,) = TWO.faults(folder)
    assert one.en == "1 of 2 signatures that are needed (signed: sec.wang; not signed: sec.li)"
    assert one.zh == "需要 2 个有效签名，现有 1 个（已签：sec.wang；未签：sec.li）"


def test_one_key_under_two_names_is_one_signer(folder: Path) -> None:
    second = Signer("sec.wang", LI._key)
    sign(folder, LI)
    sign(folder, second)
    assert codes(folder, Signers((LI.vkey, second.vkey), 2)) == ["P163"]


def test_the_fault_names_the_file_and_at_most_five(folder: Path) -> None:
    sign(folder, LI)
    change(folder)
    (fault,) = ONE.faults(folder)
    assert fault.file == str(folder / "rules" / "10.yaml")
    assert (fault.en, fault.zh) == ("is not what was signed", "与签名时的内容不同")
    for number in range(9):
        (folder / f"{number}.txt").write_text("x")
    assert len(ONE.faults(folder)) == 6


def test_what_cannot_be_signed_is_not_signed(folder: Path) -> None:
    link_a_file(folder)
    with pytest.raises(Faulty) as caught:
        sign(folder, LI)
    assert [fault.code for fault in caught.value.faults] == ["P162"]
    assert not (folder / NOTE).exists()


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_signers_may_use_sm2(folder: Path) -> None:
    chen = Sm2Signer("sec.chen", sm2.PrivateKey.generate())
    both = Signers((LI.vkey, chen.vkey), 2)
    sign(folder, LI)
    assert codes(folder, both) == ["P163"]
    assert sign(folder, chen).names == ("sec.li", "sec.chen")
    assert sign(folder, chen).names == ("sec.li", "sec.chen")  # signed again: another signature of the same key
    assert both.faults(folder) == ()
    text = (folder / NOTE).read_text(encoding="utf-8")
    assert text.count("sec.chen") == 1
    (folder / NOTE).write_text(text.rpartition("— sec.chen")[0] + chen.line("another text\n"), encoding="utf-8")
    assert codes(folder, both) == ["P165", "P163"]


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_where_sm2_cannot_be_checked_what_needs_it_is_not_good(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chen = Sm2Signer("sec.chen", sm2.PrivateKey.generate())
    sign(folder, chen)
    assert Signers((chen.vkey,)).faults(folder) == ()

    def missing() -> None:
        raise sm2.Sm2Missing("no libcrypto is installed", "未安装 libcrypto")

    monkeypatch.setattr(sm2, "_library", missing)
    assert codes(folder, Signers((chen.vkey,))) == ["P169", "P163"]
    assert "未安装 libcrypto" in Signers((chen.vkey,)).faults(folder)[0].zh
    monkeypatch.undo()  # before the key is freed by the library
