import base64
import os
import shutil
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

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
def test_the_key_of_the_standard_signs():  # GB/T 32918.5-2017, A.2: its d makes its P, and what it signs is P's
    point = base64.b64decode(public_of_the_standard().pem().split(b"\n", 1)[1].rpartition(b"-----END")[0])[-65:]
    secret = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
    der = bytes.fromhex(
        "307702010104 20".replace(" ", "") + secret + "A00A06082A811CCF5501822DA14403 4200".replace(" ", "")
    )
    pem = b"-----BEGIN EC PRIVATE KEY-----\n" + base64.b64encode(der + point) + b"\n-----END EC PRIVATE KEY-----\n"
    key = PrivateKey.load(pem)
    assert key.public().point() == point
    assert public_of_the_standard().verifies(b"message digest", key.sign(b"message digest"))


@here
def test_a_key_is_its_point():
    key = PrivateKey.generate().public()
    again = PublicKey.at(key.point())
    assert again.point() == key.point()
    assert again.pem() == key.pem()
    for wrong in (b"", key.point()[:-1], b"\x04" + bytes(64), key.point()[:-1] + bytes([key.point()[-1] ^ 1])):
        with pytest.raises(Sm2Fault):
            PublicKey.at(wrong)


@here
def test_many_threads_sign_and_verify_at_once():
    key = PrivateKey.generate()

    def work(number):
        text = b"%d" % number
        return key.public().verifies(text, key.sign(text)) and not key.public().verifies(b"other", key.sign(text))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(64)))


@here
def test_a_child_process_does_not_sign_with_the_numbers_of_its_parent():
    """Two signatures with one secret number give the key away."""
    key = PrivateKey.generate()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, key.sign(b"same").ljust(80, b"\0"))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 80).rstrip(b"\0")
    os.close(read), os.close(write)
    assert theirs != key.sign(b"same")
    assert theirs[4:36] != key.sign(b"same")[4:36]


@here
def test_a_refused_signature_leaves_no_error_for_the_next_in_this_thread():
    PrivateKey.generate().public().verifies(b"x", b"\x30\x00")
    assert (
        ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
    )  # reads a store of certificates, and asks the queue


@here
def test_it_says_which_library_it_is():
    assert "SSL" in sm2.version()


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
    subprocess.run(["openssl", "genpkey", "-algorithm", "SM2", "-out", "theirs.pem"], cwd=tmp_path, check=True)
    theirs = PrivateKey.load((tmp_path / "theirs.pem").read_bytes())
    assert theirs.public().verifies(b"checkpoint", theirs.sign(b"checkpoint"))


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
    monkeypatch.setattr(sm2, "SONAME", "libcrypto-of-nobody.so")
    monkeypatch.setattr(sm2.ctypes.util, "find_library", lambda _: None)
    sm2._library.cache_clear()
    try:
        why = unavailable()
        assert why is not None
        assert (why.en, why.zh) == ("no libcrypto is installed", "未安装 libcrypto")
        with pytest.raises(Sm2Missing):
            PrivateKey.generate()
    finally:
        sm2._library.cache_clear()
