"""Is an answer never shown more openly than any rule, grade or clearance allows?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import FileFault, parse
from gateway.facts import Field, FieldMask, Grade, Suppress
from gateway.masks import TECHNIQUES, Technique, parse_technique
from gateway.policy.profiles import Profile, Profiles, hides, merged, plan, read_profiles, restore, technique
from tests.literals import an_asset

WRITTEN = {
    "none": {"*": "keep"},
    "standard": {"resident-id": "partial(1,1)", "important": "hash", "general": "keep", "$.name": "drop"},
    "empty": {},
}
PROFILES = restore(WRITTEN, "standard", "")
ID = Field("$.id", "resident-id", Grade.IMPORTANT)


def names(*some: str) -> frozenset[str]:
    return frozenset(some)


@pytest.mark.parametrize(
    ("field", "how"),
    [
        (ID, "partial(1,1)"),
        (Field("$.name", "resident-id", Grade.IMPORTANT), "drop"),
        (Field("$.x", "phone", Grade.IMPORTANT), "hash"),
        (Field("$.x", "", Grade.GENERAL_2), "keep"),
        (Field("$.x", "phone", Grade.CORE), "redact"),
    ],
)
def test_path_then_identifier_then_grade_then_redact(field: Field, how: str) -> None:
    assert technique(PROFILES.by_name["standard"], field, Grade.CORE).text == how


def test_a_field_above_the_clearance_is_never_in_clear() -> None:
    keep = [PROFILES.by_name["none"]]
    assert merged(keep, ID, Grade.IMPORTANT).text == "keep"
    assert merged(keep, ID, Grade.GENERAL_4).text == "redact"


def test_a_second_allow_does_not_open_what_the_clearance_closed() -> None:
    both = [PROFILES.by_name["none"], {"*": parse_technique("partial(3,3)")}]
    assert merged(both, ID, Grade.GENERAL_4).text == "redact"


def test_the_default_profile_serves_an_allow_that_names_none() -> None:
    assert plan(PROFILES, names(""), an_asset(fields=(ID,)), Grade.CORE).fields[0] == FieldMask("$.id", "partial(1,1)")


@pytest.mark.parametrize("chosen", [names("unheard-of"), names(), names("empty")])
def test_a_profile_that_says_nothing_redacts(chosen: frozenset[str]) -> None:
    assert plan(PROFILES, chosen, an_asset(fields=(ID,)), Grade.CORE).fields == (FieldMask("$.id", "redact"),)


def test_without_any_default_everything_labelled_is_redacted() -> None:
    bare = restore({"none": {"*": "keep"}}, "", "")
    assert plan(bare, names(""), an_asset(fields=(ID,)), Grade.CORE).fields == (FieldMask("$.id", "redact"),)


@pytest.mark.parametrize(
    ("changes", "unlabelled", "inspects"),
    [
        ({"contract": "enforce"}, "redact", True),
        ({"contract": "enforce", "fields": ()}, "redact", True),
        ({"contract": "warn"}, "warn", True),
        ({"contract": "learn"}, "learn", True),
        ({"contract": "warn", "fields": ()}, "pass", False),
        ({"contract": "learn", "fields": ()}, "pass", False),
        ({"contract": "enforce", "opaque": True}, "pass", False),
    ],
)
def test_what_happens_to_fields_the_catalog_does_not_know(
    changes: dict[str, object], unlabelled: str, inspects: bool
) -> None:
    mask = plan(PROFILES, names("none"), an_asset(**changes), Grade.CORE)
    assert (mask.unlabelled, mask.inspects) == (unlabelled, inspects)


@pytest.mark.parametrize(
    ("written", "grade", "hidden"),
    [
        ({"*": "keep"}, Grade.CORE, False),
        ({"general": "keep"}, Grade.GENERAL_4, False),
        ({"general": "keep"}, Grade.IMPORTANT, True),
        ({"general-3": "redact", "*": "keep"}, Grade.GENERAL_2, False),
        ({"general-3": "redact", "*": "keep"}, Grade.GENERAL_3, True),
        ({"general-3": "redact", "*": "keep"}, Grade.CORE, True),
        ({"core": "hash", "*": "keep"}, Grade.IMPORTANT, False),
        ({"phone": "partial(3,4)", "*": "keep"}, Grade.GENERAL_1, True),
        ({"$.name": "drop", "*": "keep"}, Grade.GENERAL_1, True),
        ({"$.name": "keep", "phone": "keep", "*": "keep"}, Grade.CORE, False),
        ({}, Grade.GENERAL_1, True),
    ],
)
def test_what_may_hide_something_of_an_answer_that_nobody_reads(
    written: dict[str, str], grade: Grade, hidden: bool
) -> None:
    assert hides({key: parse_technique(how) for key, how in written.items()}, grade) is hidden


def read(text: str) -> tuple[object, list[str]]:
    faults: list[FileFault] = []
    return read_profiles(parse(text, "masks.yaml"), faults), [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("profiles: {a: {resident-idd: keep}}", "P061"),
        ("profiles: {a: {name: partial(1)}}", "P060"),
        ("profiles: {a: {name: blur}}", "P060"),
        ("profiles: {a: {name: 'partial(99999,1)'}}", "P060"),
        ("profiles: {a: {name: }}", "P004"),
        ("profiles: {a: keep}", "P004"),
        ("default: a", "P014"),
        ("observe: a", "P014"),
        ("profile: {}", "P001"),
        ("profiles: {a: {suppress: {k: 1, by: [phone]}}}", "P004"),
        ("profiles: {a: {suppress: {k: 101, by: [phone]}}}", "P004"),
        ("profiles: {a: {suppress: {k: true, by: [phone]}}}", "P004"),
        ("profiles: {a: {suppress: {k: 5, by: []}}}", "P004"),
        ("profiles: {a: {suppress: {k: 5}}}", "P003"),
        ("profiles: {a: {suppress: {by: phone}}}", "P003"),
        ("profiles: {a: {suppress: {k: 5, by: phone, all: true}}}", "P001"),
        ("profiles: {a: {suppress: {k: 5, by: phoen}}}", "P062"),
        ("profiles: {a: {suppress: {k: 5, by: $}}}", "P062"),
        ("profiles: {a: {suppress: {k: 5, by: '$.a[*]'}}}", "P062"),
        ("profiles: {a: {suppress: {k: 5, by: '$.a['}}}", "P062"),
    ],
)
def test_what_is_wrong_gets_a_code(text: str, code: str) -> None:
    assert read(text)[1] == [code]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("profiles: {a: {mobile: keep}}", "phone, plate"),
        ("profiles: {a: {suppress: {k: 5, by: mobile}}}", "phone, plate"),
        ("profiles: {a: {name: dorp}}", 'did you mean "drop"?'),
        ("profiles: {a: {name: 'partail(3,4)'}}", 'did you mean "partial"?'),
    ],
)
def test_what_could_stand_there_is_told(text: str, remedy: str) -> None:
    faults: list[FileFault] = []
    read_profiles(parse(text, "masks.yaml"), faults)
    assert remedy in faults[0].remedy_en and faults[0].remedy_zh


def test_nothing_at_all_to_suppress_is_a_fault() -> None:
    assert set(read("profiles: {a: {suppress: }}")[1]) == {"P003"}


RARE = """
profiles:
  one: {"*": keep, suppress: {k: 5, by: [birth-date, $..gender]}}
  two: {"*": keep, suppress: {k: 9, by: ["$['gender']", phone]}}
  bare: {"*": keep}
  rest: {"*": keep, suppress: {k: 3, by: phone}}
default: one
"""
BORN = Field("$.items[*].born", "birth-date", Grade.GENERAL_2)


@pytest.mark.parametrize(
    ("chosen", "suppress"),
    [
        (names("one"), Suppress(5, ("$..gender", "$.items[*].born"))),
        (names(""), Suppress(5, ("$..gender", "$.items[*].born"))),
        (names("one", "two", "bare"), Suppress(9, ("$..gender", "$.gender", "$.items[*].born"))),
        (names("bare"), None),
        (names("rest"), None),
    ],
)
def test_of_several_profiles_the_larger_k_and_all_fields_hold(chosen: frozenset[str], suppress: Suppress) -> None:
    profiles, faults = read(RARE)
    assert isinstance(profiles, Profiles)
    assert faults == []
    for contract in ("learn", "enforce"):
        assert plan(profiles, chosen, an_asset(fields=(BORN,), contract=contract), Grade.CORE).suppress == suppress
    assert plan(profiles, chosen, an_asset(fields=(BORN,), opaque=True), Grade.CORE).suppress is None
    assert "suppress" not in profiles.by_name["one"]
    again = restore(profiles.written(), profiles.default, profiles.observe, profiles.suppress)
    assert again == profiles


def test_an_answer_without_labels_is_inspected_for_what_a_path_names() -> None:
    profiles, _ = read(RARE)
    assert isinstance(profiles, Profiles)
    mask = plan(profiles, names("one"), an_asset(fields=(), contract="learn"), Grade.CORE)
    assert (mask.inspects, mask.suppress) == (True, Suppress(5, ("$..gender",)))


def test_a_broken_technique_never_becomes_keep() -> None:
    profiles, _ = read("profiles: {a: {name: }}")
    assert profiles.by_name["a"]["name"].text == "redact"  # type: ignore[attr-defined]  # Profiles


def test_the_strict_profile_serves_observation_when_nothing_else_is_said() -> None:
    profiles, _ = read("profiles: {pii-strict: {'*': redact}}")
    assert profiles.observe == "pii-strict"  # type: ignore[attr-defined]  # Profiles


TECHNIQUE = st.one_of(
    st.sampled_from(["keep", "hash", "redact", "drop"]).map(Technique),
    st.builds(lambda a, b: Technique("partial", (a, b)), st.integers(0, 5), st.integers(0, 5)),
    st.builds(lambda n: Technique("truncate", (n,)), st.integers(1, 5)),
)
PROFILE = st.dictionaries(st.sampled_from(["resident-id", "important", "*", "$.id"]), TECHNIQUE, max_size=4)


@given(PROFILE, PROFILE, PROFILE, st.sampled_from(list(Grade)))
def test_merging_masks_is_associative_commutative_and_idempotent(
    one: Profile, two: Profile, three: Profile, clearance: Grade
) -> None:
    def shown(*profiles: Profile) -> str:
        return merged(profiles, ID, clearance).text

    assert shown(one, two, three) == shown(three, two, one) == shown(two, one, three)
    assert shown(one, one) == shown(one)


@given(PROFILE, PROFILE, st.sampled_from(list(Grade)))
def test_another_allow_never_shows_more(one: Profile, two: Profile, clearance: Grade) -> None:
    alone, both = (parse_technique(merged(p, ID, clearance).text) for p in ([one], [one, two]))
    assert TECHNIQUES[both.name].strictness >= TECHNIQUES[alone.name].strictness


# --- paths -----------------------------------------------------------------------------------------

REMARK = Field("$.items[*].remark", "", Grade.GENERAL_3)


@pytest.mark.parametrize(
    "key", ["$..remark", "$.items[*].remark", "$.items.remark", "$['items'][*].remark", "$.items.*.remark", "$.items"]
)
def test_a_path_hides_what_it_names_however_the_catalog_spells_its_label(key: str) -> None:
    profiles, faults = read(f'profiles: {{desk: {{"{key}": drop, "*": keep}}}}')
    assert faults == []
    mask = plan(profiles, names("desk"), an_asset(fields=(REMARK,)), Grade.CORE)
    assert mask.fields[0] == FieldMask("$.items[*].remark", "drop")


@pytest.mark.parametrize("key", ["$.items[0].remark", "$.remarks", "$.items[*].remark.text", "$.other..remark"])
def test_a_path_that_names_only_a_part_or_something_else_hides_that(key: str) -> None:
    profiles = restore({"desk": {key: "drop", "*": "keep"}}, "desk", "")
    mask = plan(profiles, names("desk"), an_asset(fields=(REMARK,), contract="warn"), Grade.CORE)
    assert mask.fields == (FieldMask("$.items[*].remark", "keep"), FieldMask(key, "drop"))


def test_what_is_kept_is_named_itself_and_not_what_it_is_in() -> None:
    profiles = restore({"desk": {"$.items": "keep", "$..name": "keep", "*": "redact"}}, "desk", "")
    name = Field("$.items[*].name", "", Grade.GENERAL_3)
    mask = plan(profiles, names("desk"), an_asset(fields=(REMARK, name)), Grade.CORE)
    assert mask.fields == (FieldMask("$.items[*].remark", "redact"), FieldMask("$.items[*].name", "keep"))


def test_of_several_paths_the_strictest_holds_in_one_order() -> None:
    profiles = restore(
        {"a": {"$..x": "hash", "$..b": "drop"}, "b": {"$..a": "drop", "$..x": "redact", "*": "keep"}}, "", ""
    )
    mask = plan(profiles, names("a", "b"), an_asset(fields=(REMARK,), contract="warn"), Grade.CORE)
    assert mask.fields[1:] == (FieldMask("$..a", "drop"), FieldMask("$..b", "drop"), FieldMask("$..x", "redact"))


def test_an_answer_without_labels_is_not_looked_into_for_a_path() -> None:
    profiles = restore({"desk": {"$..remark": "drop"}}, "desk", "")
    assert not plan(profiles, names("desk"), an_asset(fields=(), contract="warn"), Grade.CORE).inspects


def test_of_a_token_only_what_its_own_label_may_hold_counts() -> None:
    profiles = restore({"desk": {"$.items[*].id": "redact", "$..remark": "drop", "*": "keep"}}, "desk", "")
    asset = an_asset(action="reveal", contract="enforce", fields=(Field("$..id", "resident-id", Grade.IMPORTANT),))
    mask = plan(profiles, names("desk"), asset, Grade.CORE)
    assert mask.fields == (FieldMask("$..id", "keep"), FieldMask("$.items[*].id", "redact"))


def test_a_path_that_cannot_be_read_is_a_fault() -> None:
    faults: list[FileFault] = []
    read_profiles(parse("profiles: {desk: {'$.items(((': drop, '$.a[-1]': drop}}", "masks.yaml"), faults)
    assert [(fault.code, fault.column) for fault in faults] == [("P063", 19), ("P063", 39)]


def test_what_nobody_labelled_stays_hidden_whole_under_enforce() -> None:
    """A path that hides a part would show the rest of a field that the contract hides."""
    profiles = restore({"desk": {"$..phone": "partial(3,4)", "*": "keep"}}, "desk", "")
    asset = an_asset(fields=(REMARK, Field("$.holder.phone", "phone", Grade.GENERAL_3)), contract="enforce")
    mask = plan(profiles, names("desk"), asset, Grade.CORE)
    assert mask.fields == (FieldMask("$.items[*].remark", "keep"), FieldMask("$.holder.phone", "partial(3,4)"))


def test_below_a_label_that_is_kept_nothing_is_shown_in_part() -> None:
    asset = an_asset(fields=(Field("$.contact", "", Grade.GENERAL_3),), contract="enforce")
    profiles = restore({"desk": {"$.contact.phone": "partial(3,4)", "$.contact.note": "drop", "*": "keep"}}, "desk", "")
    mask = plan(profiles, names("desk"), asset, Grade.CORE)
    assert mask.fields == (FieldMask("$.contact", "keep"), FieldMask("$.contact.note", "drop"))
