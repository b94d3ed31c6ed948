"""Is everybody found who was shown records about a citizen, and nothing told to those without the key?"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.audit import Looks, TooSlow, seen
from gateway.audit.checkpoint import Signer
from gateway.audit.entry import MAX_ENTRY, decode, encode
from gateway.audit.index import Index
from gateway.audit.journal import Ledger, Settings
from gateway.audit.sealer import Sealer
from gateway.entries import OutcomeEntry
from gateway.facts import MAX_SEEN, Outcome, Revealed
from tests.audit.world import FACTS, OUTCOME, a_permit, live
from tests.literals import NOW

WANG, LI = b"wangwang", b"lili-lil"


async def shown(ledger: Ledger, *revealed: Revealed) -> list[str]:
    ids = []
    for one in revealed:
        warrant = await ledger.commit(FACTS, a_permit())
        ids.append(warrant.id)  # type: ignore[union-attr]  # a warrant
        outcome: Outcome = replace(OUTCOME, revealed=one)
        ledger.conclude(ids[-1], outcome)
    return ids


def indexed(settings: Settings, signer: Signer, *revealed: Revealed, apart: bool = False) -> tuple[Path, list[str]]:
    """An index of these answers; `apart`: each decision is read before its outcome is."""
    ids: list[str] = []

    async def story(ledger: Ledger) -> None:
        ids.extend(await shown(ledger, *revealed))

    live(settings, story).close()
    batch, index = Sealer(settings, signer).step(), Index(settings.directory / "index.db")
    if apart:
        for place, entry in enumerate(batch.entries):
            index.add(batch.first + place, [entry])
    else:
        index.add(batch.first, batch.entries)
    index.close()
    return index.path, ids


@pytest.mark.parametrize("apart", [False, True])
def test_who_saw_it_is_told_newest_first_and_how_it_was_shown(settings: Settings, signer: Signer, apart: bool) -> None:
    path, ids = indexed(
        settings,
        signer,
        Revealed(seen=WANG + LI, clear=2),
        Revealed(seen=LI, clear=0),
        Revealed(seen=WANG),
        apart=apart,
    )
    found = seen(path, [WANG], 0.0)
    assert [(look.id, look.clear) for look in found.looks] == [(ids[2], False), (ids[0], True)]
    look = found.looks[0]
    assert (look.subject, look.person, look.org, look.asset, look.category, look.route) == (
        FACTS.subject.id, FACTS.subject.name, FACTS.subject.org, FACTS.asset.id, FACTS.asset.category, FACTS.asset.route,
    )  # fmt: skip
    assert (found.larger, found.cut) == (0, False)


def test_somebody_nobody_asked_for_is_not_told(settings: Settings, signer: Signer) -> None:
    path, _ = indexed(settings, signer, Revealed(seen=WANG, clear=1))
    assert seen(path, [LI], 0.0) == Looks((), 0, False)
    assert seen(path, [b"wang"], 0.0) == Looks((), 0, False)  # half a digest is nobody's


def test_an_answer_with_more_records_than_are_listed_may_have_had_it(settings: Settings, signer: Signer) -> None:
    path, _ = indexed(
        settings, signer, Revealed(seen=LI, unlisted=7), Revealed(seen=WANG, unlisted=1), Revealed(seen=LI)
    )
    assert seen(path, [WANG], 0.0).larger == 1
    assert seen(path, [b"somebody"], 0.0).larger == 2


def test_only_the_span_that_was_asked_for(settings: Settings, signer: Signer) -> None:
    path, _ = indexed(settings, signer, Revealed(seen=WANG, unlisted=1), Revealed(seen=LI, unlisted=1))
    assert seen(path, [WANG], NOW + 1) == Looks((), 0, False)


def test_a_list_that_was_cut_says_so(settings: Settings, signer: Signer) -> None:
    path, ids = indexed(settings, signer, *[Revealed(seen=WANG)] * 5)
    found = seen(path, [WANG], 0.0, most=3)
    assert ([look.id for look in found.looks], found.cut) == (ids[:1:-1], True)
    assert not seen(path, [WANG], 0.0, most=5).cut


def test_the_same_is_found_in_an_index_that_was_made_again(settings: Settings, signer: Signer) -> None:
    path, ids = indexed(settings, signer, Revealed(seen=WANG, clear=1))
    path.unlink()
    index = Index(path)
    index.catch_up(settings.directory / "ledger", 4)
    index.close()
    assert [look.id for look in seen(path, [WANG], 0.0).looks] == ids


def test_a_question_that_takes_too_long_is_ended(settings: Settings, signer: Signer) -> None:
    path, _ = indexed(
        settings, signer, *[Revealed(seen=b"".join(number.to_bytes(8) for number in range(2000)), unlisted=1)] * 9
    )
    with pytest.raises(TooSlow):
        seen(path, [number.to_bytes(8) for number in range(2000)], 0.0, seconds=-1.0)


def test_an_entry_that_is_too_long_keeps_whole_digests_and_counts_the_rest() -> None:
    """A hostile service names fields so long that its entry must be shortened: who was shown what stays readable."""
    digests = b"".join(number.to_bytes(8) for number in range(MAX_SEEN))
    names = tuple((f"$.{'x' * 900}{number}", 1) for number in range(100))
    entry = OutcomeEntry(1, "w0", 1, NOW, "w0.0", 200, 1, 0, True, 0.0, 0.1, "", names, (), 2500, digests, 500, 9)
    raw = encode(entry)
    kept = decode(raw)
    assert len(raw) <= MAX_ENTRY
    assert isinstance(kept, OutcomeEntry) and kept.seen and len(kept.seen) % 8 == 0 and digests.startswith(kept.seen)
    assert len(kept.seen) // 8 + kept.unlisted == MAX_SEEN + 500
