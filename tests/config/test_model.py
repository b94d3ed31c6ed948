"""Which keys may `gateway.yaml` have, and what may stand in them?"""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.model import GatewayFile

API: dict[str, Any] = {"name": "a", "match": "/a/**", "upstream": "https://h"}
FILE: dict[str, Any] = {"version": 1, "apis": [API]}


def test_what_is_not_written_is_the_safe_choice() -> None:
    file = GatewayFile.model_validate(FILE)
    assert [str(address) for address in file.listen] == ["127.0.0.1:8080"]
    assert file.mode == "enforce"
    assert file.trusted_proxies == []
    assert file.insecure == []
    assert file.control.listen is None
    assert file.audit.strength.core == "synced"
    assert file.apis[0].opaque is False


def test_one_value_may_stand_for_a_list() -> None:
    file = GatewayFile.model_validate(FILE | {"apis": [API | {"data": "x", "upstream": ["https://a", "https://b"]}]})
    assert (file.apis[0].data, file.apis[0].upstream) == (["x"], ["https://a", "https://b"])


@pytest.mark.parametrize(
    "change",
    [
        {"audit": {"keep": "182d"}}, {"audit": {"strength": {"core": "none"}}}, {"audit": {"strength": {"secret": "synced"}}},
        {"workers": True}, {"workers": "2"}, {"version": 2}, {"version": "1"}, {"apis": []}, {"hosts": ["A.gov"]},
        {"limits": {"header_bytes": 0}}, {"limits": {"in_flight": 0}}, {"trusted_proxies": ["::/0"]},
        {"control": {"tokens": [{"name": "a", "role": "metrics", "sha256": "12"}]}}, {"insecure": ["everything"]},
        {"identity": {"issuer": "https://a", "audience": []}}, {"identity": {"algorithms": ["HS256"]}},
        {"identity": {"algorithms": ["none"]}}, {"tls": {"cert": "a", "key": "/etc/key.pem"}},
    ],
)  # fmt: skip
def test_what_weakens_or_means_nothing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewayFile.model_validate(FILE | change)


def test_six_months_are_enough() -> None:
    assert GatewayFile.model_validate(FILE | {"audit": {"keep": "6mo"}}).audit.keep == 183 * 86400
