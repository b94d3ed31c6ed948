"""The same caller always gets the same bundle, and what differs is told as what it is.

| who tries | what | what stops it |
|---|---|---|
| a caller | reckons which name falls to the laxer bundle | the key of the pilot |
| a caller | signs in under the name of an address | names and addresses are drawn apart |
| anonymous | carries the office that is in the pilot | only who signed in belongs to an office |
| a caller | sends a name that is no text | drawn like any other |
| a caller | claims ever new offices, to fill the memory | declared offices only, few differences told apart |
| an author | shows one field more and hides ten | to show more is what is told |
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.facts import Challenge, Deny, FieldMask, Mask, Notice, Permit, Reason, RowFilter, Suppress
from gateway.policy import Bundle
from gateway.policy.pilot import (
    DIFFERENCES,
    KINDS,
    OTHER,
    Choice,
    Comparison,
    Differences,
    Limits,
    Seen,
    Terms,
    named,
    notice,
    read_terms,
    seen,
    shown,
)
from tests.literals import a_deny, a_permit, a_subject
from tests.policy.world import a_bundle

KEY = "00112233445566778899aabbccddeeff"
ANONYMOUS = a_subject(id="", kind="anonymous", org="hz/civil")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return a_bundle(Path(tmp_path_factory.mktemp("policies")))


def choice(bundle: Bundle, percent: float = 0.0, orgs: tuple[str, ...] = (), key: str = KEY) -> Choice:
    return Choice(Terms("r" * 64, key, percent, orgs), bundle)


def chosen(one: Choice, count: int = 2000) -> set[int]:
    return {number for number in range(count) if one.falls_on(a_subject(id=f"person-{number}", org=""), "10.0.0.1")}


# --- the choice ---------------------------------------------------------------------------------


def test_terms_are_read_as_they_were_kept() -> None:
    terms = Terms("r" * 64, KEY, 12.5, ("prov/civil",), Limits(0.1, 0.2, 0.3, 0.4), 1_790_000_000.0)
    assert read_terms(terms.text()) == terms


def test_nobody_is_chosen_at_first_and_everybody_in_the_end(bundle: Bundle) -> None:
    assert chosen(choice(bundle)) == set()
    assert len(chosen(choice(bundle, 100.0))) == 2000


@pytest.mark.parametrize(("percent", "least", "most"), [(1.0, 8, 40), (10.0, 150, 250), (50.0, 930, 1070)])
def test_a_percentage_is_about_so_many(bundle: Bundle, percent: float, least: int, most: int) -> None:
    assert least <= len(chosen(choice(bundle, percent))) <= most


@given(first=st.floats(0, 100), second=st.floats(0, 100), name=st.text(max_size=20))
def test_a_larger_percentage_only_adds_callers(bundle: Bundle, first: float, second: float, name: str) -> None:
    less, more = sorted((first, second))
    caller = a_subject(id=name, org="")
    if choice(bundle, less).falls_on(caller, "10.0.0.1"):
        assert choice(bundle, more).falls_on(caller, "10.0.0.1")


def test_every_worker_chooses_alike_and_another_pilot_otherwise(bundle: Bundle) -> None:
    first = chosen(choice(bundle, 30.0))
    assert chosen(choice(bundle, 30.0)) == first
    assert chosen(choice(bundle, 30.0, key=KEY[::-1])) != first


def test_the_address_of_somebody_who_signed_in_chooses_nothing(bundle: Bundle) -> None:
    one = choice(bundle, 50.0)
    caller = a_subject(org="")
    assert len({one.falls_on(caller, f"10.0.0.{number}") for number in range(100)}) == 1


def test_a_host_shops_for_no_share_among_the_addresses_of_its_network(bundle: Bundle) -> None:
    one = choice(bundle, 50.0)
    networks = [[f"2001:db8:{net:x}:1:{host:x}::1" for host in range(0, 4096, 256)] for net in range(40)]
    drawn = [{one.falls_on(ANONYMOUS, source) for source in sources} for sources in networks]
    assert all(len(found) == 1 for found in drawn)
    assert {True, False} == set.union(*drawn)  # other networks are drawn anew
    assert [one.falls_on(ANONYMOUS, f"::ffff:10.0.{n}.1") for n in range(40)] == [
        one.falls_on(ANONYMOUS, f"10.0.{n}.1") for n in range(40)
    ]
    assert one.falls_on(ANONYMOUS, "no:address") in (True, False)


def test_anonymous_callers_are_chosen_by_address(bundle: Bundle) -> None:
    one = choice(bundle, 50.0)
    found = [one.falls_on(ANONYMOUS, f"10.0.{number}.1") for number in range(200)]
    assert 60 < sum(found) < 140
    assert found == [one.falls_on(ANONYMOUS, f"10.0.{number}.1") for number in range(200)]


def test_a_name_like_an_address_is_drawn_apart_from_it(bundle: Bundle) -> None:
    one = choice(bundle, 50.0)
    addresses = [f"10.0.{number}.1" for number in range(200)]
    assert [one.falls_on(ANONYMOUS, at) for at in addresses] != [
        one.falls_on(a_subject(id=at, org=""), "10.9.9.9") for at in addresses
    ]


@pytest.mark.parametrize(("org", "inside"), [("hz", True), ("hz/civil", True), ("prov", False), ("prov/civil", False),
                                             ("", False), ("hz/invented", False)])  # fmt: skip
def test_an_office_means_itself_and_what_is_below(bundle: Bundle, org: str, inside: bool) -> None:
    assert choice(bundle, 0.0, ("hz",)).falls_on(a_subject(org=org), "10.0.0.1") is inside


def test_an_office_that_nobody_proved_counts_for_nothing(bundle: Bundle) -> None:
    assert not choice(bundle, 0.0, ("hz",)).falls_on(ANONYMOUS, "10.0.0.1")


def test_a_name_that_is_no_text_is_drawn_like_any_other(bundle: Bundle) -> None:
    assert choice(bundle, 100.0).falls_on(a_subject(id="\ud800", org=""), "10.0.0.1")


# --- differences ---------------------------------------------------------------------------------

CLEAR = Mask("none", (FieldMask("$.name", "keep"), FieldMask("$.phone", "keep")), "redact")
PARTLY = Mask("pii", (FieldMask("$.name", "partial(1,0)"), FieldMask("$.phone", "keep")), "redact")
MIXED = Mask("odd", (FieldMask("$.name", "keep"), FieldMask("$.phone", "redact")), "redact")
OPEN = Mask("none", (), "pass")
CHALLENGE = Challenge((Reason("step_up_required"),), "c" * 64, "aal2")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (a_permit(), a_permit(), None),
        (a_deny(), a_deny(reasons=(Reason("rule_denied"),)), None),
        (a_permit(), a_deny(), "would_deny"),
        (CHALLENGE, a_deny(), "would_deny"),
        (a_permit(), CHALLENGE, "would_challenge"),
        (a_deny(), a_permit(), "would_permit"),
        (CHALLENGE, a_permit(), "would_permit"),
        (a_permit(mask=PARTLY), a_permit(mask=CLEAR), "would_show"),
        (a_permit(mask=CLEAR), a_permit(mask=PARTLY), "would_hide"),
        (a_permit(mask=PARTLY), a_permit(mask=MIXED), "would_show"),
        (a_permit(mask=CLEAR), a_permit(mask=Mask("other", CLEAR.fields, "redact")), None),
        (a_permit(mask=CLEAR), a_permit(mask=Mask("none", CLEAR.fields, "warn")), "would_show"),
        (a_permit(mask=CLEAR), a_permit(mask=OPEN), "would_show"),
        (a_permit(mask=replace(OPEN, suppress=Suppress(5, ("$.a",)))), a_permit(mask=OPEN), "would_show"),
        (a_permit(mask=OPEN), a_permit(mask=replace(OPEN, suppress=Suppress(5, ("$.a",)))), "would_hide"),
        (a_permit(stage="observe", would=a_deny()), a_permit(), "would_permit"),
        (a_permit(), a_permit(stage="observe", would=a_deny()), "would_deny"),
        (a_permit(mask=PARTLY, would=a_deny()), a_permit(mask=CLEAR, would=a_deny()), "would_show"),
        (a_permit(mask=PARTLY, would=a_deny()), a_permit(mask=PARTLY, would=a_deny()), None),
    ],
)  # fmt: skip
def test_what_differs_is_told_as_what_it_is(before: Permit, after: Permit, told: str | None) -> None:
    comparison = Comparison()
    assert [comparison.of(before, after), comparison.of(before, after)] == [told, told]


techniques = st.sampled_from(("keep", "truncate(4)", "partial(1,1)", "partial(3,0)", "hash", "redact", "drop"))
masks = st.builds(
    lambda name, phone, rest: Mask("any", (FieldMask("$.name", name), FieldMask("$.phone", phone)), rest),
    techniques, techniques, st.sampled_from(("pass", "learn", "warn", "redact")),
)  # fmt: skip


@given(one=masks, two=masks)
def test_what_shows_more_one_way_hides_more_the_other(one: Mask, two: Mask) -> None:
    if shown(one, two) == "would_hide":
        assert shown(two, one) == "would_show"
    if shown(one, two) is None:
        assert shown(two, one) is None


@given(
    kind=st.sampled_from(DIFFERENCES), api=st.text(max_size=9), rules=st.lists(st.text(max_size=9), max_size=3),
    org=st.text(max_size=9), decided=st.booleans(), request=st.text(max_size=9),
)  # fmt: skip
def test_a_difference_survives_the_record(
    kind: object, api: str, rules: list[str], org: str, decided: bool, request: str
) -> None:
    told = Seen(kind, api, tuple(rules), org, decided, request)  # type: ignore[arg-type]  # drawn from the kinds
    entry = notice(told, 3)
    assert (seen(entry.name, entry.subject, entry.detail), entry.count) == (told, 3)


def test_other_notices_tell_of_no_difference() -> None:
    assert seen("pilot.judged", "permit", "") is None
    assert seen("edge.refused", "10.0.0.1", "bad_host") is None
    assert seen("pilot.would_deny", "civil", "not JSON") == Seen("would_deny", "civil", ())


def test_a_decision_names_its_rules_or_what_stands_for_them() -> None:
    assert named(a_permit().reasons) == ("rules/10-civil.yaml:3",)
    assert named((Reason("no_rule"), *a_permit().reasons * 3)) == ("no_rule", *["rules/10-civil.yaml:3"] * 2)


FORBIDS = Reason("rule_denied", "rules/a.yaml:1", "a", "province")


def test_like_differences_are_counted_together() -> None:
    counted = Differences(("prov/civil",))
    for number in range(3):
        counted.asked[Deny] += 1
        counted.add("would_deny", "civil", "prov/civil", (FORBIDS,), False, f"req-{number}")
    counted.add("would_deny", "civil", "claimed", (FORBIDS,), True, "req-9")
    told = [(one.name, one.subject, one.count, seen(one.name, one.subject, one.detail)) for one in counted.taken()]
    assert told == [
        ("pilot.judged", "deny", 3, None),
        (
            "pilot.would_deny",
            "civil",
            3,
            Seen("would_deny", "civil", ("rules/a.yaml:1",), "prov/civil", False, "req-0"),
        ),
        ("pilot.would_deny", "civil", 1, Seen("would_deny", "civil", ("rules/a.yaml:1",), OTHER, True, "req-9")),
    ]
    assert counted.taken() == ()


def test_a_flood_of_kinds_is_counted_and_fills_no_memory() -> None:
    counted = Differences(())
    for number in range(10_000):
        reasons = (Reason("rule_denied", f"rules/a.yaml:{number}"),)
        counted.add("would_deny", "civil", "", reasons, False, f"req-{number}")
    told: tuple[Notice, ...] = counted.taken()
    assert sum(one.count for one in told) == 10_000
    assert len(told) == KINDS + 1


def test_other_records_and_more_of_them_are_a_difference() -> None:
    every = Mask("p", (), "pass")
    own, other = (replace(every, rows=(RowFilter("$.district", (word,)),)) for word in ("hz", "nb"))
    assert (shown(own, every), shown(every, own), shown(own, other)) == ("would_show", "would_hide", "would_show")
    few, many = replace(every, most=5), replace(every, most=9)
    assert (shown(few, many), shown(many, few)) == ("would_show", "would_hide")
    assert shown(few, replace(few, beyond=own)) == "would_show"
    assert shown(replace(few, beyond=own), replace(few, beyond=every)) == "would_show"
