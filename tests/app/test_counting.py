"""Is nothing counted while nobody asks, and everything of the day as soon as somebody does?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from gateway.app.counting import Counting, asks
from gateway.catalog.aggregation import Rule
from gateway.entries import Entry
from gateway.exposure import Exposures, Settings
from gateway.facts import Exposure
from gateway.journey import Revision
from gateway.policy import Policy, load
from tests.exposure.test_exposures import Record, ids
from tests.literals import NOW, a_subject, an_ask, an_asset
from tests.policy.native.pairs import ALLOW, SAME, model
from tests.policy.native.world import a_bundle
from tests.policy.world import ASSETS, CLERK_READS, write

BUDGET = "budgets: [{id: day, who: clerk, data: household, soft: {records: 3}, mask: pii-strict}]\n"
CONDITION = CLERK_READS + "- {id: many, effect: deny, who: clerk, when: exposure.records > 250}\n"


class Aggregation(Struct, frozen=True):
    """A catalog with an aggregation rule."""

    rules: tuple[Any, ...] = ()


class Journals(Struct):
    """A tail that has these slices of the day."""

    slices: list[list[Entry]]
    asked: list[float] = []
    unreadable: bool = False

    def since(self, at: float) -> Iterator[list[Entry]]:
        if self.unreadable:
            raise OSError(24, "Too many open files")
        self.asked.append(at)
        return iter(self.slices)


def revision(folder: Path, rules: str = CLERK_READS, budgets: str = "", per: str = "reply") -> Any:
    write(folder, rules)
    (folder / "budgets.yaml").write_text(budgets or "budgets: []\n", encoding="utf-8")
    rule = Rule("bulk", ("", ""), "population", (), 10, per, (), 1, None)  # type: ignore[arg-type]  # a span
    catalog, bundle = Aggregation((rule,)), load(folder, ASSETS)
    return Revision(catalog, Policy(bundle), None, asks(catalog, bundle))  # type: ignore[arg-type]  # as they are used


def counting(*slices: list[Entry]) -> tuple[Counting, Exposures, Journals]:
    exposures, journals = Exposures(Settings()), Journals(list(slices))
    return Counting(exposures, journals), exposures, journals  # type: ignore[arg-type]  # as the tail of the journals


def spent(exposures: Exposures, asked: Any) -> tuple[int, str]:
    ask, subject, asset = an_ask(at=NOW + 10), a_subject(), an_asset()
    found = exposures.spent(ask, subject, asset, asked.policy.bundle.budgets(ask, subject, asset), asked=asked.asks)
    return found.records, found.spent


def test_while_nothing_asks_nothing_is_counted(tmp_path: Path) -> None:
    plain = revision(tmp_path)
    count, exposures, journals = counting([])
    count.follow(plain, NOW)
    for entry in Record().answer(ids(1, 2)):
        count.learn(entry)
    count.read_back(10)
    assert (plain.asks, journals.asked, exposures.size(), spent(exposures, plain)) == (False, [], 0, (0, ""))


def test_a_budget_a_condition_and_a_rule_of_the_catalog_for_the_day_ask(tmp_path: Path) -> None:
    assert revision(tmp_path, budgets=BUDGET).asks
    assert revision(tmp_path, CONDITION).asks
    assert revision(tmp_path, per="day").asks


@pytest.mark.parametrize(
    ("name", "matcher", "counts"),
    [
        ("exposure.records", "r.n < 500", True),
        ("exposure", "r.n.records < 500", True),
        ("risk.score", "r.n < 500", False),
    ],
)
def test_a_request_of_a_casbin_policy_asks(tmp_path: Path, name: str, matcher: str, counts: bool) -> None:
    """Else the rows of a team would go by nobody's ever having been shown anything."""
    of_casbin = model("sub, obj, act, n", "sub, obj, act", ALLOW, f"{SAME} && {matcher}")
    bundle = a_bundle(tmp_path, of_casbin, request=f"request: {{n: {name}}}\n")
    assert asks(Aggregation(), bundle) is counts  # type: ignore[arg-type]  # a catalog, as it is used


def test_what_was_recorded_before_the_start_is_counted_too_and_doubted_until_then(tmp_path: Path) -> None:
    """A worker that is killed gives nobody his budget back."""
    record, later = Record("w1"), Record("w2")
    day = [*record.answer(ids(1)), *record.answer(ids(2))]
    asked = revision(tmp_path, budgets=BUDGET)
    count, exposures, journals = counting(day[:1], day[1:])
    count.follow(asked, NOW)
    assert journals.asked == [exposures.opens(NOW) - 3600]
    assert spent(exposures, asked) == (0, "soft")
    count.read_back()
    assert spent(exposures, asked) == (0, "soft")
    count.read_back(2)
    assert spent(exposures, asked) == (2, "")
    for entry in later.answer(ids(3)):
        count.learn(entry)
    assert spent(exposures, asked) == (3, "soft")


def test_the_first_budget_that_a_reload_brings_finds_the_day_counted(tmp_path: Path) -> None:
    count, exposures, _ = counting(list(Record().answer(ids(1, 2, 3))))
    count.follow(revision(tmp_path), NOW)
    asked = revision(tmp_path, budgets=BUDGET)
    count.follow(asked, NOW)
    count.read_back(2)
    assert spent(exposures, asked) == (3, "soft")


def test_the_day_is_read_once(tmp_path: Path) -> None:
    count, _, journals = counting([])
    for text in (BUDGET, BUDGET.replace("3", "4"), BUDGET):
        count.follow(revision(tmp_path, budgets=text), NOW)
    assert len(journals.asked) == 1


def test_a_rule_for_the_day_that_only_the_catalog_brings_begins_the_counting(tmp_path: Path) -> None:
    count, _, journals = counting([])
    count.follow(revision(tmp_path), NOW)
    count.follow(revision(tmp_path, per="day"), NOW)
    assert len(journals.asked) == 1


def test_until_the_day_is_read_nobody_says_that_nothing_was_shown(tmp_path: Path) -> None:
    """Whoever was shown most must not begin anew with each restart, nor with the reload that brings the condition."""
    plain, asked = revision(tmp_path), revision(tmp_path, CONDITION)
    count, exposures, _ = counting(list(Record().answer(ids(1))))
    count.follow(plain, NOW)
    ask, subject, asset = an_ask(at=NOW + 10), a_subject(), an_asset()
    assert not exposures.spent(ask, subject, asset, asked=plain.asks).unread
    assert exposures.spent(ask, subject, asset, asked=asked.asks).unread  # the first request, before anybody followed
    count.follow(asked, NOW)
    assert exposures.spent(ask, subject, asset, asked=asked.asks).unread
    count.read_back(2)
    assert exposures.spent(ask, subject, asset, asked=asked.asks) == Exposure(1, 1, ("population",))


def test_journals_that_cannot_be_read_now_are_read_later(tmp_path: Path) -> None:
    """A flood that takes all descriptors neither ends the worker nor makes a day on which nothing was shown."""
    asked = revision(tmp_path, budgets=BUDGET)
    count, exposures, journals = counting(list(Record().answer(ids(1, 2, 3))))
    journals.unreadable = True
    count.follow(asked, NOW)
    count.read_back()
    assert spent(exposures, asked) == (0, "soft")
    journals.unreadable = False
    count.follow(asked, NOW)
    count.read_back(2)
    assert spent(exposures, asked) == (3, "soft")


def test_as_much_of_the_day_is_read_at_once_as_there_is_time_for(tmp_path: Path) -> None:
    slices = [list(Record(f"w{number}").answer(ids(number))) for number in range(5)]
    asked = revision(tmp_path, budgets=BUDGET.replace("3", "9"))
    count, exposures, _ = counting(*slices)
    count.follow(asked, NOW)
    count.read_for(0.0)
    assert spent(exposures, asked) == (1, "soft")  # a slice at least
    count.read_for(60.0)
    assert spent(exposures, asked) == (5, "")
    count.read_for(60.0)  # nothing more to read
