"""What happens to a request at the operators' door, from knock to answer?

Recognise → may they? → put on record what may widen access → do it → put on record → answer.
"""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.control.answers import Answer, language_of, problem, respond
from gateway.control.callers import Caller, Knocks, Settings, from_browser, recognise
from gateway.control.door import Act, Door, DoorFault
from gateway.control.question import QUESTIONS, on_record
from gateway.control.routes import ASKED, WAYS, Visit, Way
from gateway.facts import Notice

ASGIApp = Callable[..., Any]
CHALLENGE = (("www-authenticate", 'Bearer realm="gateway-control"'),)


def control_app(
    door: Door, settings: Settings, clock: Callable[[], float], notice: Callable[[Notice], None]
) -> ASGIApp:
    """The door as an ASGI application; serve it with `server_config`, which tells it who is calling."""
    inner = _routed(door, clock)
    knocks = Knocks(notice)

    async def entrance(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the control door does not speak `{scope['type']}`")
        caller = recognise(scope, settings)
        refused = "" if caller else "operator_unknown"
        if caller and from_browser(scope):
            refused = "browser_refused"
        if refused:
            knocks.failed(_source(scope), refused)
            await problem(refused, language=language_of(scope["headers"]), extra=CHALLENGE)(scope, receive, send)
            return
        await inner({**scope, "state": {**scope.get("state", {}), "caller": caller}}, receive, send)

    return entrance


def _source(scope: dict[str, Any]) -> str:
    peer = scope.get("extensions", {}).get("peer")
    if peer is not None and peer.uid is not None:
        return f"uid:{peer.uid}"
    return scope["client"][0] if scope.get("client") else ""


def _routed(door: Door, clock: Callable[[], float]) -> Starlette:
    """The table of ways behind the entrance; everything else is a problem body."""
    app = Starlette(
        routes=[_route(way, door, clock) for way in WAYS],
        exception_handlers={HTTPException: _not_here, 500: _failed},
    )
    app.router.redirect_slashes = False
    return app


def _route(way: Way, door: Door, clock: Callable[[], float]) -> Route:
    async def endpoint(request: Request) -> Response:
        caller: Caller = request.scope["state"]["caller"]
        return await _through(way, Visit(request, caller, door, clock()))

    return Route(way.path, endpoint, methods=[way.method], name=f"{way.method} {way.path}")


async def _through(way: Way, visit: Visit) -> Response:
    """Let one known operator through, or not; either is on record before the answer."""
    language = language_of(visit.request.scope["headers"])
    name = way.act or f"{way.method.lower()} {way.path}"
    if visit.caller.role != "admin" and visit.caller.role not in way.roles:
        await visit.door.act(_act(visit, name, visit.target, "role_insufficient", False))
        return problem("role_insufficient", language=language)  # a refusal stands, recorded or not
    # under a name of its own: what was only asked for must not be counted as done
    if way.widens and not await visit.door.act(_act(visit, f"{name}{ASKED}", visit.target, "", True)):
        return problem("audit_unavailable", language=language)
    try:
        answer = await way.answer(visit)
    except DoorFault as fault:
        if way.act:
            detail = f"{fault.code} {fault.detail}".rstrip()
            await visit.door.act(_act(visit, name, fault.target or visit.target, detail, False))
        said = fault.zh if language == "zh-CN" else fault.detail
        return problem(fault.code, [said] if said else (), language)
    if way.act and not await visit.door.act(_record(visit, name, answer)):
        # What took effect stays in effect: a revocation must not depend on the disk. But nobody is
        # told the rows of a question that is not on record.
        return problem("audit_unavailable", ["done, but not on record"], language)
    if answer.status == 422:
        return problem("policy_rejected", answer.body, language)
    return respond(answer)


def _record(visit: Visit, name: str, answer: Answer) -> Act:
    return _act(visit, answer.act or name, answer.target or visit.target, answer.detail, answer.status < 400)


def _act(visit: Visit, name: str, target: str, detail: str, ok: bool) -> Act:
    if name in QUESTIONS:
        target, detail = on_record(target), on_record(detail)
    return Act(visit.caller.name, visit.caller.role, name, target[:1024], detail[:1024], ok)


async def _not_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    code = "method_not_allowed" if status == 405 else "not_found"
    extra = tuple((error.headers or {}).items()) if isinstance(error, HTTPException) else ()
    return problem(code, language=language_of(request.scope["headers"]), extra=extra)


async def _failed(request: Request, error: Exception) -> Response:
    """A bug is said to be one; what it was goes to the log of the process, not over the wire."""
    return problem("internal_error", language=language_of(request.scope["headers"]))
