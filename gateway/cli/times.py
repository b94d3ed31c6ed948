"""How is a time typed, and how is it told?"""

from datetime import UTC, datetime, tzinfo


def spelled(at: float, zone: tzinfo | None = None) -> str:
    """Seconds since 1970 as people read them in this time zone, or here, with the offset."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


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
