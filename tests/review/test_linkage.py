"""What shown fields give away about masked ones."""

from pathlib import Path

import pytest

from gateway.review.linkage import Leak, leaks
from tests.review.lint_world import ALLOW, policies

CATALOG = """\
assets:
  - id: household
    owner: prov/civil
    category: population
    grade: important
    endpoints: [GET /households, "GET /households/{id}"]
    fields:
      - {path: $..id_number, identifier: resident-id}
      - {path: FIELD}
"""


def found(folder: Path, masks: str, field: str = "$..birth_date, identifier: birth-date") -> tuple[Leak, ...]:
    bundle, catalog = policies(folder, ALLOW, catalog=CATALOG.replace("FIELD", field), masks=masks)
    return leaks(bundle, catalog)


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        ('{resident-id: "partial(6,4)", "*": keep}', "$..birth_date, identifier: birth-date"),
        (
            '{resident-id: "partial(0,4)", birth-date: "truncate(4)", "*": keep}',
            "$..birth_date, identifier: birth-date",
        ),
        ('{resident-id: "partial(1,5)", "*": keep}', "$..age"),
        ('{resident-id: "partial(1,5)", "*": keep}', "$..dateOfBirth"),
        ('{resident-id: "partial(1,5)", "*": keep}', "$..出生日期"),
    ],
)
def test_the_tail_of_a_resident_id_beside_a_day_or_year_of_birth(tmp_path: Path, profile: str, field: str) -> None:
    (leak,) = found(tmp_path, f"default: p\nprofiles:\n  p: {profile}\n", field)
    assert (leak.rule, leak.asset, leak.masked, leak.profile) == ("reads", "household", "$..id_number", "p")
    assert leak.shown == field.partition(",")[0]


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        ('{resident-id: "partial(1,1)", "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(6,4)", birth-date: redact, "*": keep}', "$..birth_date, identifier: birth-date"),
        (
            '{resident-id: "partial(6,4)", birth-date: "truncate(3)", "*": keep}',
            "$..birth_date, identifier: birth-date",
        ),
        ('{"*": keep}', "$..birth_date, identifier: birth-date"),  # it is all shown: nothing is left to work out
        ('{resident-id: "partial(6,4)", "*": keep}', "$..page"),
        ('{resident-id: "partial(6,4)", "*": keep}', "$..message"),
    ],
)
def test_what_gives_nothing_away(tmp_path: Path, profile: str, field: str) -> None:
    assert found(tmp_path, f"default: p\nprofiles:\n  p: {profile}\n", field) == ()
