"""What is remembered of a request, and of what happened beside it?

Entry format v1 (docs/design/contracts.md, section 8): `gateway.audit` writes these, everybody else only reads them.
Frozen as the facts are (`gateway.facts`), and `gc=False` for the same reason: the control process reads thousands each second.
"""

from typing import Literal

from msgspec import Struct

from gateway.facts import (
    NOTHING_EXPOSED,
    NOTHING_GRANTED,
    SUPPRESSED,
    Exposure,
    Granted,
    Mask,
    Posture,
    Reason,
    Risk,
    Stage,
    Subject,
)


class VerdictEntry(Struct, frozen=True, tag_field="kind", tag="verdict", omit_defaults=True, gc=False):
    """A decision and the facts it rests on, written before anything is forwarded."""

    v: int
    journal: str
    seq: int
    at: float
    request: str
    trace: str
    source: str
    method: str
    host: str
    path: str  # the route's template when the asset is discreet
    digest: str  # keyed digest of method, host, path and query: proves a known request, tells nothing
    query: tuple[str, ...]  # names of the query parameters
    api: str
    route: str
    asset: str
    action: str
    grade: str
    category: str
    owner: str
    object: str  # keyed digest of the path parameters: the record asked for, without its identifier
    revision: str
    subject: Subject
    posture: Posture
    risk: Risk
    outcome: Literal["permit", "challenge", "deny"]
    reasons: tuple[Reason, ...]
    bundle: str
    purpose: str = ""
    stage: Stage = "enforce"
    mask: Mask | None = None
    would: str = ""  # in observe: deny or challenge
    would_reasons: tuple[Reason, ...] = ()
    honey: bool = False
    notify: tuple[str, ...] = ()
    grant: Granted = NOTHING_GRANTED
    exposure: Exposure = NOTHING_EXPOSED
    raised: tuple[str, ...] = ()
    forwarding: Mask | None = None


class OutcomeEntry(Struct, frozen=True, tag_field="kind", tag="outcome", omit_defaults=True, gc=False):
    """How a forwarded request ended; `verdict` is the decision id. Written when the reply ends."""

    v: int
    journal: str
    seq: int
    at: float
    verdict: str
    status: int
    sent: int
    received: int
    complete: bool
    waited: float
    took: float
    code: str = ""
    masked: tuple[tuple[str, int], ...] = ()
    unlabelled: tuple[str, ...] = ()
    records: int = 0
    seen: bytes = b""  # as in Revealed; base64 in JSON
    unlisted: int = 0
    clear: int = 0
    removed: int = 0
    residual: tuple[str, ...] = ()
    detail: str = ""  # as in Outcome, at most `gateway.audit.entry.MAX_DETAIL` characters

    @property
    def suppressed(self) -> int:
        """How many values stood in a combination that too few records had."""
        return sum(count for path, count in self.masked if path == SUPPRESSED)


class NoticeEntry(Struct, frozen=True, tag_field="kind", tag="notice", omit_defaults=True, gc=False):
    """Something beside the requests, or equal refusals that could not be read, counted."""

    v: int
    journal: str
    seq: int
    at: float
    name: str
    subject: str = ""
    detail: str = ""
    count: int = 1


class ActEntry(Struct, frozen=True, tag_field="kind", tag="act", omit_defaults=True, gc=False):
    """What an operator did through the control door: who, what, to whom, and whether it took effect."""

    v: int
    journal: str
    seq: int
    at: float
    operator: str
    role: str
    act: str
    target: str = ""
    detail: str = ""
    ok: bool = True


Entry = VerdictEntry | OutcomeEntry | NoticeEntry | ActEntry


# --- what of them is counted: a day is read back by the gigabyte, and whoever takes what he needs reads it three times as fast


class Whose(Struct, frozen=True, gc=False):
    """Of a subject, as which person and which department it counts."""

    id: str
    org: str = ""


class VerdictBrief(Struct, frozen=True, tag_field="kind", tag="verdict", gc=False):
    """Of a verdict, what was permitted to whom."""

    v: int
    journal: str
    seq: int
    at: float
    asset: str
    category: str
    subject: Whose
    outcome: str
    purpose: str = ""


class OutcomeBrief(Struct, frozen=True, tag_field="kind", tag="outcome", gc=False):
    """Of an outcome, what was shown."""

    v: int
    journal: str
    seq: int
    at: float
    verdict: str
    status: int
    masked: tuple[tuple[str, int], ...] = ()
    records: int = 0
    seen: bytes = b""
    unlisted: int = 0
    clear: int = 0


Brief = VerdictBrief | OutcomeBrief | NoticeEntry | ActEntry
