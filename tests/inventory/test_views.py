"""What does the ledger look like to those who answer for it?"""

from msgspec.structs import replace

from gateway.catalog import Reviewed
from gateway.catalog.attributes import About
from gateway.facts import Grade
from gateway.inventory import VIEWS
from gateway.inventory.usage import Usage
from gateway.inventory.views import OF_RECORD, View, views
from gateway.inventory.words import spoken
from tests.inventory.ledgers import ROUTE, listings
from tests.inventory.records import a_day
from tests.literals import NOW


def made(usage: Usage | None = None, today: str = "2026-11-22") -> dict[str, View]:
    return {view.name: view for view in views(listings(), usage, today, chinese=False)}


def used() -> Usage:
    usage = Usage()
    for entry in a_day():
        usage.add(entry)
    return usage


def test_every_view_is_a_table_whose_rows_fit_its_head() -> None:
    found = made(used())
    assert tuple(found) == VIEWS
    for view in found.values():
        assert {len(row) for row in view.rows} <= {len(view.head)}, view.name
        assert all(en and zh for en, zh in (*view.head, view.title))


def test_without_a_record_its_views_are_left_out_and_not_empty() -> None:
    assert set(made()) == set(VIEWS) - OF_RECORD


def test_departments_and_grades() -> None:
    assert made()["owners"].rows == (("prov/civil", 0, 0, 0, 0, 1, 0, 100), ("prov/land", 0, 0, 1, 0, 0, 0, 0))


def test_what_grades_an_endpoint_and_what_the_province_calls_grades() -> None:
    assert made()["endpoints"].rows == (
        ("household", ROUTE, "important", "learn", "asset", ""),
        ("parcel", "GET /parcels", "important", "warn", "unlabelled", ""),
    )
    called = {"L3": Grade.GENERAL_3, "L4": Grade.GENERAL_4, "敏感": Grade.GENERAL_4}
    (grades,) = views([], None, "2026-01-01", True, ("grades",), called)
    assert grades.rows == (("general-4", "L4"), ("general-4", "敏感"), ("general-3", "L3"))


def test_what_is_unlabelled_overdue_or_lowered() -> None:
    found = made()
    assert found["unlabelled"].rows == (
        ("parcel", "prov/land", "*", "general-3"),
        ("parcel", "prov/land", "GET /parcels", "important"),
    )
    assert found["expired"].rows == (("household", "prov/civil", "household", "wang.li", "2025-01-10", "2026-01-10"),)
    assert made(today="2026-01-10")["expired"].rows == ()  # due on that day, not over
    assert found["overrides"].rows == (("household", ROUTE, "general-2", "T-17", "li.min", "2026-01-10", "2027-01-10"),)
    assert found["identifiers"].rows == (
        ("name", "household", "$..name", "general-4"),
        ("phone", "household", "$..phone", "important"),
    )


def test_who_read_what_and_how_much_was_masked() -> None:
    found = made(used())
    assert found["reads"].rows == (("prov/civil", "important", 2, 3, 2, 3, 9),)
    assert found["masking"].rows == (("household", 2, 3, 3, 9, 25, 0),)
    assert found["drift"].rows == (
        ("household", ROUTE, "$.contact_phone", 2, NOW + 1, NOW + 3),
        ("household", ROUTE, "$.remark", 1, NOW + 1, NOW + 1),
    )
    assert found["unlisted"].rows[0] == ("households", "GET /civil/=cmd|' /C calc'!A0", 1, NOW + 5, NOW + 5)


def test_only_what_is_wanted_in_that_order() -> None:
    assert [view.name for view in views(listings(), None, "2026-01-01", True, ("owners", "assets", "reads"))] == [
        "owners",
        "assets",
    ]


def test_what_was_shown_in_clear_by_endpoint() -> None:
    assert made(used())["exposed"].rows == (("household", "prov/civil", "important", ROUTE, 2, 3, 9),)
    usage = used()
    for route in usage.routes.values():
        route.clear = 0
    assert made(usage)["exposed"].rows == ()


def test_an_asset_with_all_that_is_known_of_it() -> None:
    about = About(
        ("personal", "minor"), "natural-person", "regulations", "条例", "conditional", "closed", "imported",
        Reviewed("li.min", "2026-01-10", "2027-01-10"),
    )  # fmt: skip
    one = replace(listings()[0], about=about)
    (view,) = views([one], None, "2026-01-31", True, ("assets",))
    assert dict(zip((words[0] for words in view.head), view.rows[0], strict=True)) == {
        "asset": "household", "title": "户籍", "department": "prov/civil", "category": "population", "grade": "important",
        "contract": "learn", "endpoints": 1, "fields": 2, "categories": "personal, minor", "subject": "natural-person",
        "legal basis": "条例", "sharing": "conditional", "opening": "closed", "source": "imported",
        "reviewed": "2026-01-10", "due": "2027-01-10",
    }  # fmt: skip
    assert spoken(view, {}).rows[0][8:10] == ("个人、未成年人", "自然人")


def test_a_review_of_a_day_to_come_counts_as_none() -> None:
    promised = Reviewed("wang.li", "2031-01-10")
    one = replace(listings()[0], about=About(reviewed=promised), labels=())
    found = {view.name: view.rows for view in views([one], None, "2026-01-31", False, ("assets", "owners", "expired"))}
    assert (found["assets"][0][-2:], found["owners"][0][-1]) == (("", ""), 0)
    assert found["expired"] == (("household", "prov/civil", "household", "wang.li", "2031-01-10", ""),)
