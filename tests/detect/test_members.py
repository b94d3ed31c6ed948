"""Which names of members are names: none that may be a person or a car."""

import pytest

from gateway.detect.members import has_form, is_member


@pytest.mark.parametrize(
    "name",
    [
        "id", "x-y.z_1", "m1234", "身份证号", "联系人", "法人姓名", "户籍地址", "项目", "申请人", "金额", "时间", "项目_1", "项目的类型", "目的",
    ],
)  # fmt: skip
def test_names_are_names(name: str) -> None:
    assert is_member(name)


@pytest.mark.parametrize(
    "data",
    [
        "王小明",
        "李四",
        "欧阳修",
        "欧阳修远",
        "浙A1B23C",
        "浙a1b23c",
        "川Ａ1B23C",
        "粤Z1B23港",
        "王小明的病史",
        "note_李四",
        "李四2",
    ],
)
def test_people_and_plates_are_data_although_they_have_the_form_of_a_name(data: str) -> None:
    assert has_form(data)
    assert not is_member(data)


@pytest.mark.parametrize(
    "data", ["", "330106199003072319", "u13800138000", "a1b2c3d4e5", "a b", "a@b.cn", "1st", "-", "a\n", "a" * 65]
)
def test_what_is_not_made_as_names_are_is_data(data: str) -> None:
    assert not has_form(data)
    assert not is_member(data)
