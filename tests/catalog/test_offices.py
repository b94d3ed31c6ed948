"""Which offices stand above one: also in files that are wrong, which another room tells."""

from pathlib import Path

import pytest

from gateway.catalog.offices import ZONE, read_offices


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "people.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "people.yaml"


def test_the_way_up_ends_at_the_root(tmp_path: Path) -> None:
    offices = read_offices(written(tmp_path, "orgs: {prov: {}, hz: {parent: prov}, hz/civil: {parent: hz}}\n"))
    assert tuple(offices.upwards("hz/civil")) == ("hz/civil", "hz", "prov")
    assert tuple(offices.upwards("")) == ()
    assert tuple(offices.upwards("stranger")) == ("stranger",)


def test_an_office_has_a_title_in_one_language_or_two(tmp_path: Path) -> None:
    text = "orgs: {a: {title: 甲局}, b: {title: {zh: 乙局, en: B}}, c: {title: {en: C}}, d: {title: [1]}, e: 5}\n"
    assert read_offices(written(tmp_path, text)).titles == {"a": "甲局", "b": "乙局"}


def test_a_circle_ends_as_well(tmp_path: Path) -> None:
    offices = read_offices(written(tmp_path, "orgs: {a: {parent: b}, b: {parent: a}}\n"))
    assert tuple(offices.upwards("a")) == ("a", "b")


def test_days_are_those_of_the_policies(tmp_path: Path) -> None:
    assert str(read_offices(written(tmp_path, "timezone: Europe/Berlin\n")).zone) == "Europe/Berlin"


@pytest.mark.parametrize(
    "text", ["timezone: Nowhere/At-all\n", "timezone: ../etc/passwd\n", "timezone: 5\n", "- x\n", "{\n", ""]
)
def test_what_cannot_be_read_leaves_out(tmp_path: Path, text: str) -> None:
    offices = read_offices(written(tmp_path, text))
    assert (offices.zone, dict(offices.parents)) == (ZONE, {})


def test_without_a_file_no_office_stands_above_another(tmp_path: Path) -> None:
    assert tuple(read_offices(tmp_path / "people.yaml").upwards("a/b")) == ("a/b",)
