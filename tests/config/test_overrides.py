"""How does `GATEWAY__AUDIT__KEEP=5y` change the file?"""

import pytest

from gateway.config.overrides import apply
from gateway.document import parse

FILE = "audit: {keep: 3y}\nhosts: [a.gov]\napis:\n  - name: one\n  - name: two\n"


def changed(**environ: str) -> object:
    root = parse(FILE, "gateway.yaml")
    assert list(apply(root, environ)) == []
    return root.plain()


def test_a_variable_replaces_one_value() -> None:
    assert changed(GATEWAY__AUDIT__KEEP="5y")["audit"] == {"keep": "5y"}  # type: ignore[index]  # a mapping


def test_a_variable_adds_sections_and_lists_and_truth_values() -> None:
    plain = changed(
        GATEWAY__CONTROL__LISTEN="127.0.0.1:1", GATEWAY__HOSTS="[b.gov, c.gov]", GATEWAY__APIS__1__OPAQUE="true"
    )
    assert plain == {
        "audit": {"keep": "3y"},
        "hosts": ["b.gov", "c.gov"],
        "control": {"listen": "127.0.0.1:1"},
        "apis": [{"name": "one"}, {"name": "two", "opaque": True}],
    }


def test_other_variables_are_left_alone() -> None:
    assert changed(GATEWAY_AUDIT__KEEP="5y", PATH="/bin") == parse(FILE, "x").plain()


@pytest.mark.parametrize("name", ["GATEWAY__APIS__2__NAME", "GATEWAY__APIS__X", "GATEWAY__AUDIT__KEEP__LONGER", "GATEWAY__", "GATEWAY__A____B"])  # fmt: skip
def test_a_variable_that_names_no_place_is_a_fault_at_the_variable(name: str) -> None:
    faults = list(apply(parse(FILE, "gateway.yaml"), {name: "x"}))
    assert [(fault.file, fault.code) for fault in faults] == [(name, "C010")]


def test_a_value_that_is_not_yaml_is_a_fault_that_does_not_repeat_it() -> None:
    faults = list(apply(parse(FILE, "gateway.yaml"), {"GATEWAY__TLS__KEY": "[hunter2"}))
    assert [fault.code for fault in faults] == ["C011"]
    assert "hunter2" not in faults[0].en


def test_variables_build_a_file_on_an_empty_one() -> None:
    root = parse("", "gateway.yaml")
    assert list(apply(root, {"GATEWAY__VERSION": "1"})) == []
    assert root.plain() == {"version": 1}
