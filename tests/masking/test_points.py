"""Points are told from records, read and as they stand."""

import json

import pytest

from gateway.masking.points import is_point, is_point_text


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("[120.1551,30.2799]", True),
        ("[120, 30.5]", True),
        ("[-1.5e-3,2.0,3]", True),
        ("[1e+16, 2]", True),
        ("[120,30]", False),
        ("[1.5]", False),
        ("[1.5,2,3,4,5]", False),
        ('[1.5,"13800138000"]', False),
        ("[1,13800138000]", False),
        ("[1.5,true]", False),
        ("[[1.5,2.5]]", False),
        ("[]", False),
    ],
)
def test_a_point_is_two_to_four_numbers_with_a_fraction(text: str, point: bool) -> None:
    assert is_point(json.loads(text)) is point
    assert is_point_text(text.encode()) is point
