import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.prose import FOUND_IN_PROSE, Span, masked, spans
from tests.detect.made import MADE


def stars(span, text):
    return "***"


def test_tells_where_each_stands():
    text = "张三，身份证330106199003072319，电话138-0013-8000，邮箱a@b.cn，车牌浙A12345。"
    assert [(one.identifier, text[one.start : one.end]) for one in spans(text)] == [
        ("resident-id", "330106199003072319"),
        ("phone", "138-0013-8000"),
        ("email", "a@b.cn"),
        ("plate", "浙A12345"),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("电话：0571-87654321", "电话：***"),
        ("编号３３０１０６１９９００３０７２３１９号", "编号***号"),
        ("330106199003072310", "330106199003072310"),
        ("订单20260101000001，金额13800.13", "订单20260101000001，金额13800.13"),
        ("13800138000/13900139000", "***/***"),
        ("卡6222021234567890128（6222021234567890129）", "卡***（6222021234567890129）"),
        ("", ""),
    ],
)
def test_masks_what_it_finds_and_nothing_else(text, shown):
    assert masked(text, stars) == shown


def test_only_what_is_wanted():
    assert spans("13800138000 a@b.cn", ["email"]) == (Span("email", 12, 18),)
    assert spans("王小明", ["name"]) == ()


@given(
    st.sampled_from(sorted(set(MADE) & FOUND_IN_PROSE)),
    st.integers(0, 10**6),
    st.text(alphabet="中文，。 x", max_size=9),
)
def test_whatever_stands_around_it_no_identifier_stays(identifier, seed, around):
    value = MADE[identifier](random.Random(seed))
    assert value not in masked(f"{around} {value} {around}", stars)
