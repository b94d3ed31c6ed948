"""What is said for people reaches them; a record of an approval that says too little is none."""

from pathlib import Path

import pytest

from gateway.catalog import About, Reviewed
from tests.catalog.ledgers import A, asset, catalog, faults

ATTRIBUTES = (
    "grade: core",
    "categories: [personal, minor]",
    "subject: natural-person",
    "basis: {zh: 依据, en: basis}",
    "share: conditional",
    "open: closed",
    "source: imported",
    "reviewed: {by: wang.li, on: 2026-01-10, next: 2027-01-10}",
    "note: remark",
)


def test_attributes_are_told(tmp_path: Path) -> None:
    (listing,) = catalog(tmp_path, asset(*ATTRIBUTES), apis=A).assets
    assert listing.about == About(
        ("personal", "minor"), "natural-person", "basis", "依据", "conditional", "closed", "imported",
        Reviewed("wang.li", "2026-01-10", "2027-01-10"), "remark",
    )  # fmt: skip


def test_what_nobody_said_is_empty(tmp_path: Path) -> None:
    assert catalog(tmp_path, asset("grade: core"), apis=A).assets[0].about == About(source="declared")


@pytest.mark.parametrize(("today", "overdue"), [("2026-12-31", False), ("2027-01-10", False), ("2027-01-11", True)])
def test_a_review_is_overdue_after_its_day(today: str, overdue: bool) -> None:
    assert Reviewed("wang.li", "2026-01-10", "2027-01-10").overdue(today) is overdue
    assert not Reviewed("wang.li", "2026-01-10").overdue(today)


def test_a_review_of_a_day_to_come_has_not_taken_place() -> None:
    one = Reviewed("wang.li", "2031-01-10", "2032-01-10")
    assert [(one.done(day), one.overdue(day)) for day in ("2031-01-09", "2031-01-10")] == [(False, True), (True, False)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("categories: [personal, private]", "K036"),
        ("categories: personal", "K003"),
        ("subject: person", "K036"),
        ("share: yes-please", "K036"),
        ("open: true", "K003"),
        ("source: guessed", "K036"),
        ("basis: {fr: loi}", "K001"),
        ("reviewed: wang.li", "K003"),
        ("reviewed: {by: wang.li}", "K002"),
        ("reviewed: {on: 2026-01-10}", "K002"),
        ("reviewed: {by: wang.li, on: 2026-13-10}", "K032"),
        ("reviewed: {by: wang.li, on: 2026-01-10, next: 2025-01-10}", "K032"),
        ("reviewed: {by: wang.li, on: 2026-01-10, due: 2027-01-10}", "K001"),
        ("total: $..total", "K037"),
        ("records: items", "K009"),
    ],
)
def test_a_wrong_attribute_is_refused_at_its_place(tmp_path: Path, line: str, code: str) -> None:
    found = faults(tmp_path, asset("grade: core", line))
    assert [(fault.code, fault.line) for fault in found] == [(code, 6)]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{grade: general-2, approver: li.min, on: 2026-01-10, until: 2026-06-30}", "K002"),
        ("{grade: general-2, ticket: T-17, on: 2026-01-10, until: 2026-06-30}", "K002"),
        ("{grade: general-2, ticket: T-17, approver: li.min, until: 2026-06-30}", "K002"),
        ("{grade: general-2, ticket: T-17, approver: li.min, on: 2026-01-10}", "K002"),  # no approval without an end
        ("{ticket: T-17, approver: li.min, on: 2026-01-10, until: 2026-06-30}", "K002"),
        ("{grade: general-2, ticket: '', approver: li.min, on: 2026-01-10, until: 2026-06-30}", "K003"),
        ("{grade: general-2, ticket: T-17, approver: li.min, on: 2026-01-10, until: never}", "K032"),
        ("{grade: general-2, ticket: T-17, approver: li.min, on: 2026-01-10, until: 2025-06-30}", "K032"),
        ("{grade: general-1, ticket: T-17, approver: li.min, on: 2026-01-10, until: 2026-06-30}", "K031"),
        ("{grade: low, ticket: T-17, approver: li.min, on: 2026-01-10, until: 2026-06-30}", "K004"),
        ("{grade: general-2, ticket: T-17, by: li.min, on: 2026-01-10, until: 2026-06-30}", "K001"),
        ("general-2", "K003"),
    ],
)
def test_a_record_that_says_too_little_lowers_nothing(tmp_path: Path, said: str, code: str) -> None:
    for text, line in (
        (asset("grade: general-2", f"override: {said}"), 6),
        (asset("grade: core", endpoints=f"[{{path: GET /a, grade: general-2, override: {said}}}]"), 4),
    ):
        found = faults(tmp_path, "defaults: [{owner: o, grade: core}]\n", text)
        assert (code, line) in {(fault.code, fault.line) for fault in found}
