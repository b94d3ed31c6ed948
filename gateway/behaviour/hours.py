"""What time is it where they work, and is that an hour of work?

The hour is the department's own: Ürümqi starts two hours after Beijing by the sun, on the same clock.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

SLOT = 900  # seconds; every zone in use changes its offset at a quarter of an hour
HOURS = 48  # 24 of weekdays, 24 of weekends


class Hours:
    """The zones of the departments, and office hours on Monday to Friday."""

    def __init__(self, timezone: str, timezones: dict[str, str], office: tuple[int, int]) -> None:
        self._zone = ZoneInfo(timezone)
        self._zones = {org: ZoneInfo(zone) for org, zone in timezones.items()}
        self._office = office
        self._of_org: dict[str, ZoneInfo] = {}
        self._latest: dict[str, tuple[int, int, bool]] = {}  # zone -> (slot, hour, office): one slot at a time

    def at(self, org: str, at: float) -> tuple[int, bool]:
        """The hour of the two kinds of day (0–47), and whether it is office time."""
        zone = self._of_org.get(org) or self._remember(org)
        slot = int(at // SLOT)
        latest = self._latest.get(zone.key)
        if latest is None or latest[0] != slot:
            latest = self._latest[zone.key] = (slot, *self._look(zone, slot))
        return latest[1], latest[2]

    def _look(self, zone: ZoneInfo, slot: int) -> tuple[int, bool]:
        local = datetime.fromtimestamp(slot * SLOT, zone)
        weekend = local.weekday() >= 5
        minutes = local.hour * 60 + local.minute
        return local.hour + 24 * weekend, not weekend and self._office[0] <= minutes < self._office[1]

    def _remember(self, org: str) -> ZoneInfo:
        """The zone of the org, or of the nearest org above it that has one."""
        name = org
        while name and name not in self._zones:
            name = name.rpartition("/")[0]
        zone = self._zones.get(name, self._zone)
        if len(self._of_org) < 4096:  # orgs come with tokens: bounded
            self._of_org[org] = zone
        return zone
