"""Streams of events: each masked as it comes, nothing of them passes that nobody looked at."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import Field, FieldMask, Grade, Mask, RowFilter
from gateway.masking.about import TooMany
from gateway.masking.events import MAX_EVENT, masked_events, readable
from gateway.masking.json_body import NotJson
from gateway.masking.keys import Keys
from gateway.masking.prepared import Prepared
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ID = "330106199003072319"
ASSET = an_asset(fields=(Field("$.items[*].id", "resident-id", Grade.GENERAL_3),), contract="warn", key="$.items[*].id")
MASK = Mask("pii", (FieldMask("$.items[*].id", "redact"),), "pass")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def masked(*parts: bytes | str, mask: Mask = MASK, asset=ASSET) -> tuple[list[bytes], Tally]:
    tally = Tally()
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    return [unit async for unit in masked_events(pieces(*raw), Prepared(mask, asset), KEYS, tally)], tally


async def test_each_event_is_masked_as_it_comes():
    units, tally = await masked(f'data: {{"id":"{ID}"}}\n\ndata: {{"id":"2","n":1.10}}\n\n')
    assert units == [b'data: {"id":"***"}\n\n', b'data: {"id":"***","n":1.10}\n\n']
    assert tally.revealed().masked == (("$.id", 2),)
    assert tally.revealed().seen == KEYS.about(ID) + KEYS.about("2")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_wherever_the_pieces_end(end):
    whole = f'\ufeffid: 7\nevent: changed\ndata: {{"id":\ndata:"{ID}",\ndata:  "n":\ndata: 1}}\n\n: ping {ID}\ndata: {{}}\n\n'.replace("\n", end).encode()  # fmt: skip
    expected = [b'id: 7\nevent: changed\ndata: {"id":"***","n":1}\n\n', b":\n\n", b"data: {}\n\n"]
    for at in range(len(whole)):
        assert (await masked(whole[:at], whole[at:]))[0] == expected
    assert (await masked(*(whole[at : at + 1] for at in range(len(whole)))))[0] == expected


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("id: 42", b"id: 42\n"),
        ("id: 01234567-89ab-cdef-0123-456789abcdef", b"id: 01234567-89ab-cdef-0123-456789abcdef\n"),
        ("id", b"id: \n"),
        ("event: household.changed", b"event: household.changed\n"),
        ("retry: 3000", b"retry: 3000\n"),
        (f"id: {ID}", b""),
        ("id: 13800138000", b""),
        ("id: 王小明", b""),
        ("id: a b", b""),
        ("id: 330106:199003:072319", b""),
        (f"event: {ID}", b""),
        ("event: 王小明", b""),
        ("event: a@b.cn", b""),
        ("retry: 13800138000", b""),
        ("retry: x", b""),
        (f"x-own: {ID}", b""),
        (f"{ID}", b""),
        (f" data: {ID}", b""),
    ],
)
async def test_what_an_event_says_besides_its_data_carries_no_identifier(line, shown):
    assert (await masked(f"{line}\ndata: 1\n\n"))[0] == [shown + b"data: 1\n\n"]


@pytest.mark.parametrize("event", ["data: [DONE]\n\n", "data\n\n", "data:\n\n"])
async def test_an_event_that_says_nothing_passes(event):
    units, _ = await masked(event)
    assert len(units) == 1


async def test_an_event_that_was_cut_off_is_none():
    assert (await masked(f'data: {{"id":"{ID}"}}\n'))[0] == []


@pytest.mark.parametrize("data", ['{"id":', '{"id":1}{"id":2}', "[1", f"{{'id':'{ID}'}}"])
async def test_data_that_is_no_json_ends_it(data):
    with pytest.raises((NotJson, Withheld)) as why:
        await masked(f"data: {data}\n\n")
    assert ID not in str(why.value)


async def test_a_text_is_shown_where_that_is_enough():
    assert (await masked(f"data: see {ID}\n\n"))[0] == [b"data: see ***\n\n"]
    named = Mask("pii", (FieldMask("$.name", "redact"),), "pass")
    with pytest.raises(Withheld):
        await masked("data: hello\n\n", mask=named)


@pytest.mark.parametrize("part", [b"x" * 65536, b"data: x\n" * 8192, b":" + b"x" * 65535])
async def test_an_event_without_end_is_not_held_for_ever(part):
    with pytest.raises(Withheld, match="longer"):
        await masked(*[part] * (MAX_EVENT // 65536 + 1))


@pytest.mark.parametrize("heartbeat", [b": ping\n\n", b": ping\n"])
async def test_heartbeats_are_no_event_that_grows(heartbeat):
    units, _ = await masked(*[heartbeat] * 40_000)
    assert units == [b":\n\n"] * 40_000


async def test_events_that_are_not_for_this_caller_are_left_out():
    filtered = Mask("pii", MASK.fields, "pass", rows=(RowFilter("$.district", ("330100",)),))
    units, tally = await masked(
        'id: 1\nevent: changed\ndata: {"district":"330100","id":"1"}\n\n'
        'id: 2\nevent: deleted\nretry: 9\ndata: {"district":"330200","id":"2"}\n\nid: 4\ndata: [1]\n\n',
        mask=filtered,
    )
    assert units == [b'id: 1\nevent: changed\ndata: {"district":"330100","id":"***"}\n\n']
    assert tally.revealed().removed == 2


async def test_more_records_than_may_be_shown_end_it_or_are_shown_through_the_stricter_mask():
    event = 'data: {"id":"1","n":"x"}\n\n'
    with pytest.raises(TooMany):
        await masked(event * 3, mask=Mask("pii", MASK.fields, "pass", most=2))
    stricter = Mask("strict", (*MASK.fields, FieldMask("$.n", "redact")), "pass")
    units, _ = await masked(event * 4, mask=Mask("pii", MASK.fields, "pass", most=2, beyond=stricter))
    assert units == [b'data: {"id":"***","n":"x"}\n\n'] * 2 + [b'data: {"id":"***","n":"***"}\n\n'] * 2


@pytest.mark.parametrize(
    "head",
    [
        ((b"content-type", b"text/event-stream; charset=utf-16"),),
        ((b"content-type", b"text/event-stream"), (b"content-encoding", b"gzip")),
    ],
)
def test_a_head_that_cannot_be_read_is_told_before_anything_is_sent(head):
    with pytest.raises(Withheld):
        readable(head)


def test_a_plain_head_is_readable():
    readable(((b"content-type", b"text/event-stream"), (b"content-encoding", b"identity")))


def heard(stream: bytes) -> list[tuple[str, str]]:
    """What a browser makes of a stream, straight from the standard."""
    events: list[tuple[str, str]] = []
    data: list[str] = []
    text = stream.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")[:-1]
    name = ""
    for line in lines:
        if not line:
            if data:
                events.append((name, "\n".join(data)))
            data, name = [], ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
    return events


NO_TEXT = Mask("pii", (*MASK.fields, FieldMask("$.name", "redact")), "pass")
LINE = st.sampled_from(['data: {"n":1,', 'data:"id":"secret"}', "data: 5", "data", ": secret", "event: secret 1", "id: secret!", "retry: secret", "", "", "xdata: secret", " data: secret", 'data: {"id":"secret","n":2}'])  # fmt: skip


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 200))
async def test_hidden_values_go_and_shown_ones_stay(lines, end, at):
    stream = "".join(line + end for line in lines).encode()
    try:
        units, _ = await masked(stream[:at], stream[at:], mask=NO_TEXT)
    except (Withheld, NotJson):
        return
    sent = b"".join(units)
    assert b"secret" not in sent
    expected = [json.loads(data) for _, data in heard(stream) if data.strip()]
    shown = [json.loads(data) for _, data in heard(sent) if data.strip()]
    assert [one | {"id": "***"} if isinstance(one, dict) else one for one in expected] == shown
