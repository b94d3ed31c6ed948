"""Which of a service's addresses gets the next request?

The one with the fewest requests under way, in turn where that is equal. Rules:

1. Only failures to connect count against an address. Slow or broken answers do not: a caller could
   otherwise take a service away from everyone by asking for its slowest page.
2. After `FAILURES` in a row an address is left out for a while, each time twice as long; an active
   check that fails leaves it out until one succeeds.
3. When no other address is left the pause is short: a service that was restarted answers again
   within a second, while one that hangs cannot hold the gateway's capacity.
"""

from collections.abc import Callable, Collection

from msgspec import Struct

from gateway.facts import Notice
from gateway.upstream.pool import Pool

FAILURES = 3
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class Spot(Struct, eq=False):
    """One address and how it fared."""

    pool: Pool
    failures: int = 0
    until: float = 0.0  # left out until then; 0 when it is in
    pause: float = FIRST_PAUSE
    sick: bool = False  # an active check says so
    sick_failures: int = 0

    def out(self, now: float) -> bool:
        """Whether it is left out at the moment."""
        return self.sick or now < self.until


class Balance:
    """The addresses of one service."""

    def __init__(self, service: str, notice: Callable[[Notice], None], clock: Callable[[], float]) -> None:
        self._service = service
        self._notice = notice
        self._clock = clock
        self._next = 0
        self.spots: list[Spot] = []

    def add(self, pool: Pool) -> None:
        """One more address."""
        self.spots.append(Spot(pool))

    def choose(self, avoid: Collection[Pool] = ()) -> Pool | None:
        """The pool to use, if possible none of `avoid`; None when every address is left out."""
        spots = self.spots
        if len(spots) == 1 and not spots[0].until and not spots[0].sick:
            return spots[0].pool
        now = self._clock()
        start = self._next = (self._next + 1) % len(spots)
        inside = [spot.pool for spot in spots[start:] + spots[:start] if not spot.out(now)]
        others = [pool for pool in inside if pool not in avoid]
        return min(others or inside, key=_pending, default=None)

    def pending(self) -> int:
        """Requests under way or waiting, at all addresses."""
        spots = self.spots
        return spots[0].pool.pending if len(spots) == 1 else sum(spot.pool.pending for spot in spots)

    def opened(self, pool: Pool, why: str) -> None:
        """An attempt to connect ended: well (empty) or why not."""
        spot = self._spot(pool)
        if not why:
            self._back(spot)
            return
        spot.failures += 1
        if spot.failures >= FAILURES:
            self._leave_out(spot, why)

    def checked(self, pool: Pool, failures: int, why: str) -> None:
        """An active check ended: well (empty) or why not; `failures` in a row take the address out."""
        spot = self._spot(pool)
        if not why:
            spot.sick_failures = 0
            self._back(spot)
            return
        spot.sick_failures += 1
        if spot.sick_failures >= failures and not spot.sick:
            spot.sick = True
            self._tell("upstream.ejected", spot, why)

    def _leave_out(self, spot: Spot, why: str) -> None:
        now = self._clock()
        alone = all(other is spot or other.out(now) for other in self.spots)
        if not spot.until and not spot.sick:
            self._tell("upstream.ejected", spot, why)
        spot.until = now + (FIRST_PAUSE if alone else spot.pause)
        spot.pause = min(spot.pause * 2, LONGEST_PAUSE)

    def _back(self, spot: Spot) -> None:
        if spot.sick_failures:
            return  # a connection is not yet an answer: only a check ends what a check began
        if spot.until or spot.sick:
            self._tell("upstream.returned", spot, "")
        spot.failures, spot.until, spot.pause, spot.sick = 0, 0.0, FIRST_PAUSE, False

    def _spot(self, pool: Pool) -> Spot:
        return next(spot for spot in self.spots if spot.pool is pool)

    def _tell(self, name: str, spot: Spot, why: str) -> None:
        self._notice(Notice(name, f"{self._service} {spot.pool.endpoint}", why))


def _pending(pool: Pool) -> int:
    return pool.pending
