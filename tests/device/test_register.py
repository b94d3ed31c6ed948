"""The register says what it means, or every fault at once with its place."""

from pathlib import Path

import pytest

from gateway.device import Device, load_register, parse_register
from gateway.document import Faulty

MARK = "A" * 43
GOOD = f"""
devices:
  - {{id: laptop-7, org: prov/civil, managed: true, thumbprints: [{MARK}]}}
  - id: kiosk-1
"""


def codes(text: str) -> list[tuple[str, int]]:
    with pytest.raises(Faulty) as caught:
        parse_register(text, "devices.yaml", {"prov/civil"})
    return [(fault.code, fault.line) for fault in caught.value.faults]


def test_a_register_reads_as_written() -> None:
    assert parse_register(GOOD, "devices.yaml", {"prov/civil"}) == (
        Device("laptop-7", "prov/civil", True, (MARK,)),
        Device("kiosk-1"),
    )


@pytest.mark.parametrize("text", ["", "devices:\n", "devices: []\n"])
def test_an_empty_register_has_no_devices(text: str) -> None:
    assert parse_register(text, "devices.yaml") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- id: x\n", [("D001", 1)]),
        ("device: []\n", [("D001", 1)]),
        ("devices: {}\n", [("D002", 1)]),
        ("devices:\n  - laptop-7\n", [("D003", 2)]),
        ("devices:\n  - {org: prov/civil}\n", [("D003", 2)]),
        ("devices:\n  - {id: 7}\n", [("D004", 2)]),
        ("devices:\n  - {id: ' x'}\n", [("D004", 2)]),
        ("devices:\n  - {id: x, org: elsewhere}\n", [("D005", 2)]),
        ("devices:\n  - {id: x, managed: yes}\n", [("D006", 2)]),
        ("devices:\n  - {id: x, thumbprints: abc}\n", [("D007", 2)]),
        ("devices:\n  - {id: x, thumbprints: [abc]}\n", [("D007", 2)]),
        ("devices:\n  - {id: x, thumbprint: []}\n", [("D001", 2)]),
        ("devices:\n  - id: x\n  - id: x\n", [("D008", 3)]),
        (f"devices:\n  - {{id: x, thumbprints: [{MARK}]}}\n  - {{id: y, thumbprints: [{MARK}]}}\n", [("D009", 3)]),
    ],
)
def test_each_fault_has_its_code_and_place(text: str, expected: list[tuple[str, int]]) -> None:
    assert codes(text) == expected


def test_all_faults_come_at_once() -> None:
    assert codes("devices:\n  - {id: 7}\n  - {id: x, managed: 1, org: nowhere}\n") == [
        ("D004", 2),
        ("D006", 3),
        ("D005", 3),
    ]


def test_a_thumbprint_in_hex_is_told_its_right_form() -> None:
    with pytest.raises(Faulty) as caught:
        parse_register(f"devices:\n  - {{id: x, thumbprints: ['{'00:' * 31}00']}}\n", "devices.yaml")
    assert MARK in caught.value.faults[0].remedy_en


def test_the_shipped_register_is_sound() -> None:
    assert len(load_register(Path("policies/devices.yaml"))) >= 1
