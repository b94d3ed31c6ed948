"""A service grows a field that nobody labelled; the ledger hears of it, a person accepts, and the policies' own tests have a say."""

import json
from collections.abc import Iterator

import pytest

from tests.running import Gateway, running, until

PHONE = "13800138000"
SHOP = "/market/enterprises"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("learns")) as started:
        yield started


def asset(gateway: Gateway, *words: str, code: int | None = 0) -> str:
    return gateway.run("asset", *words, "-c", str(gateway.config), code=code)


def test_from_an_unknown_field_to_a_label_with_a_name(gateway: Gateway) -> None:
    gateway.witness.answer(SHOP, {"items": [{"credit_code": "1", "contact_mobile": PHONE}]})  # type: ignore[attr-defined]  # a Witness
    caller = gateway.issuer.token()
    assert gateway.get(SHOP, caller).json["items"][0]["contact_mobile"] == PHONE  # `warn`: shown, and on record
    assert gateway.get("/market/none/such", caller).status == 403

    def scanned() -> dict[str, list[dict[str, object]]] | None:
        found = json.loads(asset(gateway, "scan", "--since", "1h", "-o", "json", code=None))
        return found if found["unlabelled"] and found["unlisted"] else None

    found = until(scanned)
    assert [(one["asset"], one["route"], one["path"]) for one in found["unlabelled"]] == [
        ("enterprise", "GET /market/enterprises", "$.items[*].contact_mobile")
    ]
    assert [one["path"] for one in found["unlisted"]] == ["GET /market/none/such"]

    (walked,) = json.loads(asset(gateway, "contract", "--route", f"GET {SHOP}", "-o", "json", code=1))["endpoints"]
    assert (walked["contract"], walked["advice"], walked["touched"]) == ("warn", "label", 1)
    listed = json.loads(asset(gateway, "list", "--exposed", "-o", "json"))["assets"]
    assert [one["id"] for one in listed] == ["enterprise"]

    file = gateway.folder / "proposals.yaml"
    asset(gateway, "propose", "--write", str(file), code=1)
    assert "identifier: phone" in file.read_text()
    asset(gateway, "propose", "--accept", "wang.li", "--from", str(file))
    market = gateway.folder / "policies" / "catalog" / "market.yaml"
    assert "by: wang.li" in market.read_text()

    # a phone would make open data more sensitive than its rule allows: the policies' own tests notice before anybody does
    gateway.run("reload", "-c", str(gateway.config), code=1)
    market.write_text(market.read_text().replace("general-3", "general-2"))
    gateway.run("reload", "-c", str(gateway.config))
    assert gateway.get(SHOP, caller).status == 200
    proposed = json.loads(asset(gateway, "propose", "-o", "json"))["proposals"]
    assert proposed == []

    report = asset(gateway, "report", "--format", "html")
    assert "contact_mobile" in report and PHONE not in report
