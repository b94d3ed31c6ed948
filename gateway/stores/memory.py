"""How does the state behave, without a disk?

The twin of `gateway.stores.sqlite` for tests and drills: the same methods, the same refusals
(`tests/conformance/test_state.py` runs on both), nothing survives the process.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.facts import Report
from gateway.stores.instant import Instant
from gateway.stores.records import (
    Activation,
    Emergency,
    Kind,
    Pilot,
    Revocation,
    StateFault,
    Way,
    check_emergency,
    check_revocation,
)


class MemoryState:
    """State in this process only. Set `broken` to make every call fail as a lost disk would."""

    def __init__(self) -> None:
        self.broken = False
        self._change = 0
        self._revocations: dict[int, Revocation] = {}
        self._reports: dict[str, tuple[int, Report]] = {}
        self._sequences: dict[tuple[str, str], int] = {}
        self._activations: list[Activation] = []
        self._emergencies: dict[int, Emergency] = {}
        self._pilots: dict[int, Pilot] = {}
        self._opened: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Nothing to close."""

    def replaced(self) -> bool:
        """Memory is never replaced."""
        return False

    def revoke(self, kind: Kind, key: str, reason: str, by: str, at: float, until: float | None = None) -> Revocation:
        """See `State.revoke`."""
        check_revocation(kind, key, reason, by, at, until)
        change = self._next()
        row = Revocation(len(self._revocations) + 1, change, kind, key, reason, by, at, until)
        self._revocations[row.id] = row
        return row

    def lift(self, id: int, by: str, at: float) -> Revocation | None:
        """See `State.lift`."""
        change = self._next()
        row = self._revocations.get(id)
        if row is None or row.lifted_at is not None:
            return None
        self._revocations[id] = replace(row, change=change, lifted_at=at, lifted_by=by)
        return self._revocations[id]

    def revocations(self, now: float) -> tuple[Revocation, ...]:
        """See `State.revocations`."""
        self._check()
        return tuple(row for row in self._revocations.values() if row.holds(now))

    def revocations_since(self, change: int) -> tuple[Revocation, ...]:
        """See `State.revocations_since`."""
        self._check()
        newer = [row for row in self._revocations.values() if row.change > change]
        return tuple(sorted(newer, key=lambda row: row.change))

    def change(self) -> int:
        """See `State.change`."""
        self._check()
        return self._change

    def keep_report(self, report: Report) -> bool:
        """See `State.keep_report`."""
        change = self._next()
        if report.sequence <= self.last_sequence(report.reporter, report.device):
            return False
        self._sequences[report.reporter, report.device] = report.sequence
        kept = self._reports.get(report.device)
        if kept is None or report.reported_at >= kept[1].reported_at:
            self._reports[report.device] = (change, report)
        return True

    def last_sequence(self, reporter: str, device: str) -> int:
        """See `State.last_sequence`."""
        self._check()
        return self._sequences.get((reporter, device), -1)

    def reports_since(self, change: int) -> tuple[tuple[int, Report], ...]:
        """See `State.reports_since`."""
        self._check()
        return tuple(sorted((kept for kept in self._reports.values() if kept[0] > change), key=lambda kept: kept[0]))

    def activate(self, digest: str, by: str, at: float, pinned: bool = False, way: Way = "") -> Activation:
        """See `State.activate`."""
        self._next()
        self._activations.append(Activation(len(self._activations) + 1, digest, by, at, pinned, way))
        return self._activations[-1]

    def activations(self, limit: int = 20) -> tuple[Activation, ...]:
        """See `State.activations`."""
        self._check()
        return tuple(reversed(self._activations[-limit:]))

    def ask_emergency(self, level: str, reason: str, by: str, at: float, until: float) -> Emergency:
        """See `State.ask_emergency`."""
        check_emergency(level, reason, by, at, until)
        self._next()
        return self._keep(Emergency(len(self._emergencies) + 1, level, reason, by, at, until))

    def emergency(self, id: int) -> Emergency | None:
        """See `State.emergency`."""
        self._check()
        return self._emergencies.get(id)

    def emergencies(self, limit: int = 20) -> tuple[Emergency, ...]:
        """See `State.emergencies`."""
        self._check()
        return tuple(reversed(self._emergencies.values()))[:limit]

    def waiting_emergencies(self, at: float) -> tuple[Emergency, ...]:
        """See `State.waiting_emergencies`."""
        newest = {
            (row.by, row.level): row for row in reversed(self.emergencies(len(self._emergencies))) if row.waits(at)
        }
        return tuple(sorted(newest.values(), key=lambda row: -row.id))

    def confirm_emergency(self, id: int, by: str, now: Instant) -> Emergency | None:
        """See `State.confirm_emergency`."""
        self._next()
        row = self._emergencies.get(id)
        if row is None or row.by == by or not row.waits(now.at):
            return None
        for other in self._confirmed():
            self._keep(replace(other, ended_at=now.at))
        return self._keep(replace(row, confirmed_by=by, confirmed_at=now.at, boot=now.boot, clock=now.clock))

    def standing_emergency(self) -> Emergency | None:
        """See `State.standing_emergency`."""
        self._check()
        return next(iter(self._confirmed()), None)

    def standing(self) -> tuple[Activation | None, Emergency | None]:
        """See `State.standing`."""
        return next(iter(self.activations(1)), None), self.standing_emergency()

    def _confirmed(self) -> tuple[Emergency, ...]:
        rows = self._emergencies.values()
        return tuple(row for row in rows if row.confirmed_at is not None and row.ended_at is None)

    def end_emergency(self, id: int, at: float) -> Emergency | None:
        """See `State.end_emergency`."""
        self._next()
        row = self._emergencies.get(id)
        return None if row is None or row.ended_at is not None else self._keep(replace(row, ended_at=at))

    def _keep(self, row: Emergency) -> Emergency:
        self._emergencies[row.id] = row
        return row

    def start_pilot(self, digest: str, terms: str, by: str, at: float) -> Pilot:
        """See `State.start_pilot`."""
        running = self.pilot()
        if running is not None:
            self.end_pilot(running.id, by, at, "replaced")
        else:
            self._next()
        row = Pilot(len(self._pilots) + 1, digest, terms, by, at)
        self._pilots[row.id] = row
        return row

    def pilot(self) -> Pilot | None:
        """See `State.pilot`."""
        self._check()
        return next((row for row in self._pilots.values() if row.ended_at is None), None)

    def pilots(self, limit: int = 20) -> tuple[Pilot, ...]:
        """See `State.pilots`."""
        self._check()
        return tuple(reversed(self._pilots.values()))[:limit]

    def change_pilot(self, id: int, terms: str) -> Pilot | None:
        """See `State.change_pilot`."""
        self._next()
        row = self._pilots.get(id)
        if row is None or row.ended_at is not None:
            return None
        self._pilots[id] = replace(row, terms=terms)
        return self._pilots[id]

    def end_pilot(self, id: int, by: str, at: float, why: str) -> Pilot | None:
        """See `State.end_pilot`."""
        self._next()
        row = self._pilots.get(id)
        if row is None or row.ended_at is not None:
            return None
        self._pilots[id] = replace(row, ended_at=at, ended_by=by, why=why)
        return self._pilots[id]

    def open_token(self, token: str, grants: Iterable[str], decision: str, at: float) -> str:
        """See `State.open_token`."""
        self._next()
        for grant in grants:
            if (token, grant) not in self._opened:
                self._opened.add((token, grant))
                return grant
        return ""

    def opened(self) -> int:
        """See `State.opened`."""
        self._check()
        return len(self._opened)

    def _next(self) -> int:
        self._check()
        self._change += 1
        return self._change

    def _check(self) -> None:
        if self.broken:
            raise StateFault("the state cannot be used", "状态存储不可用")
