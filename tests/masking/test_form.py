"""Form fields: the name decides, however it is spelled and however often it stands there."""

from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask
from gateway.masking.columns import Columns
from gateway.masking.form import MAX_FIELD, MAX_FIELDS, MAX_FORM, mask_form
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from gateway.masking.unpack import Withheld

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ID = "330106199003072319"
MASK = Mask(
    "pii",
    (FieldMask("$.id", "redact"), FieldMask("$..person", "partial(1,1)"), FieldMask("$.身份证", "redact")),
    "warn",
)


async def masked(body: bytes, mask: Mask = MASK, charset: str = "", key: str = ""):
    return await mask_form(body, charset, Columns(mask, Plan(mask), [key] if key else []), KEYS)


async def test_every_field_of_a_name_is_masked():
    shown, _, revealed = await masked(f"id={ID}&n=1&id=2&id=".encode())
    assert shown == b"id=%2A%2A%2A&n=1&id=%2A%2A%2A&id="
    assert revealed.masked == (("$.id", 2),)
    assert revealed.unlabelled == ("$.n",)


async def test_what_is_shown_stays_byte_for_byte():
    assert (await masked(b"n=a%20b+c%2f&x&id=1"))[0] == b"n=a%20b+c%2f&x&id=%2A%2A%2A"


@pytest.mark.parametrize(
    "name",
    ["id", "%69d", "%69%64", "items[0][id]", "items[][id]", "a.id", "id[]", "id[3]", "id%5B%5D", "%E8%BA%AB份证"],
)
async def test_however_the_name_is_spelled(name):
    shown, _, _ = await masked(f"{name}={ID}".encode())
    assert ID not in shown.decode()


async def test_what_stands_inside_of_something_masked_is_masked():
    assert (await masked(f"person[remark]={ID}&person[id]={ID}".encode()))[0] == (
        b"person%5Bremark%5D=3%2A%2A%2A%2A9&person%5Bid%5D=%2A%2A%2A"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"id=1;id=2",
        b"n=%3",
        b"n=%zz",
        b"n=%ff",
        b"n=%ed%a0%80",
        b"n=\xff",
        b"=1",
        b"330106199003072319",
        b"330106199003072319=1",
        b"%5B%5D=1",
        b"id%00=1",
        b"id%20=1",
        b"+id=1",
        b"%EF%BB%BFid=1",
        "\ufeffid=1".encode(),
        b"a" * (MAX_FORM + 1),
        b"a=1&" * MAX_FIELDS,
        b"a=" + b"%41" * (MAX_FIELD // 3 + 1),
    ],
)
async def test_what_can_be_read_in_two_ways_is_withheld(body):
    with pytest.raises(Withheld) as why:
        await masked(body)
    assert ID not in str(why.value)


async def test_a_chinese_charset_goes_out_in_utf8():
    body = b"id=%31&n=%C5%AE&" + quote_plus("身份证".encode("gbk")).encode() + b"=1"
    shown, reads, _ = await masked(body, charset="gbk")
    assert shown.decode() == f"id=%2A%2A%2A&n={quote_plus('女')}&{quote_plus('身份证')}=%2A%2A%2A"
    assert "n=女" in reads.decode()


async def test_an_enforced_contract_shows_what_is_labelled_only():
    enforced = Mask("p", (FieldMask("$.id", "keep"),), "redact")
    assert (await masked(b"id=1&n=2", enforced))[0] == b"id=1&n=%2A%2A%2A"
    with pytest.raises(Withheld):
        await masked(b"p330106x=1", enforced)


async def test_what_a_reader_reads_is_told_without_escapes():
    assert (await masked(b"n=%31%33%38"))[1] == b"n=138"


async def test_whom_it_is_about_is_a_digest():
    revealed = (await masked(f"id={ID}".encode(), key="$.id"))[2]
    assert revealed.seen == KEYS.about(ID)


VALUES = st.text(max_size=12)
NAMES = st.sampled_from(["id", "n", "items[0][id]", "person.remark", "身份证", "note"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.sampled_from(["utf-8", "gb18030"]))
async def test_hidden_values_go_and_shown_ones_stay(fields, charset):
    planted = [(name, value if name in ("n", "note") else f"hidden{value}") for name, value in fields]
    body = urlencode(planted, encoding=charset, errors="replace").encode()
    sent = parse_qsl(body.decode(), keep_blank_values=True, encoding=charset)
    shown, reads, _ = await masked(body, charset=charset)
    read = parse_qsl(shown.decode(), keep_blank_values=True)
    assert "hidden" not in shown.decode() + reads.decode()
    assert [name for name, _ in read] == [name for name, _ in sent]
    assert [value for name, value in read if name in ("n", "note")] == [
        value for name, value in sent if name in ("n", "note")
    ]


@given(st.binary(max_size=60))
async def test_whatever_comes_is_masked_or_withheld(body):
    try:
        shown, _, _ = await masked(b"id=hidden&" + body + b"&id=hidden")
    except Withheld:
        return
    assert b"hidden" not in shown
    assert not [value for name, value in parse_qsl(shown.decode()) if name == "id" and value != "***"]


async def test_names_in_utf8_in_a_form_that_declares_a_chinese_charset_are_withheld():
    body = b"%E5%A7%93%E5%90%8D=%E6%9D%8E%E6%98%8E&note=x"
    with pytest.raises(Withheld):
        await masked(body, Mask("pii", (FieldMask("$..姓名", "redact"),), "warn"), "gbk")


async def test_names_one_after_the_other_are_a_list_of_names():
    """Abuse: five thousand names as one form, for the budget of one record."""
    mask = Mask("pii", (FieldMask("$..name", "keep"),), "pass")
    body = b"&".join(b"name=wang%d" % number for number in range(300))
    _, _, revealed = await mask_form(body, "", Columns(mask, Plan(mask, clear=1)), KEYS)
    assert (revealed.records, revealed.clear) == (300, 300)
    _, _, revealed = await mask_form(b"page=1&size=2", "", Columns(mask, Plan(mask, clear=1)), KEYS)
    assert revealed.records == 1
