"""What do the rooms tell each other?

The values that travel along the journey, all frozen. Rooms never import each other;
they read and make these. Rules:

1. A value is made once, by the room named beside it, and never changed.
2. Four values are seals: `Permit` (policy), `Warrant` (audit), `RawReply` (upstream)
   and `Reply` (masking, edge). Only those rooms may make one; `tests/test_layout.py`
   refuses every other place, and every copy or replacement.
3. A decision has no truth value: `if decision:` must never mean access.
4. Times are seconds: `at` on the wall clock since 1970 (UTC), `clock` on the monotonic clock.

They are `msgspec.Struct`s because a frozen dataclass costs ten times as much to make
(1.5 µs against 0.15 µs) and the journey makes a dozen of them for each request.
Those that hold nothing but text, numbers and each other are `gc=False`: they cannot form a cycle, and
the collector need not walk through the thousands that the control process reads each second.
"""

import enum
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal, NoReturn, Protocol

from msgspec import Struct
from msgspec.structs import replace

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in the order received, names in lower case."""


class Grade(enum.IntEnum):
    """How sensitive data is (GB/T 43697-2024; general data in four levels, DB33/T 2351-2021)."""

    GENERAL_1 = 1
    GENERAL_2 = 2
    GENERAL_3 = 3
    GENERAL_4 = 4
    IMPORTANT = 5
    CORE = 6

    @property
    def national(self) -> Literal["general", "important", "core"]:
        """The national grade: 一般, 重要 or 核心."""
        if self is Grade.CORE:
            return "core"
        return "important" if self is Grade.IMPORTANT else "general"

    @property
    def text(self) -> str:
        """The spelling used in files and entries: `general-1` … `general-4`, `important`, `core`."""
        return GRADE_TEXT[self]


GRADE_TEXT: dict[Grade, str] = {
    Grade.GENERAL_1: "general-1",
    Grade.GENERAL_2: "general-2",
    Grade.GENERAL_3: "general-3",
    Grade.GENERAL_4: "general-4",
    Grade.IMPORTANT: "important",
    Grade.CORE: "core",
}
GRADES: dict[str, Grade] = {text: grade for grade, text in GRADE_TEXT.items()}


class Reason(Struct, frozen=True, omit_defaults=True, gc=False):
    """Why: a code of `gateway.reasons`, the rule that spoke (`rules/20-health.yaml:14`), a detail, the rule's layer.

    All but the code is for operators and entries; it is never shown to the caller.
    """

    code: str
    rule: str = ""
    detail: str = ""
    layer: str = ""  # base, province, department:ORG, city:ORG, emergency:LEVEL, casbin; "" where no rule spoke


# --- edge: what came in ---------------------------------------------------------------------


class Body(Protocol):
    """The request body, read once and in order; owned by edge."""

    @property
    def length(self) -> int | None:
        """Bytes announced by Content-Length; 0 when there is no body, None when chunked."""

    @property
    def received(self) -> int:
        """Body bytes that have arrived so far."""

    async def settle(self) -> str | None:
        """Wait until a small body is complete; a large one returns at once.

        Returns None, or the reason code when the body can never be complete
        (`body_incomplete`, `body_too_large`, `request_timeout`, `client_gone`).
        """

    def whole(self) -> bytes | None:
        """The complete body when it has all arrived and is small, else None."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece, with back-pressure; raises `BodyBroken` when it breaks off."""


class BodyBroken(Exception):
    """The request body broke off while it was being forwarded; `code` is the reason code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Certificate(Struct, frozen=True):
    """The client certificate and how it reached us (RFC 8446, RFC 9440, Envoy XFCC)."""

    der: bytes
    thumbprint: str  # x5t#S256: base64url of SHA-256 over the DER (RFC 8705)
    via: Literal["tls", "client-cert", "xfcc"]
    chain: tuple[bytes, ...] = ()


class Ask(Struct, frozen=True, eq=False):
    """What came in, read without ambiguity (made by edge)."""

    id: str  # request id, X-Request-Id towards both sides
    at: float
    clock: float
    method: str
    scheme: str
    host: str  # lower case, without a default port
    api: str  # name of the API in the configuration that host and path belong to; "" for none
    path: str  # canonical: the one byte form that is decided on, logged and forwarded
    query: str  # raw, without the question mark
    headers: Headers
    source: str  # the caller's address, after trusted proxies
    peer: str  # the address at the other end of the TCP connection
    certificate: Certificate | None
    trace: str  # traceparent to forward (W3C Trace Context)
    purpose: str  # X-Purpose as the caller states it, or ""
    language: Literal["zh-CN", "en"]
    browser: bool  # prefers text/html to JSON
    body: Body

    def header(self, name: bytes) -> bytes | None:
        """The first value of a field, or None; `name` in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Unreadable(Struct, frozen=True):
    """What came in could not be read unambiguously (made by edge instead of an Ask)."""

    id: str
    at: float
    code: str
    source: str
    detail: str = ""
    language: Literal["zh-CN", "en"] = "en"
    browser: bool = False


# --- identity, device, behaviour, catalog ---------------------------------------------------


class Proof(Struct, frozen=True, omit_defaults=True, gc=False):
    """How the subject proved who they are."""

    method: Literal["none", "bearer", "certificate"] = "none"
    issuer: str = ""
    token: str = ""  # identifies the token without being it: `gateway.crypto.digest.token_id`, 22 characters
    jti: str = ""
    session: str = ""
    issued_at: float = 0.0
    expires_at: float = 0.0
    authenticated_at: float = 0.0  # auth_time; 0 when unknown
    bound: bool = False  # sender-constrained, and the binding was checked


class Subject(Struct, frozen=True, omit_defaults=True, gc=False):
    """Who is asking (made by identity).

    A rejected credential is a Subject whose `rejection` says why: it never becomes anonymous.
    """

    id: str
    kind: Literal["person", "service", "anonymous"]
    name: str = ""
    org: str = ""
    roles: tuple[str, ...] = ()
    clearance: Grade = Grade.GENERAL_1
    assurance: int = 0  # authenticator assurance level 0–3 (NIST SP 800-63B)
    device: str = ""  # device id that the credential claims
    purpose: str = ""  # purpose that the issuer vouches for
    proof: Proof = Proof()
    rejection: Reason | None = None


ANONYMOUS = Subject(id="", kind="anonymous")


class Check(Struct, frozen=True, omit_defaults=True, gc=False):
    """One health check of a device; `passed` is None when it is unknown or too old."""

    name: str
    passed: bool | None
    seen_at: float


class Posture(Struct, frozen=True, omit_defaults=True, gc=False):
    """What is known about the machine (made by device). Stale or missing is never healthy."""

    device: str = ""
    trust: Literal["managed", "known", "unknown", "compromised"] = "unknown"
    org: str = ""
    fresh: bool = False
    reported_at: float = 0.0
    checks: tuple[Check, ...] = ()
    revoked: bool = False


class Report(Struct, frozen=True, omit_defaults=True):
    """What a registered reporter says about a device (made by device, kept by stores).

    None and "" mean that the reporter did not say; ages are in days.
    """

    device: str
    reporter: str
    sequence: int
    reported_at: float  # when the device was looked at
    received_at: float
    os: str = ""
    os_build: str = ""
    agent_version: str = ""
    patch_age: float | None = None
    disk_encrypted: bool | None = None
    screen_lock: bool | None = None
    firewall: bool | None = None
    antivirus: str = ""  # on, off, outdated, absent
    antivirus_age: float | None = None
    jailbroken: bool | None = None
    managed: bool | None = None


class Signal(Struct, frozen=True, omit_defaults=True, gc=False):
    """One piece of evidence about behaviour: its points now, since when, and what was seen."""

    name: str
    points: float
    since: float
    evidence: str


Band = Literal["normal", "step_up", "limit", "quarantine"]


class Risk(Struct, frozen=True, omit_defaults=True, gc=False):
    """How they are behaving (made by behaviour); `score` 0–100, None while unknown (cold)."""

    score: float | None = None
    band: Band = "normal"
    signals: tuple[Signal, ...] = ()


class Field(Struct, frozen=True):
    """One labelled field of an answer; `path` in the masking subset of JSONPath."""

    path: str
    identifier: str  # resident-id, name, phone, …; "" for none
    grade: Grade


Contract = Literal["learn", "warn", "enforce"]


class Bulk(Struct, frozen=True, gc=False):
    """More than `records` in one answer are graded `grade` (GB/T 43697: scale raises the grade); `rule` says which rule says so."""

    records: int
    grade: Grade
    rule: str


class Asset(Struct, frozen=True):
    """What is asked for and how sensitive it is (made by catalog).

    `listed` is False for a path the catalog does not know: such a request is denied.
    """

    id: str
    api: str  # name of the API in the configuration that carries it
    route: str  # method and template, `GET /civil/households/{id}`: safe as a metric label
    action: Literal["read", "create", "update", "delete", "other", "reveal"]  # reveal: open a token of it
    grade: Grade
    category: str
    owner: str
    fields: tuple[Field, ...]
    contract: Contract
    opaque: bool  # declared not inspectable: passed unread if policy allows
    parameters: tuple[tuple[str, str], ...]  # path parameters as they stand in the path
    revision: str  # digest of the catalog that said so
    discreet: bool = False  # a path parameter is an identifier: the path itself is not recorded
    honey: bool = False  # a decoy: nobody has a reason to ask
    mode: Literal["observe", "enforce"] = "enforce"  # of the API
    listed: bool = True
    records: str = ""  # path of the array of records; "" for the outermost array, or the answer itself
    total: str = ""  # path of the member that counts all records
    key: str = ""  # path of the labelled field that tells records apart, and whom they are about
    bulk: tuple[Bulk, ...] = ()
    raised: tuple[str, ...] = ()  # aggregation rules that raised the grade

    @property
    def keys(self) -> frozenset[str]:
        """All paths on which stands what tells records apart: `$.items[*].id` in a list, `$.id` in a record of it."""
        told = {field.identifier for field in self.fields if field.path == self.key} - {""}
        return frozenset(filter(None, (self.key, *(field.path for field in self.fields if field.identifier in told))))


class Granted(Struct, frozen=True, omit_defaults=True, gc=False):
    """Which sharing grants cover this caller, data, action, purpose and day (made by policy)."""

    ids: tuple[str, ...] = ()
    approved: bool = False  # one of them carries an approval


NOTHING_GRANTED = Granted()


Spent = Literal["", "soft", "hard"]
"""How far a budget is spent: not yet; so that more is masked; so that nothing more is shown."""


class Limit(Struct, frozen=True, omit_defaults=True, gc=False):
    """How much may be shown: distinct records, masked or not, and labelled values in clear; 0 for any number."""

    records: int = 0
    fields: int = 0

    def reached(self, records: int, fields: int) -> bool:
        """Whether so much was shown already."""
        return 0 < self.records <= records or 0 < self.fields <= fields


class Budget(Struct, frozen=True, omit_defaults=True, gc=False):
    """How much of some data one caller, or one department, may be shown on one day (made by policy)."""

    id: str
    who: tuple[str, ...]
    org: str  # this office and those below it; "" for any
    data: tuple[str, ...]  # assets and categories
    purpose: str  # the only one that counts; "" for all of them together
    by: Literal["subject", "department"]
    soft: Limit
    hard: Limit
    mask: str = ""  # the profile through which everything is shown once `soft` is reached

    def spent(self, records: int, fields: int) -> Spent:
        """What so much shown means."""
        if self.hard.reached(records, fields):
            return "hard"
        return "soft" if self.soft.reached(records, fields) else ""


class Exposure(Struct, frozen=True, omit_defaults=True, gc=False):
    """How much this caller has been shown today, in the policies' time zone (made by exposure)."""

    records: int = 0  # distinct records of this asset, masked or not
    fields: int = 0  # labelled values in clear
    categories: tuple[str, ...] = ()  # of which records were shown
    budgets: tuple[str, ...] = ()  # that are spent: the hard ones, where there are any, else the soft ones
    spent: Spent = ""
    unread: bool = False  # what was shown before a start is not read back yet: nobody knows how much it was


NOTHING_EXPOSED = Exposure()


def exposed(
    records: int,
    fields: int,
    categories: tuple[str, ...],
    states: Iterable[tuple[Budget, Spent]],
    unread: bool = False,
) -> Exposure:
    """What was shown, and the budgets that it spends, each with how far it is spent."""
    spent = [(budget.id, state) for budget, state in states if state]
    if not spent:
        return Exposure(records, fields, categories, unread=unread)
    worst: Literal["soft", "hard"] = "hard" if any(state == "hard" for _, state in spent) else "soft"
    return Exposure(records, fields, categories, tuple(id for id, state in spent if state == worst), worst, unread)


class Facts(Struct, frozen=True, eq=False):
    """Everything the policy may look at; nothing else exists for it."""

    ask: Ask
    subject: Subject
    posture: Posture
    risk: Risk
    asset: Asset
    grant: Granted = NOTHING_GRANTED
    exposure: Exposure = NOTHING_EXPOSED


# --- policy: the decision ---------------------------------------------------------------------


class FieldMask(Struct, frozen=True, gc=False):
    """What happens to one field: `keep`, or a technique such as `partial(1,1)` or `hash`."""

    path: str
    technique: str


class RowFilter(Struct, frozen=True, gc=False):
    """A record is shown only if its member at `field` (relative to the record) is one of `values`."""

    field: str
    values: tuple[str, ...]


class Suppress(Struct, frozen=True, gc=False):
    """Records with a combination of `fields` that fewer than `k` records of the answer have lose these values.

    `fields` are paths of the answer; in a profile, which is for every asset, they may be identifiers too.
    """

    k: int
    fields: tuple[str, ...]

    def covers(self, other: "Suppress | None") -> bool:
        """Whether nothing is shown under this one that the other takes away."""
        return other is None or (self.k >= other.k and set(self.fields) >= set(other.fields))


class Mask(Struct, frozen=True, omit_defaults=True, gc=False):
    """Obligation: show the answer only through these masks.

    `unlabelled` says what happens to a field the catalog does not know. An answer with more than `most` records (0: any
    number) is shown through `beyond`, or withheld where that is None.
    """

    profile: str
    fields: tuple[FieldMask, ...]
    unlabelled: Literal["pass", "learn", "warn", "redact"]
    rows: tuple[RowFilter, ...] = ()  # records must pass all of them
    most: int = 0
    beyond: "Mask | None" = None
    watermark: bool = False
    suppress: Suppress | None = None

    @property
    def inspects(self) -> bool:
        """Whether the answer must be parsed; otherwise it streams through untouched."""
        owed = self.fields or self.rows or self.most or self.watermark or self.suppress
        return bool(owed) or self.unlabelled != "pass"

    @property
    def filters(self) -> bool:
        """Whether records may be taken out of such an answer; such a mask is made for one caller."""
        return bool(self.rows) or (self.beyond is not None and self.beyond.filters)

    @property
    def enough(self) -> int:
        """The most records that any of these masks is for: of more, nobody asks how many they are."""
        return self.most if self.beyond is None else max(self.most, self.beyond.enough)

    def covering(self, records: int) -> "Mask | None":
        """The mask for an answer with so many records; None when it is withheld."""
        mask: Mask | None = self
        while mask is not None and 0 < mask.most < records:
            mask = mask.beyond
        return mask


class Notify(Struct, frozen=True):
    """Obligation: tell these people (an entry with the topic; alerting reads it)."""

    topic: str


Strength = Literal["written", "synced"]
Stage = Literal["observe", "enforce"]


def _no_truth(decision: object) -> NoReturn:
    raise TypeError("a decision has no truth value: match on Permit, Challenge or Deny")


class Deny(Struct, frozen=True):
    """No. `reasons` holds every denial that applied, the first one is told to the caller."""

    reasons: tuple[Reason, ...]
    bundle: str  # digest of the policy bundle that decided
    stage: Stage = "enforce"

    __bool__ = _no_truth


class Challenge(Struct, frozen=True):
    """Not yet: with a stronger or fresher sign-in it would be allowed (RFC 9470)."""

    reasons: tuple[Reason, ...]
    bundle: str
    acr_values: str
    max_age: int | None = None
    stage: Stage = "enforce"

    __bool__ = _no_truth


class Permit(Struct, frozen=True):
    """Yes, under these obligations. A seal: made by policy only."""

    reasons: tuple[Reason, ...]
    bundle: str
    mask: Mask
    strength: Strength = "written"
    obligations: tuple[Notify, ...] = ()
    stage: Stage = "enforce"
    would: Deny | Challenge | None = None  # in observe: what enforce would have said
    forwarding: Mask | None = None  # the request too is forwarded only through this mask

    __bool__ = _no_truth


Decision = Permit | Challenge | Deny


class Revealed(Struct, frozen=True, gc=False):
    """What masking did to one reply, for the record: counts and field paths, never values."""

    masked: tuple[tuple[str, int], ...] = ()  # (path, how many values)
    unlabelled: tuple[str, ...] = ()  # paths the catalog does not know
    records: int = 0  # records in the reply (length of its outermost array, else 1)
    seen: bytes = b""  # whom the records are about: keyed digests of 8 bytes, each once, at most MAX_SEEN
    unlisted: int = 0  # records beyond those
    clear: int = 0  # labelled values that were shown in clear
    removed: int = 0  # records that a row filter took out
    residual: tuple[str, ...] = ()  # identifiers that the second look found and stopped
    keyless: int = 0  # records that no key tells apart, beside some that have one: unlisted on record

    def beside(self, removed: int = 0, suppressed: int = 0) -> "Revealed":
        """The same, with the records that were taken out before it and the values that were suppressed after it."""
        if not (removed or suppressed):
            return self
        lost = ((SUPPRESSED, suppressed),) if suppressed else ()
        return replace(self, masked=(*self.masked, *lost), removed=self.removed + removed)


UNLABELLED = "unlabelled"
"""Under this name masked values are counted that no label covers."""
SUPPRESSED = "suppressed"
"""Stands among the paths of `masked` for the values that records lost because their combination was rare."""
MAX_SEEN = 2000
NOTHING_REVEALED = Revealed()


class Fault(Struct, frozen=True):
    """Something failed after the decision, or the decision could not be recorded."""

    code: str
    detail: str = ""
    revealed: Revealed = NOTHING_REVEALED  # what masking had found when it gave up

    __bool__ = _no_truth


class Refused(Struct, frozen=True):
    """A refusal that is on record under this decision id (made by audit)."""

    id: str
    refusal: Deny | Challenge

    __bool__ = _no_truth


Refusal = Refused | Fault


class Warrant(Struct, frozen=True, eq=False):
    """A permit that is on record. A seal: only the ledger issues one, only a warrant opens the upstream."""

    id: str  # decision id: journal and sequence number
    facts: Facts
    permit: Permit

    __bool__ = _no_truth


# --- upstream, masking: the reply -----------------------------------------------------------


class Concealed(Struct, frozen=True, gc=False):
    """A request as it may be forwarded: its query and its whole body (made by masking)."""

    query: str
    content: bytes


class RawReply(Struct, frozen=True, eq=False):
    """What the service said. A seal made by upstream; it cannot be sent.

    `body` is complete bytes, or pieces that must be read to the end or closed with `aclose()`.
    """

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]
    length: int | None  # Content-Length of the service; None when unknown
    waited: float  # seconds from the first byte sent to the reply's head


class BodyFailed(Exception):
    """The reply broke off while it was streamed; `code` is the reason code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class Reply(Struct, frozen=True, eq=False):
    """What may be sent. A seal made by masking (of an answer) and edge (of a refusal)."""

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]
    length: int | None
    revealed: Revealed = NOTHING_REVEALED
    waited: float = 0.0
    code: str = ""  # reason code when this is a refusal or a fault
    # of a body that is masked while it streams: what it has shown so far
    revealing: Callable[[], Revealed] | None = None
    detail: str = ""  # of the fault, for the record: never sent


class Outcome(Struct, frozen=True):
    """How it ended (made by edge once the last byte is handed over, or it broke off)."""

    status: int
    sent: int  # body bytes
    received: int  # body bytes of the request
    complete: bool
    code: str  # "" when the service answered and all was sent; else the reason code
    revealed: Revealed
    waited: float  # seconds waited for the service
    took: float  # seconds from receipt to the last byte
    detail: str = ""  # what a fault came of, in our own words: never a byte of the answer


class Notice(Struct, frozen=True):
    """Something that happened beside the requests: a key set was refreshed, a back end left the pool.

    `app` writes each as an entry; `count` > 1 aggregates equal ones (refused framing, shed load).
    """

    name: str
    subject: str = ""
    detail: str = ""
    count: int = 1
