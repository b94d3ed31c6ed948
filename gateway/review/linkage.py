"""What do the fields that are shown give away about those that are masked?

A resident id (GB 11643) is made of a district, a day of birth, three digits and a check digit. Rules:

1. A mask leaks that leaves fewer than `FEW` numbers possible, by itself or beside what else is shown of the same person:
   the day of birth, a part of it, the age, the sex (`resident.left`).
2. Whoever sees its last four characters and the day of birth of the same person is left with the districts: a handful,
   which an office mostly knows. With the year alone some thirty days are left. So four or more trailing characters
   beside a day or year of birth are a leak, whatever else is masked.
3. What is judged is one rule alone, for a caller with every clearance: a second rule that applies only hides more.
4. A field whose name says birth, age or sex counts like one that is labelled so: labels are forgotten. A place of birth
   is none.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.facts import Asset, Field, Grade
from gateway.masks import Technique, parse_technique
from gateway.policy import Bundle
from gateway.policy.duties import duties, parse
from gateway.review.cells import cells
from gateway.review.laws import rows_about
from gateway.review.resident import FORMS, SEX, Known, left, of_birth, shown

FEW = 100
TAIL = 4
YEAR = 4
_BORN = re.compile(r"birth|(?:^|[^a-z])(?:age|dob)(?:[^a-z]|$)|出生|生日|年龄", re.IGNORECASE)
_WHERE = re.compile(r"birth.?(?:place|addr|city|prov|dist|cert|weight)|出生地|出生证", re.IGNORECASE)
_SEX = re.compile(r"(?:^|[^a-z])sex(?:[^a-z]|$)|gender|性别", re.IGNORECASE)


class Leak(Struct, frozen=True):
    """A rule through which a masked resident id can be worked out."""

    rule: str
    profile: str
    asset: str
    masked: str  # path of the resident id
    technique: str
    shown: str  # paths of the fields that give it away; "" when nothing else is needed


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
        how = {one.path: parse_technique(one.technique) for one in mask.fields}
        told = {one.path: known for one in asset.fields if (known := _told(one, how[one.path])) is not None}
        for field in asset.fields:
            for given in _given_away(field, how[field.path], told, asset, how):
                yield Leak(rule, mask.profile, asset.id, field.path, how[field.path].text, given)


def _given_away(
    field: Field, how: Technique, told: dict[str, Known], asset: Asset, techniques: dict[str, Technique]
) -> Iterator[str]:
    """By which fields a resident id is given away, as few as are needed; "" when it does so itself.

    One that is kept whole hides nothing that could leak.
    """
    if field.identifier not in FORMS or left(field.identifier, how) is None:
        return
    beside = {path: known for path, known in told.items() if path != field.path}
    if _few(field, how, ()):
        yield ""
        return
    alone = [path for path, known in beside.items() if _few(field, how, (known,))]
    tail = [one.path for one in asset.fields if _tail(how) and _tells(one, techniques[one.path])]
    yield from dict.fromkeys((*alone, *tail))
    if not (alone or tail) and _few(field, how, beside.values()):
        yield ", ".join(beside)


def _few(field: Field, how: Technique, known: Iterable[Known]) -> bool:
    """Whether few numbers are left of a resident id that is masked so."""
    numbers = left(field.identifier, how, frozenset(known))
    return numbers is not None and numbers < FEW


def _told(field: Field, how: Technique) -> Known | None:
    """What a field tells of the person, as it is shown."""
    if _born(field):
        return of_birth(how)
    return SEX if _SEX.search(field.path) and how.name == "keep" else None


def _born(field: Field) -> bool:
    return field.identifier == "birth-date" or bool(_BORN.search(field.path) and not _WHERE.search(field.path))


def _tail(how: Technique) -> bool:
    """Whether enough of the end of a resident id is shown."""
    return how.name == "partial" and how.numbers[1] >= TAIL


def _tells(field: Field, how: Technique) -> bool:
    """Whether the day or year of birth is shown, or the age."""
    if not _born(field):
        return False
    return how.name in ("keep", "month", "quarter", "year") or (
        how.name in ("truncate", "partial") and shown(how)[0] >= YEAR
    )
