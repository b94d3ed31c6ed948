"""A slip in a path, which would hide nothing and change no decision.

| who | writes | held by |
|---|---|---|
| careless author | a mask, a crowd or a filter for a field that no answer has | `test_a_path_that_meets_no_label` |
| careful author | another spelling of what is labelled, a part of it, or what it is in | `test_what_names_a_label_in_any_way_is_fine` |
"""

from pathlib import Path

import pytest

from gateway.review.unmet import Unmet, unmet
from tests.policy.world import MASKS
from tests.review.lint_world import ALLOW, CATALOG, policies

FIELDS = (
    '    fields: [{path: "$.items[*].remark"}, {path: $..gender}, {path: "$.items[*].district"}, {path: $..address}]\n'
)
LABELLED = CATALOG.replace("  - id: market", f"{FIELDS}  - id: market")


def found(folder: Path, keys: str = "", rows: str = "", catalog: str = LABELLED) -> list[Unmet]:
    masks = MASKS.replace('"*": redact}', f'{keys}"*": redact}}')
    rules = ALLOW.replace("level: any", f"level: any, then: {{rows: {{{rows}}}}}") if rows else ALLOW
    return list(unmet(*policies(folder, rules, catalog, masks)))


@pytest.mark.parametrize(
    ("keys", "rows", "said"),
    [
        ("$..remrk: drop, ", "", ("profile", "pii-strict", "$..remrk", ("$.items[*].remark",))),
        ("$.data.remark: drop, ", "", ("profile", "pii-strict", "$.data.remark", ("$.items[*].remark",))),
        ("$.nothing.there: keep, ", "", ("profile", "pii-strict", "$.nothing.there", ())),
        ("suppress: {k: 3, by: [$..gendre]}, ", "", ("suppress", "pii-strict", "$..gendre", ("$..gender",))),
        ("", "$.distrct: x", ("rows", "reads", "$.distrct", ("$.district",))),
        ("", "$.gendre: x", ("rows", "reads", "$.gendre", ("$.gender",))),
        ("", "$.items.remrk: x", ("rows", "reads", "$.items.remrk", ("$.remark",))),
    ],
)
def test_a_path_that_meets_no_label(
    tmp_path: Path, keys: str, rows: str, said: tuple[str, str, str, tuple[str, ...]]
) -> None:
    (one,) = found(tmp_path, keys, rows)
    assert (one.kind, one.of, one.path, one.near) == said
    assert all(one.remedy)


@pytest.mark.parametrize(
    ("keys", "rows"),
    [
        ("$..remark: drop, ", ""),
        ("$.items: drop, ", ""),
        ("$.items.remark: drop, ", ""),
        ('"$.items[*].address.city": drop, ', ""),
        ("suppress: {k: 3, by: [$..gender, birth-date]}, ", ""),
        ("", "$.district: x"),
        ("", "$.address.city: x"),
        ("", "$.person.gender: x"),
    ],
)
def test_what_names_a_label_in_any_way_is_fine(tmp_path: Path, keys: str, rows: str) -> None:
    assert found(tmp_path, keys, rows) == []


def test_where_nothing_is_labelled_nothing_is_said(tmp_path: Path) -> None:
    assert found(tmp_path, "$..remrk: drop, ", "$.distrct: x", CATALOG) == []


def test_a_filter_is_held_against_the_data_of_its_rule(tmp_path: Path) -> None:
    other = LABELLED.replace("[GET /market]", "[GET /market]\n    fields: [{path: $..stall}]")
    (one,) = found(tmp_path, rows="$.stall: x", catalog=other)
    assert (one.of, one.path) == ("reads", "$.stall")
