"""Where an address stands, and a sites.yaml that says what it means."""

from pathlib import Path

import pytest

from gateway.behaviour import Site, load_sites, parse_sites
from gateway.behaviour.sites import REMEMBERED, Sites
from gateway.document import Faulty

SITES = Sites(
    (
        Site("province", ("10.0.0.0/8",)),
        Site("hall", ("10.20.0.0/16", "2001:db8:1::/48")),
        Site("counter", ("10.20.7.7/32",)),
        Site("vpn", ("10.99.0.0/16",), "vpn"),
    )
)


@pytest.mark.parametrize(
    ("source", "site", "vague", "listed"),
    [
        ("10.20.7.7", "counter", False, True),
        ("10.20.7.8", "hall", False, True),
        ("10.21.0.1", "province", False, True),
        ("10.99.1.1", "vpn", True, True),
        ("2001:db8:1:2::3", "hall", False, True),
        ("::ffff:10.20.7.7", "counter", False, True),
        ("192.0.2.77", "net:192.0.2.0/24", False, False),
        ("2001:db8:9:9::1", "net:2001:db8:9::/48", False, False),
        ("", "none", True, False),
        ("unix:", "none", True, False),
    ],
)
def test_the_longest_prefix_names_the_place(source: str, site: str, vague: bool, listed: bool) -> None:
    for _ in range(2):  # looked up, then remembered
        place = SITES.place(source)
        assert (place.site, place.vague, place.listed) == (site, vague, listed)


def test_a_host_with_a_whole_64_is_one_source() -> None:
    assert SITES.place("2001:db8:9:9::1").source == SITES.place("2001:db8:9:9:ffff::2").source
    assert SITES.place("2001:db8:9:9::1").source != SITES.place("2001:db8:9:8::1").source


def test_the_memory_of_places_is_bounded() -> None:
    sites = Sites(())
    for n in range(REMEMBERED + 10):
        sites.place(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(sites._known) <= REMEMBERED


def test_sites_read_as_written() -> None:
    text = "sites:\n  - {name: hall, networks: [10.20.0.0/16]}\n  - {name: vpn, networks: [10.9.0.0/16], kind: vpn}\n"
    assert parse_sites(text, "sites.yaml") == (
        Site("hall", ("10.20.0.0/16",)),
        Site("vpn", ("10.9.0.0/16",), "vpn"),
    )
    assert parse_sites("", "sites.yaml") == parse_sites("sites:\n", "sites.yaml") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- x\n", [("B001", 1)]),
        ("sites: x\n", [("B001", 1)]),
        ("place: []\n", [("B001", 1)]),
        ("sites:\n  - x\n", [("B002", 2)]),
        ("sites:\n  - {networks: [10.0.0.0/8]}\n", [("B002", 2)]),
        ("sites:\n  - {name: a}\n", [("B003", 2)]),
        ("sites:\n  - {name: a, networks: []}\n", [("B003", 2)]),
        ("sites:\n  - {name: a, networks: [10.0.0.1/8]}\n", [("B004", 2)]),
        ("sites:\n  - {name: a, networks: [x, y]}\n", [("B004", 2), ("B004", 2)]),
        ("sites:\n  - {name: a, networks: [10.0.0.0/8], kind: home}\n", [("B005", 2)]),
        ("sites:\n  - {name: a, networks: [10.0.0.0/8]}\n  - {name: b, networks: [10.0.0.0/8]}\n", [("B006", 3)]),
        ("sites:\n  - {name: a, networks: [10.0.0.0/8]}\n  - {name: a, networks: [11.0.0.0/8]}\n", [("B006", 3)]),
    ],
)
def test_each_fault_has_its_code_and_place(text: str, expected: list[tuple[str, int]]) -> None:
    with pytest.raises(Faulty) as caught:
        parse_sites(text, "sites.yaml")
    assert [(fault.code, fault.line) for fault in caught.value.faults] == expected


def test_a_network_with_host_bits_is_told_its_right_form() -> None:
    with pytest.raises(Faulty) as caught:
        parse_sites("sites:\n  - {name: a, networks: [10.1.2.3/8]}\n", "sites.yaml")
    assert caught.value.faults[0].remedy_en == "write `10.0.0.0/8`"


def test_the_shipped_sites_are_sound() -> None:
    assert len(load_sites(Path("policies/sites.yaml"))) == 4
