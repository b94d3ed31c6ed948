"""A small province for tests: its folder, its assets, and bundles made from a few lines of rules."""

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from msgspec import Struct

from gateway.document import Faulty, FileFault
from gateway.facts import Asset, Facts, Grade
from gateway.policy import Bundle, load
from tests.literals import an_asset, some_facts

PEOPLE = """\
roles:
  employee: {}
  clerk: {includes: [employee]}
  auditor: {includes: [employee]}
  senior-auditor: {includes: [auditor]}
orgs:
  prov: {}
  prov/civil: {parent: prov}
  prov/health: {parent: prov}
  hz: {parent: prov}
  hz/civil: {parent: hz}
"""
MASKS = """\
default: pii-standard
profiles:
  none: {"*": keep}
  pii-standard: {resident-id: "partial(1,1)", name: "partial(1,0)", "*": keep}
  pii-strict: {"*": redact}
"""


class Named(Struct, frozen=True):
    """An asset as policy knows it by name."""

    id: str
    category: str
    owner: str = "prov/civil"


ASSETS = (
    Named("household", "population"),
    Named("marriage", "population"),
    Named("visit", "health", "prov/health"),
    Named("market", "open-data", "prov"),
)

CLERK_READS = """\
- id: clerk-reads
  effect: allow
  who: clerk
  data: population
  action: read
  level: "<= important"
"""


def write(folder: Path, rules: str = "", cities: str = "", people: str = PEOPLE, masks: str = MASKS) -> Path:
    """A policy folder with these rules (list items, as YAML)."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "people.yaml").write_text(people, encoding="utf-8")
    (folder / "masks.yaml").write_text(masks, encoding="utf-8")
    if rules:
        (folder / "rules" / "10-test.yaml").write_text("rules:\n" + indent(dedent(rules), "  "), encoding="utf-8")
    if cities:
        (folder / "cities").mkdir(exist_ok=True)
        (folder / "cities" / "hz.yaml").write_text("org: hz\nrules:\n" + indent(dedent(cities), "  "), encoding="utf-8")
    return folder


def a_bundle(folder: Path, rules: str = CLERK_READS, **changes: str) -> Bundle:
    """A bundle from these rules."""
    return load(write(folder, rules, **changes), ASSETS)


def faults(folder: Path, rules: str = CLERK_READS, **changes: str) -> tuple[FileFault, ...]:
    """What is wrong with these rules: errors, or the warnings of a bundle that loads."""
    try:
        return a_bundle(folder, rules, **changes).warnings
    except Faulty as faulty:
        return faulty.faults


def codes(folder: Path, rules: str = CLERK_READS, **changes: str) -> list[str]:
    """The codes of the faults."""
    return [fault.code for fault in faults(folder, rules, **changes)]


def visit(**changes: Any) -> Asset:
    """A core record of the health department."""
    values: dict[str, Any] = {"id": "visit", "category": "health", "owner": "prov/health", "grade": Grade.CORE}
    return an_asset(**(values | changes))


def facts(**changes: Any) -> Facts:
    """A clerk reads a household; fields replaced by name."""
    return some_facts(**changes)
