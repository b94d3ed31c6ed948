"""Which certificates are in this PEM file, and for which names do they speak?"""

import time
from pathlib import Path

import pytest

from gateway.config.certificates import ders, expiry, names


def test_names_are_exact_and_wildcards_are_none(pairs: Path) -> None:
    assert names(pairs / "tls.crt") == ("api.example.gov",)
    assert names(pairs / "nameless.crt") == ()
    assert names(pairs / "missing") == ()
    assert names(pairs / "tls.key") == ()


def test_every_certificate_of_a_chain_is_read(pairs: Path, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"# a comment\n" + (pairs / "tls.crt").read_bytes() + (pairs / "nameless.crt").read_bytes())
    assert ders(chain) == (*ders(pairs / "tls.crt"), *ders(pairs / "nameless.crt"))
    assert 0 < expiry(chain) - time.time() < 3 * 86400


def test_what_holds_no_certificate_is_refused(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for path in (pairs / "tls.key", tmp_path / "broken.pem"):
        with pytest.raises(ValueError, match=r".+"):
            ders(path)
