"""What does the record say of data?"""

import pytest

from gateway.entries import NoticeEntry
from gateway.inventory import usage as usage_module
from gateway.inventory.usage import Usage
from tests.inventory.records import a_day, outcome, verdict
from tests.literals import NOW


def counted() -> Usage:
    usage = Usage()
    for entry in a_day():
        usage.add(entry)
    return usage


def test_answers_of_a_route() -> None:
    (route,) = counted().of_asset("household")
    assert (route.asked.times, route.denied, route.answers, route.records) == (3, 1, 2, 3)
    assert (route.masked, route.clear, route.incomplete) == (3, 9, 2)
    phone = route.unlabelled["$.contact_phone"]
    assert (phone.times, phone.first, phone.last) == (2, NOW + 1, NOW + 3)
    assert route.unlabelled["$.remark"].times == 1


def test_who_read_what_grade_counts_people_once() -> None:
    usage = counted()
    usage.add(verdict(7))
    usage.add(outcome(8, 7, records=1))
    reads = usage.reads["prov/civil", "important"]
    assert (reads.answers, reads.records, len(reads.people)) == (3, 4, 2)


def test_what_nobody_listed_without_a_path_that_may_name_a_person() -> None:
    usage = counted()
    assert {key: seen.times for key, seen in usage.unlisted.items()} == {
        ("households", "GET /civil/=cmd|' /C calc'!A0"): 1,
        ("households", "GET …"): 1,
    }


def test_a_scanner_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_module, "MAX_PATHS", 3)
    usage = Usage()
    for number in range(50):
        usage.add(verdict(number, asset="", route="unlisted", path=f"/x{number}", outcome="deny"))
    assert (len(usage.unlisted), usage.beyond, usage.entries) == (3, 47, 50)


def test_an_outcome_whose_permit_lies_before_is_passed_over() -> None:
    usage = Usage()
    usage.add(outcome(1, 99, records=5))
    usage.add(NoticeEntry(1, "j", 2, NOW, "mode.observe"))
    assert (usage.entries, usage.routes, usage.reads) == (2, {}, {})
