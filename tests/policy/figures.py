"""What does a decision cost? `python -m tests.policy.figures` prints the table of docs/design/policy.md as JSON."""

import json
import tracemalloc
from collections.abc import Callable
from random import Random
from time import perf_counter

from gateway.facts import Facts, Field, Grade
from gateway.policy import Bundle, Policy
from gateway.policy.bundle import compiled
from gateway.policy.people import People
from gateway.policy.profiles import restore
from gateway.policy.rules import Rule
from tests.literals import a_subject, an_asset, some_facts

ASSETS = 400
DEPARTMENTS = 40
ROLES = ("employee", "clerk", "caseworker", "auditor", "contractor")


def province(count: int) -> Bundle:
    """`count` rules as a province has them: a base of conditional denies, the rest by department, role and asset."""
    random = Random(7)
    orgs = {"prov": ""} | {f"prov/d{i}": "prov" for i in range(DEPARTMENTS)}
    data = {f"asset-{i}": f"category-{i % 40}" for i in range(ASSETS)}
    base = [
        ("*", "any", 'device.trust == "compromised"'),
        ("person", ">= important", 'device.trust != "managed" or not device.fresh'),
        ("*", "any", 'risk.band == "quarantine"'),
        ("*", ">= important", 'risk.band == "limit"'),
        ("person", "== important", "subject.assurance < 2"),
    ]
    rules = [_rule(i, "deny", who, "*", "*", level, when) for i, (who, level, when) in enumerate(base)]
    rules.append(_rule(len(rules), "allow", "clerk", "prov/d1", "asset-1", "<= important", ""))
    while len(rules) < count:
        rules.append(
            _rule(
                len(rules),
                random.choice(("allow", "allow", "allow", "deny")),
                random.choice(ROLES[1:]),
                random.choice(list(orgs)[2:]),
                random.choice(list(data)),
                random.choice(("<= important", "<= general", ">= core")),
                random.choice(("", f'env.purpose == "p{len(rules)}"', f"env.hour < {1 + len(rules) % 23}")),
            )
        )
    people = People({role: ("employee",) if role != "employee" else () for role in ROLES}, orgs)
    profiles = restore({"standard": {"resident-id": "partial(1,1)", "*": "keep"}}, "standard", "standard")
    return Bundle(compiled(people, profiles, data, rules[:count]))


def _rule(number: int, effect: str, who: str, org: str, data: str, level: str, when: str) -> Rule:
    place = f"rules/gen.yaml:{number}"
    return Rule(f"r{number}", effect, (who,), (org,), (data,), ("read",), level, "", when, "{}", place, ("", ""))


def request(org: str = "prov/d1") -> Facts:
    """A clerk reads an important record; in the small bundle of 10 rules as in the large ones."""
    fields = (Field("$..id_number", "resident-id", Grade.IMPORTANT), Field("$..name", "name", Grade.GENERAL_3))
    return some_facts(subject=a_subject(org=org), asset=an_asset(id="asset-1", category="category-1", fields=fields))


def best(work: Callable[[], object], number: int) -> float:
    """The lowest of seven runs, in µs for one call: other processes only ever add."""
    runs = []
    for _ in range(7):
        start = perf_counter()
        for _ in range(number):
            work()
        runs.append((perf_counter() - start) / number * 1e6)
    return round(min(runs), 2)


def figures(count: int) -> dict[str, float]:
    """One row of the table."""
    start = perf_counter()
    bundle = province(count)
    built = perf_counter() - start
    start = perf_counter()
    Bundle.from_bytes(bundle.dump())
    restored = perf_counter() - start
    policy, warm = Policy(bundle), request()
    stranger = request("prov/d2")
    memory = bundle.index._found

    def cold() -> None:
        for found in memory:
            found.clear()
        policy.decide(warm)

    return {
        "rules": count,
        "warm_allow_us": best(lambda: policy.decide(warm), 20_000),
        "warm_deny_us": best(lambda: policy.decide(stranger), 20_000),
        "cold_us": best(cold, 5_000),
        "casbin_us": best(lambda: bundle.reference(warm), max(1, 300 // count)),
        "build_ms": round(built * 1000, 1),
        "restore_ms": round(restored * 1000, 1),
        "memory_mb": _memory(count),
    }


def _memory(count: int) -> float:
    tracemalloc.start()
    bundle = province(count)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round(held / 2**20, 1) if bundle else 0.0


if __name__ == "__main__":
    for size in (10, 100, 1_000, 10_000):
        print(json.dumps(figures(size)))
