import base64
import shutil
import subprocess

import pytest

from gateway.crypto import sm2
from gateway.crypto.sm2 import PrivateKey, PublicKey, Sm2Fault, Sm2Missing, unavailable

here = pytest.mark.skipif(bool(unavailable()), reason=f"no SM2 on this machine: {unavailable()}")


def public_of_the_standard() -> PublicKey:
    point = (
        "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    head = "3059301306072A8648CE3D020106082A811CCF5501822D034200"  # SubjectPublicKeyInfo on curve 1.2.156.10197.1.301
    der = base64.b64encode(bytes.fromhex(head + point)).decode()
    return PublicKey.load(f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n".encode())


def der_of(r: str, s: str) -> bytes:
    parts = b"".join(b"\x02\x21\x00" + bytes.fromhex(part) for part in (r, s))
    return b"\x30" + bytes([len(parts)]) + parts


@here
def test_the_example_of_the_standard():  # GB/T 32918.5-2017, A.2
    signature = der_of(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3",
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
    )
    key = public_of_the_standard()
    assert key.verifies(b"message digest", signature)
    assert not key.verifies(b"message digesT", signature)
    assert not key.verifies(b"message digest", signature, identity=b"somebody else")


@here
def test_what_was_signed_is_verified_and_nothing_else():
    key, other = PrivateKey.generate(), PrivateKey.generate()
    signature = key.sign(b"checkpoint")
    assert key.public().verifies(b"checkpoint", signature)
    assert not key.public().verifies(b"checkpoints", signature)
    assert not other.public().verifies(b"checkpoint", signature)
    for broken in (b"", b"\x30\x00", signature[:-1], signature + b"\0", b"\xff" * 72):
        assert not key.public().verifies(b"checkpoint", broken), broken


@here
def test_keys_survive_their_files():
    key = PrivateKey.generate()
    again = PrivateKey.load(key.pem())
    assert PublicKey.load(key.public().pem()).verifies(b"x", again.sign(b"x"))


@here
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command to compare with")
def test_openssl_reads_our_keys_and_signatures_and_we_read_theirs(tmp_path):
    key = PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.pem())
    (tmp_path / "pub.pem").write_bytes(key.public().pem())
    (tmp_path / "data").write_bytes(b"checkpoint")
    identity = f"distid:{sm2.IDENTITY.decode()}"
    (tmp_path / "sig").write_bytes(key.sign(b"checkpoint"))
    common = ["-rawin", "-digest", "sm3", "-in", "data", "-pkeyopt", identity]
    said = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-sigfile", "sig", *common],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-inkey", "key.pem", "-out", "sig2", *common], cwd=tmp_path, check=True
    )
    assert key.public().verifies(b"checkpoint", (tmp_path / "sig2").read_bytes())


@here
@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
    ],
)
def test_what_is_no_key_is_refused(pem):
    with pytest.raises(Sm2Fault):
        PublicKey.load(pem)


def test_a_machine_without_it_says_so(monkeypatch):
    monkeypatch.setattr(sm2.ctypes.util, "find_library", lambda _: None)
    sm2._library.cache_clear()
    try:
        assert unavailable() == "no libcrypto is installed"
        with pytest.raises(Sm2Missing):
            PrivateKey.generate()
    finally:
        sm2._library.cache_clear()
