"""What do the tests try, and what is tried no longer, between two versions of policies?"""

from pathlib import Path

import pytest

from gateway.catalog import load
from gateway.cli.policy.trials import Untried, edited, untried
from gateway.review.diff import Side
from gateway.review.edits import Part
from tests.review.small import folder, made

READS = "- {name: reads, given: {role: clerk}, request: GET /households, expect: permit}\n"
STRANGER = "- {name: stranger, request: GET /households, expect: deny}\n"
CHANGED = "- {name: reads, given: {role: clerk, risk: 5}, request: GET /households, expect: permit}\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (READS + STRANGER, STRANGER + READS, []),
        (READS + STRANGER, READS, [("removed", "stranger")]),
        (READS, READS + READS, [("added", "reads (2)")]),
        (READS, CHANGED, [("changed", "reads")]),
        (READS, "[]\n", [("removed", "reads")]),
        (READS, "- {name: reads, request: GET /households}\n", [("removed", "reads"), ("added", "tests/10.yaml:2")]),
    ],
)
def test_what_became_of_a_test_is_told_by_its_name(
    tmp_path: Path, old: str, new: str, told: list[tuple[str, str]]
) -> None:
    found = edited(folder(tmp_path / "old", old), folder(tmp_path / "new", new))
    assert [(edit.form, edit.id) for edit in found] == told


def test_a_changed_test_is_told_in_its_words(tmp_path: Path) -> None:
    (edit,) = edited(folder(tmp_path / "old", READS), folder(tmp_path / "new", CHANGED))
    assert edit.parts == (Part("given", "role: clerk", "role: clerk, risk: 5"),)


def test_what_is_reached_no_more_is_told_and_nothing_else(tmp_path: Path) -> None:
    was, now = tmp_path / "old", tmp_path / "new"
    old, new = Side(*made(was, READS + STRANGER)), Side(*made(now, STRANGER))
    assert untried(old, new, was, now) == (
        Untried(route="GET /households", outcome="permit"),
        Untried(rule="clerk-reads"),
    )
    assert untried(new, old, now, was) == ()


def test_an_endpoint_that_went_needs_no_test(tmp_path: Path) -> None:
    was, now = tmp_path / "old", tmp_path / "new"
    old, (bundle, _) = Side(*made(was, READS)), made(now, STRANGER)
    file = now / "catalog" / "all.yaml"
    file.write_text(file.read_text().replace("      - GET /households\n", ""))
    lost = untried(old, Side(bundle, load(now / "catalog")), was, now)
    assert [one.route for one in lost if one.route] == []
