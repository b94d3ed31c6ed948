"""What is asked, answered and ruled while measuring?

Rules are written as YAML files and read like any others. Those that are generated name offices and roles of
their own, as the rules of other departments would; five of them fit the caller by name and fail on their condition.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.running import RECORD

KIB = 1024
SIZES = {"1k": KIB, "64k": 64 * KIB, "1m": 1024 * KIB}
RECORDS = 98  # by the shipped policies more than 100 of population data are too many, in any list
OFFICES = 100
FITTING = 5
CONDITIONS = (
    "env.hour >= 22",
    'env.purpose == "inspection"',
    "subject.assurance < 2",
    'ip_in(env.source, "10.0.0.0/8")',
    'device.trust == "managed" and subject.auth_age < 600',
)


def household(size: int) -> bytes:
    """Households as JSON, about this many bytes: one record with its members, or a list of them.

    A list has no more records than may be shown at once; a longer one has larger families.
    """
    if size <= 2 * KIB:
        return _written(family(size))
    count = min(RECORDS, size // (len(_written(RECORD)) + 2))
    return _written({"items": [family(size // count - 2)] * count, "total": count})


def family(size: int) -> dict[str, object]:
    """One household of about this many bytes."""
    member = RECORD["members"][0]  # type: ignore[index]  # a list of members
    more = (size - len(_written(RECORD))) // (len(_written(member)) + 2)
    return RECORD | {"members": [member] * (1 + max(0, more))}


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def write_site(root: Path) -> None:
    """The files of the service: the same bodies under an open path and under a masked one."""
    for folder in ("plain", "civil/households"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in ("1k", "64k"):
            (root / folder / name).write_bytes(household(SIZES[name]))


def add_rules(policies: Path, count: int) -> None:
    """Bring the folder to `count` rules; rules of other offices, so that the outcome stays what it was."""
    people = yaml.safe_load((policies / "people.yaml").read_text())
    present = sum(len(yaml.safe_load(file.read_text())["rules"]) for file in (policies / "rules").glob("*.yaml"))
    for number in range(OFFICES):
        people["orgs"][f"office-{number}"] = {"title": {"zh": "办公室", "en": "office"}, "parent": "prov"}
        people["roles"][f"officer-{number}"] = {"title": {"zh": "人员", "en": "officer"}}
    (policies / "people.yaml").write_text(yaml.safe_dump(people, allow_unicode=True))
    opening = [rule("bench-plain", "allow", who="signed-in", data="plain", action="read", level="any") | NONE]
    rest = [other(number) for number in range(count - present - len(opening))]
    text = json.dumps({"rules": opening + rest}, ensure_ascii=False, indent=1)  # JSON is YAML
    (policies / "rules" / "90-bench.yaml").write_text(text)


def only_rules(policies: Path, count: int) -> None:
    """Few rules: what the folder had is removed."""
    for file in [*(policies / "rules").glob("*.yaml"), *(policies / "cities").glob("*.yaml")]:
        file.unlink()
    for file in (policies / "tests").glob("*.yaml"):
        file.unlink()
    add_rules(policies, count)


NONE: dict[str, Any] = {"then": {"mask": "none"}}


def rule(id: str, effect: str, **said: Any) -> dict[str, Any]:
    """One rule as it stands in a file."""
    return {"id": id, "title": {"zh": "测量", "en": "measuring"}, "effect": effect, "owner": "prov", **said}


def other(number: int) -> dict[str, Any]:
    """A rule of another office; the first few fit by name and fail on their condition."""
    id, data = f"bench-{number}", ("population", "health", "open-data", "plain")[number % 4]
    if number < FITTING:
        return rule(id, "deny", who="person", data="plain", when=f'env.source == "203.0.113.{number}"')
    who = {"who": f"officer-{number % OFFICES}", "org": f"office-{number * 7 % OFFICES}", "data": data}
    if number % 3 == 0:
        return rule(id, "deny", **who, when=CONDITIONS[number % len(CONDITIONS)])
    return rule(id, "allow", **who, action="read", level="<= important", when=CONDITIONS[number % len(CONDITIONS)])
