"""How much does counting remember, and when does its day begin?"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

PEOPLE = 16_384
DEPARTMENTS = 4_096
ASSETS = 65_536
"""What is counted apart: an asset shown to a caller or a department. 2.5 KB at most, and as much for each purpose."""


class Settings(Struct, frozen=True):
    """Settings of the room. The bounds hold for one day and one worker; what is beyond them is counted together."""

    timezone: str = "Asia/Shanghai"  # of the policies: its midnight begins the day
    purposes: frozenset[str] = frozenset()  # that a budget names: they are counted apart
    people: int = PEOPLE
    departments: int = DEPARTMENTS
    assets: int = ASSETS

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`{self.timezone}` is not a time zone; write it as in Asia/Shanghai") from None
        if min(self.people, self.departments, self.assets) < 1:
            raise ValueError("people, departments and assets are 1 or more")
