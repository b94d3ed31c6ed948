"""A token tells where it came from, and its value to a warrant for just that."""

import pytest

from gateway.crypto.suite import INTL, SM
from gateway.facts import Fault, Reply, Warrant
from gateway.masking import Settings
from gateway.masking.keys import Keys
from gateway.masking.opening import origin, reveal
from gateway.masking.tokens import Origin, tokens
from tests.literals import a_subject, a_warrant, an_asset, some_facts

SETTINGS = Settings(hash_key=b"k" * 32)
KEYS = Keys(SETTINGS.hash_key, "prov/civil")
ID = "330106199003072319"
FROM = Origin("household", "$.id_number")
TOKEN = tokens(FROM)(ID, KEYS)


def warranted(token: str = TOKEN, org: str = "prov/civil", **changes: object) -> Warrant:
    asset = an_asset(**({"action": "reveal", "parameters": (("token", token),), "key": "$.id_number"} | changes))
    return a_warrant(facts=some_facts(subject=a_subject(org=org), asset=asset))


def test_where_a_token_came_from_is_told_within_its_department() -> None:
    assert origin(TOKEN, "prov/civil", SETTINGS) == FROM
    assert origin(TOKEN, "prov/health", SETTINGS) is None
    assert origin("t1.x", "prov/civil", SETTINGS) is None
    assert origin(tokens(FROM)(ID, Keys(SETTINGS.hash_key, "prov/civil", SM)), "prov/civil", SETTINGS) == FROM


def test_a_machine_without_the_national_algorithms_says_no_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.masking.opening.offered", lambda: (INTL,))
    assert origin(TOKEN, "prov/civil", SETTINGS) == FROM
    assert origin(tokens(FROM)(ID, Keys(SETTINGS.hash_key, "prov/civil", SM)), "prov/civil", SETTINGS) is None


def test_its_value_is_told_to_a_warrant_for_just_that() -> None:
    reply = reveal(warranted(), SETTINGS, KEYS)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b'{"value":"%s"}' % ID.encode())
    assert dict(reply.headers)[b"cache-control"] == b"no-store"
    assert (reply.revealed.records, reply.revealed.clear, reply.revealed.seen) == (1, 1, KEYS.about(ID))
    for other in (warranted(action="read"), warranted(id="visit"), warranted("t1.x"), warranted(org="prov/health")):
        assert reveal(other, SETTINGS, KEYS) == Fault("not_a_token")


def test_of_an_asset_that_tells_no_records_apart_nobody_is_on_record() -> None:
    reply = reveal(warranted(key=""), SETTINGS, KEYS)
    assert isinstance(reply, Reply)
    assert reply.revealed.seen == b""
