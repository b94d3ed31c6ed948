"""How does a worker learn what its answers hold, beside its requests?

1. A request only passes its answer by. Once a second a thread counts what was put aside, once a minute it writes the counts.
2. The key under which different values are counted is drawn here, at each start, and never leaves the process.
3. Learning takes a hundredth of a core at most: it shares the interpreter with the requests. After a long answer it rests.
4. Nothing that goes wrong here stops a worker: a service that finds a value our detectors stumble over must not close the
   door for everybody. What went wrong is told once, until it goes well again.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gateway.app.boundary import place
from gateway.discovery import Learner, Record, Unreadable, kept, write
from gateway.facts import Notice

LEARN_SECONDS = 1.0
LEARN_SHARE = 0.01  # of a core
WRITE_SECONDS = 60.0
KEY_BYTES = 32


class Discovering:
    """The learning of one worker; `every` is how many answers of a route pass for one that is looked at."""

    def __init__(self, state: Path, slot: int, every: int, notice: Callable[[Notice], None]) -> None:
        self._state = state
        self._slot = slot
        self._notice = notice
        self._failing = False
        self._unwritten = False
        self._one_thread = threading.Lock()  # a worker that ends does not wait for the thread's turn to be over
        self._learner = Learner(every, secrets.token_bytes(KEY_BYTES), self._kept())
        self.observe = self._learner.observe

    def _kept(self) -> Record:
        try:
            return kept(self._state, self._slot)
        except Unreadable as fault:  # counters fill again, a worker that does not start would not
            self._tell(fault)
            return Record(1, ())

    async def run(self) -> None:
        """Learn and write until cancelled."""
        written = time.monotonic()
        rest = LEARN_SECONDS
        while True:
            await asyncio.sleep(rest)
            began = time.monotonic()
            if self._learner.waits:
                self._tell(await asyncio.to_thread(self._wrong, self._learn))
            rest = rest_after(time.monotonic() - began)
            if self._unwritten and began - written >= WRITE_SECONDS:
                written = began
                self._tell(await asyncio.to_thread(self._wrong, self._write))

    def close(self) -> None:
        """Nothing of what a worker saw is lost when it ends in order."""
        self._tell(self._wrong(self._learn))
        self._tell(self._wrong(self._write))

    def _learn(self) -> None:
        """Count what was put aside."""
        self._unwritten = True
        self._learner.learn(time.strftime("%Y-%m-%d", time.gmtime()))

    def _write(self) -> None:
        """Write the counts."""
        write(self._state, self._slot, self._learner.record())
        self._failing = self._unwritten = False

    def _wrong(self, step: Callable[[], None]) -> Exception | None:
        """Take a step; what went wrong, if anything did."""
        with self._one_thread:
            try:
                step()
            except Exception as fault:  # noqa: BLE001 - rule 4
                return fault
        return None

    def _tell(self, fault: Exception | None) -> None:
        """On the loop: notices are written by one thread."""
        if fault is not None and not self._failing:
            self._failing = True
            self._notice(Notice("discovery.failed", f"w{self._slot}", f"{type(fault).__name__} {place(fault)}"))


def rest_after(seconds: float) -> float:
    """How long to rest after so many seconds of learning (rule 3)."""
    return max(LEARN_SECONDS, seconds / LEARN_SHARE)
