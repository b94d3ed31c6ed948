"""Which evidence counts, how much, for how long, and against whom?

The table of signals, and the curves from a count to points. Names are written into entries and
never change their meaning. Rules:

1. A curve starts where honest work ends and is flat where nothing more can be learned: each signal
   has its own ceiling, so that no small repeated thing reaches a band that it should not (and a cap
   is never so low that a repeated thing is worth nothing).
2. Evidence is a count, a site or an hour: nothing that the entry does not hold already.
"""

from typing import Literal, NamedTuple

Home = Literal["user", "session", "device", "source"]

HOUR = 3600.0


class Meaning(NamedTuple):
    """A signal: what it is called, its most points, its half-life in seconds, on whom it counts."""

    en: str
    zh: str
    points: float
    half_life: float
    homes: tuple[Home, ...]


SIGNALS: dict[str, Meaning] = {
    "honey": Meaning("a decoy was touched", "触碰了诱饵数据", 100, 72 * HOUR, ("user", "device")),
    "compromised_device": Meaning("the device is compromised", "设备已失陷", 60, 1 * HOUR, ("device",)),
    "session_moved": Meaning("one session from two places", "同一会话出现在两个地点", 45, 12 * HOUR, ("session",)),
    "new_device": Meaning("a device not used before", "首次使用的设备", 20, 4 * HOUR, ("user",)),
    "new_site": Meaning("a place not worked from before", "首次出现的地点", 10, 4 * HOUR, ("user",)),
    "off_hours": Meaning("outside usual hours", "非常用时段", 8, 0.5 * HOUR, ("user",)),
    "first_core": Meaning("first access to core data", "首次访问核心数据", 15, 0.5 * HOUR, ("user",)),
    "off_hours_core": Meaning(
        "first access to core data outside usual hours", "非常用时段首次访问核心数据", 25, 2 * HOUR, ("user",)
    ),
    "enumeration": Meaning("many different records", "短时间访问大量不同记录", 70, 2 * HOUR, ("user",)),
    "volume": Meaning("much sensitive data", "大量获取敏感数据", 80, 2 * HOUR, ("user",)),
    "denied_burst": Meaning("many refusals", "短时间大量被拒", 40, 1 * HOUR, ("user",)),
    "failed_credentials": Meaning("bad credentials", "凭证多次失败", 60, 0.25 * HOUR, ("source",)),
    "spray": Meaning("bad credentials of many", "对多个账号的凭证喷洒", 100, 2 * HOUR, ("source",)),
}
"""Every signal. A request without an identified subject counts on its source what would count on the user."""

Curve = tuple[tuple[float, float], ...]
"""Corners (count, points), straight in between, 0 before the first and flat after the last."""

ENUMERATION: Curve = ((10, 20), (18, 40), (55, 60), (64, 70))  # distinct records in 5 minutes
VOLUME: Curve = ((500, 10), (1_500, 40), (4_000, 60), (10_000, 80))  # weighted records in 10 minutes
DENIED: Curve = ((6, 20), (14, 40))  # in 2 minutes
FAILED: Curve = ((1, 6), (10, 60))  # in 15 minutes
SPRAY: Curve = ((8, 100),)  # different bad credentials in 10 minutes

RECORD_WEIGHT: dict[str, float] = {
    "general-1": 0.0,
    "general-2": 0.1,
    "general-3": 0.25,
    "general-4": 0.5,
    "important": 1.0,
    "core": 3.0,
}
"""What one record counts for the volume, by grade."""


def points(curve: Curve, count: float) -> float:
    """The points that this count is worth."""
    left, low = curve[0]
    if count < left:
        return 0.0  # nearly always
    for right, high in curve[1:]:
        if count < right:
            return low + (high - low) * (count - left) / (right - left)
        left, low = right, high
    return float(low)


def decayed(points: float, age: float, half_life: float) -> float:
    """What is left after this time; news from a clock ahead of ours counts whole."""
    return points if age <= 0 else float(points * 2.0 ** (-age / half_life))
