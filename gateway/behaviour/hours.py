"""What time is it where they work, and is that an hour of work?

The hour is the department's own: Ürümqi starts two hours after Beijing by the sun, on the same clock.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

SLOT = 900  # seconds; every zone in use changes its offset at a quarter of an hour
HOURS = 48  # 24 of weekdays, 24 of weekends
ORGS_MAX = 4096  # orgs that are remembered: they come with tokens


class Hours:
    """The zones of the departments, and office hours on Monday to Friday."""

    def __init__(self, timezone: str, timezones: dict[str, str], office: tuple[int, int]) -> None:
        self._zone = ZoneInfo(timezone)
        self._zones = {org: ZoneInfo(zone) for org, zone in timezones.items()}
        self._office = office
        self._of_org: dict[str, tuple[ZoneInfo, float, tuple[int, bool]]] = {}  # zone, slot, what it is in this slot

    def at(self, org: str, at: float) -> tuple[int, bool]:
        """The hour of the two kinds of day (0–47), and whether it is office time."""
        slot = at // SLOT
        known = self._of_org.get(org)
        if known is not None and known[1] == slot:
            return known[2]
        zone = known[0] if known is not None else self._zone_of(org)
        told = self._look(zone, slot)
        if known is not None or len(self._of_org) < ORGS_MAX:
            self._of_org[org] = (zone, slot, told)
        return told

    def _look(self, zone: ZoneInfo, slot: float) -> tuple[int, bool]:
        local = datetime.fromtimestamp(slot * SLOT, zone)
        weekend = local.weekday() >= 5
        minutes = local.hour * 60 + local.minute
        return local.hour + 24 * weekend, not weekend and self._office[0] <= minutes < self._office[1]

    def _zone_of(self, org: str) -> ZoneInfo:
        """The zone of the org, or of the nearest org above it that has one."""
        name = org
        while name and name not in self._zones:
            name = name.rpartition("/")[0]
        return self._zones.get(name, self._zone)
