"""Who looked at this label, on what basis is the data kept, and who let it be graded lower?

What the catalog says for people beside what decides: it stands in the ledger of assets and its reports. An `override` decides:
it is the one way for a child to stand below what its department, service or asset says, and a record of who answers for it.
"""

from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.catalog import shapes
from gateway.catalog.grades import Names
from gateway.document import Node
from gateway.facts import Grade

Category = Literal["personal", "sensitive-personal", "minor", "organisation", "public-safety"]
Subject = Literal["", "natural-person", "legal-person", "government", "thing"]
Share = Literal["", "unconditional", "conditional", "none"]
Open = Literal["", "open", "restricted", "closed"]
Source = Literal["declared", "imported", "proposed"]

ABOUT_KEYS = ("categories", "subject", "basis", "share", "open", "source", "reviewed")
REVIEWED_KEYS = ("by", "on", "next")
OVERRIDE_KEYS = ("grade", "ticket", "approver", "on", "until")
_CATEGORIES: dict[str, Category] = {word: word for word in get_args(Category)}
_SUBJECTS: dict[str, Subject] = {word: word for word in get_args(Subject) if word}
_SHARES: dict[str, Share] = {word: word for word in get_args(Share) if word}
_OPENS: dict[str, Open] = {word: word for word in get_args(Open) if word}
_SOURCES: dict[str, Source] = {word: word for word in get_args(Source)}


class Reviewed(Struct, frozen=True):
    """Who looked at a label last, and when it is due again: days as written, `next` "" for none."""

    by: str
    on: str
    next: str = ""

    def done(self, today: str) -> bool:
        """Whether somebody has looked by this day: a review of a day to come is a slip, or a promise."""
        return self.on <= today

    def overdue(self, today: str) -> bool:
        """Whether it was due before this day, or has not taken place."""
        return not self.done(today) or (bool(self.next) and self.next < today)


class About(Struct, frozen=True):
    """What is known of an asset beside its grade; "" where nobody said."""

    categories: tuple[Category, ...] = ()
    subject: Subject = ""
    basis_en: str = ""
    basis_zh: str = ""
    share: Share = ""
    open: Open = ""
    source: Source = "declared"
    reviewed: Reviewed | None = None
    note: str = ""


class Override(Struct, frozen=True):
    """Why a child stands below what is said above it. In force from the beginning of `on` to the end of `until`."""

    grade: Grade | None  # None: it is about the contract alone
    ticket: str
    approver: str
    on: shapes.Day
    until: shapes.Day
    place: Node

    def in_force(self, at: float) -> bool:
        """Whether it holds at this time, in seconds since 1970."""
        return self.on.begins <= at < self.until.ends


def read_about(node: Node, zone: ZoneInfo, faults: shapes.Faults) -> About:
    """What an asset says for people."""
    basis_en, basis_zh = shapes.title(node, "basis", faults)
    return About(
        _categories(node, faults),
        shapes.word(node, "subject", _SUBJECTS, "K036", ("kind of subject", "数据主体类型"), faults) or "",
        basis_en,
        basis_zh,
        shapes.word(node, "share", _SHARES, "K036", ("way of sharing", "共享属性"), faults) or "",
        shapes.word(node, "open", _OPENS, "K036", ("way of opening", "开放属性"), faults) or "",
        shapes.word(node, "source", _SOURCES, "K036", ("source", "来源"), faults) or "declared",
        read_reviewed(node, zone, faults),
        shapes.text(node, "note", faults),
    )


def _categories(node: Node, faults: shapes.Faults) -> tuple[Category, ...]:
    named = ("category of data", "数据类别")
    found = shapes.known_names(node, "categories", _CATEGORIES, "K036", named, faults)
    return tuple(_CATEGORIES[name] for name in found)


def read_reviewed(node: Node, zone: ZoneInfo, faults: shapes.Faults) -> Reviewed | None:
    """`reviewed: {by, on, next}`, None where nobody looked."""
    place = shapes.mapping_at(node, "reviewed", REVIEWED_KEYS, faults)
    if place is None:
        return None
    by = shapes.text(place, "by", faults, required=True)
    on = shapes.day(place, "on", zone, faults, required=True)
    due = shapes.day(place, "next", zone, faults)
    if on and due:
        _in_order(place, "next", on, due, faults)
    return Reviewed(by, on.text, due.text if due else "") if by and on else None


def read_override(
    node: Node, own: Grade | None, names: Names, zone: ZoneInfo, faults: shapes.Faults
) -> Override | None:
    """`override: {grade, ticket, approver, on, until}`; `own` is the grade that stands beside it."""
    place = shapes.mapping_at(node, "override", OVERRIDE_KEYS, faults)
    if place is None:
        return None
    needs_grade = node.at(["contract"]) is node  # without one it can only be about the grade
    grade = shapes.grade(place, "grade", names, faults, required=needs_grade)
    ticket, approver = (shapes.text(place, key, faults, required=True) for key in ("ticket", "approver"))
    on, until = (shapes.day(place, key, zone, faults, required=True) for key in ("on", "until"))
    if on and until:
        _in_order(place, "until", on, until, faults)
    if grade is not None and own not in (None, grade):
        faults.append(
            place.at(["grade"]).fault(
                "K031",
                f"the override says `{grade.text}`, the label beside it `{own.text if own else ''}`",
                f"override 写的是 `{grade.text}`，而旁边的标注是 `{own.text if own else ''}`",
                "keep the one in the override",
                "请只保留 override 中的级别",
            )
        )
    return Override(grade, ticket, approver, on, until, place) if ticket and approver and on and until else None


def _in_order(place: Node, key: str, first: shapes.Day, last: shapes.Day, faults: shapes.Faults) -> None:
    if last.begins < first.begins:
        faults.append(
            place.at([key]).fault(
                "K032",
                f"`{last.text}` lies before {first.text}",
                f"`{last.text}` 早于 {first.text}",
                "mend one of the days",
                "请更正其中一个日期",
            )
        )
