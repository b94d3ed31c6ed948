"""What do operators see of a pilot?

Its terms, its figures, and of what it decides otherwise the most frequent, each with decisions in which it was seen.
"""

import contextlib
import sqlite3
import time
from pathlib import Path

from msgspec import Struct

from gateway.app.revisions import Compiled
from gateway.audit import Unanswerable, query
from gateway.policy.pilot import Terms
from gateway.policy.trial import Row, Trial
from gateway.stores import Pilot

SHOWN = 100  # kinds of differences that are shown, the most frequent first
LOOK_SECONDS = 1.0  # how long decisions are searched for in the record


class Running(Struct, frozen=True, eq=False):
    """The pilot that runs, as the control process knows it."""

    pilot: Pilot
    terms: Terms
    candidate: Compiled
    trial: Trial
    since: float  # when counting began


def shown(running: Running, decisions: dict[str, str]) -> object:
    """The pilot; `decisions` by request, as `seen_in` finds them."""
    terms, trial = running.terms, running.trial
    tried, active = trial.figures(time.time())
    return {
        "pilot": running.pilot.id, "candidate": running.pilot.digest, "beside": terms.beside,
        "bundle": running.candidate.bundle.digest, "by": running.pilot.by, "at": running.pilot.at,
        "until": terms.until, "percent": terms.percent, "orgs": terms.orgs, "limits": terms.limits,
        "counted_since": running.since, "counted_until": trial.judged_until or None, "judged": trial.judged,
        "differences": [
            {"kind": kind, "api": api, "rules": rules, "count": row.count, "decided": row.decided,
             "decisions": [decisions[one] for one in row.requests if one in decisions]}
            for (kind, api, rules), row in _most_frequent(trial)
        ],
        "orgs_differ": [{"org": org, "loses": n["loses"], "gains": n["gains"]} for org, n in trial.orgs.items()],
        "window": {"candidate": tried, "active": active},
    }  # fmt: skip


def wanted(running: Running) -> list[str]:
    """The requests that show the differences."""
    return [request for _, row in _most_frequent(running.trial) for request in row.requests]


def seen_in(index: Path, requests: list[str]) -> dict[str, str]:
    """The decisions about these requests, as far as they are found in time."""
    found = {}
    deadline = time.monotonic() + LOOK_SECONDS
    for request in requests:
        with contextlib.suppress(Unanswerable, sqlite3.Error):  # the index may be made anew just now
            for row in query(index, f'kind:verdict request:"{request}"', 1, seconds=LOOK_SECONDS):
                found[request] = str(row["id"])
        if time.monotonic() > deadline:
            break
    return found


def _most_frequent(trial: Trial) -> list[tuple[tuple[str, str, tuple[str, ...]], Row]]:
    return sorted(trial.rows.items(), key=lambda item: -item[1].count)[:SHOWN]


def past(pilot: Pilot) -> object:
    """One that has ended."""
    return {
        "pilot": pilot.id, "candidate": pilot.digest, "by": pilot.by, "at": pilot.at, "ended_at": pilot.ended_at,
        "ended_by": pilot.ended_by, "why": pilot.why,
    }  # fmt: skip
