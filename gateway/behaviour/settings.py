"""What does an operator decide about behaviour?"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from gateway.behaviour.signals import SIGNALS
from gateway.behaviour.sites import Site

IDENTITIES_MAX = 10_000


class Settings(Struct, frozen=True):
    """Settings of the room. Hours in minutes since midnight, `weights` in points by signal name."""

    timezone: str = "Asia/Shanghai"
    timezones: dict[str, str] = {}  # org, or the beginning of one by segments -> zone
    sites: tuple[Site, ...] = ()
    office_hours: tuple[int, int] = (7 * 60, 20 * 60)  # Monday to Friday
    weights: dict[str, float] = {}  # the most points of a signal, where the table's do not fit; 0 turns it off
    identities_max: int = IDENTITIES_MAX
    service_factor: float = 10.0  # how much more than a person a service account may do
    bulk_purposes: dict[str, float] = {}  # a purpose the issuer vouches for -> how much more it may do
    history: int = 60  # events before novelty counts whole

    def __post_init__(self) -> None:
        for zone in (self.timezone, *self.timezones.values()):
            _check_zone(zone)
        start, end = self.office_hours
        if not 0 <= start < end <= 24 * 60:
            raise ValueError(f"office hours `{start}-{end}` must be minutes of one day, in order")
        for name, weight in self.weights.items():
            if name not in SIGNALS:
                raise ValueError(f"`{name}` is not a signal; possible: {', '.join(SIGNALS)}")
            if not 0 <= weight <= 100:
                raise ValueError(f"the weight `{weight}` of {name} must lie between 0 and 100")
        if self.identities_max < 1 or self.service_factor < 1:
            raise ValueError("identities_max and service_factor are 1 or more")
        if any(factor < 1 for factor in self.bulk_purposes.values()):
            raise ValueError("the factor of a bulk purpose is 1 or more")

    def with_sites(self, sites: tuple[Site, ...]) -> "Settings":
        """The same settings with more sites: those of the policy folder beside those of the configuration."""
        return replace(self, sites=(*self.sites, *sites))


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"`{zone}` is not a time zone; write it as in Asia/Shanghai") from None
