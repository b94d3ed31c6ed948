"""The wrong orders of the journey, kept: each edit must be refused by mypy or by the layout test."""

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.edge import Settings as Edge
from gateway.exposure import Exposures, Settings
from gateway.facts import Exposure, Fault, Reply
from gateway.journey import Journey
from tests.literals import an_ask, some_facts
from tests.test_layout import ROOT, seal_faults

SOURCE = (ROOT / "gateway" / "journey.py").read_text(encoding="utf-8")

DECIDE = "        decision = revision.policy.decide(facts)\n"
GATHER = "        facts = await self.gather(ask, revision)\n"
COMMIT = "await self.ledger.commit(facts, decision)"
FORWARD = "await self.upstream.forward(ask, verdict, since)"
MASK = "await self.masking.apply(raw, verdict)"
WRITE = "await write(ask, reply, send, self.marks(facts, verdict, reply), self.guard(verdict, reply))"

REFUSED_BY_TYPES = {
    "decide_before_gather": (GATHER + DECIDE, DECIDE + GATHER),
    "skip_decide": (DECIDE, ""),
    "skip_commit": (COMMIT, "decision"),
    "commit_without_facts": (COMMIT, "await self.ledger.commit(ask, decision)"),
    "forward_although_denied": (
        "        if not isinstance(verdict, Warrant):\n            return refusal(ask, verdict, self.edge)\n",
        "",
    ),
    "forward_on_a_permit": (FORWARD, "await self.upstream.forward(ask, verdict.permit, since)"),
    "forget_to_mask": (MASK, "raw"),
    "mask_with_nothing": (MASK, "await self.masking.apply(raw, None)"),
    "mask_with_a_permit": (MASK, "await self.masking.apply(raw, verdict.permit)"),
    "send_the_raw_reply": ("        return reply\n\n    def", "        return raw\n\n    def"),
    "write_the_verdict": (WRITE, "await write(ask, verdict, send)"),
    "ignore_a_fault_of_the_upstream": (
        "        if isinstance(raw, Fault):\n            return refusal(ask, raw, self.edge, verdict.id)\n",
        "",
    ),
    "ignore_a_fault_of_masking": (
        "        if isinstance(reply, Fault):\n            return refusal(ask, reply, self.edge, verdict.id)\n",
        "",
    ),
    "drop_the_device_room": ("        posture = revision.devices.assess(ask, subject)\n", ""),
    "treat_a_decision_as_a_yes": (COMMIT, "self.ledger.commit(facts, decision) if decision else None"),
}

REFUSED_BY_LAYOUT = {
    "build_a_warrant": (COMMIT, 'Warrant("x", facts, decision)'),
    "build_a_permit": (DECIDE, '        decision = Permit((), "", None)\n'),
    "build_a_raw_reply": (FORWARD, 'RawReply(200, (), b"", None, 0.0)'),
    "build_a_reply": (MASK, "Reply(200, raw.headers, raw.body, None)"),
    "replace_a_warrant": (
        FORWARD,
        "await self.upstream.forward(ask, msgspec.structs.replace(verdict, permit=None), since)",
    ),
    "convert_into_a_warrant": (COMMIT, "msgspec.convert({}, Warrant)"),
    "make_a_warrant_of_its_type": (COMMIT, 'type(verdict)("x", facts, decision)'),
    "make_a_warrant_without_init": (COMMIT, "Warrant.__new__(Warrant)"),
}


def edited(edit: tuple[str, str]) -> str:
    old, new = edit
    assert SOURCE.count(old) == 1, f"the journey no longer holds {old!r}"
    return SOURCE.replace(old, new)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy says of each edit and of the journey as it is, in one run."""
    folder = tmp_path_factory.mktemp("orders")
    for name, edit in REFUSED_BY_TYPES.items():
        (folder / f"{name}.py").write_text(edited(edit), encoding="utf-8")
    (folder / "as_it_is.py").write_text(SOURCE, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    files = [str(path) for path in sorted(folder.glob("*.py"))]
    run = subprocess.run(
        [*command, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "MYPYPATH": str(ROOT)},
    )
    said: dict[str, list[str]] = {Path(file).stem: [] for file in files}
    for line in run.stdout.splitlines():
        if match := re.search(r"(\w+)\.py:\d+: error: (.*)", line):
            said.setdefault(match[1], []).append(match[2])
    assert "checked" in run.stdout, run.stdout + run.stderr
    return said


def test_the_journey_as_it_is_has_no_complaint(complaints: dict[str, list[str]]) -> None:
    assert complaints["as_it_is"] == []


@pytest.mark.parametrize("name", REFUSED_BY_TYPES)
def test_a_wrong_order_is_refused_by_the_types(name: str, complaints: dict[str, list[str]]) -> None:
    assert complaints[name] != []


@pytest.mark.parametrize("name", REFUSED_BY_LAYOUT)
def test_a_forged_seal_is_refused_by_the_layout(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = tmp_path / "gateway"
    house.mkdir()
    (house / "journey.py").write_text(edited(REFUSED_BY_LAYOUT[name]), encoding="utf-8")
    monkeypatch.setattr("tests.test_layout.HOUSE", house)
    assert seal_faults(house / "journey.py") != []


def test_the_journey_itself_forges_nothing() -> None:
    assert seal_faults(ROOT / "gateway" / "journey.py") == []


@pytest.mark.parametrize(
    ("timezone", "local", "seconds"),
    [
        ("Asia/Shanghai", "2026-09-21T23:59:59.500", 1),
        ("Asia/Shanghai", "2026-09-21T00:00:00", 86_400),
        ("Asia/Shanghai", "2026-09-21T08:30:00", 15 * 3600 + 1800),
        ("Europe/Berlin", "2026-10-25T00:00:00", 25 * 3600),
        ("Europe/Berlin", "2026-03-29T00:00:00", 23 * 3600),
    ],
)
def test_who_has_spent_a_budget_hears_when_there_is_another(timezone: str, local: str, seconds: int) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone)).timestamp()
    exposures = Exposures(Settings(timezone))
    journey = Journey(Edge(), *[None] * 4, exposures, *[None] * 4)
    reply = Reply(429, (), b"", 0, code="budget_spent")
    facts = some_facts(ask=an_ask(at=at))
    assert journey.marks(facts, Fault("budget_spent"), reply) == ((b"retry-after", str(seconds).encode()),)
    other = Reply(403, (), b"", 0, code="no_rule")
    assert journey.marks(facts, Fault("no_rule"), other) == ()
    unread = some_facts(ask=an_ask(at=at), exposure=Exposure(unread=True))
    assert journey.marks(unread, Fault("budget_spent"), reply) == ((b"retry-after", b"1"),)
