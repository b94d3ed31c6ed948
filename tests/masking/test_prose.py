"""Texts: shown only where looking for values is enough, and then in no spelling that a reader knows."""

import html
import re
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Field, FieldMask, Grade, Mask, RowFilter
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from gateway.masking.prose import MAX_PROSE, by_value, like_json, mask_prose
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ID = "330106199003072319"
PHONE = "13800138000"
ASSET = an_asset(
    fields=(
        Field("$.id", "resident-id", Grade.GENERAL_3),
        Field("$.phone", "phone", Grade.GENERAL_2),
        Field("$.mail", "email", Grade.GENERAL_2),
        Field("$.name", "name", Grade.GENERAL_2),
        Field("$.note", "", Grade.GENERAL_1),
    ),
    contract="warn",
    key="$.id",
)
FIELDS = (
    FieldMask("$.id", "partial(1,1)"),
    FieldMask("$.phone", "redact"),
    FieldMask("$.mail", "redact"),
    FieldMask("$.name", "keep"),
)
MASK = Mask("pii", FIELDS, "warn")


async def masked(text: str, mask: Mask = MASK, asset=ASSET):
    shown, revealed = await mask_prose(text.encode(), by_value(mask, asset, Plan(mask)), KEYS)
    return shown.decode(), revealed


async def test_identifiers_are_masked_where_they_stand():
    text, revealed = await masked(f"<p title='{PHONE}'>Zhang, {ID}:\n  at x.py, tel:{PHONE}, a.b@example.gov.cn</p>\n")
    assert text == "<p title='***'>Zhang, 3****9:\n  at x.py, tel:***, ***</p>\n"
    assert dict(revealed.masked) == {"$.id": 1, "$.phone": 2, "$.mail": 1}
    assert revealed.seen == KEYS.about(ID)


async def test_what_is_kept_is_counted():
    kept = Mask("pii", (FieldMask("$.id", "keep"), FieldMask("$.phone", "redact")), "warn")
    text, revealed = await masked(f"{ID} {PHONE}", kept)
    assert text == f"{ID} ***"
    assert revealed.clear == 1


@pytest.mark.parametrize(
    ("mask", "asset"),
    [
        (Mask("pii", (*FIELDS[:3], FieldMask("$.name", "redact")), "warn"), ASSET),
        (Mask("pii", (*FIELDS, FieldMask("$.note", "redact")), "warn"), ASSET),
        (Mask("pii", (*FIELDS, FieldMask("$..other", "hash")), "warn"), ASSET),
        (Mask("pii", (FieldMask("$.phone", "fpe"),), "warn"), ASSET),
        (Mask("pii", FIELDS, "redact"), ASSET),
        (Mask("pii", FIELDS, "warn", rows=(RowFilter("$.a", ("1",)),)), ASSET),
        (Mask("pii", FIELDS, "warn", most=5), ASSET),
        (MASK, an_asset(fields=ASSET.fields, contract="enforce")),
    ],
)
async def test_where_values_do_not_tell_enough_it_is_withheld(mask, asset):
    with pytest.raises(Withheld):
        await masked("nothing to see", mask, asset)


HIDDEN = [
    "".join(f"&#{ord(char)};" for char in ID),
    "".join(f"&#x{ord(char):X};" for char in ID),
    "".join(f"&#{ord(char)}" for char in ID),
    ID[:6] + "<b></b>" + ID[6:],
    ID[:6] + "<wbr>" + ID[6:],
    ID[:6] + '<b title=">">' + ID[6:],
    ID[:6] + '<b x=">\'">' + ID[6:],
    ID[:6] + "<!-- -->" + ID[6:],
    ID[:6] + "<!-- > x -->" + ID[6:],
    ID[:6] + "&shy;" + ID[6:],
    ID[:6] + "\u200b" + ID[6:],
    ID[:6] + "\u2060<i>" + ID[6:],
    ID[:6] + "\0" + ID[6:],
    "".join(chr(0x1D7CE + int(char)) for char in ID),
    "".join(f"\\u{ord(char):04x}" for char in ID),
    "".join(f"\\u{{{ord(char):x}}}" for char in ID),
    "".join(f"\\x{ord(char):02x}" for char in ID),
    "".join(f"\\{ord(char):03o}" for char in ID),
    "".join(f"%{ord(char):02X}" for char in ID),
    "mailto:zhang%40example.gov",
    "zhang&commat;example.gov",
    "zhang&#64;example<b>.gov</b>",
    "13<b>8</b>0013<i>8000</i>",
]


@pytest.mark.parametrize("spelled", HIDDEN)
async def test_no_spelling_that_a_reader_knows_passes(spelled):
    for text in (f"<p>{spelled}</p>", f"see {spelled}.", f"<a href='{spelled}'>x</a>"):
        try:
            shown, _ = await masked(text)
        except Withheld as why:
            assert spelled not in str(why)
        else:
            assert spelled not in shown or "<" in spelled  # tags inside of an attribute split nothing


@pytest.mark.parametrize(
    "spelled",
    [
        "330106&nbsp;19900307&nbsp;2319",
        "330106&#32;19900307&#32;2319",
        "330106<b> </b>19900307<b> </b>2319",
        "<span>330106</span> <span>19900307</span> <span>2319</span>",
        "?i=330106%2019900307%202319",
        "?i=330106+19900307+2319",
        "330106\\u002d19900307\\u002d2319",
        "330106\u00a019900307\u30002319",
        "330106<i>&nbsp;</i>19900307<i>&#45;</i>2319",
    ],
)
async def test_what_tags_and_references_part_is_read_as_the_second_look_reads_it(spelled):
    with pytest.raises(Withheld, match="spelled"):
        await masked(f"<p>{spelled}</p>")


@pytest.mark.parametrize("spelled", ["".join(chr(0xFF10 + int(char)) for char in ID), f"ID{ID}", f"号码{ID}。"])
async def test_full_width_digits_and_words_around_hide_nothing(spelled):
    text, _ = await masked(spelled)
    assert "3****9" in text or "３****９" in text


@pytest.mark.parametrize(
    "text",
    [
        "cb({})",
        "/**/cb([1])",
        ")]}'\n{}",
        "while(1);{}",
        "for(;;);[]",
        "\ufeff cb( {",
        "window.data = {",
        "var x = [",
        f"<!DOCTYPE html [<!ENTITY a '{ID[:6]}'><!ENTITY b '{ID[6:]}'>]><p>&a;&b;</p>",
        "<img src='data:image/png;base64,MzMw'>",
        "<img src='data:image/png&#59;base64&comma;MzMw'>",
        "\ufdfa" * (MAX_PROSE // 3),
    ],
)
async def test_what_is_no_plain_text_is_withheld(text):
    with pytest.raises(Withheld):
        await masked(text)


async def test_a_text_that_nobody_can_look_through_in_time_is_withheld():
    with pytest.raises(Withheld, match="longer"):
        await masked("x" * (MAX_PROSE + 1))


@pytest.mark.parametrize("at", [16 * 1024 - 9, 16 * 1024, 16 * 1024 - 300])
async def test_no_place_of_a_long_line_is_missed(at):
    with pytest.raises(Withheld):
        await masked("x" * (at - 1) + " " + "".join(f"&#{ord(char)};" for char in ID) + " " + "y" * 16384)


@pytest.mark.parametrize("sign", ["<", "<!--", "a-", "&", "\\", "%", '<"', "1 ", "a@", "[[", "cb(", "<a b='"])
async def test_no_text_takes_long(sign):
    start = time.process_time()
    with suppress(Withheld):
        await masked((sign * MAX_PROSE)[:MAX_PROSE])
    assert time.process_time() - start < 5  # a quadratic reader takes minutes


async def test_marks_and_references_of_any_number_are_read():
    text = f"&#{'1' * 10_000}; {chr(0x301)}{chr(0x323)}" * 20 + "\u0301\u0323" * 9_000 + f" {ID}"
    shown, _ = await masked(text)
    assert ID not in shown


@pytest.mark.parametrize(
    ("body", "like"), [(b' \n{"a"', True), (b"\xef\xbb\xbf[", True), (b"<html>", False), (b"", False), (b"a{", False)]
)
def test_what_begins_like_json(body, like):
    assert like_json(body) is like


PIECE = st.sampled_from([ID, ID[:6], ID[6:], PHONE, "<b>", "</b>", "<i t='>'>", "&#51;", "&lt;", "\u200b", " ", "x", "\n", "<!--", "-->", "%33", "\\u0033", "３", "王", "&"])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECE, max_size=10))
async def test_what_is_sent_reads_as_no_identifier(parts):
    try:
        text, _ = await masked("".join(parts))
    except Withheld:
        return
    seen = html.unescape(re.sub(r"<[^<>]*>", "", text)).replace("\u200b", "")
    for reading in (text, seen, html.unescape(text)):
        assert re.search(rf"(?<![0-9]){ID}(?![0-9])", reading) is None
        assert re.search(rf"(?<![0-9A-Za-z]){PHONE}(?![0-9A-Za-z])", reading) is None
    if not set("<&%\\３\u200b") & set("".join(parts)) and ID[:6] not in "".join(parts):
        assert text == re.sub(rf"(?<![0-9A-Za-z]){PHONE}(?![0-9A-Za-z])", "***", "".join(parts))
