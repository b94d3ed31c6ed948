"""Does a request ever see half a policy?

Reloads in quick succession under load, between a policy that allows and one that denies; then files that are
truncated, half written, empty, wrong or gone. Each decision must name a bundle that was active, and agree with it.
"""

import json
import shutil
import time
from pathlib import Path
from random import Random

from gateway.policy import Bundle
from tests.soak.rig import OPEN, Stage, Wish, ledger, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"reloads": 100}, {"reloads": 12}
STOP = (
    "rules:\n  - id: stop\n    title: {zh: 停止, en: stop}\n    effect: deny\n    who: '*'\n    org: '*'\n"
    "    data: '*'\n    action: '*'\n    level: any\n"
)


def run(trial: Trial, folder: Path, reloads: int) -> None:
    """Flip, then break, then hold each decision on record against its bundle."""
    with staged(folder, workers=2) as stage:
        policies = stage.gateway.folder / "policies"
        shutil.rmtree(policies / "tests")
        stop = policies / "rules" / "99-stop.yaml"

        def asking(random: Random, tag: str) -> Wish:
            return Wish("open", f"{OPEN}?n={tag}", random.choice(stage.people.clerks), (200, 403), tag=tag)

        verdict = {_bundle(stage, _active(stage)): "permit"}
        crowd = stage.crowd(asking, size=6, pause=0.005, also=frozenset())
        _flip(trial, stage, stop, reloads, verdict)
        stop.unlink(missing_ok=True)
        verdict[_bundle(stage, _reload(stage))] = "permit"
        _broken(trial, stage, policies)
        crowd.stop()
        stage.gateway.stop()
        trial.must(not crowd.wrong, "nobody got a wrong answer", crowd.wrong[:3])
        _held(trial, stage, verdict)
        trial.note(f"{reloads} reloads, {len(verdict)} bundles, answers {dict(crowd.answers)}")


def _bundle(stage: Stage, revision: str) -> str:
    """The digest of the rules in a stored revision, as decisions name it."""
    return Bundle.from_bytes((stage.gateway.state / "bundles" / revision / "bundle.json").read_bytes()).digest


def _active(stage: Stage) -> str:
    return str(stage.gateway.door("GET", "/health").json["bundle"])


def _reload(stage: Stage) -> str:
    said = stage.gateway.door("POST", "/v1/reload")
    return str(said.json["bundle"]) if said.status == 200 else ""


def _flip(trial: Trial, stage: Stage, stop: Path, reloads: int, verdict: dict[str, str]) -> None:
    clerk, began = stage.people.clerks[0], time.monotonic()
    for number in range(reloads):
        denies = number % 2 == 0
        if denies:
            stop.write_text(STOP.replace("id: stop", f"id: stop-{number}"))
        else:
            stop.unlink()
        bundle = _reload(stage)
        if not bundle:
            trial.must(False, "a good folder is loaded", number)
        verdict[_bundle(stage, bundle)] = "deny" if denies else "permit"
        seen = {stage.ask(OPEN, clerk).status for _ in range(4)}
        if seen != {403 if denies else 200}:
            trial.must(False, "what was acknowledged holds for the next request of every worker", (number, seen))
    trial.must(True, f"{reloads} acknowledged reloads in {time.monotonic() - began:.1f} s, each one in force at once")


def _broken(trial: Trial, stage: Stage, policies: Path) -> None:
    rule, good = policies / "rules" / "10-open.yaml", (policies / "rules" / "10-open.yaml").read_bytes()
    before, clerk = _active(stage), stage.people.clerks[1]
    faults: dict[str, bytes | None] = {
        "truncated": good[: len(good) // 2],
        "half written": good[:-40] + b"\xe5\xbc",
        "binary": bytes(range(256)),
        "wrong": good.replace(b"effect: allow", b"effect: Allow"),
        "a bomb": b"a: &a [x]\nb: &b [*a,*a]\nrules: [*b,*b]\n",
    }
    for name, content in faults.items():
        rule.write_bytes(content or b"")
        said = stage.gateway.door("POST", "/v1/reload")
        shown = said.status == 422 and bool(said.json["errors"])
        trial.must(shown, f"{name}: refused, and it says where", said.body[:200])
        trial.must(_active(stage) == before, f"{name}: the last good one stays")
        trial.must(stage.ask(OPEN, clerk).status == 200, f"{name}: and decides")
    _watched(trial, stage, rule, good)
    shutil.move(policies, policies.with_name("away"))
    said = stage.gateway.door("POST", "/v1/reload")
    trial.must(said.status == 422, "deleted: refused", said.body[:200])
    trial.must(stage.ask(OPEN, clerk).status == 200, "deleted: the last good one decides")
    shutil.move(policies.with_name("away"), policies)


def _watched(trial: Trial, stage: Stage, rule: Path, good: bytes) -> None:
    """A bad file that nobody announced is on record and in the metrics soon after it has come to rest."""
    rule.write_bytes(good)
    _reload(stage)
    time.sleep(1.6)
    counted = _rejected(stage)
    rule.write_bytes(good[:-60] + b"  - {")
    took = until(lambda: _rejected(stage) > counted, 6.0)
    trial.must(took is not None and took < 3.0, "an unannounced bad file is counted within moments", took)
    rule.write_bytes(good)


def _rejected(stage: Stage) -> float:
    text = stage.gateway.door("GET", "/metrics").body.decode()
    lines = [line for line in text.splitlines() if line.startswith("gateway_policy_reloads_total") and "reject" in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _held(trial: Trial, stage: Stage, verdict: dict[str, str]) -> None:
    asked = [
        entry for entry in ledger(stage.gateway) if entry["kind"] == "verdict" and entry.get("api") == "enterprises"
    ]
    strange = [entry["bundle"] for entry in asked if entry["bundle"] not in verdict]
    trial.must(not strange, f"each of {len(asked)} decisions names a bundle that was active", strange[:3])
    torn = [json.dumps(entry)[:300] for entry in asked if verdict.get(entry["bundle"]) != entry["outcome"]]
    trial.must(not torn, "and agrees with it", torn[:2])
