"""What can operators ask for, and what is done when they do?

The door knows nothing of stores, ledgers or policy: `app` hands in what to call. Times are seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, get_args

from msgspec import Struct

from gateway.document import FileFault

Role = Literal["system", "security", "audit", "reporter", "metrics", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
Kind = Literal["token", "session", "subject", "device"]


class DoorFault(Exception):
    """What was asked for could not be done; `code` is a reason code, `detail` is for the operator.

    `zh` is the detail in Chinese, where there is one. `target` says for the record what was asked for, where the path does not.
    """

    def __init__(self, code: str, detail: str = "", target: str = "", zh: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.target = target
        self.zh = zh or detail


class Act(Struct, frozen=True):
    """What an operator did, for the record: becomes an act entry."""

    operator: str
    role: str
    act: str
    target: str = ""
    detail: str = ""
    ok: bool = True


class Revocation(Struct, frozen=True, forbid_unknown_fields=True):
    """Withdraw a token, a session, an account or a device; for good, or until a time."""

    kind: Kind
    id: str
    reason: str = ""
    until: float | None = None


class Revoked(Struct, frozen=True):
    """The revocation is in force: every one of `workers` live workers refuses from now on.

    `seen` is whether the record knows what was named: a misspelt name stops nobody. None when that cannot be told.
    """

    id: int
    workers: int
    seen: bool | None = None


class Lifted(Struct, frozen=True):
    """A revocation was ended. `still` are the numbers of others that go on withdrawing the same."""

    kind: Kind
    id: str
    still: tuple[int, ...] = ()


class Query(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the audit index."""

    query: str
    limit: int = 100


class SeenWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Who saw the data of the citizen with this identifier, since this time (seconds since 1970)?"""

    value: str
    since: float = 0.0


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    """A value of this department is about to be deciphered; `digest` names it without being it."""

    department: str
    digest: str
    reason: str


class SeenAnswer(Protocol):
    """What the record knows, and the keyed digest of whom it was asked about; `gateway.app.whose.Asked` is one."""

    @property
    def digest(self) -> str: ...
    @property
    def found(self) -> object: ...


class Reloaded(Struct, frozen=True):
    """The digests of the policy bundle that is active now, and of the one before."""

    bundle: str
    previous: str


class Rejected(Struct, frozen=True):
    """The new policies cannot be used; the last good ones stay."""

    faults: tuple[FileFault, ...]

    @property
    def brief(self) -> str:
        """How many faults there are and what the first one is, in a line for the record."""
        first, count = self.faults[0], len(self.faults)
        found = f"{first.file}:{first.line}:{first.column}: {first.code} {first.en}"
        return found if count == 1 else f"{count} faults, the first: {found}"


class PilotLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a candidate may do: shares between 0 and 1, and seconds; None is as it was, or as usual."""

    deny: float | None = None
    errors: float | None = None
    p99: float | None = None
    gain: float | None = None


class PilotWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Start a pilot, or change the running one when `pilot` names it; None is as it was, or as usual."""

    pilot: int | None = None
    percent: float | None = None
    orgs: tuple[str, ...] | None = None
    limits: PilotLimits | None = None
    until: float | None = None


class Piloted(Struct, frozen=True):
    """A pilot as it runs now: the digest of its candidate, and what operators are shown of it."""

    candidate: str
    shown: "Rows"


class PostureFault(Struct, frozen=True):
    """Why a posture report was not accepted (error codes of RFC 8935)."""

    err: str
    description: str


class RollbackWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Go back to a revision that was in force: its digest or the beginning of it, "" for the one before."""

    to: str = ""


class EmergencyWish(Struct, frozen=True, forbid_unknown_fields=True):
    """An emergency level until a time (seconds since 1970); level "" asks for the end of the one in force."""

    level: str
    reason: str
    until: float | None = None


class EmergencyAsked(Struct, frozen=True):
    """A level waits under this number for another operator, until `confirm_before`."""

    id: int
    level: str
    confirm_before: float


class Confirmed(Struct, frozen=True):
    """The level (or none, "") is in force in every one of `workers` live workers, until it is over."""

    id: int
    level: str
    until: float | None
    workers: int
    bundle: str


class WhatWasAsked(Protocol):
    """An emergency as the store keeps it; `gateway.stores.Emergency` is one."""

    @property
    def level(self) -> str: ...


Rows = object
"""Anything msgspec can write as JSON: a mapping, a frozen value, or a list of them."""


class PilotDoor(Struct, frozen=True):
    """What is behind the routes of pilots. Each may raise DoorFault."""

    submit: Callable[[PilotWish, str], Awaitable[Piloted | Rejected]]
    promote: Callable[[str, int | None], Awaitable[Reloaded | Rejected]]
    stop: Callable[[str], Awaitable[Rows]]
    view: Callable[[], Awaitable[Rows]]


Recorder = Callable[[], Awaitable[None]]
"""Puts on record what is about to be tried, since it may widen access. Raises DoorFault when it cannot."""


class EmergencyDoor(Struct, frozen=True):
    """What is behind the routes of emergency levels. Each may raise DoorFault."""

    view: Callable[[], Awaitable[Rows]]
    ask: Callable[[EmergencyWish, str], Awaitable[EmergencyAsked]]
    asked: Callable[[int], Awaitable[WhatWasAsked | None]]  # None: there is no such number
    confirm: Callable[[int, str, Recorder], Awaitable[Confirmed | Rejected]]


class Door(Struct, frozen=True):
    """What is behind each route. Each may raise DoorFault; `by` is the operator's name."""

    revoke: Callable[[Revocation, str], Awaitable[Revoked]]
    lift: Callable[[int, str], Awaitable[Lifted | None]]  # None: there is no such revocation
    list_revocations: Callable[[], Awaitable[Rows]]
    accept_posture: Callable[[str], Awaitable[PostureFault | None]]  # argument: the compact JWS
    reload: Callable[[str], Awaitable[Reloaded | Rejected]]
    active_policy: Callable[[], Awaitable[Rows]]
    policy_history: Callable[[], Awaitable[Rows]]
    rollback: Callable[[str, str], Awaitable[Reloaded | Rejected]]
    emergencies: EmergencyDoor
    decision: Callable[[str], Awaitable[Rows | None]]
    query: Callable[[str, int], Awaitable[Rows]]
    seen: Callable[[str, float], Awaitable[SeenAnswer]]  # arguments: an identifier, and since when
    risk: Callable[[str], Awaitable[Rows | None]]
    render_metrics: Callable[[str], tuple[bytes, str]]  # Accept -> exposition and its content type
    health: Callable[[], Rows]
    ready: Callable[[], bool]
    act: Callable[[Act], Awaitable[bool]]  # True once the act is on record
    pilots: PilotDoor
