"""What is a checked condition made of at run time?

Small functions from facts to true or false, joined once at load. They hold nothing of the author's text. A value of
the wrong kind raises instead of being false: false would let a deny pass.
"""

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from operator import eq, ne
from typing import Any

from gateway.facts import Facts
from gateway.policy.names import Getter

Test = Callable[[Facts], bool]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def every(parts: list[Test]) -> Test:
    """True when all parts are; written out for the usual lengths, a loop costs twice as much."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        one, two = parts
        return lambda facts: one(facts) and two(facts)
    if len(parts) == 3:
        first, second, third = parts
        return lambda facts: first(facts) and second(facts) and third(facts)
    tests = tuple(parts)
    return lambda facts: all(test(facts) for test in tests)


def some(parts: list[Test]) -> Test:
    """True when one part is."""
    if len(parts) == 2:
        one, two = parts
        return lambda facts: one(facts) or two(facts)
    tests = tuple(parts)
    return lambda facts: any(test(facts) for test in tests)


def negation(test: Test) -> Test:
    """True when the test is not."""
    return lambda facts: not test(facts)


def against(get: Getter, compare: Callable[[Any, Any], Any], value: object) -> Test:
    """A value compared with a literal."""
    if compare is eq:
        return lambda facts: get(facts) == value
    if compare is ne:
        return lambda facts: get(facts) != value
    return lambda facts: compare(get(facts), value) is True


def between_two(left: Getter, compare: Callable[[Any, Any], Any], right: Getter) -> Test:
    """Two values compared."""
    return lambda facts: compare(left(facts), right(facts)) is True


def one_of(get: Getter, values: frozenset[object]) -> Test:
    """A value among literals."""
    return lambda facts: get(facts) in values


def member(get: Getter, among: Getter) -> Test:
    """A text among texts."""
    return lambda facts: get(facts) in _texts(among(facts))


def holds_one(get: Getter, wanted: frozenset[str]) -> Test:
    """One of the wanted among texts."""
    return lambda facts: not wanted.isdisjoint(_texts(get(facts)))


def in_networks(get: Getter, networks: tuple[Network, ...]) -> Test:
    """An address in one of the networks."""

    def inside(facts: Facts) -> bool:
        address = _address(_text(get(facts)))
        return any(address.version == network.version and address in network for network in networks)

    return inside


def in_hours(get: Getter, start: str, end: str) -> Test:
    """A time from `start` until just before `end`; over midnight when `end` is the earlier one."""
    if start < end:
        return lambda facts: start <= _text(get(facts)) < end
    return lambda facts: not end <= _text(get(facts)) < start


@lru_cache(maxsize=4096)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of a caller; ::ffff:10.1.2.3 is 10.1.2.3, or a rule about 10.0.0.0/8 could be passed by."""
    address = ipaddress.ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("not a text")


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    raise TypeError("not a set of texts")
