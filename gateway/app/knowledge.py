"""What does this worker judge by, and is it still what all others judge by?

Rules:

1. The board's word is compared at the start of every request: a revision that was activated before the
   request came in is the one that judges it.
2. Flipping is one assignment; a revision that was prepared off the loop flips at once.
3. A revision that cannot be read leaves the last good one in force, and a notice says so, once. It is tried again after
   a second, then after two, at last each half minute: what all others judge by must not wait for another release.
   A new worker has no last good one, only what was active at the start, and that may have been replaced for what it
   let through: until it can read what is active it denies everything (`policy_error`).
4. While a pilot runs, a candidate stands beside the active revision (`app.shadow`); it comes and goes with the same word.
"""

from collections.abc import Callable

from gateway.app.revisions import Compiled
from gateway.app.shadow import Shadow
from gateway.document import Faulty
from gateway.facts import NOTHING_GRANTED, Ask, Asset, Decision, Deny, Facts, Granted, Notice, Reason, Subject
from gateway.journey import Revision
from gateway.policy import Bundle, Damaged
from gateway.stores import Board, StateFault
from gateway.stores.board import WORDS

BUNDLE = WORDS["bundle"]
UNREAD = "the policies in force cannot be read"
LONGEST_PAUSE = 32  # between two tries to read what could not be read, in calls of `try_again`


class Unread:
    """Decides while nobody knows by what: it denies. `bundle` is the one of the start, for its names only."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def granted(self, ask: Ask, subject: Subject, asset: Asset) -> Granted:
        """Nothing."""
        return NOTHING_GRANTED

    def decide(self, facts: Facts) -> Decision:
        """No."""
        return Deny((Reason("policy_error", "", UNREAD),), self.bundle.digest)


class Knowledge:
    """The active revision, and the one prepared to follow it."""

    def __init__(
        self,
        board: Board,
        start: Compiled,
        active: Callable[[], str],
        recall: Callable[[str], Compiled],
        make: Callable[[Compiled], Revision],
        notice: Callable[[Notice], None],
        shadow: Shadow | None = None,
    ) -> None:
        self._words = board.words
        self._active = active
        self._recall = recall
        self._make = make
        self._notice = notice
        self._shadow = shadow
        self._prepared: dict[str, Revision] = {}
        self.digest = start.digest
        self._active_revision = self._revision = first = self._make(start)
        self._unread = Revision(first.catalog, Unread(first.policy.bundle), first.devices, first.asks)
        self._known = False  # whether what is active could ever be read
        self._told = ""  # which fault, while what is active cannot be read
        self._pause = self._left = 0  # until it is tried again
        self._seen = -1  # the first request looks: something may have been activated since the fork

    def current(self) -> Revision:
        """The revision to judge by."""
        if self._words[BUNDLE] != self._seen:
            self._flip()
        return self._revision

    def look_again(self) -> None:
        """Ask what is active at the next request, though the word has not moved: an emergency level is over."""
        self._seen = -1

    def try_again(self) -> None:
        """Called each second: what could not be read when it was activated may be now."""
        if self._left:
            self._left -= 1
            if not self._left:
                self._seen = -1

    def prepare(self, compiled: Compiled) -> None:
        """Take a revision that was compiled off the loop; it flips once it is activated."""
        self._prepared = {compiled.digest: self._make(compiled)}

    def prepared(self, digest: str) -> bool:
        """Whether this revision could flip at once."""
        return digest == self.digest or digest in self._prepared or self._held(digest) is not None

    def _flip(self) -> None:
        word = self._words[BUNDLE]  # before reading: an activation during the reading moves it again
        digest = ""
        try:
            digest = self._active()
            if digest and digest != self.digest:
                self._active_revision = self._ready(digest)
                self.digest = digest
            self._known, self._told, self._pause, self._left = True, "", 0, 0
        except (StateFault, Faulty, Damaged, OSError) as fault:
            self._missed(digest, type(fault).__name__)
        revision = self._active_revision if self._known else self._unread
        self._revision = revision if self._shadow is None else self._shadow.beside(revision, self.digest, self._ready)
        self._seen = word

    def _missed(self, digest: str, fault: str) -> None:
        self._pause = self._left = min(self._pause * 2, LONGEST_PAUSE) or 1
        if self._told != f"{digest} {fault}":
            self._told = f"{digest} {fault}"
            self._notice(Notice("policy.unreadable", detail=fault))

    def _ready(self, digest: str) -> Revision:
        ready = self._prepared.pop(digest, None) or self._held(digest)
        return ready if ready is not None else self._make(self._recall(digest))

    def _held(self, digest: str) -> Revision | None:
        return None if self._shadow is None else self._shadow.held(digest)
