"""What a province calls its levels: usable wherever a grade is, and never a way to lower what other files say."""

from pathlib import Path

import pytest

from gateway.catalog import ApiBinding
from gateway.facts import Grade
from tests.catalog.ledgers import A, asset, catalog, faults, located

ZHEJIANG = "names: {L4: general-4, 敏感: general-4, L3: general-3, 较敏感: general-3, 核心: core}\n"


def test_names_stand_wherever_a_grade_may(tmp_path: Path) -> None:
    text = (
        "defaults: [{owner: o, grade: 较敏感}]\n"
        + asset("grade: L4", "fields: [{path: $.x, grade: 敏感}]", endpoints="[{path: GET /a, grade: 核心}]")
        + "aggregation: [{id: r, identifiers: [name, phone], to: 核心}]\n"
    )
    one = catalog(tmp_path, text, apis=A, beside={"grades.yaml": ZHEJIANG})
    (listing,) = one.assets
    assert (listing.grade, listing.fields[0].grade) == (Grade.GENERAL_4, Grade.GENERAL_4)
    assert located(one, "GET", "/a", "a").grade == Grade.CORE
    assert one.rules[0].to == Grade.CORE


def test_the_level_of_an_api_may_be_a_name(tmp_path: Path) -> None:
    one = catalog(tmp_path, apis=(ApiBinding("b", "/b", grade="敏感"),), beside={"grades.yaml": ZHEJIANG})
    assert located(one, "GET", "/b/1", "b").grade == Grade.GENERAL_4


def test_names_are_told_back_in_the_order_of_the_file(tmp_path: Path) -> None:
    one = catalog(tmp_path, apis=(), beside={"grades.yaml": ZHEJIANG})
    told = [(name, grade.text) for name, grade in one.names.items() if grade >= Grade.GENERAL_4]
    assert told == [("L4", "general-4"), ("敏感", "general-4"), ("核心", "core")]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("names:\n  L1: general-1\n  core: general-1\n", "K038", 3),  # would lower every file that says core
        ("names: {general: general-1}\n", "K038", 1),
        ("names: {important: important}\n", "K038", 1),
        ("names: {' L4': general-4}\n", "K038", 1),
        ('names: {"L\\u200b4": general-4}\n', "K038", 1),  # looks like L4 and is another word
        (f"names: {{{'x' * 33}: general-4}}\n", "K038", 1),
        ("names: {L4: general-5}\n", "K004", 1),
        ("names: {L4: L3, L3: general-3}\n", "K004", 1),  # names name grades, not each other
        ("names: {L4: 4}\n", "K004", 1),
        ("names: [L4]\n", "K003", 1),
        ("- L4\n", "K003", 1),
        ("name: {L4: general-4}\n", "K001", 1),
        ("names: {\n", "Y", 1),
    ],
)
def test_a_careless_file_is_refused_at_its_place(tmp_path: Path, text: str, code: str, line: int) -> None:
    found = faults(tmp_path, asset("grade: core"), beside={"grades.yaml": text})
    assert [fault.file.endswith("grades.yaml") for fault in found] == [True] * len(found)
    assert (found[0].code[: len(code)], found[0].line) == (code, line)


def test_a_name_nobody_declared_is_no_grade(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, asset("grade: L4"))
    assert (fault.code, fault.line) == ("K004", 5)
    found = faults(tmp_path / "b", apis=(ApiBinding("b", "/b", grade="L4"),))
    assert [("`b`" in fault.en) for fault in found if fault.code == "K004"] == [True]


def test_the_digest_tells_what_a_name_means(tmp_path: Path) -> None:
    apis = (ApiBinding("b", "/b", grade="L4"),)
    digests = {
        catalog(tmp_path, apis=apis, beside={"grades.yaml": f"names: {{L4: {grade}}}\n"}).digest
        for grade in ("general-4", "important")
    }
    assert len(digests) == 2


@pytest.mark.parametrize("text", ["", "names:\n", "# none yet\n"])
def test_an_empty_file_names_nothing(tmp_path: Path, text: str) -> None:
    assert catalog(tmp_path, asset("grade: core"), apis=(), beside={"grades.yaml": text}).names == {}
