import pytest

from gateway.discovery.paths import label, names, spoken, step
from gateway.facts import Grade
from gateway.jsonpath import parse, spell
from tests.discovery.answers import field


@pytest.mark.parametrize("name", ["idCard", "id_card", "x.y-z", "身份证号", "联系人", "法人姓名", "a1b2", "户籍地址"])
def test_names_are_spelled(name):
    assert parse(f"${step(name)}")[0].name == name


@pytest.mark.parametrize(
    "data",
    [
        "330106199003072319",
        "id-13800138000",
        "王小明",
        "欧阳修远",
        "阿卜杜拉·麦提",
        "a@b.cn",
        "浙A12345",
        "浙A1B23C",
        "91330106MA2B3C4D11",
        "2026-01-10",
        "10.0.0.1",
        "",
        " ",
        "a b",
        "x" * 65,
        "'] or 1",
    ],
)
def test_what_looks_like_data_is_not_spelled(data):
    assert step(data) == "[*]"


def test_names_on_the_way_speak():
    assert names("$.items[*]['id.card'].value") == ("items", "id.card", "value")
    assert "resident-id" in spoken("$.items[*].idCard.value")


@pytest.mark.parametrize(
    ("labelled", "path", "covered"),
    [
        ("$.items[*].name", "$.items[*].name", True),
        ("$.items[*].name", "$.items[*].name.first", True),
        ("$.items[*].name", "$.items[*].names", False),
        ("$.items[*].name", "$.items[*]", False),
        ("$..name", "$.items[*].owner.name", True),
        ("$..owner..name", "$.items[*].owner.legal.name", True),
        ("$..owner..name", "$.items[*].name", False),
        ("$.*.name", "$.anything.name", True),
        ("$.items[0].name", "$.items[*].name", False),
        ("$", "$.anything[*]", True),
        ("/items", "$.items[*]", True),
    ],
)
def test_a_label_covers_what_it_names_and_all_below(labelled, path, covered):
    assert label([field(labelled, "name")], path) == ("name" if covered else None)


def test_a_label_without_an_identifier_covers_what_it_names_and_arrays_of_that():
    assert [label([field("$[*]", "")], path) for path in ("$[*]", "$[*][*]", "$[*].name")] == ["", "", None]


def test_of_several_labels_the_strictest_with_an_identifier_counts():
    fields = [field("$..id", "", Grade.CORE), field("$.id", "phone"), field("$.*", "name", Grade.GENERAL_1)]
    assert label(fields, "$.id") == "phone"
    assert label(fields[:1], "$.id") == ""


def test_paths_are_spelled_as_the_catalog_spells_them():
    path = f"${step('items')}[*]{step('法人姓名')}{step('a.b')}"
    assert spell(parse(path)) == path == "$.items[*].法人姓名['a.b']"
