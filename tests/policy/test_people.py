"""Is the tree of roles and offices a tree?"""

from pathlib import Path

import pytest

from gateway.document import FileFault, parse
from gateway.policy.people import MAX_DEPTH, read_people
from tests.policy.world import codes

KNOWN = "prov: {}\n"


def read(text: str) -> tuple[object, list[FileFault]]:
    faults: list[FileFault] = []
    return read_people(parse(text, "people.yaml"), faults), faults


def people_codes(text: str) -> list[str]:
    return [fault.code for fault in read(text)[1]]


def test_roles_offices_and_zone_are_read() -> None:
    people, faults = read("timezone: UTC\nroles: {a: {includes: [b]}, b: {}}\norgs: {p: {}, p/c: {parent: p}}\n")
    assert faults == []
    assert (people.roles, people.orgs, people.timezone) == ({"a": ("b",), "b": ()}, {"p": "", "p/c": "p"}, "UTC")  # type: ignore[attr-defined]  # People


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("roles: {a: {includes: [b]}, b: {includes: [c]}, c: {includes: [a]}}", "P040"),
        ("roles: {a: {includes: [a]}}", "P040"),
        ("orgs: {a: {parent: b}, b: {parent: a}}", "P041"),
        ("roles: {a: {includes: [clrek]}, clerk: {}}", "P042"),
        ("orgs: {p: {parent: q}}", "P042"),
        ("roles: {signed-in: {}}", "P043"),
        ("roles: {person: {}}", "P043"),
        ("timezone: Asia/Hangzhou", "P045"),
        ("roles: {'user:root': {}}", "P007"),
        ("roles: {'*': {}}", "P007"),
        ("orgs: {Prov: {}}", "P007"),
        ("orgs: {'prov//civil': {}}", "P007"),
        ("role: {}", "P001"),
        ("roles: {a: {include: [b]}}", "P001"),
        ("roles: [a, b]", "P004"),
        ("roles: {a: {includes: 7}}", "P004"),
    ],
)
def test_what_is_wrong_gets_a_code(text: str, code: str) -> None:
    assert code in people_codes(text)


def test_an_office_tree_of_twenty_levels_is_fine_and_one_of_a_hundred_is_refused() -> None:
    def tree(depth: int) -> str:
        return "orgs:\n  o0: {}\n" + "".join(f"  o{i}: {{parent: o{i - 1}}}\n" for i in range(1, depth))

    assert people_codes(tree(20)) == []
    assert "P044" in people_codes(tree(MAX_DEPTH + 40))


def test_a_diamond_is_no_circle_even_when_it_is_wide() -> None:
    layers = [
        f"  l{i}a: {{includes: [l{i + 1}a, l{i + 1}b]}}\n  l{i}b: {{includes: [l{i + 1}a, l{i + 1}b]}}\n"
        for i in range(30)
    ]
    assert people_codes("roles:\n" + "".join(layers) + "  l30a: {}\n  l30b: {}\n") == []


def test_below_follows_parents_and_ends_in_a_circle() -> None:
    people, _ = read("orgs: {p: {}, c: {parent: p}, d: {parent: c}}")
    assert people.below("d", "p") and people.below("p", "p") and not people.below("p", "d")  # type: ignore[attr-defined]  # People
    circle, _ = read("orgs: {a: {parent: b}, b: {parent: a}}")
    assert not circle.below("a", "elsewhere")  # type: ignore[attr-defined]  # People


def test_a_missing_file_is_a_fault_not_an_empty_province(tmp_path: Path) -> None:
    assert "Y010" in codes(tmp_path, people="roles: {a: [")
