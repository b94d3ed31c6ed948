"""Which two numbers are a place?

A number says nothing of where somebody is, two beside each other do: `{"lng": 120.1551, "lat": 30.2741}`, and the array
`[120.1551, 30.2741]` (GeoJSON, RFC 7946). Both are looked at as the text that `detect` knows a place by.
"""

from typing import Final

from msgspec import Struct

LATITUDE: Final = frozenset({"lat", "latitude", "纬度"})
LONGITUDE: Final = frozenset({"lon", "lng", "longitude", "经度"})


class Coordinate(Struct, frozen=True):
    """A number that is half of a place; `pair` is the whole."""

    pair: str


Leaf = str | int | float | bool | None | Coordinate
Value = Leaf | dict[str, "Value"] | list["Value"]


def placed(value: dict[str, Value] | list[Value]) -> dict[str, Value] | list[Value]:
    """The members or elements, with numbers that are a place together as coordinates."""
    if isinstance(value, list):
        return [_half(value[0], value[1])] * 2 if len(value) == 2 and _both(value[0], value[1]) else value
    named = {name.lower(): name for name in value}
    latitude = next((named[name] for name in LATITUDE & named.keys()), "")
    longitude = next((named[name] for name in LONGITUDE & named.keys()), "")
    if not (latitude and longitude and _both(value[latitude], value[longitude])):
        return value
    half = _half(value[latitude], value[longitude])
    return value | {latitude: half, longitude: half}


def _both(one: Value, other: Value) -> bool:
    return isinstance(one, float) and isinstance(other, float)


def _half(one: Value, other: Value) -> Coordinate:
    return Coordinate(f"{one!r},{other!r}")
