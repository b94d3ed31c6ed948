"""In a storm of reloads, does each decision belong to exactly one revision, and never to one that was gone before it was asked?

First the flip itself, a hundred times a second: two processes decide without pause by what the store says is active, while
a third activates revisions with opposite answers, one of them an emergency level. Then the same from outside: reloads and
rollbacks at the door as fast as it answers, under load, and each decision on record is held against its bundle.
"""

import mmap
import os
import shutil
import time
from pathlib import Path
from random import Random

from gateway.app.emergency import in_force
from gateway.app.knowledge import Knowledge
from gateway.app.revisions import Compiled, base_of, level_of, raised, store
from gateway.device import Devices
from gateway.device import Settings as DeviceSettings
from gateway.facts import Facts, Permit, Report
from gateway.journey import Revision
from gateway.policy import Bundle, Policy
from gateway.stores import Board, Instant, State
from tests.policy.world import facts as some_facts
from tests.soak.policy import STOP
from tests.soak.rig import OPEN, Stage, Wish, ledger, staged
from tests.soak.trial import Trial
from tests.test_layout import ROOT

FULL = {"seconds": 60.0, "door": 90.0, "least": 90}
QUICK = {"seconds": 3.0, "door": 4.0, "least": 20}
EVERY = 0.01  # seconds between two activations: a hundred a second
READERS = 2
NOW = 1_790_000_000.0
APIS = ()
LEVEL = STOP.replace("rules:", "level: II\ntitle: {zh: 停止, en: stop}\nrules:").replace("id: stop", "id: ii-stop")


class Nobody:
    """No device is known, none is revoked."""

    def report(self, device: str) -> Report | None:
        return None

    def revoked(self, device: str) -> bool:
        return False


class Told:
    """What the storm has begun and done, and what the readers saw; shared by all processes."""

    _FIELDS = (
        "begun",
        "done",
        "stop",
        *(f"{name}{n}" for n in range(READERS) for name in ("count", "wrong", "stale", "flips")),
    )

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, 8 * len(self._FIELDS))).cast("Q")
        self._place = {name: place for place, name in enumerate(self._FIELDS)}

    def __getitem__(self, name: str) -> int:
        return int(self._memory[self._place[name]])

    def __setitem__(self, name: str, value: int) -> None:
        self._memory[self._place[name]] = value

    def all(self, name: str) -> int:
        return sum(self[f"{name}{n}"] for n in range(READERS))


def run(trial: Trial, folder: Path, seconds: float, door: float, least: int) -> None:
    """The flip for so long, then the door; `least` is how many flips a second count (a busy machine makes fewer)."""
    (folder / "flip").mkdir()
    _storm(trial, folder / "flip", seconds, least)
    if door:
        (folder / "door").mkdir()
        _at_the_door(trial, folder / "door", door)


# --- the flip -----------------------------------------------------------------------------------------


def _three(folder: Path) -> tuple[list[Compiled], dict[str, bool]]:
    """What is activated in turn (permits, denies, …, permits but for a level), and what each bundle must say."""
    policies = folder / "policies"
    shutil.copytree(ROOT / "policies", policies)
    shutil.rmtree(policies / "tests")
    shutil.rmtree(policies / "emergency", ignore_errors=True)
    (policies / "emergency").mkdir()
    (policies / "emergency" / "II.yaml").write_text(LEVEL)
    opened = store(folder, policies, APIS, NOW)
    (policies / "rules" / "99-stop.yaml").write_text(STOP)
    closed = store(folder, policies, APIS, NOW)
    level = raised(opened, "II")
    return [*(opened, closed) * 3, opened, level], {
        opened.bundle.digest: True, closed.bundle.digest: False, level.bundle.digest: False,
    }  # fmt: skip


def _question(compiled: Compiled) -> Facts:
    """A signed-in person reads open data."""
    return some_facts(asset=compiled.catalog.find("GET", OPEN))


def _storm(trial: Trial, folder: Path, seconds: float, least: int) -> None:
    revisions, permits = _three(folder)
    State(folder / "state.db").close()
    Board.create(folder / "board", READERS + 1)
    told = Told()
    _activate(State(folder / "state.db"), Board.open(folder / "board"), revisions[0])
    asked = _question(revisions[0])
    said = [isinstance(Policy(one.bundle).decide(asked), Permit) for one in revisions]
    opposite = [True, False] * 4
    trial.must(said == opposite, "the revisions answer the same question oppositely", said)
    readers = [_forked(lambda n=n: _read(folder, revisions, permits, told, n)) for n in range(READERS)]
    try:
        took = _flip(folder, revisions, told, seconds)
    finally:
        told["stop"] = 1
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in readers]
    flips, decisions = told["done"], told.all("count")
    trial.note(
        f"{flips} activations in {took:.1f} s ({flips / took:.0f} a second), {decisions} decisions, "
        f"{told.all('flips')} flips seen by {READERS} readers"
    )
    trial.must(ends == [0] * READERS, "the readers ran to their end", ends)
    trial.must(flips / took >= least, f"{least} activations a second at least", flips / took)
    trial.must(decisions >= 1200 * least, f"{1200 * least} decisions at least", decisions)
    trial.must(told.all("wrong") == 0, "no decision contradicts the bundle that it names", told.all("wrong"))
    trial.must(
        told.all("stale") == 0, "none rests on what was not active between question and answer", told.all("stale")
    )


def _activate(state: State, board: Board, compiled: Compiled) -> None:
    """As control does: the level by its switch, the base by its activation, then the word. One of them at a time."""
    level = level_of(compiled.digest)
    if level:
        asked = state.ask_emergency(level, "soak", "a", NOW, NOW + 3600)
        state.confirm_emergency(asked.id, "b", Instant(NOW))
    elif (standing := state.standing_emergency()) is not None:
        state.end_emergency(standing.id, NOW)
    state.activate(compiled.digest, "soak", NOW)
    board.bump("bundle")


def _flip(folder: Path, revisions: list[Compiled], told: Told, seconds: float) -> float:
    """Activate one after the other, evenly; how long it took."""
    state, board = State(folder / "state.db"), Board.open(folder / "board")
    began = time.monotonic()
    number = 0
    while (now := time.monotonic() - began) < seconds:
        number += 1
        told["begun"] = number
        _activate(state, board, revisions[number % len(revisions)])
        told["done"] = number
        time.sleep(max(0.0, number * EVERY - (time.monotonic() - began)))
    state.close()
    return now


def _forked(work: "object") -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()  # type: ignore[operator]  # a function without arguments
        code = 0
    finally:
        os._exit(code)


def _read(folder: Path, revisions: list[Compiled], permits: dict[str, bool], told: Told, number: int) -> None:
    """Decide without pause; hold each decision against what was active between its beginning and its end."""
    state, board = State(folder / "state.db", busy=5.0), Board.open(folder / "board")
    made = {
        one.digest: Revision(one.catalog, Policy(one.bundle), Devices(DeviceSettings(), (), Nobody()), False)
        for one in revisions
    }
    by_name = {one.digest: one for one in revisions}
    noted: list[object] = []
    knowledge = Knowledge(
        board, revisions[0], lambda: in_force(state, Instant(NOW)).name, by_name.__getitem__,
        lambda compiled: made[compiled.digest], noted.append,
    )  # fmt: skip
    asked = _question(revisions[0])
    order = [one.bundle.digest for one in revisions]
    count = wrong = stale = flips = 0
    last = ""
    while not told["stop"]:
        first = told["done"]
        decision = knowledge.current().policy.decide(asked)
        latest = told["begun"]
        count += 1
        wrong += isinstance(decision, Permit) is not permits[decision.bundle]
        between = range(first, min(latest, first + len(order)) + 1)
        stale += decision.bundle not in {order[n % len(order)] for n in between}
        if decision.bundle != last:
            flips, last = flips + 1, decision.bundle
        if count % 1000 == 0:
            told[f"count{number}"], told[f"wrong{number}"] = count, wrong
            told[f"stale{number}"], told[f"flips{number}"] = stale, flips
    if noted:
        raise AssertionError(noted[:3])


# --- the door -------------------------------------------------------------------------------------------


def _at_the_door(trial: Trial, folder: Path, seconds: float) -> None:
    with staged(folder, workers=2) as stage:
        policies = stage.gateway.folder / "policies"
        shutil.rmtree(policies / "tests")
        stop = policies / "rules" / "99-stop.yaml"

        def asking(random: Random, tag: str) -> Wish:
            return Wish("open", f"{OPEN}?n={tag}", random.choice(stage.people.clerks), (200, 403), tag=tag)

        active = base_of(str(stage.gateway.door("GET", "/health").json["bundle"]))
        verdict = {_bundle(stage, active): "permit"}
        crowd = stage.crowd(asking, size=16, also=frozenset())
        reloads, took = _ways(trial, stage, stop, seconds, verdict)
        crowd.stop()
        stage.gateway.stop()
        trial.must(not crowd.wrong, "nobody got a wrong answer", crowd.wrong[:3])
        decided = [one for one in ledger(stage.gateway) if one["kind"] == "verdict" and one.get("api") == "enterprises"]
        wrong = [one for one in decided if verdict.get(one["bundle"]) != one["outcome"]]
        trial.note(f"{reloads} changes at the door in {took:.1f} s ({reloads / took:.1f} a second)")
        trial.note(f"{len(decided)} decisions on record, answers {dict(crowd.answers)}")
        trial.must(
            not wrong, f"each of {len(decided)} decisions on record agrees with the bundle that it names", wrong[:2]
        )
        answered = sum(crowd.answers.values())
        trial.must(len(decided) >= answered > 0, "every answer has its decision on record", (len(decided), answered))


def _ways(trial: Trial, stage: Stage, stop: Path, seconds: float, verdict: dict[str, str]) -> tuple[int, float]:
    """Reload what stops everything, then go back: by a rollback, or by a reload of the folder as it was."""
    clerk, began, changes = stage.people.clerks[0], time.monotonic(), 0
    good = stage.gateway.door("GET", "/v1/policy").json["active"]
    while time.monotonic() - began < seconds:
        stop.write_text(STOP)
        _change(trial, stage, "/v1/reload", None, "deny", verdict, clerk)
        if changes % 4:
            _change(trial, stage, "/v1/policy/rollback", {"to": good}, "permit", verdict, clerk)
            stop.unlink()
        else:
            stop.unlink()
            _change(trial, stage, "/v1/reload", None, "permit", verdict, clerk)
        changes += 2
    return changes, time.monotonic() - began


def _change(
    trial: Trial, stage: Stage, path: str, wish: object, outcome: str, verdict: dict[str, str], clerk: str
) -> None:
    said = stage.gateway.door("POST", path, wish)
    if said.status != 200:
        trial.must(False, "a good change comes into force", (path, said.status, said.body[:300]))
        return
    verdict[_bundle(stage, said.json["bundle"])] = outcome
    seen = {stage.ask(OPEN, clerk).status for _ in range(2)}
    if seen != {200 if outcome == "permit" else 403}:
        trial.must(False, "what was acknowledged holds for the next request of every worker", (path, outcome, seen))


def _bundle(stage: Stage, revision: str) -> str:
    """The digest of the rules in a stored revision, as decisions name it."""
    return Bundle.from_bytes((stage.gateway.state / "bundles" / revision / "bundle.json").read_bytes()).digest
