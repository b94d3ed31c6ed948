"""A state directory with some history in it, written by the real journal."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.audit.journal import Ledger, Settings
from gateway.audit.sealer import Sealer
from gateway.entries import Entry
from gateway.facts import Outcome, Revealed, Warrant
from tests.literals import a_deny, a_permit, some_facts

KEY = b"k" * 32
FACTS = some_facts()
OUTCOME = Outcome(200, 1024, 0, True, "", Revealed((("$.id_number", 1),), (), 3), 0.001, 0.002)


def live(settings: Settings, story: Callable[[Ledger], Awaitable[None]], name: str = "worker0", **seams) -> Ledger:
    """Run one process's life: `story` writes, then the process ends without closing."""

    async def run() -> Ledger:
        ledger = Ledger(settings, name, KEY, **seams)
        await story(ledger)
        if ledger._descriptor >= 0 and ledger._pending:
            ledger._flush()
        for timer in (ledger._batch, ledger._sync_timer, ledger._late_timer):
            if timer is not None:
                timer.cancel()
        return ledger

    return asyncio.run(run())


def die(ledger: Ledger) -> None:
    """The process is gone: its lock is open, its file as it is."""
    ledger._thread.shutdown(wait=True)
    if ledger._descriptor >= 0:
        ledger._files.close(ledger._descriptor)
    for descriptor in ledger._retired:
        ledger._files.close(descriptor)


async def some_requests(ledger: Ledger, count: int = 5, concluded: bool = True) -> list[str]:
    """Permits with their outcomes, and a refusal after each."""
    ids = []
    for _ in range(count):
        warrant = await ledger.commit(FACTS, a_permit())
        assert isinstance(warrant, Warrant)
        ids.append(warrant.id)
        if concluded:
            ledger.conclude(warrant.id, OUTCOME)
        await ledger.commit(FACTS, a_deny())
    return ids


def a_closed_life(settings: Settings, count: int = 5, name: str = "worker0") -> Ledger:
    """One life that ends in order."""

    async def story(ledger: Ledger) -> None:
        await some_requests(ledger, count)

    ledger = live(settings, story, name)
    ledger.close()
    return ledger


def seal_all(sealer: Sealer) -> list[Entry]:
    """Step until nothing is left."""
    found: list[Entry] = []
    while True:
        batch = sealer.step()
        found += batch.entries
        if not batch.entries and not batch.unsealed:
            return found
