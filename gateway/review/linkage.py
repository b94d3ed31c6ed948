"""What do the fields that are shown give away about those that are masked?

A resident id (GB 11643) is made of a district, a day of birth, three digits and a check digit. Rules:

1. Whoever sees its last four characters and the day of birth of the same person is left with the districts: a handful,
   which an office mostly knows. With the year alone some thirty days are left. So four or more trailing characters
   beside a day or year of birth are a leak, whatever else is masked.
2. What is judged is one rule alone, for a caller with every clearance: a second rule that applies only hides more.
3. A field whose name says birth or age counts like one that is labelled so: labels are forgotten.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.facts import Asset, Field, Grade
from gateway.masks import Technique, parse_technique
from gateway.policy import Bundle
from gateway.policy.duties import duties, parse
from gateway.review.cells import cells
from gateway.review.laws import rows_about

TAIL = 4
YEAR = 4
RESIDENT = frozenset(("resident-id", "old-resident-id"))
_BORN = re.compile(r"birth|(?:^|[^a-z])(?:age|dob)(?:[^a-z]|$)|出生|生日|年龄", re.IGNORECASE)


class Leak(Struct, frozen=True):
    """A rule through which a masked resident id can be worked out."""

    rule: str
    profile: str
    asset: str
    masked: str  # path of the resident id
    technique: str
    shown: str  # path of the field that gives it away


def leaks(bundle: Bundle, catalog: Catalog) -> tuple[Leak, ...]:
    """Every leak, once for each rule, asset and pair of fields."""
    found = (leak for cell in cells((catalog,)) for leak in _of_asset(bundle, cell.assets[0]))
    return tuple(dict.fromkeys(found))


def _of_asset(bundle: Bundle, asset: Asset) -> Iterator[Leak]:
    for rule, rows in rows_about(bundle, asset).items():
        if rows[0][1] != "allow":
            continue
        profiles = duties(parse(rows[0][9])).profiles
        mask = bundle.mask(profiles, asset, Grade.CORE)
        shown = {one.path: parse_technique(one.technique) for one in mask.fields}
        for masked in asset.fields:
            for born in asset.fields:
                if masked.path in shown and _tail(masked, shown[masked.path]) and _tells(born, shown[born.path]):
                    technique = shown[masked.path].text
                    yield Leak(rule, mask.profile, asset.id, masked.path, technique, born.path)


def _tail(field: Field, how: Technique) -> bool:
    """Whether enough of the end of a resident id is shown; one that is kept whole hides nothing that could leak."""
    return field.identifier in RESIDENT and how.name == "partial" and how.numbers[1] >= TAIL


def _tells(field: Field, how: Technique) -> bool:
    """Whether the day or year of birth is shown, or the age."""
    if field.identifier != "birth-date" and not _BORN.search(field.path):
        return False
    return how.name == "keep" or (how.name in ("truncate", "partial") and how.numbers[0] >= YEAR)
