"""An authority that must use the national algorithms, and its auditor. Judged from outside."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.crypto import sm2
from tests.cli.shell import ran
from tests.running import Gateway, Issuer, Witness

pytestmark = pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")

ID = "330106199003072319"
HOUSEHOLD = "/civil/households/h-1"


@pytest.fixture
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    witness, issuer = Witness(), Issuer()
    made = Gateway(tmp_path, witness, issuer, extra=f"crypto: {request.param}\n")
    masks = made.folder / "policies" / "masks.yaml"
    text = masks.read_text().replace("resident-id: partial(1,1)", "resident-id: encrypt", 1)
    masks.write_text(re.sub(r"(?m)^    name: .*$", "    name: hash", text, count=1))
    for path in (made.folder / "policies" / "tests").glob("*.yaml"):  # they hold the shipped masks
        path.unlink()
    witness.answer(HOUSEHOLD, {"id_number": ID, "name": "王小明"})
    try:
        yield made
    finally:
        if made.process is not None:
            made.stop()
        witness.close()
        issuer.close()


def shown(gateway: Gateway) -> dict[str, str]:
    if gateway.report_health("laptop-7").status != 202:
        raise AssertionError("the report was refused")
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token())
    assert answer.status == 200, answer.body
    assert ID.encode() not in answer.body
    found: dict[str, str] = answer.json
    return found


@pytest.mark.parametrize("gateway", ["sm"], indirect=True)
def test_a_life_with_sm2_sm3_and_sm4(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = gateway.state / "keys"
    gateway.start()
    first = shown(gateway)
    assert first["id_number"].startswith("e1.")
    assert shown(gateway) == first

    refused = ran("keys", "rotate", "mask", "--yes", "-c", gateway.config)
    assert (refused.code, "stop it, rotate, start it" in refused.err) == (1, True)
    assert gateway.stop() == 0
    assert ran("keys", "rotate", "mask", "--yes", "-c", gateway.config).code == 0
    gateway.start()
    second = shown(gateway)
    assert second["id_number"].startswith("e2.")
    assert second["name"] != first["name"]
    words = ("keys", "decrypt", "-c", gateway.config, "-o", "json", "--department", "prov/civil", "--reason", "order 7")
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(f"{first['id_number']}\n{second['id_number']}".encode()))
    )
    opened = ran(*words)
    assert opened.code == 0, opened.err
    assert opened.json == {"values": [ID, ID]}
    assert gateway.stop() == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(second["id_number"].encode())))
    unheard = ran(*words)
    assert (unheard.code, unheard.out) == (3, "")  # nobody is there who could put it on record

    both = ("--public-key", keys / "ledger-sm2.pub", "--public-key", keys / "ledger.pub")
    done = ran("audit", "verify", gateway.state / "ledger", *both, "-o", "json")
    assert done.code == 0, done.out + done.err
    checked = {one["algorithm"]: one["checkpoints"] for one in json.loads(done.out)["keys"]}
    assert checked["Ed25519"] == checked["SM2"] > 0
    assert "INTACT" in gateway.verify()  # a verifier that knows Ed25519 alone

    rows = ran("audit", "query", "name:crypto.keys", "--offline", "-c", gateway.config, "-o", "json")
    assert {(row["target"], row["detail"]) for row in json.loads(rows.out)} == {
        ("sm", "mask key 1"),
        ("sm", "mask key 2"),
    }

    asked = ran("audit", "query", "name:value.decrypt", "--offline", "-c", gateway.config, "-o", "json")
    assert [row["detail"] for row in json.loads(asked.out)] == ["prov/civil order 7"] * 2
    assert ID not in asked.out

    stranger = ran(
        "policy", "sign", "--new-key", gateway.folder / "other.pem", "--sm2", "--name", "gateway/audit", "-o", "json"
    )
    other = json.loads(stranger.out)["verifier"]
    again = ran("audit", "verify", gateway.state / "ledger", "--public-key", keys / "ledger.pub", "--public-key", other)
    assert again.code == 4


@pytest.mark.parametrize("gateway", ["intl"], indirect=True)
def test_an_installation_that_takes_up_sm2_and_leaves_it_again(gateway: Gateway) -> None:
    """The auditor with both keys is told from which entry on SM2 vouches for nothing any more."""
    key = gateway.state / "keys" / "ledger-sm2.pub"
    both = ("--public-key", gateway.state / "keys" / "ledger.pub", "--public-key", key)
    configuration = gateway.config.read_text()
    gateway.start()
    assert gateway.stop() == 0
    assert not key.exists()

    gateway.config.write_text(configuration.replace("crypto: intl", "crypto: dual"))
    gateway.start()
    assert gateway.stop() == 0
    assert f"hand its public half to the auditor: {key.read_text().strip()}" in gateway.log.read_text()
    done = ran("audit", "verify", gateway.state / "ledger", *both, "-o", "json")
    assert done.code == 0
    checked = {one["algorithm"]: one["checkpoints"] for one in json.loads(done.out)["keys"]}
    assert checked["Ed25519"] > checked["SM2"] > 0

    gateway.config.write_text(configuration)
    signed = json.loads(done.out)["signed"]
    gateway.start()
    assert gateway.stop() == 0
    done = ran("audit", "verify", gateway.state / "ledger", *both, "-o", "json")
    assert (done.code, json.loads(done.out)["at"]) == (4, signed)
    assert "INTACT" in gateway.verify()
