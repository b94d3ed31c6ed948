"""Which paths of the record does the ledger label today?"""

import pytest

from gateway.inventory.known import Known
from tests.inventory.ledgers import listings


@pytest.mark.parametrize(
    ("asset", "path", "labelled"),
    [
        ("household", "$.items[*].phone", True),
        ("household", "$.phone.number", True),
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


def test_without_a_ledger_nothing_is() -> None:
    assert not Known().labels("household", "$.phone")
