"""A record of many people's requests, decided by the real policies and encoded by the real ledger."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from gateway.app.revisions import Compiled, compile_folder
from gateway.audit import Digests
from gateway.audit.entry import verdict_entry
from gateway.catalog import ApiBinding
from gateway.entries import VerdictEntry
from gateway.facts import Ask, Check, Facts, Grade, Posture, Risk, Signal, Subject
from gateway.policy.decide import BY_GRADE, decide
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask
from tests.test_layout import ROOT

APIS = (
    ApiBinding("households", "/civil/households", ("household",)),
    ApiBinding("visits", "/health/visits", ("health-visit",)),
    ApiBinding("enterprises", "/market", ("enterprise",)),
)
JOURNAL = "20260921T133320-worker0-9f3a1c"
DIGESTS = Digests(b"k" * 32)
MONTH = 30 * 86_400.0
SHIPPED = ROOT / "policies"

_WORK = (  # role, org, how often of a hundred
    ("clerk", "prov/civil", 40), ("doctor", "prov/health", 25), ("auditor", "prov", 5), ("clerk", "hz/civil", 20),
    ("contractor", "prov/civil", 3), ("guest", "elsewhere", 7),
)  # fmt: skip
_ASKED = (
    ("GET", "/civil/households", "households", 15), ("GET", "/civil/households/{n}", "households", 35),
    ("PUT", "/civil/households/{n}", "households", 5), ("GET", "/health/visits", "visits", 10),
    ("GET", "/health/visits/{n}", "visits", 15), ("GET", "/market/enterprises/{n}", "enterprises", 15),
    ("GET", "/market/nowhere/{n}", "enterprises", 2), ("HEAD", "/civil/households", "households", 3),
)  # fmt: skip


def shipped(folder: Path = SHIPPED) -> Compiled:
    """The policies that come with the gateway."""
    return compile_folder(folder, APIS, NOW)


def requests(
    random: Random, count: int, people: int, start: float, length: float
) -> Iterator[tuple[Ask, Subject, Posture, Risk]]:
    """So many requests of so many people, from `start` on over `length` seconds."""
    works, asks = [w[2] for w in _WORK], [a[3] for a in _ASKED]
    for number in range(count):
        person = random.randrange(people)
        own = Random(person)
        role, org, _ = own.choices(_WORK, works)[0]
        method, path, api, _ = random.choices(_ASKED, asks)[0]
        at = start + number * (length / count) + random.random()
        subject = a_subject(
            id=f"person-{person}", name=f"张{person}", org=org, roles=(role, "employee")[: own.randint(1, 2)],
            clearance=own.choice((Grade.GENERAL_4, Grade.IMPORTANT, Grade.CORE)), assurance=own.choice((1, 2, 2, 3)),
            device=f"laptop-{person}",
            proof=a_proof(
                token=f"t{random.getrandbits(120):030x}"[:22], jti=f"j{random.getrandbits(60):x}", session=f"s-{person}-{number >> 14}",
                issued_at=at - 60, expires_at=at + 300, authenticated_at=at - random.randrange(20, 9000),
            ),
        )  # fmt: skip
        posture = a_posture(
            device=f"laptop-{person}", org=org, trust="managed" if own.random() < 0.9 else "unknown",
            fresh=random.random() < 0.97, reported_at=at - random.randrange(60, 80000),
            checks=(Check("disk", True, at - 600), Check("patches", True, at - 600)),
        )  # fmt: skip
        risk = _risk(random, at)
        ask = an_ask(
            id=f"req-{number}", at=at, method=method, api=api, path=path.replace("{n}", str(random.randrange(10**7))),
            source=f"10.{own.randrange(40)}.{own.randrange(250)}.{own.randrange(250)}",
            purpose=random.choice(("", "", "treatment", "audit")),
            trace=f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01",
        )  # fmt: skip
        yield ask, subject, posture, risk


def _risk(random: Random, at: float) -> Risk:
    score = random.choices((0.0, round(random.random() * 30, 1), round(random.random() * 90, 1)), (70, 25, 5))[0]
    if score == 0.0:
        return Risk(0.0)
    band = "quarantine" if score >= 80 else "limit" if score >= 60 else "step_up" if score >= 40 else "normal"
    return Risk(score, band, (Signal("volume", score, at - 300, "412 records in 10 minutes, usually 30"),))


def record(
    compiled: Compiled, count: int, people: int = 50, seed: int = 7, start: float = NOW, length: float = MONTH
) -> Iterator[VerdictEntry]:
    """The entries of so many decisions by these policies."""
    bundle, catalog = compiled.bundle, compiled.catalog
    for seq, (ask, subject, posture, risk) in enumerate(requests(Random(seed), count, people, start, length)):
        asset = catalog.locate(ask)
        facts = Facts(ask, subject, posture, risk, asset, bundle.granted(ask, subject, asset))
        decision = decide(bundle, facts, BY_GRADE[asset.grade.national])
        yield verdict_entry(JOURNAL, seq, facts, decision, DIGESTS)
