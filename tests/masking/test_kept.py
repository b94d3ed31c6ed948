"""What is worked out once is used again, and no store grows without end."""

import pytest

from gateway.facts import FieldMask, Mask, RowFilter
from gateway.masking import Settings, kept
from gateway.masking.kept import Kept
from tests.literals import an_asset

SETTINGS = Settings(hash_key=b"k" * 32)
ASSET = an_asset()


def hiding(path: str, *districts: str) -> Mask:
    """A mask; with districts it is one that policy makes for one request."""
    rows = (RowFilter("$.district", districts),) if districts else ()
    return Mask("pii", (FieldMask(path, "redact"),), "pass", rows)


def test_one_mask_is_prepared_once_and_an_equal_one_anew() -> None:
    store, mask = Kept(SETTINGS), hiding("$.id")
    assert store.prepared(mask, ASSET) is store.prepared(mask, ASSET)
    assert store.prepared(hiding("$.id"), ASSET) is not store.prepared(mask, ASSET)


def test_callers_share_all_of_a_mask_but_whose_records_it_lets_through() -> None:
    store = Kept(SETTINGS)
    one, other = (store.prepared(hiding("$.id", district), ASSET) for district in ("hz", "nb"))
    assert one.plan is other.plan
    assert [prepared.mask.rows[0].values for prepared in (one, other)] == [("hz",), ("nb",)]
    assert store.prepared(hiding("$.n", "hz"), ASSET).plan is not one.plan
    assert store.prepared(hiding("$.id", "hz"), an_asset(revision="next")).plan is not one.plan


@pytest.mark.parametrize("districts", [(), ("hz",)])
def test_a_full_store_begins_anew_and_never_mixes_masks_up(
    districts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MASKS", 8)
    store = Kept(SETTINGS)
    for number in range(100):
        prepared = store.prepared(hiding(f"$.a{number % 20}", *districts), ASSET)
        assert prepared.mask.fields[0].path == f"$.a{number % 20}"
        assert len(store._masks) + len(store._shapes) <= 8


def test_departments_have_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "DEPARTMENTS", 3)
    store = Kept(SETTINGS)
    civil = store.keys("prov/civil")
    assert store.keys("prov/civil") is civil
    digests = {store.keys(f"prov/{number}").digest("x") for number in range(10)}
    assert len(digests) == 10
    assert store.keys("prov/civil").digest("x") == civil.digest("x")
    assert len(store._departments) <= 3
