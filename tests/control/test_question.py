"""Does an identifier that an auditor typed stay off the record, and what it was asked about on it?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.question import on_record


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("object:330106199003072319", "object:…"),
        ("330106850101123", "…"),
        ("subject:33010619900307231X time:7d", "subject:… time:7d"),
        ("139-5701-1234 or 138 0013 8000", "… or …"),
        ("person:E12345678", "person:E…"),
        ("３３０１０６１９９００３０７２３１９", "…"),
        ("name:8613800138000*", "name:…*"),
        ("time:2026-09-21330106199003072319", "time:…"),
        ("20260921T133320-w0-ab12cd.330106850101123", "20260921T133320-w0-ab12cd.…"),
    ],
)  # fmt: skip
def test_an_identifier_is_not_on_record(text: str, told: str) -> None:
    assert on_record(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "outcome:deny time:(>=2026-09-20 and <2026-09-21T08:30) | count by org, reason",
        "time:2026-09 hour:22 records:>=100000 ip:10.123.45.67 rule:rules/20-civil.yaml:14",
        "20260921T133320-worker0-abc123.1234567",
        "id:20260921T133320-w0-123456.17",
        "record:0123456789abcdef0123456789abcdef bundle:" + "1234567890" * 6 + "abcd",
        "request:12345678-1234-4123-8123-123456789012",
        "zhang.wei",
    ],
)
def test_what_was_asked_stands_there_as_it_was(text: str) -> None:
    assert on_record(text) == text


@given(st.text("0123456789 -xX:.a", max_size=60), st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True))
def test_wherever_a_number_stands_it_is_not_on_record(around: str, number: str) -> None:
    assert number not in on_record(f"{around} subject:{number} {around}")
