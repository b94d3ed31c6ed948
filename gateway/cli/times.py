"""How is a time typed, and how is it told?"""

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path


def spelled(at: float, zone: tzinfo | None = None) -> str:
    """Seconds since 1970 as people read them in this time zone, or here, with the offset."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def zone_of(config: str) -> tzinfo | None:
    """The policies' time zone of this configuration; None, the zone of this machine, where it cannot be read."""
    from gateway.catalog.offices import read_offices
    from gateway.config import places
    from gateway.document import Faulty

    try:
        return read_offices(places(Path(config), os.environ).policies / "people.yaml").zone
    except Faulty:
        return None


def moment(text: str, now: float) -> float:
    """Seconds since 1970 of `24h` from now, or of a time with its offset. Raises ValueError."""
    from gateway.config.units import Odd, duration

    try:
        return now + duration(text)
    except Odd:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:  # eight hours' difference between what was meant and what was done
            raise ValueError("a time needs its offset") from None
        return found.timestamp()
