"""What time is it, and since when does the machine run?

The wall clock says what people mean by "until six". It can be set, by hand or by whoever answers NTP, and then a time
that was agreed would be over at once, or never. The clock beside it counts from the start of the machine, sleep
included, and nobody can set it; it is the same for all processes, and begins anew with the next start.
"""

import time
from functools import cache
from pathlib import Path

from msgspec import Struct

BOOT = Path("/proc/sys/kernel/random/boot_id")


class Instant(Struct, frozen=True):
    """A moment: `at` on the wall clock since 1970, `clock` (seconds) since the start of the machine that `boot` names."""

    at: float
    boot: str = ""  # "" where nobody can tell: then the wall clock is all there is
    clock: float = 0.0


def instant() -> Instant:
    """Now."""
    return Instant(time.time(), _boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot() -> str:
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
