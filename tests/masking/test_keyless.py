"""Records without a key are counted, and what belongs to one with a key is not."""

import json

import pytest

from gateway.masking.keyless import MOST, keyless

NAMES = frozenset(("id",))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({"items": [{"id": "1"}, *[{"id": None}] * 50]}, 50),
        ({"items": [{"id": "1"}, *[{"name": "x"}] * 50]}, 50),
        ({"operator": {"id": "9"}, "items": [{"name": "x"}] * 50}, 50),
        ({"items": [{"person": {"id": "1"}, "note": [{"a": 1}] * 9}, {"person": {}}]}, 10),
        ({"id": "1", "visits": [{"day": 1}] * 300}, 0),
        ({"items": [{"id": "1", "visits": [{"day": 1}] * 300}, {"id": 2}]}, 0),
        ({"items": [{"id": ""}, {"id": "1"}, {"id": "2"}]}, 1),
        ({"items": [{"id": " " * 18}, {"id": "-"}, {"id": "1"}]}, 2),
        ({"items": [{"id": "1"}], "border": [[120.1, 30.2]] * 9}, 0),
    ],
)
def test_what_no_key_tells_apart(answer: object, count: int) -> None:
    assert keyless(json.dumps(answer).encode(), NAMES, 1000, 1) == count


def test_nothing_is_read_where_every_record_has_its_key() -> None:
    assert keyless(b"no json", NAMES, 5, 5) == keyless(b"no json", NAMES, 5, 0) == 0


@pytest.mark.parametrize("text", [b"no json", b"[" * 200 + b"]" * 200, b" " * MOST + b"[]"])
def test_what_cannot_be_read_at_once_counts_as_much_as_it_may(text: bytes) -> None:
    assert keyless(text, NAMES, 7, 2) == 5
