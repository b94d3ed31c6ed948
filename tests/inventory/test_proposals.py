"""Which labels would complete the ledger, and why?"""

from msgspec.structs import replace

from gateway.catalog import Listing
from gateway.facts import Grade
from gateway.inventory.known import Known
from gateway.inventory.proposals import Hint, Proposal, proposals
from gateway.inventory.usage import Usage
from tests.inventory.ledgers import listings
from tests.inventory.records import a_day, outcome, verdict
from tests.literals import NOW


def used(*paths: str) -> Usage:
    usage = Usage(Known(listings()))
    for entry in (verdict(0), outcome(1, 0, unlabelled=paths)) if paths else a_day():
        usage.add(entry)
    return usage


def test_names_speak_and_the_ledger_says_the_grade() -> None:
    assert proposals(listings(), used()) == (
        Proposal(
            "household", "$.contact_phone", "phone", Grade.IMPORTANT, 0.4, "contact_phone", "", 2, NOW + 1, NOW + 3
        ),
        Proposal("household", "$.remark", "", Grade.IMPORTANT, 0.0, "", "", 1, NOW + 1, NOW + 1),
    )


def test_the_kind_says_the_grade_where_the_ledger_does_not() -> None:
    (one,) = proposals(listings(), used("$.items[*].bankCard"))
    assert (one.identifier, one.grade) == ("bank-card", Grade.GENERAL_4)


def test_what_is_labelled_meanwhile_or_is_no_path_is_left_out() -> None:
    assert proposals(listings(), used("$.data.phone", "$.[hidden", "not a path", "$.people.*", "$." + "a" * 198)) == ()


def test_what_values_say_is_surer_than_a_name() -> None:
    hint = Hint("household", "$.remark", "resident-id", Grade.GENERAL_4, 1.0, "40 of 50 values, checked")
    elsewhere = Hint("gone", "$.x", "phone", Grade.GENERAL_3, 1.0, "")
    known = Hint("household", "$.a.phone", "phone", Grade.GENERAL_3, 1.0, "")
    found = proposals(listings(), used(), (hint, elsewhere, known))
    assert [(one.path, one.identifier, one.confidence, one.times) for one in found] == [
        ("$.remark", "resident-id", 1.0, 1),
        ("$.contact_phone", "phone", 0.4, 2),
    ]
    assert [one.path for one in proposals(listings(), None, (hint,))] == ["$.remark"]


def test_a_value_without_a_name_is_not_proposed_where_other_answers_have_names() -> None:
    def offered(listed: list[Listing], met: dict[str, list[str]], *paths: str) -> list[str]:
        return [one.path for one in proposals(listed, used(*paths), (), met)]

    bare = [replace(one, fields=()) for one in listings()]
    assert offered(bare, {}, "$", "$[*]") == ["$", "$[*]"]
    assert offered(bare, {}, "$", "$[*]", "$.remark") == ["$.remark"]
    assert offered(bare, {"household": ["$.name"]}, "$") == []
    assert offered(bare, {"parcel": ["$.name"]}, "$") == ["$"]
    assert offered(listings(), {}, "$") == []  # its labels have names
