"""What can operators ask for, and what is done when they do?

The door knows nothing of stores, ledgers or policy: `app` hands in what to call. Times are seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, get_args

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


class PostureFault(Struct, frozen=True):
    """Why a posture report was not accepted (error codes of RFC 8935)."""

    err: str
    description: str


Rows = object
"""Anything msgspec can write as JSON: a mapping, a frozen value, or a list of them."""


class Door(Struct, frozen=True):
    """What is behind each route. Each may raise DoorFault; `by` is the operator's name."""

    revoke: Callable[[Revocation, str], Awaitable[Revoked]]
    lift: Callable[[int, str], Awaitable[Lifted | None]]  # None: there is no such revocation
    list_revocations: Callable[[], Awaitable[Rows]]
    accept_posture: Callable[[str], Awaitable[PostureFault | None]]  # argument: the compact JWS
    reload: Callable[[str], Awaitable[Reloaded | Rejected]]
    active_policy: Callable[[], Awaitable[Rows]]
    decision: Callable[[str], Awaitable[Rows | None]]
    query: Callable[[str, int], Awaitable[Rows]]
    risk: Callable[[str], Awaitable[Rows | None]]
    render_metrics: Callable[[str], tuple[bytes, str]]  # Accept -> exposition and its content type
    health: Callable[[], Rows]
    ready: Callable[[], bool]
    act: Callable[[Act], Awaitable[bool]]  # True once the act is on record
