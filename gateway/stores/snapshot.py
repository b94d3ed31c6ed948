"""What does this worker know to be revoked, and is that still all of it?

A worker answers from dictionaries; before each answer it compares one word of the board (0.05 µs).
Rules:

1. When the word has moved, what is new is read from the store at once, before the answer:
   a revocation that was acknowledged is obeyed by the next request.
2. A revocation holds for every credential of its key, also one issued after it, until it is lifted
   or over. (An attacker who holds a refresh token would step over "issued before".)
3. Doubt denies: while the store cannot be read after the word has moved, everyone is refused with
   `identity_unavailable`, and every device counts as revoked. One notice tells of it, one of its end.
4. While in doubt the store is asked at most every `RETRY` seconds: a broken disk must not also be
   a slow one.
"""

import math
from collections.abc import Callable
from typing import Protocol

from gateway.facts import Notice, Reason, Report, Subject
from gateway.stores.board import WORDS, Board
from gateway.stores.records import Kind, Revocation, StateFault

RETRY = 0.1
REASONS: dict[Kind, Reason] = {
    "token": Reason("token_revoked"),
    "session": Reason("session_revoked"),
    "subject": Reason("subject_revoked"),
    "device": Reason("device_revoked"),
}
_DOUBT = Reason("identity_unavailable", detail="the revocations cannot be read")
_STATE, _POSTURE = WORDS["state"], WORDS["posture"]


class Readable(Protocol):
    """The store as a worker uses it."""

    def change(self) -> int:
        """The number of the latest change."""

    def revocations(self, now: float) -> tuple[Revocation, ...]:
        """What holds now."""

    def revocations_since(self, change: int) -> tuple[Revocation, ...]:
        """What was added or lifted after this change."""

    def reports_since(self, change: int) -> tuple[tuple[int, Report], ...]:
        """Reports that changed after it."""

    def replaced(self) -> bool:
        """Whether another file stands in its place."""

    def close(self) -> None:
        """Let go of it."""


Opener = Callable[[], Readable]
"""Opens the store; raises StateFault. Called again when the file was replaced or could not be read."""


class Follower:
    """Follows one topic: asks the store for what is new when the topic's word has moved."""

    def __init__(
        self, board: Board, place: int, opener: Opener, clock: Callable[[], float], notice: Callable[[Notice], None]
    ) -> None:
        self._words, self._place = board.words, place
        self._opener, self._clock, self._notice = opener, clock, notice
        self._store: Readable | None = None
        self.seen = -1  # the word we have caught up with; -1: never
        self.change = 0
        self.doubt = True
        self._told = False
        self._retry_at = 0.0

    def moved(self) -> bool:
        """Whether the word has moved since the last reading."""
        return bool(self._words[self._place] != self.seen)

    def follow(self, read: Callable[[Readable, int, bool], int]) -> None:
        """Catch up. `read(store, since, afresh)` takes what is new and says up to which change."""
        now = self._clock()
        if self.doubt and now < self._retry_at:
            return
        word = self._words[self._place]  # before reading: a change during the reading moves it again
        try:
            store, afresh = self._open()
            self.change = read(store, 0 if afresh else self.change, afresh)
        except StateFault as fault:
            self._fail(fault, now)
        else:
            self.seen = word
            self._recover()

    def _open(self) -> tuple[Readable, bool]:
        """The store, and whether it must be read from the start (newly opened, or set back)."""
        if self._store is not None and not self._store.replaced():
            return self._store, self._store.change() < self.change
        if self._store is not None:
            self._store.close()
            self._store = None
        self._store = self._opener()
        return self._store, True

    def _fail(self, fault: StateFault, now: float) -> None:
        self.doubt, self._retry_at = self.doubt or self.moved(), now + RETRY
        if self._store is not None:
            self._store.close()
            self._store = None
        if not self._told:
            self._told = True
            self._notice(Notice("state.unreadable", detail=fault.en))

    def _recover(self) -> None:
        self.doubt = False
        if self._told:
            self._told = False
            self._notice(Notice("state.readable"))


class Revocations:
    """What one worker knows to be revoked. Satisfies identity's `Revocations`."""

    def __init__(
        self,
        board: Board,
        opener: Opener,
        clock: Callable[[], float],
        notice: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        self._words = board.words
        self._clock = clock
        self._follower = Follower(board, _STATE, opener, clock, notice)
        self._seen = -1
        self._over_at = math.inf  # when the first of them is over
        self._holding: dict[Kind, dict[str, dict[int, float | None]]] = {kind: {} for kind in REASONS}
        self._tokens, self._sessions = self._holding["token"], self._holding["session"]
        self._subjects, self._devices = self._holding["subject"], self._holding["device"]
        self.refresh_if_changed()

    def refuses(self, subject: Subject) -> Reason | None:
        """Why this subject's credential is refused, or None."""
        if self._words[_STATE] != self._seen:
            self.refresh_if_changed()
            if self._follower.doubt:
                return _DOUBT
        proof = subject.proof
        if self._tokens and (self._held(self._tokens, proof.token) or self._held(self._tokens, proof.jti)):
            return REASONS["token"]
        if self._sessions and self._held(self._sessions, proof.session):
            return REASONS["session"]
        if self._subjects and self._held(self._subjects, subject.id):
            return REASONS["subject"]
        if self._devices and self._held(self._devices, subject.device):
            return REASONS["device"]
        return None

    def revoked(self, device: str) -> bool:
        """Whether this device is revoked, or must be taken for it because nobody knows."""
        if self._words[_STATE] != self._seen:
            self.refresh_if_changed()
            if self._follower.doubt:
                return True
        return bool(self._devices) and self._held(self._devices, device)

    def generation(self) -> int:
        """A number that is another one once anything was revoked or lifted."""
        return int(self._words[_STATE])

    def size(self) -> int:
        """How many keys are held."""
        return sum(len(keys) for keys in self._holding.values())

    def refresh_if_changed(self) -> None:
        """Catch up with the store when the board's word has moved."""
        if self._follower.moved() or self._follower.doubt:
            self.refresh()

    def refresh(self) -> None:
        """Catch up with the store now; `app` does so now and then, should a writer have died before it bumped."""
        self._follower.follow(self._read)
        self._seen = -1 if self._follower.doubt else self._follower.seen

    def _read(self, store: Readable, since: int, afresh: bool) -> int:
        now = self._clock()
        upto = store.change()  # before the rows: what comes in between is read once more, not missed
        rows = store.revocations(now) if afresh else store.revocations_since(since)
        if afresh:
            for keys in self._holding.values():
                keys.clear()
        for row in rows:
            self._take(row, now)
        if now >= self._over_at:
            self._forget_over(now)
        return upto

    def _take(self, row: Revocation, now: float) -> None:
        keys = self._holding[row.kind]
        if row.holds(now):
            keys.setdefault(row.key, {})[row.id] = row.until
            self._over_at = min(self._over_at, row.until or math.inf)
            return
        held = keys.get(row.key)
        if held is not None:
            held.pop(row.id, None)
            if not held:
                del keys[row.key]

    def _forget_over(self, now: float) -> None:
        """Drop what is over, so that memory follows what holds and not what ever held."""
        self._over_at = math.inf
        for keys in self._holding.values():
            for key, held in list(keys.items()):
                left = {id: until for id, until in held.items() if until is None or until > now}
                self._over_at = min([self._over_at, *(until for until in left.values() if until is not None)])
                if left:
                    keys[key] = left
                else:
                    del keys[key]

    def _held(self, keys: dict[str, dict[int, float | None]], key: str) -> bool:
        """Whether one of the key's revocations still holds; the clock is read on a hit only."""
        held = keys.get(key)
        if held is None:
            return False
        now = self._clock()
        return any(until is None or until > now for until in held.values())


class Postures:
    """The latest report of each device, and which devices are revoked. Satisfies device's `Postures`."""

    def __init__(
        self,
        board: Board,
        opener: Opener,
        revocations: Revocations,
        clock: Callable[[], float],
        notice: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        self._words = board.words
        self._follower = Follower(board, _POSTURE, opener, clock, notice)
        self._seen = -1
        self._reports: dict[str, Report] = {}
        self._revocations = revocations
        self.refresh()

    def report(self, device: str) -> Report | None:
        """The newest report, None when there is none or it cannot be known (then never healthy)."""
        if self._words[_POSTURE] != self._seen:
            self.refresh()
            if self._follower.doubt:
                return None
        return self._reports.get(device)

    def revoked(self, device: str) -> bool:
        """Whether the device is revoked."""
        return self._revocations.revoked(device)

    def refresh(self) -> None:
        """Catch up with the store now."""
        self._follower.follow(self._read)
        self._seen = -1 if self._follower.doubt else self._follower.seen

    def _read(self, store: Readable, since: int, afresh: bool) -> int:
        reports = store.reports_since(since)
        if afresh:
            self._reports.clear()
        for _, report in reports:
            self._reports[report.device] = report
        return max([since, *(change for change, _ in reports[-1:])])
