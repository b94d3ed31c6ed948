"""What does the same decision cost in casbin's own Enforcer and in Cedar?

One set of rules in three languages, the same requests, the same answers (held here, or nothing is reported), measured
in turns in one process. Both peers are given their best form: casbin a compiled condition instead of `eval`, Cedar its
rules and entities parsed beforehand.
"""

import time
from collections.abc import Callable
from itertools import cycle
from random import Random
from statistics import median
from typing import Any

import casbin
from msgspec import Struct

from gateway.facts import Facts, Grade, Permit
from gateway.policy import Bundle, Policy
from gateway.policy.bundle import compiled
from gateway.policy.people import People
from gateway.policy.profiles import restore
from gateway.policy.rules import Rule
from tests.bench import machine
from tests.bench.table import Row, Said
from tests.literals import a_posture, a_subject, an_ask, an_asset, some_facts

try:
    import cedarpy
except ImportError:
    cedarpy = None

SIZES = (20, 200, 2_000, 10_000)
TARGET_AT, TARGET = 2_000, 1_000.0
ROLES = ("clerk", "caseworker", "auditor", "contractor")
OFFICES = tuple(f"prov/d{number}" for number in range(40))
ASSETS = tuple(f"asset-{number}" for number in range(400))
REQUESTS = 48
TURNS = 5
MORNING = 1_789_956_000.0  # a Monday, 10:00 in Shanghai


class Stated(Struct, frozen=True):
    """One rule, in no language yet: an effect for a role, an office, an asset, up to a grade, on some machines."""

    deny: bool
    role: str
    office: str
    asset: str
    grade: int
    managed: bool  # only on a managed device (allow), or only when it is not managed (deny)


def rules(count: int) -> list[Stated]:
    """A base of denies for everybody, then rules by role, office and asset."""
    random = Random(11)
    found = [Stated(True, "*", "*", "*", 6, True)]
    found += [Stated(False, "clerk", "prov/d1", "asset-1", 5, True)]
    while len(found) < count:
        found.append(
            Stated(
                random.random() < 0.25,
                random.choice(ROLES),
                random.choice(OFFICES),
                random.choice(ASSETS),
                random.randint(3, 6),
                random.random() < 0.5,
            )
        )
    return found[:count]


def requests(written: list[Stated]) -> list[tuple[str, str, str, int, bool]]:
    """Role, office, asset, grade and whether the device is managed: half of them as some rule has them."""
    random = Random(12)
    found = [("clerk", "prov/d1", "asset-1", 4, True), ("clerk", "prov/d1", "asset-1", 4, False)]
    while len(found) < REQUESTS:
        rule = random.choice(written)
        known = rule.role != "*" and random.random() < 0.6
        found.append(
            (
                rule.role if known else random.choice(ROLES),
                rule.office if known else random.choice(OFFICES),
                rule.asset if known else random.choice(ASSETS),
                random.randint(2, 6),
                random.random() < 0.8,
            )
        )
    return found


# --- the three -----------------------------------------------------------------------------------


def ours(written: list[Stated], asked: list[tuple[str, str, str, int, bool]]) -> list[Callable[[], bool]]:
    """A call for each request, answered by the gateway's policy."""
    policy = Policy(_bundle(written))
    return [_decided(policy, _facts(*one)) for one in asked]


def _decided(policy: Policy, facts: Facts) -> Callable[[], bool]:
    return lambda: type(policy.decide(facts)) is Permit


def _bundle(written: list[Stated]) -> Bundle:
    grades = {int(grade): grade.text for grade in Grade}
    made = [
        Rule(
            f"r{number}", "deny" if one.deny else "allow", (one.role,), (one.office,), (one.asset,), ("read",),
            f"<= {grades[one.grade]}", "", _when(one), "{}", f"rules/r.yaml:{number}", ("", ""),
        )
        for number, one in enumerate(written)
    ]  # fmt: skip
    people = People(
        {"employee": ()} | dict.fromkeys(ROLES, ("employee",)), {"prov": ""} | dict.fromkeys(OFFICES, "prov")
    )
    profiles = restore({"standard": {"*": "keep"}}, "standard", "standard")
    return Bundle(compiled(people, profiles, dict.fromkeys(ASSETS, "records"), made))


def _when(one: Stated) -> str:
    if not one.managed:
        return ""
    return f'device.trust {"!=" if one.deny else "=="} "managed"'


def _facts(role: str, office: str, asset: str, grade: int, managed: bool) -> Facts:
    return some_facts(
        ask=an_ask(at=MORNING),
        subject=a_subject(roles=(role,), org=office),
        posture=a_posture(trust="managed" if managed else "known"),
        asset=an_asset(id=asset, category="records", grade=Grade(grade), fields=()),
    )


MODEL = """
[request_definition]
r = role, office, asset, grade, managed
[policy_definition]
p = role, office, asset, grade, when, eft
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = (p.asset == '*' || r.asset == p.asset) && (p.role == '*' || g(r.role, p.role)) && (p.office == '*' || g2(r.office, p.office)) && grade(r.grade, p.grade) && when(r.managed, p.when)
"""


def stock(written: list[Stated], asked: list[tuple[str, str, str, int, bool]]) -> list[Callable[[], bool]]:
    """The same from a plain casbin Enforcer."""
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("grade", lambda asked, most: asked <= int(most))
    enforcer.add_function("when", lambda managed, when: not when or managed is (when == "managed"))
    enforcer.add_policies(
        [
            [
                one.role, one.office, one.asset, str(one.grade),
                "" if not one.managed else "other" if one.deny else "managed", "deny" if one.deny else "allow",
            ]
            for one in dict.fromkeys(written)
        ]
    )  # fmt: skip
    enforcer.add_named_grouping_policies("g", [[role, "employee"] for role in ROLES])
    enforcer.add_named_grouping_policies("g2", [[office, "prov"] for office in OFFICES])
    return [lambda one=one: enforcer.enforce(*one) for one in asked]  # type: ignore[misc]  # bound by its default


def cedar(written: list[Stated], asked: list[tuple[str, str, str, int, bool]]) -> list[Callable[[], bool]]:
    """The same from Cedar, rules and entities parsed beforehand."""
    policies = cedarpy.PolicySet.from_str("\n".join(map(_cedar_rule, written)))
    return [_cedar_call(policies, *one) for one in asked]


def _cedar_rule(one: Stated) -> str:
    who = "principal" if one.role == "*" else f'principal in Role::"{one.role}"'
    what = "resource" if one.asset == "*" else f'resource == Asset::"{one.asset}"'
    tests = [f"context.grade <= {one.grade}"]
    if one.office != "*":
        tests.append(f'principal.office in Office::"{one.office}"')
    if one.managed:
        tests.append("!context.managed" if one.deny else "context.managed")
    effect = "forbid" if one.deny else "permit"
    return f'{effect}({who}, action == Action::"read", {what}) when {{ {" && ".join(tests)} }};'


def _cedar_call(policies: Any, role: str, office: str, asset: str, grade: int, managed: bool) -> Callable[[], bool]:
    def entity(kind: str, id: str, parents: list[dict[str, str]], attrs: dict[str, Any]) -> dict[str, Any]:
        return {"uid": {"type": kind, "id": id}, "parents": parents, "attrs": attrs}

    known = cedarpy.Entities.from_json_str(
        cedarpy.json.dumps(
            [
                entity("User", "u", [{"type": "Role", "id": role}], {"office": {"__entity": {"type": "Office", "id": office}}}),
                entity("Role", role, [{"type": "Role", "id": "employee"}], {}),
                entity("Role", "employee", [], {}),
                entity("Office", office, [{"type": "Office", "id": "prov"}], {}),
                entity("Office", "prov", [], {}),
                entity("Asset", asset, [], {}),
            ]
        )
    )  # fmt: skip
    request = {
        "principal": 'User::"u"', "action": 'Action::"read"', "resource": f'Asset::"{asset}"',
        "context": {"grade": grade, "managed": managed},
    }  # fmt: skip
    return lambda: cedarpy.is_authorized(request, policies, known).decision == cedarpy.Decision.Allow


# --- measuring --------------------------------------------------------------------------------------


def compare(quick: bool) -> Said:
    """Microseconds for one decision in each, and how many times ours theirs are."""
    rows, data, notes = [], {}, []
    if cedarpy is None:
        notes.append("cedarpy is not installed (pip install -e '.[bench]'): Cedar is left out")
    with machine.on(machine.MEASURED):
        for count in SIZES:
            took = data[count] = _took(count, 0.2 if quick else 1.0)
            for name in took:
                times = took[name] / took["gateway"]
                target = TARGET if count == TARGET_AT and name != "gateway" else None
                label = f"{count:,} rules, {name}"
                if name == "gateway":
                    rows.append(Row("engines", label, took[name], "µs", 2.0))
                else:
                    rows.append(Row("engines", label, times, "× ours", target, "more", f"{took[name]:,.0f} µs"))
    return Said(rows, data, notes)


def _took(count: int, seconds: float) -> dict[str, float]:
    """Microseconds for one decision, the median over requests and turns. Raises where the answers differ."""
    written = rules(count)
    asked = requests(written)
    peers = {"gateway": ours(written, asked), "casbin": stock(written, asked)}
    if cedarpy is not None:
        peers["cedarpy"] = cedar(written, asked)
    answers = {name: [call() for call in calls] for name, calls in peers.items()}
    for name, said in answers.items():
        if said != answers["gateway"]:
            raise AssertionError(f"{name} answers otherwise than the gateway at {count} rules")
    if not 0 < sum(answers["gateway"]) < len(asked):
        raise AssertionError("requests of one kind only prove nothing")
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(TURNS):
        for name, calls in peers.items():
            times[name] += _measured(calls, seconds / TURNS, 200 if name == "gateway" else 1)
    return {name: median(each) * 1e6 for name, each in times.items()}


def _measured(calls: list[Callable[[], bool]], seconds: float, often: int) -> list[float]:
    """Seconds for one call, each request in turn until the time is over."""
    found = []
    end = time.perf_counter() + seconds
    for call in cycle(calls):
        began = time.perf_counter()
        for _ in range(often):
            call()
        now = time.perf_counter()
        found.append((now - began) / often)
        if now > end:
            break
    return found
