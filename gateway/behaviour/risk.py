"""How do pieces of evidence become one number and one band?

Rules:

1. Inside one entity points add up, to 100 at most. Across entities the worst counts whole and the
   second 0.3 times: two suspicious halves are more than one, and never more than 100.
2. A band is entered at 40, 60, 80 and left 5 points lower, so that nobody flickers across an edge.
3. Everything is rounded to hundredths when it is made: what stands in the ledger is what was used. What
   was given decays by whole seconds: within one it is the same for every request.
"""

from typing import Final

from gateway.behaviour.signals import SIGNALS, decayed
from gateway.facts import Band, Signal

EDGES: Final[tuple[tuple[Band, float], ...]] = (("quarantine", 80.0), ("limit", 60.0), ("step_up", 40.0))
HYSTERESIS: Final = 5.0
SECOND: Final = 0.3
RANK: Final[dict[str, int]] = {"normal": 0, "step_up": 1, "limit": 2, "quarantine": 3}
_FAINT: Final = 0.5
_HALF_LIFE: Final = {name: meaning.half_life for name, meaning in SIGNALS.items()}

Given = tuple[float, float, str]
"""Points that were given, since when, and on what evidence."""

Live = dict[str, tuple[float, str]]
"""What this request shows by itself: points and evidence by signal."""


def entity(given: dict[str, Given] | None, live: Live | None, at: float) -> list[Signal]:
    """The signals of one entity now: the larger of what was given and what is shown."""
    signals: list[Signal] = []
    if given:
        for name, (was, since, evidence) in given.items():
            left = round(decayed(was, at // 1.0 - since, _HALF_LIFE[name]), 2)
            if live and name in live and live[name][0] >= left:
                continue
            if left >= _FAINT:
                signals.append(Signal(name, left, since, evidence))
    if live:
        taken = {signal.name for signal in signals}
        for name, (shown, evidence) in live.items():
            if name not in taken and shown >= _FAINT:
                signals.append(Signal(name, round(shown, 2), at, evidence))
    return signals


def total(signals: list[Signal]) -> float:
    """The score of one entity."""
    score = 0.0
    for signal in signals:
        score += signal.points
    return min(100.0, score)


def combine(scores: list[float]) -> float:
    """The risk of the request from the scores of its entities."""
    first = second = 0.0
    for score in scores:
        if score > first:
            first, second = score, first
        elif score > second:
            second = score
    return round(min(100.0, first + SECOND * second), 2)


def band_of(score: float, previous: str) -> Band:
    """The band of a score, coming from this band."""
    for band, edge in EDGES:
        if score >= edge or (RANK[previous] >= RANK[band] and score >= edge - HYSTERESIS):
            return band
    return "normal"
