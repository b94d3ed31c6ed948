"""What is asked for by whoever wants to know what a token stands for?"""

from pathlib import Path

import pytest

from gateway.catalog.reveals import METHOD, PREFIX, parted, revealing, spelled
from gateway.facts import Field, Grade
from tests.catalog.ledgers import HOUSEHOLD, catalog
from tests.literals import an_asset

ID = Field("$..id_number", "resident-id", Grade.IMPORTANT)


def test_it_is_the_asset_with_this_one_field_and_the_action_reveal() -> None:
    asked = revealing([an_asset(fields=(ID, Field("$..name", "name", Grade.GENERAL_3)))], "$..id_number")
    assert asked is not None
    assert (asked.id, asked.action, asked.fields) == ("household", "reveal", (ID,))
    assert asked.route == f"{METHOD} {PREFIX}/household/$..id_number"


def test_the_highest_grade_anywhere_counts_but_for_decoys() -> None:
    served = [
        an_asset(grade=Grade.GENERAL_2, fields=(ID,)),
        an_asset(grade=Grade.IMPORTANT, fields=(ID,)),
        an_asset(grade=Grade.CORE, fields=(ID,), honey=True),
    ]
    asked = revealing(served, "$..id_number")
    assert asked is not None
    assert asked.grade is Grade.IMPORTANT
    raised = revealing([*served, an_asset(fields=(Field("$.id_number", "resident-id", Grade.CORE),))], "$..id_number")
    assert raised is not None
    assert raised.grade is Grade.CORE


def test_what_may_only_be_observed_elsewhere_is_enforced_here() -> None:
    asked = revealing([an_asset(mode="observe", opaque=True, contract="learn", fields=(ID,))], "$..id_number")
    assert asked is not None
    assert (asked.mode, asked.opaque, asked.contract) == ("enforce", False, "enforce")


def test_a_label_that_moved_is_the_same_field_and_one_that_is_gone_is_not() -> None:
    moved = [an_asset(fields=(Field("$.items[*].id_number", "resident-id", Grade.CORE),), key="$.items[*].id_number")]
    asked = revealing(moved, "$..id_number")
    assert asked is not None
    assert asked.fields[0].grade is Grade.CORE
    assert asked.key == "$.items[*].id_number"
    assert revealing(moved, "$..phone") is None
    assert revealing(moved, "") is None
    assert revealing(moved, "no path") is None
    assert revealing([], "$..id_number") is None


@pytest.mark.parametrize("path", ["/civil/households", PREFIX, "/.gateway/revealed/x/$.a"])
def test_another_path_names_no_token(path: str) -> None:
    assert parted(path) is None


def test_a_path_for_tests_and_explanations_names_asset_and_label() -> None:
    assert parted(spelled("household", "$..id_number")) == ("household", "$..id_number")
    assert parted(f"{PREFIX}/household") == ("household", "")


def test_tests_and_explanations_find_it_by_its_path(tmp_path: Path) -> None:
    known = catalog(tmp_path, HOUSEHOLD)
    label = known.assets[0].fields[0].path
    found = known.find(METHOD, spelled("household", label))
    assert (found.listed, found.action, found.id, found.mode) == (True, "reveal", "household", "enforce")
    assert found.fields[0].path == label
    for path in (spelled("household", "$.gone"), spelled("nothing", label), f"{PREFIX}/"):
        assert not known.find(METHOD, path).listed
    opened = known.revealing("household", label, 0.0, "t1.x")
    assert opened.parameters == (("token", "t1.x"),)
    assert known.revealing("", "", 0.0, "x").listed is False
