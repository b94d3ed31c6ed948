"""Signed notes and checkpoints, with the vector of the C2SP specification."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from gateway.audit.checkpoint import (
    Checkpoint,
    Signer,
    Sm2Signer,
    Verifier,
    load_any_signer,
    load_signer,
    read_checkpoint,
    signed,
)
from gateway.audit.entry import Malformed
from gateway.crypto import sm2

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
NOTE = f"This is an example message.\n\n— example.com/foo {SIGNATURE}\n"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer("gw.example.gov/audit", KEY)
VERIFIER = Verifier(SIGNER.vkey)
POINT = Checkpoint("gw.example.gov/audit", 70000, b"r" * 32)


def test_the_published_vector_opens() -> None:
    assert Verifier(VKEY).open(NOTE) == "This is an example message.\n"


def test_what_is_signed_can_be_read_back() -> None:
    assert read_checkpoint(SIGNER.sign(POINT.text), VERIFIER) == POINT


def test_a_signature_of_a_stranger_beside_ours_is_ignored() -> None:
    ours = SIGNER.sign(POINT.text)
    stranger = Signer("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(32))).sign(POINT.text)
    both = ours + stranger.rpartition("\n\n")[2]
    assert read_checkpoint(both, VERIFIER) == POINT
    with pytest.raises(Malformed, match="no signature"):
        VERIFIER.open(stranger)


def test_every_changed_byte_of_a_note_is_noticed() -> None:
    note = SIGNER.sign(POINT.text)
    for place in range(len(note)):
        for other in "A\n0 +":
            changed = note[:place] + other + note[place + 1 :]
            if changed != note:
                with pytest.raises(Malformed):
                    read_checkpoint(changed, VERIFIER)


def test_a_note_cut_anywhere_is_refused() -> None:
    note = SIGNER.sign(POINT.text)
    for end in range(len(note)):
        with pytest.raises(Malformed):
            VERIFIER.open(note[:end])


@pytest.mark.parametrize(
    "text",
    [
        "other.example/audit\n1\n" + "A" * 43 + "=\n",
        "gw.example.gov/audit\n01\n" + "A" * 43 + "=\n",
        "gw.example.gov/audit\n-1\n" + "A" * 43 + "=\n",
        "gw.example.gov/audit\n١\n" + "A" * 43 + "=\n",
        "gw.example.gov/audit\n" + "9" * 19 + "\n" + "A" * 43 + "=\n",
        "gw.example.gov/audit\n1\nAAAA\n",
        "gw.example.gov/audit\n1\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_checkpoint(SIGNER.sign(text), VERIFIER)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b+c",
        VKEY[:-1],
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("example", "elpmaxe"),
        VKEY.replace("Aeky", "Beky"),
    ],
)
def test_a_wrong_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed):
        Verifier(vkey)


def test_a_note_with_control_characters_or_too_many_signatures_is_refused() -> None:
    with pytest.raises(Malformed):
        VERIFIER.open(SIGNER.sign("a\x1bb\n"))
    line = SIGNER.sign("a\n").rpartition("\n\n")[2]
    with pytest.raises(Malformed, match="too many"):
        VERIFIER.open("a\n\n" + line * 101)


def test_the_signer_comes_from_a_pem_file_and_only_of_the_right_kind() -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_signer(pem, "gw.example.gov/audit").vkey == SIGNER.vkey
    wrong = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="Ed25519"):
        load_signer(wrong, "a")
    with pytest.raises(ValueError, match="name of a key"):
        Signer("two words", KEY)
    with pytest.raises(ValueError, match="newline"):
        SIGNER.sign("no newline")


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_a_note_with_both_signatures_opens_for_each() -> None:
    national = Sm2Signer(SIGNER.name, sm2.PrivateKey.generate())
    note = signed(POINT.text, SIGNER, national)
    assert read_checkpoint(note, VERIFIER) == read_checkpoint(note, Verifier(national.vkey)) == POINT
    assert [line.split(" ")[1] for line in note.splitlines()[-2:]] == [SIGNER.name, SIGNER.name]
    with pytest.raises(Malformed, match="with SM2"):
        Verifier(national.vkey).open(SIGNER.sign(POINT.text))
    with pytest.raises(Malformed, match="with SM2 is wrong"):
        Verifier(national.vkey).open(SIGNER.sign(POINT.text) + national.line("another\n"))


@pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")
def test_a_key_file_says_which_signer_it_is() -> None:
    def pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey, how: KeySerializationEncryption) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)

    national = sm2.PrivateKey.generate()
    assert load_any_signer(pem(KEY, NoEncryption()), SIGNER.name).vkey == SIGNER.vkey
    assert load_any_signer(national.pem(), "a").vkey == Sm2Signer("a", national).vkey
    for odd in (b"", pem(generate_private_key(SECP256R1()), NoEncryption()), pem(KEY, BestAvailableEncryption(b"x"))):
        with pytest.raises(ValueError):
            load_any_signer(odd, "a")
