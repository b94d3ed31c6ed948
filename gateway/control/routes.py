"""Which routes has the door, and who may use each?

One table; what is not in it does not exist. Rules:

1. A route names its roles. `admin` is root on the Unix socket, or whom the configuration says so.
2. Whoever changes policy cannot read audit queries, whoever reads the audit cannot change policy, a
   reporter only reports (separation of duties).
3. What is done, or refused to a known operator, is on record before it is answered. What may widen
   access is on record before it is even tried.
"""

import re
from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import Request

from gateway.control.answers import Answer, Raw, read_body, read_json
from gateway.control.callers import Caller
from gateway.control.door import (
    Act,
    Door,
    DoorFault,
    EmergencyWish,
    Opening,
    PilotWish,
    Query,
    Rejected,
    Revocation,
    Role,
    RollbackWish,
    SeenWish,
)
from gateway.crypto.digest import token_id

ANY: frozenset[Role] = frozenset(("system", "security", "audit", "reporter", "metrics"))
MAX_ROWS = 10_000
MAX_REASON = 500
MAX_ORGS = 200
MAX_IDENTIFIER = 200
ASKED = "_asked"
"""Ends the name under which what may widen access is on record before it is tried."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{22,43}", re.ASCII)


class Visit(Struct, frozen=True):
    """One request of a known operator."""

    request: Request
    caller: Caller
    door: Door
    now: float

    @property
    def target(self) -> str:
        """What the path speaks of."""
        return str(next(iter(self.request.path_params.values()), ""))


class Way(Struct, frozen=True):
    """One route: who may use it, what it does, under which name it is recorded ("" for not at all)."""

    method: str
    path: str
    roles: frozenset[Role]
    answer: Callable[[Visit], Awaitable[Answer]]
    act: str = ""
    widens: bool = False


async def health(visit: Visit) -> Answer:
    """Which processes are alive."""
    return Answer(visit.door.health())


async def ready(visit: Visit) -> Answer:
    """Whether requests can be decided."""
    good = visit.door.ready()
    return Answer({"ready": good}, 200 if good else 503)


async def metrics(visit: Visit) -> Answer:
    """The exposition that the scraper prefers."""
    return Answer(Raw(*visit.door.render_metrics(visit.request.headers.get("accept", ""))))


async def revoke(visit: Visit) -> Answer:
    """Withdraw; the answer comes once every live worker refuses."""
    wish = await read_json(visit.request, Revocation)
    if not wish.id.strip() or len(wish.id) > 4096 or _CONTROL.search(wish.id):
        raise DoorFault(
            "bad_request",
            "`id` needs 1 to 512 characters, none of them control characters",
            zh="`id` 须为 1 至 512 个字符，且不含控制字符",
        )
    _check_reason(wish.reason)
    if wish.until is not None and not visit.now < wish.until < 1e11:
        raise DoorFault(
            "bad_request",
            "`until` must be seconds since 1970 and in the future",
            zh="`until` 须为 1970 年以来的秒数，且在将来",
        )
    wish = Revocation(wish.kind, _nameable(wish.kind, wish.id), wish.reason, wish.until)
    if len(wish.id) > 512:
        raise DoorFault("bad_request", "`id` is longer than 512 characters", zh="`id` 超过 512 个字符")
    done = await visit.door.revoke(wish, visit.caller.name)
    return Answer(done, target=f"{wish.kind}:{wish.id}", detail=f"#{done.id} {wish.reason}".rstrip())


def _check_reason(reason: str) -> None:
    if len(reason) > MAX_REASON or _CONTROL.search(reason):
        raise DoorFault(
            "bad_request",
            f"`reason` has at most {MAX_REASON} characters, none of them control characters",
            zh=f"`reason` 最多 {MAX_REASON} 个字符，且不含控制字符",
        )


def _nameable(kind: str, id: str) -> str:
    """The name of a token: a token itself must not end up in a store or an entry."""
    is_token = kind == "token" and id.count(".") == 2 and id.startswith("ey")
    return token_id(id) if is_token else id


async def list_revocations(visit: Visit) -> Answer:
    """What is in force."""
    return Answer({"revocations": await visit.door.list_revocations()})


async def lift(visit: Visit) -> Answer:
    """End a revocation; `?reason=` says why."""
    reason = visit.request.query_params.get("reason", "")
    _check_reason(reason)
    done = await visit.door.lift(_number(visit.target), visit.caller.name)
    if done is None:
        raise DoorFault("not_found")
    body = {"lifted": int(visit.target), "kind": done.kind, "id": done.id, "still": done.still}
    return Answer(body, target=f"{done.kind}:{done.id}", detail=f"#{visit.target} {reason}".rstrip())


async def report_posture(visit: Visit) -> Answer:
    """Take a signed report about a device."""
    raw = await read_body(visit.request, "application/jose")
    if not raw.isascii():
        return Answer({"err": "invalid_request", "description": "not a compact JWS"}, 400, detail="invalid_request")
    fault = await visit.door.accept_posture(raw.decode("ascii").strip())
    if fault is not None:
        return Answer({"err": fault.err, "description": fault.description}, 400, detail=fault.err)
    return Answer({}, 202)


async def reload(visit: Visit) -> Answer:
    """Load the policies again; bad ones change nothing."""
    outcome = await visit.door.reload(visit.caller.name)
    if isinstance(outcome, Rejected):
        return Answer(outcome.faults, 422, detail=outcome.brief, act="policy.rejected")
    return Answer(outcome, target=outcome.bundle, detail=f"previous {outcome.previous}")


async def active_policy(visit: Visit) -> Answer:
    """Which bundle decides."""
    return Answer(await visit.door.active_policy())


async def policy_history(visit: Visit) -> Answer:
    """Which bundles decided, since when, by whom."""
    return Answer(await visit.door.policy_history())


async def rollback(visit: Visit) -> Answer:
    """Go back to a revision that was in force; it stays until a reload is asked for."""
    wish = await read_json(visit.request, RollbackWish)
    outcome = await visit.door.rollback(wish.to, visit.caller.name)
    if isinstance(outcome, Rejected):
        return Answer(outcome.faults, 422, wish.to[:80], outcome.brief)
    return Answer(outcome, target=outcome.bundle, detail=f"previous {outcome.previous}")


async def emergency(visit: Visit) -> Answer:
    """Which level is in force, what waits, and what was."""
    return Answer(await visit.door.emergencies.view())


async def ask_emergency(visit: Visit) -> Answer:
    """Ask for a level or its end; nothing changes before another operator confirms it."""
    wish = await read_json(visit.request, EmergencyWish)
    _check_reason(wish.reason)
    if not wish.reason.strip():
        raise DoorFault("bad_request", "`reason` must say why", zh="`reason` 须说明原因")
    asked = await visit.door.emergencies.ask(wish, visit.caller.name)
    return Answer(asked, 202, f"#{asked.id} {asked.level or 'end'}", wish.reason)


async def confirm_emergency(visit: Visit) -> Answer:
    """Confirm what another operator asked for; in force in every worker before the answer.

    `?level=` says what is meant ("" for the end): else the second person could be told that number 4 is level II.
    """
    id = _number(visit.target)
    asked = await visit.door.emergencies.asked(id)
    if asked is None:
        raise DoorFault("not_found")
    if visit.request.query_params.get("level", "") != asked.level:
        stands, zh = (
            (f"level {asked.level}", f"{asked.level} 级") if asked.level else ("the end of the level", "提前结束")
        )
        raise DoorFault("conflict", f"under number {id} stands {stands}", zh=f"编号 {id} 下等待确认的是：{zh}")
    name = "emergency.confirm" if asked.level else "emergency.end"

    async def on_record() -> None:
        if not await visit.door.act(Act(visit.caller.name, visit.caller.role, f"{name}{ASKED}", f"#{id}")):
            raise DoorFault("audit_unavailable")

    done = await visit.door.emergencies.confirm(id, visit.caller.name, on_record)
    if isinstance(done, Rejected):
        return Answer(done.faults, 422, f"#{id} {asked.level}", done.brief, name)
    return Answer(done, target=f"#{id} {asked.level}".rstrip(), detail=done.bundle, act=name)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise DoorFault("not_found")
    return int(text)


async def decision(visit: Visit) -> Answer:
    """One decision and how it ended."""
    found = await visit.door.decision(visit.target)
    if found is None:
        raise DoorFault("not_found")
    return Answer(found, target=visit.target)


async def query(visit: Visit) -> Answer:
    """Ask the audit index; the question itself is an entry."""
    wish = await read_json(visit.request, Query)
    if not 0 < wish.limit <= MAX_ROWS or len(wish.query) > 4096:
        raise DoorFault("bad_request", f"`limit` must be 1 to {MAX_ROWS}, `query` at most 4096 characters")
    try:
        rows = await visit.door.query(wish.query, wish.limit)
    except DoorFault as fault:
        raise DoorFault(fault.code, fault.detail, wish.query, fault.zh) from fault
    return Answer({"rows": rows}, target=wish.query)


async def seen(visit: Visit) -> Answer:
    """Who saw this citizen's data; on record is the keyed digest of the identifier, never the identifier."""
    wish = await read_json(visit.request, SeenWish)
    if not wish.value.strip() or len(wish.value) > MAX_IDENTIFIER or _CONTROL.search(wish.value):
        raise DoorFault(
            "bad_request",
            f"`value` needs 1 to {MAX_IDENTIFIER} characters, none of them control characters",
            zh=f"`value` 须为 1 至 {MAX_IDENTIFIER} 个字符，且不含控制字符",
        )
    if not 0 <= wish.since < 1e11:
        raise DoorFault("bad_request", "`since` must be seconds since 1970", zh="`since` 须为 1970 年以来的秒数")
    asked = await visit.door.seen(wish.value, wish.since)
    return Answer(asked.found, target=asked.digest)


async def opening(visit: Visit) -> Answer:
    """Put on record that a value is about to be deciphered. Whoever holds the keys does it once this is answered."""
    wish = await read_json(visit.request, Opening)
    _check_reason(wish.reason)
    if not wish.reason.strip() or not 0 < len(wish.department) <= MAX_IDENTIFIER or _CONTROL.search(wish.department):
        raise DoorFault(
            "bad_request",
            "`department` and `reason` must say whose and why",
            zh="`department` 与 `reason` 须说明部门与原因",
        )
    if not _DIGEST.fullmatch(wish.digest):
        raise DoorFault("bad_request", "`digest` is not a digest", zh="`digest` 不是摘要")
    return Answer({"digest": wish.digest}, target=wish.digest, detail=f"{wish.department} {wish.reason}")


async def risk(visit: Visit) -> Answer:
    """How somebody is behaving, and which evidence says so."""
    found = await visit.door.risk(visit.target)
    if found is None:
        raise DoorFault("not_found")
    return Answer(found, target=visit.target)


async def pilot(visit: Visit) -> Answer:
    """Which candidate runs, and what it decides otherwise."""
    return Answer(await visit.door.pilots.view())


async def submit_pilot(visit: Visit) -> Answer:
    """Start the candidate beside the active revision, or change its share."""
    wish = await read_json(visit.request, PilotWish)
    _check_pilot(wish)
    said = await visit.door.pilots.submit(wish, visit.caller.name)
    name = "pilot.start" if wish.pilot is None else "pilot.change"
    if isinstance(said, Rejected):
        return Answer(said.faults, 422, detail=said.brief, act=name)
    orgs = ",".join(wish.orgs or ())
    share = "as it was" if wish.percent is None else f"{wish.percent:g}%"
    return Answer(said.shown, target=said.candidate, detail=f"{share} {orgs}".rstrip(), act=name)


def _check_pilot(wish: PilotWish) -> None:
    limits = wish.limits
    shares = () if limits is None else (limits.deny, limits.gain, limits.errors)
    if wish.percent is not None and not 0 <= wish.percent <= 100:
        raise DoorFault("bad_request", "`percent` must be 0 to 100", zh="`percent` 须为 0 至 100")
    if any(share is not None and not 0 <= share <= 1 for share in shares):
        raise DoorFault(
            "bad_request",
            "`limits.deny`, `limits.gain` and `limits.errors` must be 0 to 1",
            zh="`limits.deny`、`limits.gain` 与 `limits.errors` 须为 0 至 1",
        )
    if limits is not None and limits.p99 is not None and not 0 < limits.p99 <= 600:
        raise DoorFault("bad_request", "`limits.p99` must be 0 to 600 seconds", zh="`limits.p99` 须为 0 至 600 秒")
    if len(wish.orgs or ()) > MAX_ORGS:
        raise DoorFault("bad_request", f"`orgs` names at most {MAX_ORGS}", zh=f"`orgs` 最多列出 {MAX_ORGS} 个机构")


async def promote_pilot(visit: Visit) -> Answer:
    """Make the candidate the active revision; `?pilot=` says which one is meant."""
    number = visit.request.query_params.get("pilot", "")
    if number and (not number.isascii() or not number.isdigit() or len(number) > 15):
        raise DoorFault("not_found")
    outcome = await visit.door.pilots.promote(visit.caller.name, int(number) if number else None)
    if isinstance(outcome, Rejected):
        return Answer(outcome.faults, 422, detail=outcome.brief)
    return Answer(outcome, target=outcome.bundle, detail=f"previous {outcome.previous}")


async def stop_pilot(visit: Visit) -> Answer:
    """End the pilot; the active revision decides about everybody."""
    return Answer(await visit.door.pilots.stop(visit.caller.name))


def _only(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


WAYS: tuple[Way, ...] = (
    Way("GET", "/health", ANY, health),
    Way("GET", "/ready", ANY, ready),
    Way("GET", "/metrics", _only("metrics"), metrics),
    Way("POST", "/v1/revocations", _only("security"), revoke, "revocation.add"),
    Way("GET", "/v1/revocations", _only("security"), list_revocations, "revocation.list"),
    Way("DELETE", "/v1/revocations/{id}", _only("security"), lift, "revocation.lift", widens=True),
    Way("POST", "/v1/posture/reports", _only("reporter", "security"), report_posture, "posture.report"),
    Way("POST", "/v1/reload", _only("system", "security"), reload, "policy.reload", widens=True),
    Way("GET", "/v1/policy", _only("security", "audit"), active_policy),
    Way("GET", "/v1/pilot", _only("security", "audit"), pilot),
    Way("POST", "/v1/pilot", _only("security"), submit_pilot, "pilot.start", widens=True),
    Way("POST", "/v1/pilot/promote", _only("security"), promote_pilot, "pilot.promote", widens=True),
    Way("DELETE", "/v1/pilot", _only("security"), stop_pilot, "pilot.stop", widens=True),
    Way("GET", "/v1/policy/history", _only("security", "audit"), policy_history),
    Way("POST", "/v1/policy/rollback", _only("security"), rollback, "policy.rollback", widens=True),
    Way("GET", "/v1/emergency", _only("security", "audit"), emergency),
    Way("POST", "/v1/emergency", _only("security"), ask_emergency, "emergency.ask"),
    Way("POST", "/v1/emergency/{id}/confirm", _only("security"), confirm_emergency, "emergency.confirm"),
    Way("GET", "/v1/decisions/{id}", _only("security", "audit"), decision, "decision.read"),
    Way("POST", "/v1/audit/query", _only("audit"), query, "audit.query"),
    Way("POST", "/v1/audit/seen", _only("audit"), seen, "audit.seen"),
    Way("POST", "/v1/openings", _only("security"), opening, "value.decrypt"),
    Way("GET", "/v1/risk/{subject:path}", _only("security"), risk, "risk.read"),
)
