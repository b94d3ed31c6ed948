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
        ('{resident-id: "partial(6,8)", birth-date: quarter, "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(6,8)", birth-date: decade, "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(0,4)", birth-date: year, "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(6,4)", birth-date: month, "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(15,0)", "*": keep}', "$..gender"),
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
        ('{resident-id: "partial(6,4)", "*": keep}', "$..birth_place"),
        ('{resident-id: "partial(6,4)", "*": keep}', "$..gender"),
        ('{resident-id: "partial(6,4)", birth-date: decade, "*": keep}', "$..birth_date, identifier: birth-date"),
        ('{resident-id: "partial(6,0)", "*": keep}', "$..birth_date, identifier: birth-date"),  # a thousand are left
    ],
)
def test_what_gives_nothing_away(tmp_path: Path, profile: str, field: str) -> None:
    assert found(tmp_path, f"default: p\nprofiles:\n  p: {profile}\n", field) == ()


@pytest.mark.parametrize("technique", ["partial(17,0)", "truncate(17)", "partial(16,0)", "partial(16,1)"])
def test_a_number_that_gives_itself_away(tmp_path: Path, technique: str) -> None:
    masks = f'default: p\nprofiles:\n  p: {{resident-id: "{technique}", "*": keep}}\n'
    (leak,) = found(tmp_path, masks)
    assert (leak.technique, leak.shown) == (technique, "")


def test_fields_that_give_it_away_only_together(tmp_path: Path) -> None:
    masks = (
        'default: p\nprofiles:\n  p: {resident-id: "partial(6,4)", birth-date: decade, $..birthday: HOW, "*": keep}\n'
    )
    fields = "$..birth_date, identifier: birth-date}\n      - {path: $..birthday"
    (leak,) = found(tmp_path / "a", masks.replace("HOW", '"partial(0,4)"'), fields)
    assert leak.shown == "$..birth_date, $..birthday"
    assert found(tmp_path / "b", masks.replace("HOW", "redact"), fields) == ()
