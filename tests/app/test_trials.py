"""What is shown of a pilot: the most frequent differences, and decisions where some are known."""

from pathlib import Path
from typing import Any

from gateway.app.trials import SHOWN, Running, past, seen_in, shown, wanted
from gateway.entries import NoticeEntry
from gateway.policy.pilot import Limits, Seen, Terms, notice
from gateway.policy.trial import Trial
from gateway.stores import Pilot
from tests.app.test_pilot import stored
from tests.literals import NOW

__all__ = ["stored"]


def test_the_most_frequent_differences_are_shown_with_their_decisions(stored: Any) -> None:
    _, active, candidate = stored
    trial = Trial(candidate.bundle.digest, active.bundle.digest, Limits(), NOW)
    for number in range(SHOWN + 5):
        one = notice(Seen("would_deny", "civil", (f"rules/{number}",), "hz", True, f"req-{number}"), number + 1)
        trial.told(NoticeEntry(1, "j", 1, NOW, one.name, one.subject, one.detail, one.count))
    pilot = Pilot(3, candidate.digest, "{}", "wang", NOW)
    running = Running(pilot, Terms(active.digest, "00"), candidate, trial, NOW)
    assert wanted(running)[:2] == [f"req-{SHOWN + 4}", f"req-{SHOWN + 3}"]
    said: Any = shown(running, {f"req-{SHOWN + 4}": "j.7"})
    assert (said["pilot"], said["by"], len(said["differences"])) == (3, "wang", SHOWN)
    assert [(row["count"], row["decisions"]) for row in said["differences"][:2]] == [
        (SHOWN + 5, ["j.7"]),
        (SHOWN + 4, []),
    ]


def test_without_a_record_no_decision_is_found(tmp_path: Path) -> None:
    assert seen_in(tmp_path / "index.db", ["req-1"]) == {}


def test_of_one_that_has_ended_its_end_is_told() -> None:
    said: Any = past(Pilot(3, "c" * 64, "{}", "wang", NOW, NOW + 1, "li", "stopped"))
    assert (said["ended_at"], said["ended_by"], said["why"]) == (NOW + 1, "li", "stopped")
