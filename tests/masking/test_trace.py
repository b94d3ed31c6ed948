"""Whose answer was this: those who leaked are named, nobody else is, and too little is called too little."""

import random
from itertools import permutations
from typing import Any

import orjson
import pytest

from gateway.crypto.suite import SM
from gateway.masking.trace import FALSE, trace
from gateway.masking.watermark import Marks, marked
from tests.masking.test_watermark import people

MARKS = Marks(b"k" * 32)
STAFF = [f"staff/{number:05}" for number in range(200)]
WANG, LI = STAFF[17], STAFF[120]


def given_to(recipient: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(marked(orjson.dumps(records), MARKS.of(recipient)))
    return found


def names(leak: Any, staff: list[str] = STAFF) -> list[str]:
    return [weight.recipient for weight in trace(leak, staff, MARKS).named]


def test_who_leaked_a_whole_answer_is_named() -> None:
    found = trace(given_to(WANG, people(100)), STAFF, MARKS)
    assert [weight.recipient for weight in found.named] == [WANG]
    assert found.named[0].probability > 0.999999
    assert found.named[0].matches == found.objects == 100


@pytest.mark.parametrize("seed", range(5))
def test_a_part_of_an_answer_in_another_order_is_enough(seed: int) -> None:
    leak = random.Random(seed).sample(given_to(WANG, people(40, seed)), 12)  # thirty per cent
    assert names(leak) == [WANG]


def test_a_leak_mixed_from_two_names_both() -> None:
    records = people(60)
    leak = given_to(WANG, records)[:40] + given_to(LI, records)[30:]
    random.Random(3).shuffle(leak)
    assert set(names(leak)) == {WANG, LI}


def test_a_small_share_of_a_large_leak_is_found() -> None:
    records = people(400)
    leak = records[:370] + given_to(LI, records)[370:]
    assert names(leak) == [LI]


def test_records_that_were_altered_do_not_save_the_others() -> None:
    leak = given_to(WANG, people(60))
    for record in leak[::3]:
        record["status"] = "altered"
    assert names(leak) == [WANG]


def test_of_ten_thousand_innocent_recipients_nobody_is_named() -> None:
    innocent = [f"innocent/{number}" for number in range(10_000)]
    leak = given_to("the one who is not on the list", people(60))
    found = trace(leak, innocent, MARKS)
    assert found.enough
    assert found.named == ()


def test_over_many_leaks_the_innocent_are_named_no_more_often_than_promised() -> None:
    """A thousand questions of fifty thousand pairs: `FALSE` of them may name somebody, one here."""
    innocent = [f"innocent/{number}" for number in range(50)]
    draw = random.Random(7)
    wrong = 0
    for _ in range(1000):
        leak = [dict(draw.sample(list(record.items()), 6)) for record in people(6, draw.randrange(10**9))]
        wrong += bool(trace(leak, innocent, MARKS).named)
    assert wrong <= 1000 * FALSE + 2


def test_the_ratio_of_the_innocent_is_one_on_average() -> None:
    """What the promise rests on (rule 2): over all 720 orders of one object the ratio adds up to 720."""
    record = people(1)[0]
    total = sum(2 ** trace(dict(order), [WANG], MARKS).weights[0].bits for order in permutations(record.items()))
    assert total == pytest.approx(720)


def test_too_little_is_called_too_little() -> None:
    found = trace(given_to(WANG, people(1)), STAFF, MARKS)
    assert not found.enough
    assert found.named == ()
    nothing = trace({"a": 1}, STAFF, MARKS)
    assert (nothing.objects, nothing.enough) == (0, False)


def test_names_in_alphabetical_order_are_told() -> None:
    wiped = [dict(sorted(record.items())) for record in given_to(WANG, people(30))]
    found = trace(wiped, STAFF, MARKS)
    assert found.sorted
    assert found.named == ()


def test_an_object_found_twice_counts_once() -> None:
    record = given_to(WANG, people(1))
    assert trace(record * 50, STAFF, MARKS).objects == 1


def test_marks_of_both_suites_are_found_in_one_leak() -> None:
    """A gateway that went over to the national algorithms still knows what it marked before."""
    records, national = people(60), Marks(b"k" * 32, SM)
    late = orjson.loads(marked(orjson.dumps(records[30:]), national.of(LI)))
    leak = given_to(WANG, records[:30]) + late
    assert {one.recipient for one in trace(leak, STAFF, MARKS, national).named} == {WANG, LI}
    assert trace(leak, STAFF, MARKS, national).needed == trace(leak, STAFF, MARKS).needed + 1


def test_nobody_is_a_candidate() -> None:
    assert trace(people(9), [], MARKS).weights == ()
