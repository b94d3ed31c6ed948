"""Which requests does the catalog know, and which rules can be about them?"""

from pathlib import Path

import pytest

from gateway.facts import Grade
from gateway.review.routes import reached, reaches, routes
from tests.literals import an_asset
from tests.review.small import made


def test_every_endpoint_has_a_request_of_its_own(tmp_path: Path) -> None:
    _, catalog = made(tmp_path)
    assert [(route.method, route.path, route.name) for route in routes(catalog)] == [
        ("GET", "/households", "GET /households"),
        ("PUT", "/households/1", "PUT /households/{id}"),
        ("GET", "/visits/a", "GET /visits/{id}"),  # /visits/1 is another
        ("GET", "/visits/1", "GET /visits/1"),
        ("GET", "/records/1", "GET /records/**"),
    ]


@pytest.mark.parametrize(
    ("data", "action", "level", "reach"),
    [
        ("*", "*", "any", True),
        ("household", "read", "<= important", True),
        ("population", "create|read", "== important", True),
        ("visit", "*", "any", False),
        ("*", "create|update", "any", False),
        ("*", "*", ">= core", False),
        ("*", "*", "nonsense", False),
    ],
)
def test_a_row_reaches_a_route_by_data_action_and_level(data: str, action: str, level: str, reach: bool) -> None:
    asset = an_asset(id="household", category="population", grade=Grade.IMPORTANT, action="read")
    assert reaches(("r", "deny", "*", "*", data, action, level, "", "", "{}"), asset) is reach


def test_rows_reach_what_one_of_them_reaches(tmp_path: Path) -> None:
    bundle, catalog = made(tmp_path)
    assert [route.name for route in reached(bundle.content.rules, routes(catalog))] == ["GET /households"]
