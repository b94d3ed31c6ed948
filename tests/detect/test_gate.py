import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect import gate
from gateway.detect.gate import WATCHED, Gate
from tests.detect.made import MADE, benign

ALL = Gate(WATCHED)


@pytest.fixture(params=["as installed", "without re2"])
def make(request, monkeypatch):
    if request.param == "without re2":
        monkeypatch.setattr(gate, "re2", None)
    return Gate


@pytest.mark.parametrize("identifier", sorted(WATCHED))
def test_finds_whatever_stands_in_a_text(identifier, make):
    source = random.Random(3)
    one = make([identifier])
    for _ in range(50):
        value = MADE[identifier](source)
        for body in (
            json.dumps({"a": value}, ensure_ascii=False),
            json.dumps([f"备注：{value}。"], ensure_ascii=False),
            value,
        ):
            assert one.found(body.encode()) == (identifier,), body


@pytest.mark.parametrize(
    ("identifier", "body"),
    [
        ("resident-id", rb'{"a":"\u0033\u0033\u0030106199003072319"}'),
        ("resident-id", '{"a":"３３０１０６１９９００３０７２３１９"}'.encode()),
        ("resident-id", b'{"a":330106199003072319}'),
        ("resident-id", b'{"a":"PT330106199003072319CN"}'),
        ("resident-id", b"330106199003072310 330106199003072319"),
        ("resident-id", b"a330106199003072319"),
        ("phone", b'{"a":13800138000}'),
        ("phone", b'"138-0013-8000"'),
        ("phone", b'"+86 138 0013 8000"'),
        ("phone", rb'"\u0031\u00338\u00300138000"'),
        ("phone", b"13800138000,13900139000"),
        ("bank-card", b'"6222 0212 3456 7890 128"'),
        ("email", b"<a@b.cn>"),
        ("plate", "车：浙A12345".encode()),
        ("resident-id", rb'{"a":"\uff13\uFF13\uff10106199003072319"}'),
        ("resident-id", b"330106 19900307 2319"),
        ("phone", b'"1.13800138000 2.x"'),
        ("phone", b'{"a":"tel.13800138000"}'),
        ("phone", b'{"a":"x 3.13800138000"}'),
        ("resident-id", b"330106-19900307-2319"),
        ("resident-id", b"3301 0619 9003 0723 19"),
        ("phone", rb'"\uff11\uff13\uff1800138000"'),
        ("phone", "138－0013－8000".encode()),
        ("email", "wang＠example.cn".encode()),
        ("email", "ｗａｎｇ@example.cn".encode()),
        ("plate", rb'{"a":"\u6d59A12345"}'),
        ("plate", rb'{"a":"\u6D59A1234\u5b66"}'),
        ("plate", rb'{"a":"\u6d59A\u00b712345"}'),
        ("phone", rb'"tel:\n13800138000"'),
        ("phone", rb'"\u7535\u8bdd13800138000"'),
        ("bank-card", rb'"card\t6222021234567890128"'),
        ("resident-id", rb'"\u8bd1330106199003072319"'),
        ("phone", b"?tel=%E7%94%B513800138000"),
        ("phone", b"138%200013%208000"),
        ("phone", "138–0013‑8000".encode()),
        ("phone", b"138&nbsp;0013&nbsp;8000"),
        ("email", b"wang%40example.cn"),
        ("email", b"wang&commat;example.cn"),
        ("email", "wang\u200b@example.cn".encode()),
        ("plate", "浙A\u200b12345".encode()),
        ("phone", b"13800138000&#48;"),
        ("phone", "13800138000\u200b0".encode()),
    ],
)
def test_finds_other_spellings(identifier, body, make):
    assert make(WATCHED).found(body) == (identifier,)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"a":"33****19","b":"138****8000"}',
        b'{"t":1700000000000}',
        b'{"no":"20260101000001"}',
        b'{"card":"6222021234567890129"}',
        b'{"id":"330106199003072310"}',
        b'{"x":"9138001380001"}',
        b'{"x":"a13800138000"}',
        b"330106 19900307 2310",
        b'{"lon":120.13800138000,"lat":30.2}',
        b"[1.5,-0.6222021234567890]",
        b'{"share": 0.6222021234567894}',
        b'{"a":"x","n":[1.5,{"b":2},0.6222021234567894]}',
        b'{"n":[%b0.6222021234567894]}' % (b"0.125," * 1000),
        b"a,b\r\n%bx,0.13800138000\r\n" % (b"x,0.125\r\n" * 1000),
        b'0.125,0.6222021234567894,0.2],"b":"x"}',  # a part that was cut in a list of numbers
        b"a,0.13800138000\r\n",
        b"330106  19900307  2319",
        rb'{"a":"\u6d59\u6c5f A1234567"}',
        "浙A****5".encode(),
        b"\xff\xfe\x00",
        "2019–2020、第①②条、5²、（１）".encode(),
        rb'"5\u5e623\u5355\u51432019\u20132020"',
        b"https://example.cn/a%20b?c=%E6%9D%AD%E5%B7%9E&#39;",
    ],
)
def test_passes_what_is_none(body, make):
    assert make(WATCHED).found(body) == ()


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ('{"note":"名单:1.330106199003072319 张三,2.110101200002291280 李四"}', "resident-id"),
        ('{"error":"重复:1.330106199003072319 已登记"}', "resident-id"),
        ("[0.330106199003072319]", "resident-id"),
        ('{"note":"账号:1.6222021234567894 "}', "bank-card"),
        ('{"note":"1,2.6222021234567894 "}', "bank-card"),
        ('{"note":":1.6222021234567894 "}', "bank-card"),
        ('{"note":"' + "x" * 5000 + ',1.6222021234567894,"}', "bank-card"),
        ('{"note":"' + "0," * 5000 + '1.6222021234567894,"}', "bank-card"),
        ("x" * 5000 + ',1.6222021234567894,"}', "bank-card"),  # a part that was cut in the middle of a text
        (',1.6222021234567894,\\"x\\","b":1}', "bank-card"),
    ],
)
def test_a_numbered_list_in_a_text_is_no_number(make, text, identifier):
    assert make(WATCHED).found(text.encode()) == (identifier,)


def test_looks_only_for_what_was_promised():
    assert Gate(["phone"]).found(b"330106199003072319") == ()
    assert Gate([]).found(b"330106199003072319") == ()
    assert Gate(["name", "address"]).identifiers == ()


def test_tells_all_that_stand_there():
    assert ALL.found(b'["330106199003072319","13800138000"]') == ("phone", "resident-id")


@given(
    st.sampled_from(sorted(WATCHED)),
    st.integers(0, 10**6),
    st.text(alphabet='0123456789 -,":ax中', max_size=12),
    st.text(alphabet=' ,":中。', max_size=12),
)
def test_nothing_before_or_after_hides_it(identifier, seed, before, after):
    value = MADE[identifier](random.Random(seed))
    body = f"{before},{value},{after}".encode()
    assert identifier in ALL.found(body)


def test_of_ten_thousand_harmless_answers_fewer_than_ten_are_stopped():
    source = random.Random(2026)
    stopped = [found for found in (ALL.found(benign(source)) for _ in range(10_000)) if found]
    assert len(stopped) < 10, stopped
