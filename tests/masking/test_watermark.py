"""How an answer says whom it was given to: by the order of members, and by nothing else."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import decode

from gateway.crypto.suite import SM
from gateway.facts import FieldMask, Mask, RawReply, Reply
from gateway.masking import Masking, Settings
from gateway.masking.watermark import LEAST, MOST, Marks, marked, marked_lines, marked_long, order_of, seen
from tests.literals import a_permit, a_subject, a_warrant, some_facts

pytestmark = pytest.mark.anyio

MARKS = Marks(b"k" * 32)
WANG, LI = MARKS.of("staff/wang.li"), MARKS.of("staff/li.min")

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NAMES = st.text(min_size=1, max_size=8)
JSON = st.recursive(SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=6))


def people(count: int, seed: int = 1) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    return [
        {
            "id": number,
            "name": f"王{number}",
            "phone": f"138****{draw.randrange(10000):04}",
            "district": "330106",
            "since": "2019-05",
            "status": draw.choice(["resident", "moved"]),
        }
        for number in range(count)
    ]


def matches(value: Any, mark: Any) -> float:
    """The share of objects that stand in the order of this mark."""
    found = list(seen(value))
    return sum(mark.order(one.content, one.count) == one.order for one in found) / len(found)


def test_values_stay_byte_for_byte_and_the_order_of_elements_too() -> None:
    body = b'{"n":12345678901234567890123,"list":[3,1,2],"price":1.10,"zero":-0,"far":1e999,"text":"\\u0041"}'

    shown = marked(body, WANG)

    before, after = decode(body, type=dict[str, Raw]), decode(shown, type=dict[str, Raw])
    assert {name: bytes(raw) for name, raw in after.items()} == {name: bytes(raw) for name, raw in before.items()}
    assert len(shown) == len(body)


@given(JSON)
def test_a_marked_text_says_the_same(value: Any) -> None:
    try:
        text = orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return
    shown = marked(text, WANG)
    assert orjson.loads(shown) == orjson.loads(text)
    assert sorted(shown) == sorted(text)  # not a byte more, and none other
    assert marked(shown, WANG) == shown


@given(JSON)
def test_both_ways_of_reading_lead_to_the_same_order(value: Any) -> None:
    try:
        text = orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return
    spaced = json.dumps(orjson.loads(text), ensure_ascii=True, indent=1).encode()  # never reads the same again
    assert order_everywhere(orjson.loads(marked(spaced, WANG))) == order_everywhere(orjson.loads(marked(text, WANG)))


def order_everywhere(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, order_everywhere(each)) for name, each in value.items()]
    return [order_everywhere(each) for each in value] if isinstance(value, list) else None


def test_each_recipient_has_an_order_of_their_own() -> None:
    body = orjson.dumps({"items": people(200), "total": 200, "page": 1})
    wang = orjson.loads(marked(body, WANG))

    assert matches(wang, WANG) == 1.0
    assert matches(wang, LI) < 0.05
    assert marked(body, LI) != marked(body, WANG)


def test_no_two_records_need_share_an_order() -> None:
    orders = {tuple(record) for record in orjson.loads(marked(orjson.dumps(people(200)), WANG))}
    assert len(orders) > 100  # who saw the same order in all records would sort it away


def test_another_key_or_suite_gives_another_order() -> None:
    body = orjson.dumps(people(50))
    assert matches(orjson.loads(marked(body, Marks(b"j" * 32).of("staff/wang.li"))), WANG) < 0.1
    national = Marks(b"k" * 32, SM)
    assert list(seen(orjson.loads(marked(body, national.of("x"))), national.digest))
    assert marked(body, national.of("staff/wang.li")) != marked(body, WANG)


def test_the_mark_survives_what_happens_to_leaks() -> None:
    given_out = orjson.loads(marked(orjson.dumps({"items": people(100), "total": 100, "page": 1}), WANG))
    records = given_out["items"]

    assert matches(records, WANG) == 1.0  # taken out of the wrapper
    assert matches(records[30:60], WANG) == 1.0  # a part
    assert matches(records[::-1], WANG) == 1.0  # in another order
    assert matches(json.loads(json.dumps(given_out, indent=2, ensure_ascii=True)), WANG) == 1.0  # parsed and written
    assert matches({**given_out, "items": records[:3]}, WANG) == 1.0  # the wrapper of a shortened list


@pytest.mark.parametrize("spelled", ["100", "100.0", "1e2"])
def test_a_number_counts_by_its_value(spelled: str) -> None:
    def content(text: str) -> bytes:
        return next(iter(seen(orjson.loads(text)))).content

    assert content(f'{{"a":1,"b":"x","n":{spelled}}}') == content('{"a":1,"b":"x","n":100}')
    assert content('{"a":1,"b":"x","n":true}') != content('{"a":1,"b":"x","n":1}')


def test_what_has_no_order_worth_noting_is_left() -> None:
    small = b'{"b":1,"a":2}'
    assert marked(small, WANG) == small
    assert list(seen({"a": 1, "b": 2})) == []
    assert LEAST == 3


def test_wide_objects_move_their_first_members() -> None:
    wide = {f"m{number:02}": number for number in range(60)}
    shown = orjson.loads(marked(orjson.dumps(wide), WANG))
    assert matches(shown, WANG) == 1.0
    assert list(shown)[MOST:] == sorted(wide)[MOST:]


@given(st.lists(NAMES, min_size=3, max_size=9, unique=True))
def test_the_number_of_an_order_is_found_again(names: list[str]) -> None:
    text = marked(orjson.dumps(dict.fromkeys(names, "x")), WANG)
    (one,) = seen(orjson.loads(text))
    assert order_of(list(orjson.loads(text))) == one.order == WANG.order(one.content, one.count)


@pytest.mark.parametrize("text", [b"no json", b"{broken", b"[1,", b'"a"', b"12", b"<a b='{'/>"])
async def test_what_is_no_json_is_left_as_it_is(text: bytes) -> None:
    assert marked(text, WANG) == text
    assert await marked_long(text * 20000, WANG) == text * 20000


def turns_of(body: bytes) -> int:
    """How often others get their turn while this is marked."""
    marking, turns = marked_long(body, WANG), 0
    while True:
        try:
            marking.send(None)
            turns += 1
        except StopIteration:
            return turns


def test_others_get_their_turn_however_small_the_pieces_are() -> None:
    numbers = b",".join([b"1"] * 100_000)
    assert turns_of(b"[" + numbers + b"]") == 1  # no object, no work
    assert turns_of(b"[" + numbers + b',{"a":1.10,"b":2,"c":3}]') > 100
    assert turns_of(b"{" + b",".join(b'"k%d":{"a":1.10}' % n for n in range(20_000)) + b"}") > 20


async def test_a_long_answer_is_marked_in_slices_alike() -> None:
    body = orjson.dumps({"items": people(3000), "total": 3000, "page": 1})
    assert len(body) > 4 * 64 * 1024
    assert orjson.loads(await marked_long(body, WANG)) == orjson.loads(body)
    assert list(orjson.loads(await marked_long(body, WANG))["items"][7]) == list(
        orjson.loads(marked(body, WANG))["items"][7]
    )
    assert matches(orjson.loads(await marked_long(body, WANG)), WANG) == 1.0


async def test_lines_are_marked_one_by_one() -> None:
    async def units() -> AsyncIterator[bytes]:
        for record in people(5):
            yield b"\x1e" + orjson.dumps(record) + b"\n"

    lines = [unit async for unit in marked_lines(units(), WANG)]
    assert all(line[:1] == b"\x1e" and line[-1:] == b"\n" for line in lines)
    assert matches([orjson.loads(line[1:]) for line in lines], WANG) == 1.0


def test_deep_nesting_ends_the_mark_not_the_answer() -> None:
    deep = b'{"a":' * 900 + b'{"b" :1,"c":2,"d":3}' + b"}" * 900
    assert decode(marked(deep, WANG)) == decode(deep)


async def test_an_answer_under_a_watermark_carries_the_callers_mark_and_hides_what_it_hid() -> None:
    mask = Mask("pii", (FieldMask("$..phone", "redact"),), "pass", watermark=True)
    body = orjson.dumps({"items": people(20), "total": 20, "page": 1})
    facts = some_facts(subject=a_subject(id="staff/wang.li"))
    warrant = a_warrant(facts=facts, permit=a_permit(mask=mask))
    masking = Masking(Settings(hash_key=b"k" * 32))

    def raw(kind: bytes, content: bytes) -> RawReply:
        return RawReply(200, ((b"content-type", kind),), content, None, 0.0)

    reply = await masking.apply(raw(b"application/json", body), warrant)
    assert isinstance(reply, Reply)
    assert isinstance(reply.body, bytes)
    shown = orjson.loads(reply.body)
    assert matches(shown, WANG) == 1.0
    assert {record["phone"] for record in shown["items"]} == {"***"}

    long = await masking.apply(raw(b"application/json", orjson.dumps(people(2000))), warrant)
    assert isinstance(long, Reply)
    assert isinstance(long.body, bytes)
    assert matches(orjson.loads(long.body), WANG) == 1.0

    streamed = await masking.apply(
        raw(b"application/x-ndjson", b"\n".join(map(orjson.dumps, people(9))) + b"\n"), warrant
    )
    assert isinstance(streamed, Reply)
    assert not isinstance(streamed.body, bytes)
    lines = b"".join([piece async for piece in streamed.body]).splitlines()
    assert matches([orjson.loads(line) for line in lines], WANG) == 1.0


async def test_a_table_keeps_its_order() -> None:
    mask = Mask("pii", (FieldMask("$..phone", "redact"),), "pass", watermark=True)
    warrant = a_warrant(permit=a_permit(mask=mask))
    table = b"id,name,phone\r\n1,x,13800138000\r\n2,y,13800138001\r\n"
    raw = RawReply(200, ((b"content-type", b"text/csv"),), table, None, 0.0)
    reply = await Masking(Settings(hash_key=b"k" * 32)).apply(raw, warrant)
    assert isinstance(reply, Reply)
    assert not isinstance(reply.body, bytes)
    assert b"".join([piece async for piece in reply.body]).splitlines() == [b"id,name,phone", b"1,x,***", b"2,y,***"]
