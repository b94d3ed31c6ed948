"""Tables: every row under its header, whatever the service writes."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask
from gateway.masking.keys import Keys
from gateway.masking.lines import MAX_UNIT
from gateway.masking.prepared import Prepared
from gateway.masking.table import masked_table
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ASSET = an_asset(fields=())
MASK = Mask("pii", (FieldMask("$.items[*].id", "partial(1,1)"), FieldMask("$..name", "redact")), "pass")
ID = "330106199003072319"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def masked(*parts: bytes | str, mask: Mask = MASK) -> tuple[str, Tally]:
    tally = Tally()
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    found = [unit async for unit in masked_table(pieces(*raw), Prepared(mask, ASSET), KEYS, tally)]
    return b"".join(found).decode(), tally


async def test_columns_are_masked_by_their_names():
    text, tally = await masked(f"id,name,n\n{ID},王小明,1\n{ID},李四,2\n")
    assert text == "id,name,n\r\n3****9,***,1\r\n3****9,***,2\r\n"
    assert dict(tally.revealed().masked) == {"$.items[*].id": 2, "$..name": 2}
    assert tally.revealed().records == 2


async def test_wherever_the_pieces_end():
    whole = f'id,note,name\n{ID},"a, b\nc ""d""",x\n'.encode()
    expected = (await masked(whole))[0]
    assert expected == 'id,note,name\r\n3****9,"a, b\nc ""d""",***\r\n'
    for at in range(len(whole)):
        assert (await masked(whole[:at], whole[at:]))[0] == expected


@pytest.mark.parametrize("sign", [";", "\t"])
async def test_other_separators(sign):
    text, _ = await masked(f"id{sign}n\n{ID}{sign}1,5\n")
    assert text == f"id{sign}n\r\n3****9{sign}1,5\r\n"


async def test_a_byte_order_mark_stays_in_front():
    text, _ = await masked(f"\ufeffid,n\n{ID},1\n")
    assert text == "\ufeffid,n\r\n3****9,1\r\n"


async def test_a_value_that_only_looks_like_a_formula_is_not_touched():
    text, _ = await masked("id,n\n1,=1+1\n")
    assert text.endswith(",=1+1\r\n")


@pytest.mark.parametrize(
    "table",
    [
        f"{ID},王小明\n{ID},李四\n",  # no header
        f"id,id\n{ID},{ID}\n",
        f"id|name\n{ID}|x\n",
        f"id,n\n1,2,{ID}\n",
        'id,n\n"1"x,2\n',
        f'id,n\n"1,{ID}\n',
        "id;a,b\n1;2,3\n",
        f'{{"id": "{ID}"}}\n',
        f'[{{"id": "{ID}"}}]\n',
        ",\n1,2\n",
        f'note,id,x\n"a\\\\",b",{ID}\n',  # some read `\\"` as a quotation mark: there the id is the second value
        f'note,id,x\na, "b,{ID}"\n',  # some skip the space before a quotation mark: there the id is the second value
        f'note,id,x\na"b,1,{ID}"\n',
        f'note;id;x\n"a"b;1;{ID}\n',
        f'note\tid\tx\n5" or 6" wide\t1\t{ID}\n',
        f'note\tn\tid\nx\t"a\t{ID}"\n',  # most readers of tabs know no quotation marks
        f"王小明\t女\n{ID}\t男\n",
    ],
)
async def test_what_cannot_be_told_apart_is_not_shown(table):
    with pytest.raises(Withheld) as why:
        await masked(table)
    assert ID not in str(why.value)


async def test_quotation_marks_around_a_value_and_doubled_in_it_are_read_one_way():
    text, _ = await masked(f'"id","note",n\n"{ID}","a, ""b"", c",""\n"",,"x"\n')
    assert text == 'id,note,n\r\n3****9,"a, ""b"", c",\r\n,,x\r\n'


async def test_a_short_row_is_a_row():
    assert (await masked(f"id,n,name\n{ID}\n"))[0] == "id,n,name\r\n3****9\r\n"


async def test_unlabelled_columns_follow_the_contract():
    warned = Mask("p", (FieldMask("$..id", "redact"),), "warn")
    text, tally = await masked(f"id,remark\n{ID},x\n", mask=warned)
    assert text == "id,remark\r\n***,x\r\n"
    assert tally.revealed().unlabelled == ("$[*].remark",)
    enforced = Mask("p", (FieldMask("$..id", "keep"),), "redact")
    assert (await masked("id,remark\n1,x\n", mask=enforced))[0] == "id,remark\r\n1,***\r\n"


async def test_a_row_without_end_is_not_held_for_ever_nor_slow():
    with pytest.raises(Withheld, match="longer"):
        await masked("id,n\n", '"', *["\n" * 65536] * (MAX_UNIT // 65536 + 1))


async def test_nothing_comes_of_nothing():
    assert (await masked(""))[0] == ""


CELL = st.text(alphabet='ab,;"\n\r 中1=', max_size=8)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5), st.integers(0, 40))
async def test_shown_values_stay_and_hidden_ones_go(rows, at):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", "name", "n"])
    for number, (_, name, shown) in enumerate(rows):
        writer.writerow([f"hidden-{number}-value", name, shown])
    whole = out.getvalue().encode()
    try:
        text, _ = await masked(whole[:at], whole[at:])
    except Withheld:
        return
    assert "hidden-" not in text
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[2] for row in found[1:]] == [shown for _, _, shown in rows]


DAMAGE = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "\t", ";", "\\", "\\\"", "\0", " ", "'", "\ufeff", ""])),
    max_size=3,
)  # fmt: skip


@given(DAMAGE, st.sampled_from(",;\t"), st.integers(0, 200))
async def test_no_reader_of_a_damaged_table_finds_a_hidden_value_in_its_column(damage, sign, at):
    rows = ["id,n,name", "hidden1,a,hidden2", '"hidden3","b, c","hidden4"', 'hidden5,"d ""e"" \n f",hidden6', "hidden7"]
    table = "\n".join(rows).replace(",", sign) + "\n"
    for place, put in damage:
        place %= len(table)
        table = table[:place] + put + table[place + 1 :]
    whole = table.encode()
    try:
        text, _ = await masked(whole[:at], whole[at:])
    except Withheld:
        return
    text = text.removeprefix("\ufeff")
    quoted = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
    plain = [line.split(sign) for line in text.splitlines()] if '"' not in text else quoted
    for read in (quoted, plain):
        hidden = {place for place, name in enumerate(read[0]) if name in ("id", "name")}
        assert not [row for row in read[1:] for place, cell in enumerate(row) if place in hidden and "hidden" in cell]
