"""A value of the wrong form is a fault at its place and harmless."""

from pathlib import Path

import pytest

from gateway.catalog import shapes
from gateway.catalog.offices import ZONE
from gateway.document import FileFault, Node, read


def node(tmp_path: Path, text: str) -> Node:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    return read(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("2026-02-30", "K032"),
        ("20260110", "K003"),
        ("'20260110'", "K032"),
        ("2026-1-10", "K032"),
        ("2026-W02-1", "K032"),
        ("9999-12-31", "K032"),  # the day after it cannot be told
        ("2026-01-10T12:00", "K032"),
        ("tomorrow", "K032"),
    ],
)
def test_what_is_no_day_is_told(tmp_path: Path, said: str, code: str) -> None:
    faults: list[FileFault] = []
    assert shapes.day(node(tmp_path, f"on: {said}\n"), "on", ZONE, faults) is None
    assert [(fault.code, fault.line, fault.column) for fault in faults] == [(code, 1, 5)]


def test_a_day_begins_and_ends_at_midnight_in_its_zone(tmp_path: Path) -> None:
    faults: list[FileFault] = []
    day = shapes.day(node(tmp_path, "on: 2026-01-10\n"), "on", ZONE, faults)
    assert day == shapes.Day("2026-01-10", 1_767_974_400.0, 1_768_060_800.0)
    assert faults == []


@pytest.mark.parametrize(
    ("said", "path", "codes"),
    [
        ("$.items", "$.items", []),
        ("$['data'].items", "$.data.items", []),
        ("/data/items", "$.data.items", []),
        ("$.数据.列表", "$.数据.列表", []),
        ("$..items", "", ["K037"]),
        ("$.items[*]", "", ["K037"]),
        ("$.data[0].items", "", ["K037"]),
        ("$", "", ["K037"]),
        ("$" + ".a" * 17, "", ["K037"]),
        ("items", "", ["K009"]),
        ("[x]", "", ["K003"]),
    ],
)
def test_records_lie_at_one_place(tmp_path: Path, said: str, path: str, codes: list[str]) -> None:
    faults: list[FileFault] = []
    assert shapes.names_only(node(tmp_path, f"records: {said}\n"), "records", faults) == path
    assert [fault.code for fault in faults] == codes


@pytest.mark.parametrize("said", ["0", "-1", "101", "1.5", "'5'", "true", "[1]"])
def test_a_number_out_of_bounds_is_told(tmp_path: Path, said: str) -> None:
    faults: list[FileFault] = []
    assert shapes.number(node(tmp_path, f"n: {said}\n"), "n", 100, faults) == 0
    assert [fault.code for fault in faults] == ["K003"]


def test_words_are_told_once_and_only_those_that_are_known(tmp_path: Path) -> None:
    faults: list[FileFault] = []
    found = shapes.identifiers(node(tmp_path, "i: [name, nmae, name, 5]\n"), "i", faults)
    assert found == ("name",)
    assert [(fault.code, fault.remedy_en) for fault in faults] == [("K003", ""), ("K006", 'did you mean "name"?')]
