"""What does a pilot cost each request? `python -m tests.app.figures`; microseconds, the lowest of many runs."""

import shutil
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from gateway.app.revisions import compile_folder
from gateway.app.shadow import Piloted
from gateway.facts import Decision, Facts, Grade
from gateway.policy import Policy
from gateway.policy.pilot import Differences, Terms
from tests.app.test_revisions import APIS, NOW
from tests.literals import a_subject, an_ask, some_facts
from tests.test_layout import ROOT

RULE = "rules: [{id: next, effect: deny, who: clerk, org: hz, data: population}]\n"
TIMES, ROUNDS = 300, 250
SHARES: dict[str, dict[str, object]] = {
    "in shadow": {},
    "half of the callers": {"percent": 50.0},
    "a department": {"orgs": ("hz",)},
}


def measure() -> None:
    """Print the cost of each kind of pilot, where both bundles permit and where the candidate refuses."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(ROOT / "policies", folder := Path(place) / "next")
        (folder / "rules" / "50-next.yaml").write_text(RULE)
        listed, candidate = compile_folder(ROOT / "policies", APIS, NOW), compile_folder(folder, APIS, NOW).bundle
    active, other = Policy(listed.bundle), Policy(candidate)
    ask = an_ask(api="households", path="/civil/households/h-1", source="10.0.0.1")
    ways: dict[str, Callable[[Facts], Decision]] = {"active alone": active.decide, "candidate alone": other.decide}
    for name, share in SHARES.items():
        terms = Terms("a" * 64, "00" * 16, until=NOW + 1e6, **share)  # type: ignore[arg-type]  # percent or orgs
        ways[name] = Piloted(active, other, terms, Differences(()), print).decide
    for what, org in (("both permit", "prov/civil"), ("the candidate refuses", "hz/civil")):
        subject = a_subject(org=org, clearance=Grade.CORE)
        facts = some_facts(ask=ask, subject=subject, asset=listed.catalog.locate(ask))
        lowest = dict.fromkeys(ways, 1e9)
        for _ in range(ROUNDS):
            for name, decide in ways.items():
                lowest[name] = min(lowest[name], timeit.timeit(lambda: decide(facts), number=TIMES) / TIMES * 1e6)  # noqa: B023
        for name, took in lowest.items():
            print(f"{what:24}{name:22}{took:6.2f} µs  {took - lowest['active alone']:+6.2f}")


if __name__ == "__main__":
    measure()
