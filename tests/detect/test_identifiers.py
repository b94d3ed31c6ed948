import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.identifiers import DETECTORS, PROPOSED, fits, named, plain, recognise
from gateway.masks import IDENTIFIERS
from tests.detect.made import MADE, SPOKEN


def told(value, *names):
    return [one.identifier for one in recognise(value, names)]


@pytest.mark.parametrize(
    ("identifier", "name", "values"),
    [
        ("resident-id", "idCard", ["330106199003072319", "110101200002291280", "44030519851231019X"]),
        ("old-resident-id", "sfzh", ["330106900307231", "110101800229128", "440305851231001"]),
        ("credit-code", "creditCode", ["91330106MA2B3C4D11", "1144030000754123XD", "5211000050001234XD"]),
        ("org-code", "orgCode", ["00754123-X", "MA2B3C4D-1", "50001234X"]),
        ("phone", "mobile", ["13800138000", "+86 199-1234-5678", "17612345678"]),
        ("landline", "传真", ["0571-87654321", "010-62345678", "400-812-3456"]),
        ("bank-card", "cardNo", ["6222021234567890128", "6217001234567890122", "4501012345678909"]),
        ("passport", "passport", ["E12345678", "EA1234567", "DE1234567"]),
        ("permit", "通行证号", ["C12345678", "H1234567800", "1234567801(A)", "T00000001"]),
        ("officer-id", "军官证", ["军字第1234567号", "士字第12345678号", "军官字第123456号"]),
        ("plate", "车牌号", ["浙A12345", "粤BD12345", "京A·F0236"]),
        ("vin", "vin", ["LSVAA49J5R2123456", "LHGCM8262P8001234", "1M8GDM9AXKP042788"]),
        ("imei", "imei", ["860123456789014", "352099001761481", "990000123456784"]),
        ("social-card", "社保卡号", ["A12345678"]),
        ("email", "email", ["zhang.san@example.gov.cn", "li4+test@mail.example.com", "a@b.cn"]),
        (
            "address",
            "住址",
            ["浙江省杭州市西湖区文三路100号2幢301室", "北京市海淀区中关村大街27号", "深圳市福田区福中路18号"],
        ),
        ("name", "姓名", ["王小明", "欧阳修远", "阿卜杜拉·麦提"]),
        ("ip", "clientIp", ["10.23.4.5", "2408:8207::1", "::ffff:192.0.2.1"]),
        ("mac", "macAddr", ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"]),
        ("birth-date", "birthday", ["1990-03-07", "19900307", "1990/03/07"]),
        ("gps", "坐标", ["120.1551,30.2741", "30.2741, 120.1551"]),
    ],
)
def test_is_told_by_value_and_name(identifier, name, values):
    for value in values:
        assert identifier in told(value, name), value


@pytest.mark.parametrize(
    ("identifier", "name", "values"),
    [
        ("resident-id", "idCard", ["330106199003072310", "330106199002302311", "990000199003072318"]),
        ("old-resident-id", "sfzh", ["330106901307231", "990106900307231", "330106900307000"]),
        ("credit-code", "creditCode", ["91330106MA2B3C4D12", "91330106MA2B3C4I00", "Z144030000754123XD"]),
        ("org-code", "orgCode", ["00754123-0", "MA2B3C4-5", "50001234Y"]),
        ("phone", "mobile", ["12800138000", "1380013800", "14212345678"]),
        ("landline", "传真", ["0571-1765432", "000-62345678", "0571-876"]),
        ("bank-card", "cardNo", ["6222021234567890129", "6222021234567", "6222222222222222222"]),
        ("passport", "passport", ["E1234567", "EI1234567", "X12345678"]),
        ("permit", "通行证号", ["C1234567", "CO1234567", "B12345678", "K12345678", "H123456789", "1234567"]),
        ("officer-id", "军官证", ["军字第12号", "李字第1234567号", "军字第abcdef号"]),
        ("plate", "车牌号", ["浙I12345", "A12345", "浙AABCDE"]),
        ("vin", "vin", ["LSVAA49J0R2123456", "LSVAI49J0R2123456", "LSVAA49J0R212345"]),
        ("imei", "imei", ["860123456789015", "12345678901234", "000000000000000"]),
        ("email", "email", ["zhang.san@", "@example.cn", "a..b@example.cn"]),
        ("address", "住址", ["浙江省", "西湖文化广场", "会议室3"]),
        ("name", "姓名", ["管理员组", "王", "张三3"]),
        ("ip", "clientIp", ["10.256.1.1", "1.2.3", "2408:8207:::1"]),
        ("mac", "macAddr", ["00:1A:2B:3C:4D", "00:1A-2B:3C:4D:5E", "GG:1A:2B:3C:4D:5E"]),
        ("birth-date", "birthday", ["1990-13-07", "19900230"]),
        ("gps", "坐标", ["91.0000,120.0000", "0.0000,0.0000"]),
    ],
)
def test_is_not_told(identifier, name, values):
    for value in values:
        assert identifier not in told(value, name), value


def test_every_identifier_with_a_form_is_a_word_of_the_catalog():
    assert set(DETECTORS) == IDENTIFIERS - {"secret", "other"}


@pytest.mark.parametrize("value", ["12345678", "330106900307231", "王小明", "860123456789014", "10.0.0.1"])
def test_a_value_that_could_be_anything_is_nothing_without_a_name(value):
    assert told(value) == []


@pytest.mark.parametrize("value", ["330106199003072319", "浙A12345", "a@b.cn", "91330106MA2B3C4D11"])
def test_some_values_speak_for_themselves(value):
    assert recognise(value)[0].confidence >= PROPOSED


def test_a_lone_mobile_number_is_noticed_and_not_yet_proposed():
    (one,) = recognise("13800138000")
    assert (one.identifier, one.confidence) == ("phone", 0.3)


def test_full_width_digits_are_digits():
    assert told("１３８００１３８０００", "手机") == ["phone"]
    assert plain("　３３０１０６ ") == "330106"


@pytest.mark.parametrize(
    "name", ["idCard", "id_card_no", "ID-CARD", "applicantIdCard", "sfzh", "身份证号码", "持证人身份证"]
)
def test_names_speak_in_any_spelling(name):
    assert "resident-id" in named(name)


@pytest.mark.parametrize("name", ["description", "shipment", "hotel", "ratio", "total", "machine", "sizz"])
def test_a_short_keyword_inside_a_word_says_nothing(name):
    assert named(name) <= {"name"}, named(name)
    assert "ip" not in named(name)
    assert "landline" not in named(name)


def test_an_outer_name_speaks_too():
    assert told("12345678", "台胞证", "value") == ["permit"]


def test_a_long_text_is_not_looked_at():
    assert told("1" * 321, "phone") == []
    assert told("\u0301\u0323" * 100_000 + "１", "phone") == []  # to make that plain took minutes


@pytest.mark.parametrize("identifier", sorted(MADE))
def test_recall_is_complete_on_made_identifiers(identifier):
    source = random.Random(11)
    missed = [
        value for value in (MADE[identifier](source) for _ in range(500)) if not fits(DETECTORS[identifier], value)
    ]
    assert missed == []


def test_of_random_eighteen_digits_hardly_any_is_a_resident_id():
    source = random.Random(5)
    hits = sum(fits(DETECTORS["resident-id"], str(source.randrange(10**17, 10**18))) for _ in range(100_000))
    assert hits <= 6  # 1.3 in 100,000 are expected: as many numbers are one


@pytest.mark.parametrize(
    ("identifier", "name", "share"),
    [("bank-card", "cardNo", 0.05), ("imei", "imei", 0.02), ("credit-code", "creditCode", 0.002)],
)
def test_how_often_random_digits_pass_where_a_name_already_says_so(identifier, name, share):
    source = random.Random(7)
    length = {"bank-card": 16, "imei": 15, "credit-code": 18}[identifier]
    hits = sum(identifier in told(f"{source.randrange(10 ** (length - 1), 10**length)}", name) for _ in range(5000))
    assert hits / 5000 <= share


@given(
    st.text(max_size=40)
    | st.text("0123456789.,:-xX ·@京A号路省²１Ⅷ", max_size=24)
    | st.sampled_from(sorted(SPOKEN)).flatmap(lambda one: st.builds(SPOKEN[one][0], st.randoms(use_true_random=False)))
)
def test_no_value_makes_it_stumble_whatever_the_names_say(value):
    for one in recognise(value, [names[0] for _, names in SPOKEN.values()]):
        assert one.identifier in DETECTORS
        assert 0 < one.confidence <= 1
