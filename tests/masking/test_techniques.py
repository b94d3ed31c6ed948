"""What becomes of one value: nothing too much, whatever the value looks like."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.techniques import REGISTRY, STARS, clusters, compiled, keyed, technique
from gateway.masks import TECHNIQUES, Technique, parse_technique

DIGEST = keyed(b"k" * 32, "prov/civil")


def done(spec: str, text: str) -> str:
    return compiled(parse_technique(spec))(text, DIGEST)


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


@given(st.text(), st.integers(0, 6), st.integers(0, 6))
def test_partial_hides_something_and_its_length(text: str, first: int, last: int) -> None:
    shown = done(f"partial({first},{last})", text)
    assert shown.count(STARS) >= 1
    seen = clusters(text)
    if len(seen) <= first + last:
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


def test_a_digest_depends_on_key_department_and_value_only() -> None:
    assert DIGEST("x") == keyed(b"k" * 32, "prov/civil")("x")
    others = {keyed(b"q" * 32, "prov/civil")("x"), keyed(b"k" * 32, "prov/health")("x"), DIGEST("y"), DIGEST("x")}
    assert len(others) == 4
    # no way of cutting department and value apart gives the same digest
    assert keyed(b"k" * 32, "ab")("c") != keyed(b"k" * 32, "a")("bc")


def test_every_technique_of_the_list_is_there_and_no_other() -> None:
    assert set(REGISTRY) == set(TECHNIQUES)


def test_a_name_is_registered_once_and_only_when_it_is_listed() -> None:
    with pytest.raises(ValueError, match="twice"):
        technique("redact")(lambda: lambda text, _: text)
    with pytest.raises(ValueError, match="not listed"):
        technique("blur")(lambda: lambda text, _: text)
    assert compiled(Technique("redact"))("x", DIGEST) == "***"
