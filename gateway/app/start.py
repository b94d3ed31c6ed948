"""With which revision does a gateway start?

With what the policy folder says. But what was pinned is not replaced by it, and an emergency level that is in force is
not softened by it.
"""

from pathlib import Path

from gateway.app import revisions
from gateway.app.emergency import in_force
from gateway.app.releases import signers
from gateway.app.revisions import Compiled, base_of, raised
from gateway.app.softening import softened
from gateway.config import Config
from gateway.document import Faulty, FileFault
from gateway.stores import Instant, State


def first(config: Config, state: State, now: Instant, follow: bool = False) -> Compiled:
    """The revision that a gateway starts with, kept as active. Raises Faulty, OSError, StateFault.

    What the folder says, or what was pinned (unless `follow`), with the emergency level that is still in force.
    """
    standing, latest = in_force(state, now), state.activations(1)
    base, level = base_of(standing.name), standing.level
    pinned = bool(latest) and latest[0].pinned and not follow
    place = revisions.stored(config.state, base)
    if pinned and place is None:  # the folder may hold what was rolled back: it must not come back in silence
        raise Faulty([_lost(config.state / "bundles" / base)])
    folder = place if pinned and place is not None else config.policies
    compiled = revisions.store(config.state, folder, config.apis, now.at, signers(config))
    if level and not follow and (before := _harder(config, base, compiled, level, now.at)):
        compiled, pinned = before, True
    compiled = raised(compiled, level)
    _end_unsigned(config, state, now.at)
    state.activate(compiled.digest, "gateway", now.at, pinned, "start")
    return compiled


def _harder(config: Config, base: str, compiled: Compiled, level: str, now: float) -> Compiled | None:
    """What was in force, if the level stops less in what shall follow: else an edit and a restart end what two began.

    None where the level is kept, and where what was in force is not good any more: then nothing tells what it stopped.
    """
    place = revisions.stored(config.state, base)
    if place is None or base == compiled.digest:
        return None
    try:
        before = revisions.store(config.state, place, config.apis, now, signers(config))
        return before if softened(raised(before, level), compiled, level) else None
    except (Faulty, OSError):
        return None


def _end_unsigned(config: Config, state: State, now: float) -> None:
    """End a pilot whose candidate those who must sign today have not signed: it would decide about its share."""
    pilot = state.pilot()
    if pilot is None:
        return
    try:
        good = not signers(config).faults(config.state / "bundles" / pilot.digest)
    except OSError:
        good = False
    if not good:
        state.end_pilot(pilot.id, "gateway", now, "its candidate is not signed")


def _lost(place: Path) -> FileFault:
    return FileFault(
        str(place), 1, 1, "P167", "the pinned revision is not stored any more", "固定的修订版已不再保存",
        "restore it from a backup, or follow the policy folder: gateway serve --follow",
        "请从备份恢复，或改为跟随策略目录：gateway serve --follow",
    )  # fmt: skip
