"""What does an operator hear of a decision, clause by clause?"""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import Raised
from gateway.cli import parser
from gateway.cli.policy.clauses import _graded, _say, tell
from gateway.cli.screen import Screen
from gateway.facts import ANONYMOUS, Grade, Reason
from gateway.review.flips import Flip, Search
from tests.literals import a_subject, an_asset, some_facts
from tests.review.small import made

parser("en")  # the texts of a command come with it

HELPS = Flip("permit", (), "on a managed device", "使用受管设备")
ENDS = Flip("deny", (), "from Friday", "自周五起")


def said(capsys: pytest.CaptureFixture[str], found: Search, lang: str = "en", **changes: Any) -> list[str]:
    _say(Screen(Namespace(lang=lang, output="text")), some_facts(**changes), found)
    return capsys.readouterr().out.splitlines()


def test_what_helps_and_what_ends_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Search((HELPS,))) == ["would be allowed:", "   on a managed device"]
    assert said(capsys, Search((HELPS,)), "zh-CN") == ["满足以下任一项即可允许：", "   使用受管设备"]
    assert said(capsys, Search((ENDS,), permitted=True)) == ["the permit would end:", "   from Friday"]
    assert said(capsys, Search((), permitted=True)) == []


def test_the_owner_is_named_only_where_rules_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Search(())) == [
        "no change of the caller's own would help: ask the owner of the data, prov/civil"
    ]
    assert said(capsys, Search(()), asset=an_asset(owner="")) == [
        "no change of the caller's own would help: only the owner of the data could, and the catalog names none"
    ]
    for changes in (
        {"subject": ANONYMOUS},
        {"subject": a_subject(rejection=Reason("token_expired"))},
        {"asset": an_asset(listed=False)},
    ):
        assert said(capsys, Search(()), **changes) == []


def test_a_search_that_ended_early_does_not_pass_for_a_whole_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Search((), complete=False)) == ["not everything was tried: there may be other ways"]


def test_what_raises_the_grade_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, raised, line in (
        ("en", Raised(Grade.GENERAL_2, "field", "$..id_number"), "grade  important, by field $..id_number; the asset itself is general-2"),
        ("en", Raised(Grade.GENERAL_2, "endpoint", "GET /a"), "grade  important, by endpoint GET /a; the asset itself is general-2"),
        ("zh-CN", Raised(Grade.GENERAL_2, "api", "a"), "级别  important，由接口 `a` 提高；资产本身为 general-2"),
    ):  # fmt: skip
        _graded(Screen(Namespace(lang=lang, output="text")), some_facts(), raised)
        assert capsys.readouterr().out == line + "\n"
    _graded(Screen(Namespace(lang="en", output="text")), some_facts(), None)
    assert capsys.readouterr().out == ""


def test_clauses_come_before_what_would_turn_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, catalog = made(tmp_path)
    facts = some_facts(asset=catalog.find("GET", "/households"), subject=a_subject(roles=()))
    told = tell(Screen(Namespace(lang="en", output="text")), bundle, catalog, facts)
    lines = capsys.readouterr().out.splitlines()
    assert (told.explanation.outcome, lines[0].split()[0]) == ("deny", "DENY")
    assert lines[-1].startswith("no change of the caller's own would help")
