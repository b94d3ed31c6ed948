"""Random policies and requests, the same ones for the same seed."""

import json
from random import Random

from gateway.facts import GRADES, Facts, Field, Grade, Risk
from gateway.policy.bundle import Bundle, compiled
from gateway.policy.people import People
from gateway.policy.profiles import Profiles, restore
from gateway.policy.rules import Rule
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts

ROLES = {f"r{i}": tuple(f"r{j}" for j in (i - 1, i - 3) if j >= 0) for i in range(8)}
ORGS = {"o0": "", "o1": "o0", "o2": "o0", "o3": "o1", "o4": "o3", "o5": "o4"}
DATA = {f"a{i}": f"c{i % 3}" for i in range(7)}
ACTIONS = ("read", "create", "update", "delete", "other")
LEVELS = ("any", "<= general", ">= important", "< core", "> general-2", "== important", ">= core", "<= general-2")
PEOPLE = ("user:p0", "user:p1")
WHO = ("*", "signed-in", "person", "service", *PEOPLE, *ROLES)
WHENS = (
    "", "", "",
    'device.trust == "managed"',
    "subject.assurance >= 2",
    "risk.score >= 40",  # fails while the risk is unknown
    "risk.known and risk.score < 60",
    'env.purpose in ["audit", "treatment"]',
    'ip_in(env.source, "10.0.0.0/8")',  # fails for a source that is no address
    'between(env.time, "08:00", "18:00") and weekday(env.weekday, "mon-fri")',
    'has(subject.roles, "r0") or subject.org == data.owner',
    "not device.fresh",
    "1 < subject.assurance <= 3",
    "subject.clearance >= data.grade",
    "subject.auth_age > 300",
    'data.grade != "core" and not (env.hour < 6)',
)  # fmt: skip
PROFILES = restore(
    {
        "none": {"*": "keep"},
        "standard": {"resident-id": "partial(1,1)", "name": "partial(1,0)", "*": "keep"},
        "strict": {"*": "redact"},
    },
    "standard",
    "strict",
)
FIELDS = (
    Field("$.id", "resident-id", Grade.IMPORTANT),
    Field("$.name", "name", Grade.GENERAL_3),
    Field("$.x", "", Grade.CORE),
)


def a_rule(random: Random, number: int) -> Rule:
    """Any rule."""
    deny = random.random() < 0.4
    then: dict[str, object] = {}
    if deny and random.random() < 0.3:
        then["step_up"] = random.choice(("aal2", "aal3"))
    if not deny:
        then["mask"] = random.choice(("none", "standard", "strict"))
        if random.random() < 0.2:
            then["notify"] = [random.choice(("security", "audit"))]
    return Rule(
        id=f"rule-{number}",
        effect="deny" if deny else "allow",
        who=_some(random, WHO, 2),
        org=_some(random, ("*", "*", *ORGS), 2),
        data=_some(random, ("*", *DATA, "c0", "c1", "c2"), 2),
        action=_some(random, ("*", *ACTIONS), 2),
        level=random.choice(LEVELS),
        expires=random.choice(("", "", "", str(int(NOW) - 5), str(int(NOW) + 5))),
        when=random.choice(WHENS),
        then=json.dumps(then),
        place=f"rules/gen.yaml:{number}",
        title=("", ""),
    )


def _some(random: Random, words: tuple[str, ...], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(random.choice(words) for _ in range(random.randint(1, most))))


def rules(random: Random, count: int) -> list[Rule]:
    """So many rules."""
    return [a_rule(random, number) for number in range(count)]


def bundle(some: list[Rule], profiles: Profiles = PROFILES) -> Bundle:
    """The bundle of these rules."""
    return Bundle(compiled(People(ROLES, ORGS), profiles, DATA, some))


def a_request(random: Random) -> Facts:
    """Any request."""
    asset = random.choice(list(DATA))
    kind = random.choice(("person", "person", "person", "service", "anonymous"))
    return some_facts(
        ask=an_ask(
            source=random.choice(("10.1.2.3", "192.0.2.7", "::ffff:10.9.9.9", "2001:db8::1", "unknown")),
            purpose=random.choice(("", "audit", "treatment", "other")),
            at=NOW + random.choice((0, 3600 * 5, 3600 * 12, 86400 * 5)),
        ),
        subject=a_subject(
            id=random.choice(("p0", "p1", "p2", "r0")),
            kind=kind,
            org=random.choice((*ORGS, "elsewhere", "", "*")),
            roles=_some(random, (*ROLES, "undeclared", "person", "user:p0", "*"), 3),
            clearance=random.choice(list(GRADES.values())),
            assurance=random.randint(0, 3),
            proof=a_proof(authenticated_at=random.choice((0.0, NOW - 1000, NOW - 10))),
        ),
        posture=a_posture(
            trust=random.choice(("managed", "known", "unknown", "compromised")), fresh=random.random() < 0.7
        ),
        risk=Risk(random.choice((None, 0.0, 45.0, 70.0)), random.choice(("normal", "limit"))),
        asset=an_asset(
            id=asset,
            category=DATA[asset],
            action=random.choice(ACTIONS),
            grade=random.choice(list(GRADES.values())),
            owner=random.choice(list(ORGS)),
            mode=random.choice(("enforce", "enforce", "observe")),
            fields=FIELDS,
            route=f"GET /{asset}",
        ),
    )
