import random

import pytest

from gateway.discovery.counters import Counters
from gateway.discovery.records import PathRecord
from tests.detect.made import mobile
from tests.discovery.answers import DAY, KEY


def counted(values, path="$.a", before=None):
    counters = Counters(before or PathRecord(path, DAY, DAY))
    for value in values:
        counters.add(value, KEY)
    return counters.record()


def test_each_value_is_counted_by_its_type():
    record = counted([None, True, False, "", "  ", "text", 3, 4.5])
    assert (record.nulls, record.truths, record.blanks, record.texts, record.numbers) == (1, 2, 2, 1, 2)
    assert (record.values, record.distinct) == (3, 3)


@pytest.mark.parametrize(("length", "bucket"), [(1, 0), (4, 0), (5, 1), (11, 2), (18, 4), (64, 6), (65, 7), (9000, 7)])
def test_lengths_fall_into_buckets(length, bucket):
    assert [at for at, count in enumerate(counted(["x" * length]).lengths) if count] == [bucket]


def test_what_a_value_may_be_is_counted_with_the_names_on_the_way():
    source = random.Random(2)
    phones = [mobile(source) for _ in range(5)]
    assert counted(phones).hits == {"phone": 5}
    assert counted(["12345678"], "$.台胞证").hits == {"permit": 1}
    assert counted(["12345678"]).hits == {}


def test_numbers_are_read_as_text_from_eight_digits_on():
    assert counted([13800138000, 6222021234567890128], "$.card.cardNo").hits == {"phone": 1, "bank-card": 1}
    assert counted([1234567, -13800138000, 1.5], "$.通行证").hits == {}


def test_counting_goes_on_from_what_was_kept():
    before = counted(["a", "b", None])
    after = counted(["c"], before=before)
    assert (after.texts, after.nulls, after.distinct, after.first) == (3, 1, 2, DAY)


def test_days_only_go_forward():
    counters = Counters(PathRecord("$.a", "2026-01-05", "2026-01-09", 3))
    counters.met("2026-01-07")
    counters.met("2026-01-11")
    record = counters.record()
    assert (record.first, record.last, record.answers) == ("2026-01-05", "2026-01-11", 5)
