"""Which names lead on and are spelled in a record: none that may be data."""

import pytest

from gateway.masking.names import MAX_PATH, is_name, spell_trail, spelled

ID = "330106199003072319"


@pytest.mark.parametrize("name", ["id", "idNumber", "x-y.z_1", "地址", "项目", "申请人", "m1234", "a" * 64])
def test_a_name_looks_like_a_name(name: str) -> None:
    assert is_name(name, strictly=False)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ID,
        "王小明",
        "欧阳修远",
        "浙A1B23C",
        "u13800138000",
        "a1b2c3d4e5",
        "a b",
        "a@b.cn",
        "1st",
        "-",
        "a\n",
        "a" * 65,
    ],
)
def test_what_may_be_data_is_no_name(name: str) -> None:
    assert not is_name(name, strictly=False)


def test_where_all_is_masked_a_chinese_name_may_be_a_surname() -> None:
    assert is_name("id", strictly=True)
    assert not is_name("吾尔开希提", strictly=True)


def test_a_way_is_spelled_with_names_only() -> None:
    assert spell_trail(None) == "$"
    assert spell_trail(((((None, "items"), None), ID), "name")) == "$.items[*].*.name"
    assert len(spell_trail(((None, "a" * 64), "b" * 64))) <= MAX_PATH


def test_each_way_is_told_once() -> None:
    assert spelled({(None, ID): None, (None, "王小明"): None, (None, "a"): None}) == ("$.*", "$.a")
    assert spelled({}) == ()
