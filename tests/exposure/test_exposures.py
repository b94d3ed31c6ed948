"""Is what somebody was shown counted once, to them, for the day; and can nobody wash it away or spend another's?"""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import json

from gateway.audit import Digests
from gateway.audit.entry import verdict_entry
from gateway.entries import Brief, OutcomeEntry, VerdictEntry
from gateway.exposure import Exposures, Settings
from gateway.facts import (
    NOTHING_EXPOSED,
    Budget,
    Exposure,
    Limit,
    Permit,
    Reason,
    Reply,
    Revealed,
    Subject,
    Warrant,
)
from tests.literals import NO_MASK, NOW, a_subject, a_warrant, an_ask, an_asset, some_facts

SHANGHAI_MIDNIGHT = 1_790_006_400.0  # 2026-09-22T00:00+08:00
DIGESTS = Digests(b"k" * 32)
BY_CLERK = Budget("day", ("clerk",), "", ("household",), "", "subject", Limit(3), Limit(5, 40), "pii-strict")


def ids(*numbers: int) -> bytes:
    """Digests of eight bytes."""
    return b"".join(number.to_bytes(8, "little") for number in numbers)


class Record:
    """What two workers write: verdicts and how they end."""

    def __init__(self, journal: str = "w1") -> None:
        self.journal, self.seq = journal, 0

    def permit(self, at: float = NOW, purpose: str = "", asset: Any = None, **subject: Any) -> VerdictEntry:
        facts = some_facts(ask=an_ask(at=at, purpose=purpose), subject=a_subject(**subject), asset=asset or an_asset())
        self.seq += 1
        return verdict_entry(self.journal, self.seq, facts, Permit((Reason("rule_allowed"),), "b", NO_MASK), DIGESTS)

    def outcome(self, verdict: VerdictEntry, seen: bytes = b"", **changes: Any) -> OutcomeEntry:
        self.seq += 1
        values: dict[str, Any] = {
            "v": 1, "journal": self.journal, "seq": self.seq, "at": verdict.at + 0.1,
            "verdict": f"{verdict.journal}.{verdict.seq}", "status": 200, "sent": 10, "received": 0, "complete": True,
            "waited": 0.0, "took": 0.1, "records": max(1, len(seen) // 8), "seen": seen, "clear": len(seen) // 8,
        }  # fmt: skip
        return OutcomeEntry(**(values | changes))

    def answer(self, seen: bytes = b"", at: float = NOW, **changes: Any) -> tuple[VerdictEntry, OutcomeEntry]:
        known = ("status", "records", "clear", "unlisted", "complete", "masked")
        ended = {name: changes.pop(name) for name in known if name in changes}
        verdict = self.permit(at, **changes)
        return verdict, self.outcome(verdict, seen, **ended)


def heard(*entries: Any, **settings: Any) -> Exposures:
    exposures = Exposures(Settings(**settings))
    exposures.settled()
    for entry in entries:
        exposures.learn(entry)
    return exposures


def spent(
    exposures: Exposures, *budgets: Budget, at: float = NOW + 10, asset: Any = None, asked: bool = True, **who: Any
) -> Exposure:
    return exposures.spent(an_ask(at=at), a_subject(**who), asset or an_asset(), budgets, asked=asked)


def test_nobody_was_shown_anything_at_first() -> None:
    assert spent(heard()) is NOTHING_EXPOSED
    assert spent(heard(), BY_CLERK) == NOTHING_EXPOSED


def test_a_record_that_is_shown_twice_is_one_and_its_fields_are_shown_twice() -> None:
    record = Record()
    exposures = heard(*record.answer(ids(1, 2)), *record.answer(ids(2, 3)))
    assert spent(exposures) == Exposure(3, 4, ("population",))


def test_what_is_shown_to_one_is_not_counted_to_another() -> None:
    exposures = heard(*Record().answer(ids(1, 2, 3)))
    assert spent(exposures, BY_CLERK).spent == "soft"
    assert spent(exposures, BY_CLERK, id="li.na") == NOTHING_EXPOSED


def test_masked_records_count_and_their_fields_do_not() -> None:
    """Who is masked since a soft limit is spent comes to the hard one all the same."""
    exposures = heard(*Record().answer(ids(1, 2, 3, 4, 5, 6), clear=0))
    assert spent(exposures, BY_CLERK) == Exposure(6, 0, ("population",), ("day",), "hard")


def test_records_without_a_digest_count_masked_too_and_an_answer_without_any_labelled_value_does_not() -> None:
    record = Record()
    masked = record.answer(records=3, clear=0, masked=(("$..name", 3),))
    others = (*record.answer(records=3, clear=0), *record.answer(records=3, clear=0, masked=(("unlabelled", 3),)))
    assert spent(heard(*masked, *others)).records == 3


@pytest.mark.parametrize(("shown", "state"), [(2, ""), (3, "soft"), (4, "soft"), (5, "hard"), (6, "hard")])
def test_a_budget_is_spent_once_so_many_were_shown(shown: int, state: str) -> None:
    found = spent(heard(*Record().answer(ids(*range(shown)))), BY_CLERK)
    assert (found.spent, found.budgets) == (state, ("day",) if state else ())


def test_fields_spend_a_budget_as_well() -> None:
    assert spent(heard(*Record().answer(ids(1), clear=40)), BY_CLERK).spent == "hard"


def test_the_hard_budgets_are_told_where_there_are_any() -> None:
    softer = Budget("soft", ("clerk",), "", ("population",), "", "subject", Limit(1), Limit(), "pii-strict")
    exposures = heard(*Record().answer(ids(1, 2, 3, 4, 5)))
    assert spent(exposures, softer, BY_CLERK).budgets == ("day",)
    assert spent(exposures, softer).budgets == ("soft",)


def test_a_department_is_counted_as_a_whole() -> None:
    record = Record()
    together = Budget("dept", ("clerk",), "", ("population",), "", "department", Limit(2), Limit(), "pii-strict")
    exposures = heard(*record.answer(ids(1), id="a"), *record.answer(ids(2), id="b"))
    assert spent(exposures, together, id="c").spent == "soft"
    assert spent(exposures, together, id="c", org="hz/civil").spent == ""


def test_a_category_counts_all_its_assets_and_another_asset_counts_for_nothing() -> None:
    record = Record()
    whole = Budget("all", ("clerk",), "", ("population",), "", "subject", Limit(3), Limit(), "pii-strict")
    exposures = heard(
        *record.answer(ids(1, 2)), *record.answer(ids(1), asset=an_asset(id="marriage")),
        *record.answer(ids(*range(9)), asset=an_asset(id="visit", category="health")),
    )  # fmt: skip
    assert spent(exposures, whole).spent == "soft"
    assert spent(exposures, BY_CLERK).spent == ""
    assert spent(exposures).categories == ("health", "population")


# --- purposes ---------------------------------------------------------------------------------


FOR_AID = Budget("aid", ("clerk",), "", ("household",), "aid", "subject", Limit(2), Limit(), "pii-strict")


def test_a_purpose_that_a_budget_names_is_counted_apart() -> None:
    record = Record()
    purposes = frozenset(("aid",))
    exposures = heard(
        *record.answer(ids(1, 2, 3), purpose="census"), *record.answer(ids(4), purpose="aid"), purposes=purposes
    )
    assert spent(exposures, FOR_AID).spent == ""
    exposures.learn((more := record.answer(ids(5), purpose="aid"))[0])
    exposures.learn(more[1])
    assert spent(exposures, FOR_AID).spent == "soft"


def test_a_caller_that_invents_purposes_is_counted_all_the_same_and_fills_nothing() -> None:
    record = Record()
    entries = [entry for number in range(2000) for entry in record.answer(ids(number), purpose=f"p{number}")]
    exposures = heard(*entries, purposes=frozenset(("aid",)))
    assert spent(exposures, BY_CLERK).spent == "hard"
    assert exposures.size() == 2


def test_what_was_shown_before_a_budget_named_the_purpose_counts_for_it() -> None:
    exposures = heard(*Record().answer(ids(1, 2), purpose="census"))
    exposures.follow("Asia/Shanghai", frozenset(("aid",)))
    assert spent(exposures, FOR_AID).spent == "soft"


# --- the day ------------------------------------------------------------------------------------


def test_the_day_ends_at_midnight_of_the_policies_time_zone() -> None:
    exposures = heard(*Record().answer(ids(1, 2, 3), at=SHANGHAI_MIDNIGHT - 60))
    assert spent(exposures, BY_CLERK, at=SHANGHAI_MIDNIGHT - 1).spent == "soft"
    assert spent(exposures, BY_CLERK, at=SHANGHAI_MIDNIGHT) is NOTHING_EXPOSED


def test_an_answer_of_yesterday_that_is_heard_of_late_counts_for_nothing_today() -> None:
    record = Record()
    exposures = heard(
        *record.answer(ids(1), at=SHANGHAI_MIDNIGHT + 60), *record.answer(ids(*range(9)), at=SHANGHAI_MIDNIGHT - 60)
    )
    assert spent(exposures, at=SHANGHAI_MIDNIGHT + 90).records == 1


def test_another_time_zone_ends_the_day_at_its_own_midnight() -> None:
    exposures = heard(*Record().answer(ids(1, 2, 3), at=SHANGHAI_MIDNIGHT - 60))
    exposures.follow("Europe/Berlin", frozenset())
    assert spent(exposures, BY_CLERK, at=SHANGHAI_MIDNIGHT + 60).spent == "soft"
    assert spent(exposures, BY_CLERK, at=SHANGHAI_MIDNIGHT + 6 * 3600 + 1) is NOTHING_EXPOSED


def test_midnight_is_that_of_the_zone() -> None:
    assert heard().opens(SHANGHAI_MIDNIGHT + 3600) == SHANGHAI_MIDNIGHT
    assert heard().opens(SHANGHAI_MIDNIGHT - 1) == SHANGHAI_MIDNIGHT - 86_400


def test_a_clock_that_was_ahead_for_a_moment_makes_nothing_free() -> None:
    record, tomorrow = Record(), NOW + 86_400
    exposures = heard(*record.answer(ids(1)), *record.answer(ids(2), at=tomorrow), *record.answer(ids(3, 4)))
    assert spent(exposures).records == 4


def test_a_clock_that_was_a_year_ahead_does_not_stop_the_days() -> None:
    record, year = Record(), 365 * 86_400
    exposures = heard()
    exposures.opens(NOW)
    for entry in (*record.answer(ids(1), at=NOW + year), *record.answer(ids(2, 3))):
        exposures.learn(entry)
    assert spent(exposures).records == 3
    for entry in record.answer(ids(4), at=NOW + 86_400):
        exposures.learn(entry)
    assert spent(exposures, at=NOW + 86_400 + 10).records == 1


def test_a_clock_that_was_behind_for_a_moment_makes_nothing_free() -> None:
    record = Record()
    exposures = heard()
    exposures.opens(NOW - 86_400)
    for entry in (*record.answer(ids(1, 2)), *record.answer(ids(3), at=NOW - 86_400), *record.answer(ids(4))):
        exposures.learn(entry)
    assert spent(exposures).records == 4


def test_an_entry_from_the_future_that_is_read_back_begins_no_day() -> None:
    record = Record()
    exposures = Exposures(Settings())
    exposures.opens(NOW)
    for entry in (*record.answer(ids(1)), *record.answer(ids(2), at=NOW + 86_400), *record.answer(ids(3))):
        exposures.learn(entry)
    exposures.settled()
    assert spent(exposures).records == 3


def test_an_answer_that_began_before_midnight_counts_where_it_ended_also_after_a_start() -> None:
    record = Record()
    verdict = record.permit(at=SHANGHAI_MIDNIGHT - 5)
    outcome = record.outcome(verdict, ids(1, 2), at=SHANGHAI_MIDNIGHT + 5)
    exposures = Exposures(Settings())
    exposures.opens(SHANGHAI_MIDNIGHT + 60)
    for entry in (*record.answer(ids(3), at=SHANGHAI_MIDNIGHT - 60), verdict, outcome):
        exposures.learn(entry)
    exposures.settled()
    assert spent(exposures, at=SHANGHAI_MIDNIGHT + 60).records == 2


# --- under way ------------------------------------------------------------------------------------


def a_stream(of: str = "w.1", **shown: Any) -> tuple[Warrant, Reply]:
    warrant = a_warrant(id=of, facts=some_facts(subject=a_subject(), asset=an_asset()))
    return warrant, Reply(200, (), iter_nothing(), None, revealing=lambda: Revealed(**shown))


async def iter_nothing() -> AsyncIterator[bytes]:
    yield b""


def test_an_open_answer_shows_nothing_new_of_what_was_shown_before() -> None:
    """Somebody who asks for the same page again must not be cut off in the middle of it."""
    exposures = heard(*Record().answer(ids(1, 2)))
    for number in (1, 2):
        exposures.begin(*a_stream(f"w.{number}", records=2, clear=2, seen=ids(1, 2)))
    assert (spent(exposures).records, spent(exposures, BY_CLERK).spent) == (2, "")


def test_of_many_open_answers_each_counts() -> None:
    exposures = heard()
    for number in range(10):
        exposures.begin(*a_stream(f"w.{number}", records=2, clear=2, seen=ids(1, 2)))
    found = spent(exposures)
    assert (found.records, found.fields) == (2 + 2 * 2, 20)


def test_the_category_of_an_open_answer_is_known_for_others() -> None:
    exposures = heard()
    warrant, reply = a_stream(records=1)
    exposures.begin(warrant, reply)
    other = an_asset(id="visit", category="health")
    assert spent(exposures, asset=other).categories == ("population",)
    exposures.end(warrant)
    assert spent(exposures, asset=other).categories == ()


def test_an_open_answer_counts_as_far_as_it_came_until_it_is_on_record() -> None:
    exposures = heard()
    warrant, reply = a_stream(records=3, clear=3, seen=ids(1, 2, 3))
    exposures.begin(warrant, reply)
    assert (spent(exposures, BY_CLERK).spent, spent(exposures).records, spent(exposures).fields) == ("soft", 3, 3)
    assert spent(exposures, BY_CLERK, id="somebody-else").spent == ""
    exposures.end(warrant)
    assert spent(exposures, BY_CLERK) is NOTHING_EXPOSED


# --- one path -------------------------------------------------------------------------------------


def test_the_same_entries_in_any_order_give_the_same_counts() -> None:
    records = [Record("w1"), Record("w2")]
    entries = [entry for number in range(60) for entry in records[number % 2].answer(ids(number, number // 2))]
    expected = spent(heard(*entries), BY_CLERK)
    for seed in range(20):
        random.Random(seed).shuffle(entries)
        assert spent(heard(*entries), BY_CLERK) == expected


def test_an_outcome_counts_once() -> None:
    verdict, outcome = Record().answer(ids(1), clear=7)
    assert spent(heard(verdict, outcome, outcome)).fields == 7


def test_an_answer_that_broke_off_was_shown_as_far_as_it_came() -> None:
    assert spent(heard(*Record().answer(ids(1), complete=False))).records == 1


def test_an_answer_of_an_unknown_request_counts_to_nobody() -> None:
    record = Record()
    assert spent(heard(record.outcome(record.permit(), ids(1)))) is NOTHING_EXPOSED


# --- abuse ------------------------------------------------------------------------------------------


def test_records_without_a_digest_count_each_time() -> None:
    """A service that leaves its keys out does not show its records for nothing."""
    record = Record()
    exposures = heard(*record.answer(records=3, clear=3), *record.answer(records=3, clear=3))
    assert spent(exposures).records == 6


def test_what_is_unlisted_counts_as_well() -> None:
    assert spent(heard(*Record().answer(ids(1, 2), unlisted=500))).records == 502


def test_a_refusal_of_the_service_shows_no_record_unless_it_names_one() -> None:
    record = Record()
    assert spent(heard(*record.answer(status=404, clear=3))).records == 0
    assert spent(heard(*record.answer(ids(1), status=404))).records == 1


def test_a_service_that_makes_up_ids_spends_the_budget_of_who_asked_it_for_its_own_data_only() -> None:
    exposures = heard(
        *Record().answer(ids(*range(2000)), asset=an_asset(id="market", category="open-data"), id="victim")
    )
    assert spent(exposures, BY_CLERK, id="victim").spent == ""
    assert spent(exposures, BY_CLERK).spent == ""


def test_many_subjects_wash_no_budget_away() -> None:
    """Somebody with a thousand accounts at the issuer cannot push out what a colleague, or he, was shown."""
    record = Record()
    first = record.answer(ids(1, 2, 3, 4, 5), id="insider")
    noise = [entry for number in range(1000) for entry in record.answer(ids(number), id=f"puppet-{number}")]
    exposures = heard(*first, *noise, people=50)
    assert spent(exposures, BY_CLERK, id="insider").spent == "hard"
    assert spent(exposures, BY_CLERK, id="puppet-10").spent == ""
    assert spent(exposures, BY_CLERK, id="puppet-999").spent == "hard"  # without room of their own: counted together
    assert exposures.size() == 51


def test_many_assets_hide_none_of_them() -> None:
    record = Record()
    noise = [
        entry
        for number in range(300)
        for entry in record.answer(ids(number), asset=an_asset(id=f"a{number}", category="x"))
    ]
    exposures = heard(*noise, *record.answer(ids(1, 2, 3)))
    assert spent(exposures, BY_CLERK).spent == "hard"


def test_assets_of_all_together_have_a_bound_too() -> None:
    record = Record()
    entries = [entry for number in range(30) for entry in record.answer(ids(1, 2, 3, 4, 5), id=f"s{number}")]
    exposures = heard(*entries, assets=4)
    assert {spent(exposures, BY_CLERK, id=f"s{number}").spent for number in range(30)} == {"hard"}


def test_an_anonymous_caller_does_not_escape() -> None:
    record = Record()
    nobody = {"id": "", "kind": "anonymous", "org": "", "roles": ()}
    exposures = heard(*record.answer(ids(1, 2, 3), **nobody))
    found = exposures.spent(an_ask(at=NOW + 1), Subject("", "anonymous"), an_asset(), (BY_CLERK,), asked=True)
    assert found.spent == "soft"


def test_half_a_digest_out_of_a_damaged_entry_is_left_out() -> None:
    assert spent(heard(*Record().answer(ids(1) + b"abc"))).records == 1


# --- after a start ----------------------------------------------------------------------------------


def test_until_the_day_is_read_every_budget_is_doubted() -> None:
    exposures = Exposures(Settings())
    bare = Budget("bare", ("clerk",), "", ("household",), "", "subject", Limit(), Limit(5))
    assert spent(exposures, BY_CLERK).spent == "soft"
    assert spent(exposures, bare).spent == "hard"
    exposures.settled()
    assert spent(exposures, BY_CLERK, bare).spent == ""


def test_what_is_not_read_yet_is_told_where_something_turns_on_it() -> None:
    exposures = Exposures(Settings())
    assert spent(exposures, asked=False) == NOTHING_EXPOSED
    assert spent(exposures, asked=True) == Exposure(unread=True)
    assert spent(exposures, BY_CLERK) == Exposure(budgets=("day",), spent="soft", unread=True)
    exposures.settled()
    assert spent(exposures, asked=True) == NOTHING_EXPOSED


def test_doubt_makes_no_spent_budget_softer() -> None:
    exposures = Exposures(Settings())
    for entry in Record().answer(ids(1, 2, 3, 4, 5)):
        exposures.learn(entry)
    assert spent(exposures, BY_CLERK).spent == "hard"


def test_what_is_read_back_in_brief_counts_as_what_was_heard() -> None:
    record = Record()
    day = [
        *record.answer(ids(1, 2), purpose="aid"),
        *record.answer(ids(2, 3), status=404),
        *record.answer(records=4, unlisted=2, masked=(("$.id", 4),)),
        record.permit(),
    ]
    briefs = [json.decode(json.encode(entry), type=Brief) for entry in day]
    for_aid = Budget("aid", (), "", ("household",), "aid", "subject", Limit(2), Limit(9), "pii-strict")
    told = spent(heard(*day, purposes=frozenset({"aid"})), BY_CLERK, for_aid)
    assert told.records > 0 and told.spent
    assert spent(heard(*briefs, purposes=frozenset({"aid"})), BY_CLERK, for_aid) == told


def test_a_clock_that_was_ahead_past_midnight_gives_nobody_back_what_was_spent() -> None:
    record, ahead = Record(), SHANGHAI_MIDNIGHT + 86_400 + 300
    exposures = heard(*record.answer(ids(1, 2, 3, 4, 5)), *record.answer(ids(9), at=ahead, id="li.na"))
    assert spent(exposures, BY_CLERK).spent == "hard"
    for entry in record.answer(ids(6)):
        exposures.learn(entry)
    assert (spent(exposures, BY_CLERK).spent, spent(exposures).records) == ("hard", 6)
    assert spent(exposures, at=ahead + 86_400) is NOTHING_EXPOSED


def test_entries_of_many_days_to_come_count_once_each() -> None:
    record, exposures = Record(), Exposures(Settings())
    exposures.opens(NOW)
    for days in range(9):
        for entry in record.answer(at=NOW + days * 86_400, records=1, clear=1):
            exposures.learn(entry)
    exposures.settled()
    assert (spent(exposures).records, spent(exposures).fields) == (9, 9)


def test_a_day_is_kept_for_one_day_more_and_no_longer() -> None:
    record, day = Record(), 86_400
    exposures = heard(*[entry for number in range(4) for entry in record.answer(ids(number), at=NOW + number * day)])
    assert sorted(exposures._days) == [exposures.midnight(NOW + 2 * day), exposures.midnight(NOW + 3 * day)]


def test_a_start_with_the_clock_behind_reads_the_day_back_for_when_it_is_mended() -> None:
    """A dead clock of the machine, which the network mends a moment later: what was spent today stays spent."""
    record, exposures = Record(), Exposures(Settings())
    exposures.opens(NOW - 90_000)
    for entry in record.answer(ids(1, 2, 3, 4, 5)):
        exposures.learn(entry)
    exposures.settled()
    assert spent(exposures, BY_CLERK, at=NOW - 89_000).spent == "hard"  # now, by the clock that is behind
    assert spent(exposures, BY_CLERK, at=NOW + 10).spent == "hard"  # once it is mended, before anybody was answered
    for entry in record.answer(ids(6), at=NOW + 20):
        exposures.learn(entry)
    assert spent(exposures, BY_CLERK, at=NOW + 30) == Exposure(6, 6, ("population",), ("day",), "hard")
