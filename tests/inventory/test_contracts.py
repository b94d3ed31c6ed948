"""Can this endpoint hide what nobody labelled, without anybody missing it?"""

from msgspec.structs import replace

from gateway.facts import Field, Grade
from gateway.inventory.contracts import Walked, walked
from gateway.inventory.known import Known
from gateway.inventory.usage import Usage
from tests.inventory.ledgers import ROUTE, listings
from tests.inventory.records import a_day, outcome, verdict


def told(*entries: object) -> list[tuple[str, str]]:
    usage = Usage()
    for entry in entries:
        usage.add(entry)  # type: ignore[arg-type]  # entries
    return [(one.asset, one.advice) for one in walked(listings(), usage)]


def test_what_enforcing_would_hide() -> None:
    usage = Usage()
    for entry in a_day():
        usage.add(entry)
    assert walked(listings(), usage) == (
        Walked("household", ROUTE, "learn", 2, 2, ("$.contact_phone", "$.remark"), "label"),
        Walked("parcel", "GET /parcels", "warn", 0, 0, (), "wait"),
    )


def test_where_nothing_would_be_lost() -> None:
    assert told(verdict(0), outcome(1, 0)) == [("household", "enforce"), ("parcel", "wait")]
    assert told() == [("household", "wait"), ("parcel", "wait")]


def test_where_no_field_is_labelled_nobody_looked() -> None:
    usage, bare = Usage(), [replace(one, fields=()) for one in listings()]
    for entry in (verdict(0), outcome(1, 0)):
        usage.add(entry)
    assert [one.advice for one in walked(bare, usage)] == ["unlabelled", "wait"]


def test_a_label_on_the_answer_does_not_keep_its_members() -> None:
    listed = [replace(one, fields=(Field("$", "", Grade.GENERAL_3),)) for one in listings()]
    usage = Usage(Known(listed))
    for entry in a_day():
        usage.add(entry)
    assert walked(listed, usage)[0].fields == ("$.contact_phone", "$.remark")
