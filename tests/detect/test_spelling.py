"""One reading for all the spellings of an identifier, and a sign wherever it may be needed."""

import html
import json
import re
import sys
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect import gate
from gateway.detect.gate import Gate
from gateway.detect.spelling import UNSEEN, ZEROS, compatible, read_out, signs

ID = "330106199003072319"
PARTS = (ID[:6], ID[6:14], ID[14:])
SIGNS = re.compile(b"|".join(signs()))
EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
DIGITS = [char for char in EVERY if unicodedata.category(char) == "Nd" and ord(char) < 0x10000 and not char.isascii()]
MATHEMATICAL = [chr(code) for code in range(0x1D7CE, 0x1D800)]
SPACES = [char for char in EVERY if unicodedata.category(char) == "Zs" and not char.isascii()]
DASHES = [char for char in EVERY if unicodedata.category(char) == "Pd" and ord(char) < 0x10000 and not char.isascii()]


def test_the_digits_of_every_script_are_known() -> None:
    assert {unicodedata.digit(zero) for zero in ZEROS} == {0}
    for char in (*DIGITS, *MATHEMATICAL):
        assert read_out(char.encode()) == b"%d" % unicodedata.digit(char)
        if not "\uff10" <= char <= "\uff19":  # those the gate knows by itself
            assert SIGNS.search(f"1{char}".encode())
            assert SIGNS.search(f"{char}{char}".encode())
            assert SIGNS.search(json.dumps(f"1{char}").encode())


def test_every_space_and_dash_is_read_as_one() -> None:
    for chars, plain in ((SPACES, b"330106 19900307 2319"), (DASHES, b"330106-19900307-2319")):
        for char in chars:
            for written in (char.join(PARTS).encode(), json.dumps(char.join(PARTS))[1:-1].encode()):
                assert read_out(written) == plain
                assert SIGNS.search(written), ascii(char)


def test_what_nobody_sees_is_not_there() -> None:
    unseen = [char for char in EVERY if UNSEEN.match(char)]
    assert {char for char in EVERY if unicodedata.category(char) == "Cf" and 0x2000 <= ord(char) <= 0xFEFF} <= set(
        unseen
    )
    for char in unseen:
        written = char.join(PARTS).encode()
        assert read_out(written) == ID.encode(), ascii(char)
        assert SIGNS.search(written), ascii(char)


@pytest.mark.parametrize(
    "spell",
    [
        lambda char: f"\\u{ord(char):04x}",
        lambda char: f"\\\\u{ord(char):04x}",  # of JSON inside a text of JSON
        lambda char: f"\\\\\\\\u{ord(char):04x}",
        lambda char: f"&#{ord(char)};",
        lambda char: f"&#x{ord(char):X};",
        lambda char: f"%{ord(char):02X}",
        lambda char: quote(chr(0xFF10 + int(char))),
        lambda char: chr(0x1D7CE + int(char)),
        lambda char: json.dumps(chr(0x1D7CE + int(char)))[1:-1],
        lambda char: f"{char}\u200b",
        lambda char: f"{char}\\u200b",
    ],
)
@pytest.mark.parametrize("engine", ["re2", "re"])
def test_an_identifier_is_found_however_each_digit_is_spelled(
    spell: Callable[[str], str], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "re":
        monkeypatch.setattr(gate, "re2", None)
    look = Gate(["resident-id"])
    for body in ("".join(map(spell, ID)), spell(ID[0]) + ID[1:], ID[:9] + spell(ID[9]) + ID[10:], ID[:-1] + spell("9")):
        assert look.found(f'{{"a":"见{body}。"}}'.encode()) == ("resident-id",), body


def test_no_text_costs_more_than_its_length() -> None:
    marks = "a" + "\u0301" * 100_000 + "\u0323" * 100_000 + "１"  # to put these in order took a minute
    assert read_out(marks.encode()).endswith(b"1")
    assert compatible("ｆｕｌｌ" * 500) == "full" * 500
    digits = b"&#" + b"1" * 10_000 + b"; &#x" + b"f" * 10_000 + b"; &#" + b"0" * 10_000 + b"51;"
    assert read_out(digits).endswith(b" 3")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    plain = UNSEEN.sub("", text)
    if plain.isascii() and not set(plain) & set("&%\\"):
        assert read_out(text.encode()) == plain.encode()
    read_out(json.dumps(text).encode())
    read_out(html.escape(text).encode())
    read_out(b"\xff\\ud800" + text.encode())
