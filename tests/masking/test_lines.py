"""JSON texts one after the other, each masked as it comes."""

import json
from collections.abc import AsyncIterator

import pytest
from anyio import create_task_group
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask
from gateway.masking.json_body import NotJson
from gateway.masking.keys import Keys
from gateway.masking.lines import MAX_UNIT, masked_lines
from gateway.masking.prepared import Prepared
from gateway.masking.tally import Tally
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ASSET = an_asset(fields=())
MASK = Mask("pii", (FieldMask("$.items[*].id", "redact"),), "pass")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def masked(*parts: bytes, mask: Mask = MASK) -> tuple[list[bytes], Tally]:
    tally = Tally()
    found = [unit async for unit in masked_lines(pieces(*parts), Prepared(mask, ASSET), KEYS, tally)]
    return found, tally


async def test_each_line_is_masked_wherever_the_pieces_end():
    found, tally = await masked(b'{"id":"1', b'23","n":1}\n{"id":"4', b'56","n":2}\n')
    assert found == [b'{"id":"***","n":1}\n', b'{"id":"***","n":2}\n']
    assert tally.revealed().masked == (("$.id", 2),)
    assert tally.revealed().records == 2


async def test_the_last_line_needs_no_end_and_empty_lines_are_nothing():
    found, _ = await masked(b'\n\r\n{"id":"1"}\r\n\n{"id":"2"}')
    assert found == [b'{"id":"***"}\n', b'{"id":"***"}\n']


async def test_json_text_sequences_keep_their_separators():
    found, _ = await masked(b'\x1e{"id":"1"}\n\x1e{"id":"2"}\n')
    assert found == [b'\x1e{"id":"***"}\n', b'\x1e{"id":"***"}\n']


@pytest.mark.parametrize("path", ["$..id", "$.id", "$[*].id", "$.items[*].id", "$.a[*].b[*].id", "$.a[0].id"])
async def test_a_line_is_a_record_of_whatever_list(path):
    found, _ = await masked(
        b'{"id":"1","n":12345678901234567890123}\n', mask=Mask("p", (FieldMask(path, "redact"),), "pass")
    )
    assert found == [b'{"id":"***","n":12345678901234567890123}\n']


@pytest.mark.parametrize("line", [b'{"id":', b"not json", b'{"id":1}{"id":2}', b'{\n"id":1}'])
async def test_a_broken_line_ends_it(line):
    with pytest.raises((NotJson, Withheld)):
        await masked(b'{"id":"1"}\n', line + b"\n")


async def test_a_byte_order_mark_is_no_name():
    assert (await masked(b'\xef\xbb\xbf{"id":"1"}\n'))[0] == [b'{"id":"***"}\n']


async def test_pieces_of_a_byte_are_put_together_once():
    long = b'{"id":"' + b"1" * 400_000 + b'"}\n'
    found, _ = await masked(*(long[at : at + 1] for at in range(len(long))))  # joined for each piece: 80 GB are copied
    assert found == [b'{"id":"***"}\n']


async def test_a_long_line_leaves_others_their_turn():
    line = b"[" + b",".join([b'{"id":"1","n":[1,2,3]}'] * 10_000) + b"]\n"
    turns = 0

    async def beside() -> None:
        nonlocal turns
        while True:
            turns += 1
            await turn()

    async with create_task_group() as group:
        group.start_soon(beside)
        found, _ = await masked(line)
        group.cancel_scope.cancel()
    assert b'"id":"1"' not in found[0]
    assert turns > 2


async def test_a_line_without_end_is_not_held_for_ever():
    with pytest.raises(Withheld, match="longer"):
        await masked(*[b"x" * 65536] * (MAX_UNIT // 65536 + 1))


LINE = st.sampled_from(['{"id":"hidden"}', '{"id":["hidden",{"n":"hidden"}],"n":1.10}', '{"i\\u0064":"hidden"}', '[{"id":"hidden"}]', '{"n":{"id":1}}', "", " ", "\x1e", "\ufeff"])  # fmt: skip
END = st.sampled_from(["\n", "\r\n", "\n\x1e", "\r"])


@given(st.lists(st.tuples(LINE, END), max_size=6), st.lists(st.integers(0, 200), max_size=3).map(sorted))
async def test_hidden_values_go_wherever_the_pieces_end(parts, cuts):
    whole = "".join(line + end for line, end in parts).encode()
    try:
        found, _ = await masked(*(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)))
    except (NotJson, Withheld):
        return
    sent = b"".join(found).decode()
    texts = [json.loads(text) for line in sent.split("\n") if (text := line.strip("\x1e"))]
    assert "hidden" not in json.dumps(texts)
    assert sent.count("1.10") == sum("1.10" in line for line, _ in parts)
