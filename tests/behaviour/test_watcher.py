"""Stories of honest people and of attackers, and the laws under which the watcher judges them."""

import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.behaviour import Settings, Watcher
from gateway.entries import Entry
from gateway.facts import Grade, Risk
from tests.behaviour.world import BRANCH, DAY, HOME, HOUR, MONDAY, OFFICE, VPN, World, names

RANK = {"normal": 0, "step_up": 1, "limit": 2, "quarantine": 3}


# --- attackers ------------------------------------------------------------------------------------


def test_someone_who_walks_through_records_is_stepped_up_within_20_and_limited_within_60() -> None:
    world, at = World(), MONDAY
    world.settle()
    reached: dict[str, int] = {}
    for n in range(70):  # the service answers them all: nobody stops the attacker but the count
        risk = world.weigh(at + 1.5 * n)
        reached.setdefault(risk.band, n)
        _allowed(world, at + 1.5 * n, object=f"o-{n}")
    assert reached["step_up"] <= 20
    assert reached["limit"] <= 60
    assert "enumeration" in names(world.weigh(at + 110))


def _allowed(world: World, at: float, **about: Any) -> None:
    """A request that was let through although it was noticed (policy may allow general data)."""
    from msgspec.structs import replace

    start = len(world.entries)
    world.ask(at, learn=False, **about)
    for entry in world.entries[start:]:
        if hasattr(entry, "outcome"):
            entry = replace(entry, outcome="permit")
        world.watcher.learn(entry)


def test_a_mass_download_is_stepped_up_within_a_few_answers() -> None:
    world, at = World(), MONDAY
    world.settle()
    for n in range(20):
        risk = world.ask(at + 5 * n, records=200)
        if risk.band != "normal":
            break
    assert n <= 12
    assert "volume" in names(risk)


def test_the_same_rows_of_open_data_are_nobodys_business() -> None:
    world, at = World(), MONDAY
    world.settle()
    assert {world.ask(at + 5 * n, records=200, grade=Grade.GENERAL_1).band for n in range(40)} == {"normal"}


def test_a_spray_from_one_source_is_quarantined_there_and_hardly_felt_by_its_neighbours() -> None:
    world = World()
    at = world.settle(source=HOME)
    for n in range(12):
        risk = world.ask(at + n, rejected="token_signature", token=f"guess-{n}", source=HOME)
    assert risk.band == "quarantine"
    assert {"spray", "failed_credentials"} <= names(risk)
    neighbour = world.weigh(at + 20, source=HOME)
    assert neighbour.band in ("normal", "step_up")  # never shut out by somebody else's failures
    assert world.weigh(at + 20, source=BRANCH, user="other").band == "normal"


def test_an_office_whose_passwords_ran_out_is_not_a_spray() -> None:
    world = World()
    at = world.settle()
    for n in range(30):
        world.ask(at + 2 * n, user=f"u{n}")
        if n % 3 == 0:
            world.ask(at + 2 * n + 1, rejected="token_signature", token=f"old-{n}")
    assert world.weigh(at + 61).band == "normal"


def test_one_good_account_does_not_outweigh_its_owners_guesses() -> None:
    world = World()
    at = world.settle()
    for n in range(20):
        world.ask(at + 2 * n, source=HOME)
        world.ask(at + 2 * n + 1, rejected="token_signature", token=f"guess-{n}", source=HOME)
    assert "spray" in names(world.weigh(at + 41, rejected="token_signature", source=HOME))


def test_expired_tokens_are_nobodys_crime() -> None:
    world = World()
    for n in range(50):
        risk = world.ask(MONDAY + n, rejected="token_expired", token=f"old-{n}")
    assert (risk.score, risk.signals) == (0.0, ())


def test_bad_tokens_in_the_name_of_a_victim_do_not_lock_the_victim_out() -> None:
    world = World()
    at = world.settle()
    before = world.weigh(at + 200)
    for n in range(100):
        world.ask(at + n, user="li.na", rejected="token_signature", token=f"forged-{n}", source=HOME)
    assert world.weigh(at + 200) == before


def test_a_token_replayed_from_another_place_is_noticed_at_once() -> None:
    world = World()
    at = world.settle()
    world.ask(at)
    thief = world.ask(at + 40, source=HOME)
    assert thief.band == "step_up"
    assert {"session_moved", "new_site"} <= names(thief)
    owner = world.weigh(at + 60)
    assert owner.band != "normal"  # the session is lost, whoever holds it now


def test_a_vpn_moves_nobody() -> None:
    world = World()
    at = world.settle()
    world.ask(at)
    assert world.ask(at + 40, source=VPN) == Risk(0.0)
    assert world.ask(at + 80) == Risk(0.0)


def test_a_new_device_counts_once_it_is_new_to_a_history_and_fades() -> None:
    world = World()
    at = world.settle()
    risk = world.ask(at, device="stolen")
    assert [(signal.name, signal.points) for signal in risk.signals] == [("new_device", 20.0)]
    later = world.weigh(at + 4 * HOUR, device="stolen")
    assert [(signal.name, signal.points, signal.since) for signal in later.signals] == [("new_device", 10.0, at)]


def test_novelty_is_halved_while_there_is_little_history_and_nothing_is_new_to_a_newcomer() -> None:
    world = World()
    assert world.ask(MONDAY, device="first") == Risk(0.0)
    world.settle(days=1)
    assert world.weigh(MONDAY, device="second").score == 10.0


def test_many_refusals_in_a_row_count_and_so_do_not_founds_behind_the_gateway() -> None:
    for how in ({"denied": "no_rule"}, {"status": 404}):
        world = World()
        at = world.settle()
        for n in range(14):
            world.ask(at + 2 * n, **how)
        assert world.weigh(at + 30).band == "step_up"


def test_what_observe_lets_pass_makes_no_risk() -> None:
    world = World()
    at = world.settle()
    for n in range(14):
        assert world.ask(at + 2 * n, would="no_rule" if n % 2 else "device_untrusted") == Risk(0.0)
    assert world.weigh(at + 30) == Risk(0.0)


def test_a_refusal_for_behaviour_is_no_new_evidence_so_quarantine_ends() -> None:
    world = World()
    at = world.settle()
    world.ask(at, honey=True, object="decoy")
    for hour in range(1, 500):
        risk = world.ask(at + hour * HOUR, grade=Grade.GENERAL_1)
        if risk.band == "normal":
            break
    assert 50 < hour < 240  # 100 points, half-life 72 h, under 35 after 109 h


def test_a_decoy_quarantines_whoever_touches_it_and_marks_the_device() -> None:
    world = World()
    at = world.settle()
    touched = world.ask(at, honey=True, device="kiosk-1")
    assert (touched.band, touched.score) == ("quarantine", 100.0)
    assert world.weigh(at + 60).band == "quarantine"
    next_user = world.weigh(at + 60, user="wang.fang", device="kiosk-1")
    assert next_user.band == "limit"  # suspect, and not shut out by somebody else's deed
    stranger = world.ask(at + 61, kind="anonymous", honey=True, source=HOME, device="")
    assert stranger.band == "quarantine"
    assert world.weigh(at + 70, kind="anonymous", source=HOME, device="").band == "quarantine"


def test_core_data_for_the_first_time_at_night_is_a_pair_that_asks_for_more() -> None:
    world = World()
    world.settle()
    night = MONDAY + 17 * HOUR  # 02:00
    assert world.weigh(night).score == 8.0
    assert world.weigh(MONDAY, grade=Grade.CORE).score == 15.0
    both = world.weigh(night, grade=Grade.CORE)
    assert (both.score, both.band) == (48.0, "step_up")
    assert World().weigh(night, grade=Grade.CORE).band == "step_up"  # also of somebody never seen


def test_the_night_shift_is_usual_for_who_works_at_night() -> None:
    world = World()
    for day in range(5):
        for n in range(12):
            world.ask(MONDAY - 7 * DAY + day * DAY + 17 * HOUR + n * 240)
    assert world.weigh(MONDAY + 17 * HOUR) == Risk(0.0)


def test_the_hour_is_the_departments_own() -> None:
    world = World(timezones={"xj": "Asia/Urumqi"})
    eight_in_shanghai = MONDAY - HOUR
    assert world.weigh(eight_in_shanghai) == Risk(0.0)
    assert names(world.weigh(eight_in_shanghai, org="xj/civil")) == {"off_hours"}  # six in Ürümqi


def test_a_compromised_device_counts_on_everyone_who_uses_it() -> None:
    world = World()
    assert world.weigh(MONDAY, trust="compromised").band == "limit"


# --- honest people ----------------------------------------------------------------------------------


def test_honest_days_of_300_people_stay_normal() -> None:
    world, chance = World(), random.Random(7)
    noticed = days = 0
    for day in range(4):
        for person in range(300):
            noticed += _honest_day(world, chance, person, MONDAY - 14 * DAY + day * DAY)
            days += 1
    assert noticed / days <= 0.004  # at realistic prevalence more would bury the true alarms


def _honest_day(world: World, chance: random.Random, person: int, start: float) -> bool:
    at, worst = start + chance.uniform(-1, 1) * HOUR, 0
    for _ in range(chance.randint(5, 25)):
        at += chance.expovariate(1 / 400)
        if at > start + 10 * HOUR:
            break
        risk = world.ask(
            at,
            f"user-{person}",
            object=f"o-{chance.randrange(100_000)}",
            records=chance.choice((1, 1, 1, 20)),
            source=chance.choice((OFFICE, OFFICE, OFFICE, VPN)),
            device=f"laptop-{person}",
            status=404 if chance.random() < 0.02 else 200,
            denied="no_rule" if chance.random() < 0.01 else "",
        )
        worst = max(worst, RANK[risk.band])
    return worst > 0


def test_a_batch_for_a_purpose_the_issuer_vouches_for_is_no_enumeration() -> None:
    world = World(bulk_purposes={"annual-verification": 10.0})
    at = world.settle()
    bands = {world.ask(at + n, object=f"o-{n}", purpose="annual-verification").band for n in range(60)}
    assert bands == {"normal"}


def test_a_service_account_is_measured_by_what_services_do() -> None:
    world = World()
    at = world.settle("svc", kind="service")
    assert {world.ask(at + n, "svc", object=f"o-{n}", records=5, kind="service").band for n in range(90)} == {"normal"}
    assert world.weigh(at + 17 * HOUR, "svc", kind="service") == Risk(0.0)  # and works at night


# --- the watcher's own laws -----------------------------------------------------------------------------


def test_what_is_usual_is_not_learned_from_requests_that_were_refused_or_noticed() -> None:
    world = World()
    at = world.settle()
    for n in range(10):
        world.ask(at + n, device="stolen", denied="no_rule")
    assert "new_device" in names(world.weigh(at + 20, device="stolen"))
    world.ask(at + 30, honey=True, device="laptop-1")
    for n in range(10):
        _allowed(world, at + 40 + n, source=HOME)
    assert "new_site" in names(world.weigh(at + 60, source=HOME))


def test_until_the_history_is_rebuilt_the_score_is_unknown_and_the_alarming_is_told_all_the_same() -> None:
    world = World(history=False)
    assert world.weigh(MONDAY) == Risk(None)
    assert world.weigh(MONDAY + 17 * HOUR) == Risk(None)
    assert world.weigh(MONDAY, honey=True).score == 100.0
    world.watcher.load(())
    assert world.weigh(MONDAY) == Risk(0.0)
    world.watcher.forget()
    assert world.weigh(MONDAY) == Risk(None)
    assert world.watcher.size() == 0


def probes(world: World, at: float) -> list[Risk]:
    return [
        world.weigh(at, user, source=source, device=device)
        for user in ("li.na", "wang.fang", "nobody")
        for source in (OFFICE, HOME)
        for device in ("laptop-1", "other")
    ]


def eventful() -> tuple[World, float]:
    world = World()
    at = world.settle()
    world.settle("wang.fang")
    for n in range(30):
        world.ask(at + n, object=f"o-{n}", records=40)
        world.ask(at + n, "wang.fang", denied="no_rule" if n % 2 else "", device="other")
        world.ask(at + n, rejected="token_signature", token=f"g-{n}", source=HOME)
    world.ask(at + 31, "wang.fang", honey=True)
    return world, at + 40


def learned(entries: list[Entry], loaded: bool = False) -> World:
    world = World()
    if loaded:
        world.watcher.load(entries)
    for entry in entries if not loaded else ():
        world.watcher.learn(entry)
    return world


def test_after_a_restart_the_judgement_is_the_same() -> None:
    world, at = eventful()
    expected = probes(world, at)
    assert max(RANK[risk.band] for risk in expected) == 3
    assert probes(learned(world.entries), at) == expected
    assert probes(learned(world.entries, loaded=True), at) == expected


def test_a_slow_request_in_the_tail_hides_no_other_entry() -> None:
    world = World()
    at = world.settle(days=20, a_day=40)
    world.ask(at - 30 * DAY, object="slow")  # received long ago, recorded last
    by_time = sorted(world.entries, key=lambda entry: entry.at)
    assert probes(learned(by_time, loaded=True), at) == probes(learned(world.entries), at)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_law_order_and_repetition_of_entries_do_not_matter(seed: int) -> None:
    world, at = EVENTFUL
    chance = random.Random(seed)
    # each entry is up to 100 ms late, as a sibling's journal is; a verdict still comes before its outcome
    late = sorted(world.entries, key=lambda entry: (entry.at + chance.uniform(0, 0.04), entry.seq))
    twice = [entry for entry in late for _ in range(chance.choice((1, 1, 2)))]
    assert probes(learned(twice), at) == probes(world, at)


EVENTFUL = eventful()


def test_workers_that_heard_each_other_agree() -> None:
    one, other = World("w0"), World("w1")
    at = MONDAY
    for n in range(40):
        (one if n % 2 else other).ask(at + n, object=f"o-{n}", records=30)
        for here, there in ((one, other), (other, one)):
            for entry in here.entries[-2:]:
                there.watcher.learn(entry)
    assert probes(one, at + 50) == probes(other, at + 50)
    assert one.weigh(at + 50).band != "normal"


def test_a_score_can_be_recomputed_from_the_ledger() -> None:
    world, _ = eventful()
    for entry in world.entries:
        if hasattr(entry, "risk") and entry.risk.score is not None:
            assert 0 <= entry.risk.score <= 100
            assert all(signal.points > 0 and signal.evidence for signal in entry.risk.signals)
            assert (entry.risk.score > 0) == bool(entry.risk.signals)


def test_weighing_changes_nothing() -> None:
    world, at = eventful()
    first = probes(world, at)
    for _ in range(5):
        world.weigh(at, honey=True)
        world.weigh(at + 999, "wang.fang", device="third", source=BRANCH)
    assert probes(world, at) == first


def test_sources_made_up_by_an_attacker_evict_no_user_and_not_the_ones_with_points() -> None:
    world = World(identities_max=50)
    at = world.settle()
    for n in range(12):
        world.ask(at + n, rejected="token_signature", token=f"g-{n}", source=HOME)
    for n in range(2_000):
        world.ask(at + 20 + n / 100, kind="anonymous", source=f"198.18.{n // 250}.{n % 250}", device="")
    assert world.weigh(at + 60).signals == ()
    assert "new_device" in names(world.weigh(at + 60, device="x"))  # li.na is still known
    assert world.weigh(at + 60, kind="anonymous", source=HOME, device="").band == "quarantine"
    assert world.watcher.size() <= 5 * 50


def test_an_identity_explains_itself() -> None:
    world = World()
    at = world.settle()
    assert world.watcher.view("nobody", at) is None
    world.ask(at, device="stolen")
    view = world.watcher.view("li.na", at + 4 * HOUR)
    assert view is not None
    assert (view["score"], view["band"]) == (10.0, "normal")
    assert view["contributions"] == [
        {
            "signal": "new_device",
            "title": {"en": "a device not used before", "zh": "首次使用的设备"},
            "points": 10.0,
            "since": at,
            "half_life": 4 * HOUR,
            "evidence": "not among 1 devices used lately",
            "evidence_zh": "不在近期使用的 1 台设备之中",
        }
    ]


def test_entries_of_a_later_version_with_signals_unknown_here_are_learned_without_them() -> None:
    from msgspec.structs import replace

    world = World()
    world.ask(MONDAY, device="a")
    entry = world.entries[0]
    other = World()
    strange = replace(entry, risk=Risk(55.0, "step_up", (_signal("from_the_future", MONDAY),)))
    other.watcher.learn(strange)
    assert other.weigh(MONDAY + 1).signals == ()


def _signal(name: str, at: float) -> Any:
    from gateway.facts import Signal

    return Signal(name, 55.0, at, "")


def test_a_weight_of_zero_turns_a_signal_off() -> None:
    world = World(weights={"new_device": 0})
    at = world.settle()
    assert world.weigh(at, device="other") == Risk(0.0)


@pytest.mark.parametrize("source", ["", "unix:", "not an address", "::ffff:10.23.4.5", "fe80::1%eth0"])
def test_any_source_can_be_weighed(source: str) -> None:
    assert World().ask(MONDAY, source=source).band == "normal"


def test_ten_thousand_identities_take_less_than_40_mb() -> None:
    import tracemalloc

    watcher_world = World()
    tracemalloc.start()
    for n in range(10_000):
        for k in range(3):
            entry_at = MONDAY + n / 10 + 60 * k
            watcher_world.ask(entry_at, f"u{n}", object=f"o-{n}-{k}", session=f"s-{n}", device=f"d-{n}", records=5)
        watcher_world.entries.clear()
        watcher_world.journal = f"w{n}"
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 40 * 1024 * 1024


def test_weighing_is_quick_enough_for_every_request() -> None:
    world = World()
    at = world.settle()
    facts = world._facts(at, "li.na")
    started = time.perf_counter()
    for _ in range(2_000):
        world.watcher.weigh(*facts)
    assert (time.perf_counter() - started) / 2_000 < 200e-6  # 4 µs when the machine is not busy
    assert isinstance(world.watcher, Watcher)
    assert Settings().identities_max == 10_000
