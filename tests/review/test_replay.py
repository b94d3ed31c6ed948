"""Do the same facts and the same bundle give the same decision, byte for byte?

Who could be misled, and what must hold:
 auditor            `same` means every byte that the ledger would write; one other reason is named, with both values
 insider            an entry whose outcome, reason, mask or rule was altered does not replay
 careless operator  another bundle or catalog is refused, never taken for the one that decided
"""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.audit import decode, encode
from gateway.audit.entry import verdict_entry
from gateway.catalog import Catalog
from gateway.entries import VerdictEntry
from gateway.facts import Asset, Exposure, Facts, Grade, Granted, Mask, Reason
from gateway.policy import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.review.recorded import Unreplayable
from gateway.review.replay import Again, Replayed, Unknown, replay
from tests.policy import generated
from tests.review.history import DIGESTS, JOURNAL, record, shipped

COMPILED = shipped()


class Listed:
    """A catalog that lists one asset."""

    def __init__(self, asset: Asset) -> None:
        self.asset, self.digest = asset, asset.revision

    def find(self, method: str, path: str, api: str = "", at: float | None = None) -> Asset:
        return self.asset

    def aggregated(self, asset: Asset, exposure: Exposure) -> Asset:
        return asset


def catalog(asset: Asset) -> Catalog:
    return Listed(asset)  # type: ignore[return-value]


def written(bundle: Bundle, facts: Facts) -> VerdictEntry:
    """The entry of a decision, as it comes out of the ledger again."""
    decision = decide(bundle, facts, BY_GRADE[facts.asset.grade.national])
    entry = decode(encode(verdict_entry(JOURNAL, 3, facts, decision, DIGESTS)))
    assert isinstance(entry, VerdictEntry)
    return entry


@given(st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_was_decided_is_decided_again(random: Random, discreet: bool) -> None:
    bundle = generated.bundle(generated.rules(random, 12))
    facts = generated.a_request(random)
    asset = replace(facts.asset, discreet=discreet, honey=random.random() < 0.1)
    granted = random.choice((Granted(), Granted(("g",), True)))
    entry = written(bundle, replace(facts, asset=asset, grant=granted))
    done = replay(entry, bundle, catalog(asset))
    assert done.same, done.differs
    assert done.id == f"{JOURNAL}.3"


def test_the_shipped_policies_replay_their_own_record() -> None:
    for entry in record(COMPILED, 400):
        assert replay(entry, COMPILED.bundle, COMPILED.catalog).same


@pytest.mark.parametrize("level", ["I", "IV"])
def test_an_emergency_level_replays_under_its_own_name(level: str) -> None:
    raised = COMPILED.bundle.raised(level)
    entry = next(record(replace(COMPILED, bundle=raised), 1))
    assert entry.bundle.endswith(f"+{level}")
    assert replay(entry, raised, COMPILED.catalog).same
    with pytest.raises(Unreplayable):
        replay(entry, COMPILED.bundle, COMPILED.catalog)


def test_an_entry_from_before_layers_were_recorded_replays() -> None:
    for entry in record(COMPILED, 200):
        plain = [tuple(replace(reason, layer="") for reason in some) for some in (entry.reasons, entry.would_reasons)]
        old = replace(entry, reasons=plain[0], would_reasons=plain[1])
        assert b'"layer"' not in encode(old)
        assert replay(old, COMPILED.bundle, COMPILED.catalog).same


def test_a_layer_that_was_altered_is_told() -> None:
    entry = permitted()
    other = replace(entry, reasons=(replace(entry.reasons[0], layer="base"), *entry.reasons[1:]))
    assert [one.field for one in replay(other, COMPILED.bundle, COMPILED.catalog).differs] == ["reasons"]


def permitted() -> VerdictEntry:
    return next(entry for entry in record(COMPILED, 200) if (entry.outcome, entry.asset) == ("permit", "household"))


ALTERED: dict[str, Any] = {
    "outcome": "deny",
    "reasons": (Reason("no_rule"),),
    "mask": Mask("none", (), "pass"),
    "stage": "observe",
    "would": "deny",
    "would_reasons": (Reason("no_rule"),),
    "notify": ("security",),
}


@pytest.mark.parametrize("field", ALTERED)
def test_an_altered_entry_is_told_with_both_values(field: str) -> None:
    entry = replace(permitted(), **{field: ALTERED[field]})
    done = replay(entry, COMPILED.bundle, COMPILED.catalog)
    assert [one.field for one in done.differs] == [field]
    assert bytes(done.differs[0].recorded) != bytes(done.differs[0].replayed)


def test_facts_that_were_altered_show_in_what_they_lead_to() -> None:
    entry = permitted()
    worse = replace(entry, subject=replace(entry.subject, roles=()))
    assert {one.field for one in replay(worse, COMPILED.bundle, COMPILED.catalog).differs} >= {"outcome", "reasons"}


def test_only_the_revision_that_decided_judges() -> None:
    entry = permitted()
    with pytest.raises(Unreplayable, match="bundle"):
        replay(replace(entry, bundle="0" * 64), COMPILED.bundle, COMPILED.catalog)
    with pytest.raises(Unreplayable, match="catalog"):
        replay(replace(entry, revision="0" * 64), COMPILED.bundle, COMPILED.catalog)


def test_a_mask_too_long_for_the_record_is_shortened_the_same_way() -> None:
    random = Random(5)
    bundle = generated.bundle([replace(generated.a_rule(random, 1), effect="allow", who=("*",), org=("*",), data=("*",),
                                       action=("*",), level="any", when="", expires="", then="{}")])  # fmt: skip
    facts = generated.a_request(random)
    wide = tuple(replace(generated.FIELDS[0], path=f"$.field_{n}", grade=Grade.GENERAL_1) for n in range(3000))
    asset = replace(facts.asset, fields=wide, mode="enforce")
    subject = replace(facts.subject, roles=("r0",), rejection=None)
    entry = written(bundle, replace(facts, asset=asset, subject=subject))
    assert entry.mask is not None
    assert len(entry.mask.fields) == 64
    assert replay(entry, bundle, catalog(asset)).same


def test_what_several_found_is_put_together() -> None:
    one, two = Again(same=2), Again(same=1, unreadable=1)
    for number in range(2):
        one.leave_out(f"a.{number}", "gone", "已删除")
        two.leave_out(f"b.{number}", "gone", "已删除")
    two.differs.append(Replayed("b.9", same=False))
    one.merge(two)
    assert (one.same, one.unreadable, [found.id for found in one.differs]) == (3, 1, ["b.9"])
    assert one.unknown[("gone", "已删除")] == Unknown(4, ["a.0", "a.1", "b.0"])
