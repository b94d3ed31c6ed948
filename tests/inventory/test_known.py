"""Which paths of the record does the ledger label today?"""

import pytest
from msgspec.structs import replace

from gateway.facts import Field, Grade
from gateway.inventory.known import Known
from tests.inventory.ledgers import listings


@pytest.mark.parametrize(
    ("asset", "path", "labelled"),
    [
        ("household", "$.items[*].phone", True),
        ("household", "$.phone[*][*]", True),
        ("household", "$.phone.number", False),  # of an object under a label masking knows no member
        ("household", "$.*.phone", True),  # a name that looked like data, and one of the ledger below it
        ("household", "$.*", False),
        ("household", "$.phones", False),
        ("household", "$.phone[", False),
        ("household", "$" + ".a" * 120 + ".phone", False),  # cut short: it may go on
        ("parcel", "$.phone", False),
        ("none", "$.phone", False),
    ],
)
def test_what_a_label_covers(asset: str, path: str, labelled: bool) -> None:
    assert Known(listings()).labels(asset, path) is labelled


@pytest.mark.parametrize(
    ("label", "path", "labelled"),
    [
        ("$[*]", "$[*].a", False),  # an array of objects
        ("$[*]", "$[*]", True),
        ("$[*]", "$.a", True),  # every member, too
        ("$[*]", "$.*", False),  # what may be data is named by nothing
        ("$", "$.*", False),
        ("$.items.a", "$.items[*].a", True),  # arrays are seen through
    ],
)
def test_a_label_on_a_container_labels_no_member(label: str, path: str, labelled: bool) -> None:
    listing = replace(listings()[0], fields=(Field(label, "", Grade.GENERAL_3),))
    assert Known([listing]).labels("household", path) is labelled


def test_without_a_ledger_nothing_is() -> None:
    assert not Known().labels("household", "$.phone")
