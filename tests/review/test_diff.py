"""Does a comparison say who loses, gains and sees more, and hide nothing?

Who could be misled, and what must hold:
 careless author    a rule that moved is no change; one that was flipped, dropped or loosened always shows
 hostile author     a mask that hides one field and opens another shows as opening one; widening behind `otherwise` never
 observing office   what would be denied once the API enforces shows before it does
 insider            nothing here writes: a recorded deny stays what it is
"""

import ast
from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import copytree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import gateway.review
from gateway.app.revisions import Compiled
from gateway.audit import encode
from gateway.entries import VerdictEntry
from gateway.facts import ANONYMOUS, Grade
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.profiles import restore
from gateway.policy.rules import Rule
from gateway.review.diff import Comparison, Side, compare, outcome
from gateway.review.edits import edits
from gateway.review.recorded import Unreplayable
from gateway.review.replay import replay
from gateway.review.tally import KINDS, Difference, Tally
from tests.literals import a_subject, an_ask, an_asset, some_facts
from tests.policy import generated
from tests.policy.native import world as native
from tests.review.history import SHIPPED, record, shipped
from tests.review.pairs import Pair, a_pair, differences, facts_of, points, said
from tests.review.test_replay import catalog, written
from tests.review.test_space import a_bundle as shared

COMPILED = shipped()
ENTRIES = tuple(record(COMPILED, 400))
SIDE = Side(COMPILED.bundle, COMPILED.catalog)
Edited = Callable[..., Compiled]


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    """The shipped policies with texts of one file replaced."""

    def edit(file: str, *words: tuple[str, str]) -> Compiled:
        folder = tmp_path / f"policies-{len(list(tmp_path.iterdir()))}"
        copytree(SHIPPED, folder)
        text = (folder / file).read_text()
        for old, new in words:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / file).write_text(text)
        return shipped(folder)

    return edit


def against(compiled: Compiled, entries: tuple[VerdictEntry, ...] = ENTRIES) -> Difference:
    return compare(SIDE, Side(compiled.bundle, compiled.catalog), entries)


# --- what is said -------------------------------------------------------------------------------


def test_the_same_policies_differ_in_nothing_and_say_what_was_recorded() -> None:
    found = against(COMPILED)
    assert (found.same, found.decisions, found.drifted.decisions, found.unjudged) == (True, 400, 0, ())


def test_who_loses_is_said_by_org_rule_api_and_asset(edited: Edited) -> None:
    found = against(edited("rules/20-civil.yaml", ("org: [prov/civil, hz/civil]", "org: [prov/civil]")))
    lost = [entry for entry in ENTRIES if entry.subject.org == "hz/civil" and entry.outcome == "permit"
            and entry.reasons[0].detail == "civil-read"]  # fmt: skip
    assert lost
    assert (found.lost.decisions, found.lost.people) == (len(lost), len({entry.subject.id for entry in lost}))
    assert found.lost.examples == tuple(f"{entry.journal}.{entry.seq}" for entry in lost[:3])
    for dimension, names in {
        "org": ["hz/civil"],
        "rule": ["civil-read"],
        "api": ["households"],
        "asset": ["household"],
    }.items():
        assert list(found.by[dimension]) == names
        assert found.by[dimension][names[0]]["lost"].decisions == len(lost)
    assert found.gained.decisions == found.unmasked.decisions == 0


def test_who_gains_is_the_other_way_round(edited: Edited) -> None:
    other = edited("rules/20-civil.yaml", ("org: [prov/civil, hz/civil]", "org: [prov/civil]"))
    there, back = against(other), compare(Side(other.bundle, other.catalog), SIDE, ENTRIES)
    assert there.lost == back.gained
    assert back.lost.decisions == 0


def test_who_sees_more_is_said_field_by_field(edited: Edited) -> None:
    found = against(
        edited("masks.yaml", ("name: partial(1,0)", "name: keep"), ("phone: partial(3,4)", "phone: redact"))
    )
    assert found.unmasked.decisions == found.masked.decisions > 0
    assert set(found.by["field"]) == {
        "household $..name: partial(1,0) → keep", "household $..phone: partial(3,4) → redact",
    }  # fmt: skip
    assert set(found.by["rule"]) <= {"civil-read", "civil-write"}


def test_a_rule_that_moved_has_not_changed(edited: Edited) -> None:
    found = against(edited("rules/20-civil.yaml", ("rules:\n", "# one line more\n\nrules:\n")))
    assert found.same


def test_other_reasons_are_told_apart_from_other_answers(edited: Edited) -> None:
    found = against(edited("rules/20-civil.yaml", ("  - id: civil-read\n", "  - id: civil-read-2\n")))
    assert (found.lost.decisions, found.gained.decisions) == (0, 0)
    assert set(found.by["rule"]) == {"civil-read", "civil-read-2"}
    assert found.otherwise.decisions > 0


def test_another_grade_in_the_catalog_shows(edited: Edited) -> None:
    found = against(edited("catalog/civil.yaml", ("grade: important", "grade: core")))
    assert set(found.by["asset"]) == {"household"}
    assert found.lost.decisions > 0


def test_an_endpoint_that_is_gone_is_lost_and_one_that_is_new_is_gained(edited: Edited) -> None:
    other = edited("catalog/market.yaml", ("      - GET /market/enterprises/{code}\n", ""))
    opened = [
        entry for entry in ENTRIES if entry.route == "GET /market/enterprises/{code}" and entry.outcome == "permit"
    ]
    assert against(other).lost.decisions == len(opened) > 0
    back = tuple(record(other, 100))
    side = Side(other.bundle, other.catalog)
    hidden = [entry for entry in back if not entry.asset and entry.path == "unlisted"]
    found = compare(side, SIDE, back)
    assert (found.gained.decisions, sum(one.decisions for one in found.unjudged)) == (0, len(hidden))
    named = tuple(replace(entry, path="/market/enterprises/abc") for entry in hidden)
    assert compare(side, SIDE, named).gained.decisions > 0


def test_what_would_be_denied_shows_while_the_api_observes(edited: Edited) -> None:
    observing = replace(COMPILED, catalog=COMPILED.catalog)
    entries = []
    for entry in ENTRIES:
        if entry.outcome != "permit":
            entries.append(replace(entry, outcome="permit", stage="observe", would=entry.outcome))
    found = against(observing, tuple(entries))
    assert (found.same, found.observed, found.drifted.decisions) == (True, len(entries), 0)
    stricter = edited("rules/20-civil.yaml", ("    who: [clerk, caseworker]\n", "    who: [caseworker]\n"))
    assert against(stricter).lost.decisions > 0


def test_a_record_that_the_old_side_would_not_have_written_is_said(edited: Edited) -> None:
    other = edited("rules/20-civil.yaml", ("org: [prov/civil, hz/civil]", "org: [prov/civil]"))
    found = compare(Side(other.bundle, other.catalog), Side(other.bundle, other.catalog), ENTRIES)
    assert found.same
    assert found.drifted.decisions > 0


def test_what_cannot_be_judged_is_counted_and_said() -> None:
    cut = replace(ENTRIES[0], subject=replace(ENTRIES[0].subject, roles=("r",) * 64))
    found = against(COMPILED, (cut, *ENTRIES[1:10]))
    assert (found.decisions, [one.decisions for one in found.unjudged]) == (9, [1])
    assert found.unjudged[0].examples == (f"{cut.journal}.{cut.seq}",)


def test_sharing_grants_are_those_of_each_side(tmp_path: Path, edited: Edited) -> None:
    found = against(edited("grants.yaml", ("until: ", "until: 2026-09-01 # ")))
    shared = [entry for entry in ENTRIES if entry.grant.ids and entry.outcome == "permit"]
    assert found.lost.decisions == len(shared)


def test_an_emergency_level_can_be_tried_on_a_record() -> None:
    found = compare(SIDE, Side(COMPILED.bundle.raised("I"), COMPILED.catalog), ENTRIES)
    assert found.lost.decisions > 0
    assert found.gained.decisions == found.unmasked.decisions == 0


def test_rows_of_a_casbin_policy_may_move_and_are_named_by_what_they_say(tmp_path: Path) -> None:
    deny = "p, li.na, /civil/households/42, GET\n"
    old, moved = (
        native.a_bundle(tmp_path, request="request: {}\n"),
        native.a_bundle(tmp_path, policy="\n\n" + native.ROWS),
    )
    gone = native.a_bundle(tmp_path, policy=deny)
    facts = some_facts()
    entry, listed = written(old, facts), catalog(facts.asset)
    assert entry.outcome == "permit"
    assert compare(Side(old, listed), Side(moved, listed), [entry]).same
    both = compare(Side(old, listed), Side(gone, listed), [entry])
    assert both.lost.decisions == 1
    assert "p, zhang.wei, /civil/households/42, GET" in both.by["rule"]


def test_a_policy_that_looks_at_paths_cannot_judge_what_has_none_on_record(tmp_path: Path) -> None:
    facts = some_facts(asset=an_asset(discreet=True))
    bundle = native.a_bundle(tmp_path)
    entry, listed = written(bundle, facts), catalog(facts.asset)
    found = compare(Side(bundle, listed), Side(bundle, listed), [entry])
    assert (found.decisions, [one.decisions for one in found.unjudged]) == (0, [1])
    with pytest.raises(Unreplayable, match="path"):
        replay(entry, bundle, listed)


def test_a_log_that_a_lower_grade_weakens_shows_and_one_that_the_grade_demands_anyway_does_not() -> None:
    synced, plain = (
        generated.bundle([replace(ALLOWED, then=then)])
        for then in ('{"mask": "none", "log": "synced"}', '{"mask": "none"}')
    )
    core = an_asset(id="a0", category="c0", grade=Grade.CORE)
    entry = written(plain, some_facts(asset=core))
    assert compare(Side(plain, catalog(core)), Side(synced, catalog(core)), [entry]).same
    lower = catalog(replace(core, grade=Grade.GENERAL_1, revision="cat-2"))
    assert compare(Side(plain, catalog(core)), Side(plain, lower), [entry]).otherwise.decisions == 1


def test_a_grant_that_the_other_catalog_no_longer_fits_is_not_held() -> None:
    """The same policies; what was a reading is an update there, and the grant is for reading."""
    bundle = shared([replace(ALLOWED, when="grant.held")])
    asset = an_asset(id="a0", category="c0", owner="o1", action="read")
    facts = some_facts(ask=an_ask(purpose="audit"), subject=a_subject(org="o1"), asset=asset)
    facts = replace(facts, grant=bundle.granted(facts.ask, facts.subject, asset))
    entry = written(bundle, facts)
    assert entry.outcome == "permit"
    other = catalog(replace(asset, action="update", revision="cat-2"))
    assert compare(Side(bundle, catalog(asset)), Side(bundle, other), [entry]).lost.decisions == 1


# --- laws ---------------------------------------------------------------------------------------


ALLOWED = Rule("all", "allow", ("*",), ("*",), ("*",), ("*",), "any", "", "", "{}", "rules/x.yaml:1", ("", ""))


def flipped(rule: Rule) -> Rule:
    return replace(rule, effect="allow" if rule.effect == "deny" else "deny", then="{}")


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_flipping_any_rule_that_applied_shows(random: Random) -> None:
    rules = generated.rules(random, 10)
    old = generated.bundle(rules)
    for _ in range(20):  # most requests concern no rule at all
        facts = generated.a_request(random)
        entry = written(old, facts)
        spoke = [reason for reason in (*entry.reasons, *entry.would_reasons) if reason.rule]
        said = {reason.detail for reason in spoke if reason.code != "policy_error"}  # one that fails refuses either way
        if said:
            break
    side = Side(old, catalog(facts.asset))
    for number, rule in enumerate(rules):
        if rule.id in said:
            new = generated.bundle([*rules[:number], flipped(rule), *rules[number + 1 :]])
            found = compare(side, Side(new, side.catalog), [entry])
            assert not found.same
            assert rule.id in found.by["rule"]


@given(st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_asking_both_sides_in_full_comes_to_the_same(random: Random) -> None:
    """Rules that have no say are skipped: that must never change what is found."""
    rules = generated.rules(random, 10)
    other = list(rules)
    other[random.randrange(10)] = (
        flipped(random.choice(rules)) if random.random() < 0.5 else generated.a_rule(random, 77)
    )
    if random.random() < 0.2:
        random.shuffle(other)
    other = list({rule.id: rule for rule in other}.values())
    hidden = {"standard": {"name": "redact", "*": "keep"}} if random.random() < 0.3 else {}
    profiles = restore({**generated.PROFILES.written(), **hidden}, "standard", "strict")
    old, new = generated.bundle(rules), generated.bundle(other, profiles)
    third = generated.bundle(generated.rules(random, 3))
    for _ in range(6):
        facts = generated.a_request(random)
        listed = catalog(facts.asset)
        entry = written(random.choice((old, third)), facts)
        quick, full = (Comparison(Side(old, listed), Side(new, listed)) for _ in range(2))
        full._edited = None
        for comparison in (quick, full):
            comparison.take([entry])
        assert quick.tally.difference() == full.tally.difference()
        enforced = replace(facts, asset=replace(facts.asset, mode="enforce"))
        told = [outcome(decide(one, enforced, BY_GRADE[facts.asset.grade.national])) for one in (old, new)]
        found = quick.tally.difference()
        assert bool(found.lost.decisions) is (told[0] == "permit" != told[1])
        assert bool(found.gained.decisions) is (told[1] == "permit" != told[0])


def misjudged(random: Random, pair: Pair, every: int) -> str:
    """The first request of the grid of which a comparison says something else than both policies; "" for none."""
    sides = [Side(bundle, catalog(asset)) for bundle, asset in zip(pair.bundles, pair.assets, strict=True)]
    comparison = Comparison(sides[0], sides[1])
    same_words = pair.assets[0] == pair.assets[1] and not edits(*(bundle.content for bundle in pair.bundles))
    for point in [*points(random, 1)][::every]:
        comparison.tally = Tally()
        comparison.take([written(pair.bundles[0], facts_of(point, pair.bundles[0], pair.assets[0]))])
        found, told = comparison.tally.difference(), differences(*said(pair, point))
        if {kind for kind in KINDS if getattr(found, kind).decisions} != told or found.drifted.decisions:
            return f"{found} is not {told}: {point}"
        if told and same_words:
            return f"nothing was edited, and it is {told}: {point}"
    return ""


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_difference_is_real_and_none_is_missed(seed: int) -> None:
    """Larger: `python -m tests.soak proofs`."""
    random = Random(seed)
    assert misjudged(random, a_pair(random), every=11) == ""


# --- nothing is written -------------------------------------------------------------------------


WRITERS = {
    "open", "write", "write_text", "write_bytes", "unlink", "rename", "replace_file", "mkdir", "rmdir", "touch", "chmod",
    "commit", "conclude", "note", "act", "symlink_to", "hardlink_to", "execute", "append_entry", "truncate", "seal",
}  # fmt: skip


def test_no_path_of_review_can_write() -> None:
    for path in Path(gateway.review.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        called = {node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                  for node in ast.walk(tree) if isinstance(node, ast.Call)}  # fmt: skip
        assert not called & WRITERS, path


def test_entries_are_left_as_they_were() -> None:
    before = [encode(entry) for entry in ENTRIES]
    against(COMPILED)
    assert [encode(entry) for entry in ENTRIES] == before


def test_anonymous_callers_are_counted_as_one() -> None:
    anonymous = [replace(entry, subject=ANONYMOUS) for entry in ENTRIES[:5]]
    assert against(COMPILED, tuple(anonymous)).decisions == 5
