"""What becomes of one value: nothing too much, whatever the value looks like."""

import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.keys import Keys
from gateway.masking.registry import compiled
from gateway.masking.techniques import REGISTRY, STARS, clusters, technique
from gateway.masks import TECHNIQUES, Technique, parse_technique

KEYS = Keys(b"k" * 32, "prov/civil")
INK = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "So"}


def says_something(cluster: str) -> bool:
    """Judged by the tables of Unicode alone: a letter, digit or picture that leaves ink."""
    return cluster[0] not in "\u115f\u1160\u3164\uffa0\u2800" and unicodedata.category(cluster[0])[:2] in INK


def done(spec: str, text: str) -> str:
    return compiled(parse_technique(spec))[0](text, KEYS)


@pytest.mark.parametrize(
    ("spec", "text", "shown"),
    [
        ("keep", "13800138000", "13800138000"),
        ("redact", "13800138000", "***"),
        ("drop", "13800138000", "***"),
        ("partial(3,4)", "13800138000", "138****8000"),
        ("partial(1,1)", "330106199003072319", "3****9"),
        ("partial(1,0)", "欧阳修远", "欧****"),
        ("partial(0,4)", "13800138000", "****8000"),
        ("partial(0,0)", "13800138000", "****"),
        ("truncate(6)", "浙江省杭州市西湖区文三路", "浙江省杭州市"),
        # too short is all hidden: at the sum of both ends nothing would be left to hide
        ("partial(3,4)", "1380013", "****"),
        ("partial(3,4)", "138", "****"),
        ("partial(1,1)", "王五", "****"),
        ("truncate(6)", "浙江省杭州市", "****"),
        ("truncate(6)", "浙", "****"),
        # one character for a reader, several code points
        ("partial(1,0)", "e\u0301cole", "e\u0301****"),
        ("partial(1,1)", "👨\u200d👩\u200d👧ab", "👨\u200d👩\u200d👧****b"),
        ("partial(1,0)", "👍🏽ok", "👍🏽****"),
        ("partial(1,1)", "a\u200bb", "****"),
        ("truncate(1)", "葛\U000e0100城市", "葛\U000e0100"),
    ],
)
def test_a_value_is_shown_as_said(spec: str, text: str, shown: str) -> None:
    assert done(spec, text) == shown


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("partial(4,0)", "1234      "),  # a column of fixed width is padded
        ("partial(0,4)", "      1234"),
        ("partial(4,0)", "1234\0\0\0\0"),
        ("partial(4,0)", "1234\t\r\n"),
        ("partial(1,0)", "王\u3000\u3000"),
        ("partial(1,0)", "王\u00a0"),
        ("partial(1,0)", "王\u2800\u2800"),
        ("partial(1,0)", "王\u3164"),
        ("partial(1,0)", "王\u115f\uffa0"),
        ("partial(1,0)", "王。。。"),
        ("partial(3,4)", "138-0013"),  # nothing but the hyphen would be hidden
        ("partial(3,4)", "(13)-0013"),
        ("partial(3,4)", "１３８－００１３"),
        ("truncate(6)", "浙江省杭州市  "),
        ("truncate(6)", "浙江省杭州市。"),
        ("truncate(4)", "1990" + "-" * 3000),
        ("partial(4,0)", "1990" + " " * 3000 + "\u0301"),
    ],
)
def test_a_value_is_not_longer_for_what_says_nothing(spec: str, text: str) -> None:
    assert done(spec, text) == STARS


@pytest.mark.parametrize(
    ("spec", "text", "shown"),
    [
        ("partial(3,4)", "138 0013 8000", "138****8000"),
        ("partial(1,0)", "z.s@example.cn", "z****"),
        ("partial(1,1)", "😀😁😂", "😀****😂"),
        ("truncate(4)", "1990-03-07", "1990"),
        ("partial(1,0)", "王 小明", "王****"),
        ("partial(1,1)", "-7-", "-****-"),
    ],
)
def test_what_is_hidden_among_marks_and_spaces_is_hidden(spec: str, text: str, shown: str) -> None:
    assert done(spec, text) == shown


@given(st.text(), st.integers(0, 6), st.integers(0, 6))
def test_partial_hides_something_and_its_length(text: str, first: int, last: int) -> None:
    shown = done(f"partial({first},{last})", text)
    assert shown.count(STARS) >= 1
    seen = clusters(text)
    if len(seen) <= first + last or not any(map(says_something, seen[first : len(seen) - last])):
        assert shown == STARS
    else:
        assert shown == "".join(seen[:first]) + STARS + "".join(seen[len(seen) - last :])


def test_invisible_characters_do_not_carry_a_value_along() -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "330106199003072319")
    assert len(done("partial(1,0)", f"A{hidden}BC")) <= 8 + len(STARS)


def test_megabytes_of_marks_cost_nothing() -> None:
    text = "e" + "\u0301" * 2_000_000 + "z"
    started = process_time()
    assert len(done("partial(1,0)", text)) <= 8 + len(STARS)
    assert done("partial(1,1)", text) == STARS
    assert done("truncate(3)", "王" * 3_000_000) == "王王王"
    assert process_time() - started < 0.2


def test_every_technique_of_the_list_is_there_and_no_other() -> None:
    assert set(REGISTRY) == set(TECHNIQUES)


def test_a_name_is_registered_once_and_only_when_it_is_listed() -> None:
    with pytest.raises(ValueError, match="twice"):
        technique("redact")(lambda: lambda text, _: text)
    with pytest.raises(ValueError, match="not listed"):
        technique("blur")(lambda: lambda text, _: text)
    assert compiled(Technique("redact"))[0]("x", KEYS) == "***"
