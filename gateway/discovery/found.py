"""Which labels do the counters speak for?

1. Confidence is what speaks for an identifier: form 0.3 (of an email address or a plate 0.8), check digits 0.5, a name on
   the way 0.4, the share of the path's values that have it 0.6. From 0.8 on it is proposed.
2. What its value proves by itself (resident id, credit code, email, plate) is proposed even where only one value in a
   hundred is one: a column that holds anything holds people too. A few accidents are not enough.
3. All others need three different values and half of the path: `roleName: 管理员` is a surname with two characters, always
   the same.
4. A label is held against its values: `name` over resident ids hides too little of them, and is a finding.
5. Grades are where a person may begin, by what GB/T 35273-2020 annex B calls sensitive; the owner of the data decides.
"""

from typing import Final, Literal

from msgspec import Struct

from gateway.detect import DETECTORS
from gateway.detect.identifiers import NAMED, PROPOSED, Detector, proven
from gateway.discovery.paths import spoken
from gateway.discovery.records import PathRecord, Record, RouteRecord
from gateway.facts import Grade

SHARED: Final = 0.6
"""What a path adds all of whose values are of one kind."""
ENOUGH: Final = 3
HALF: Final = 0.5
SELDOM: Final = 0.01
"""Of random numbers of eighteen digits one in five thousand passes for a credit code, one in seventy-five thousand for a resident id."""

_ALIKE = (
    frozenset({"resident-id", "old-resident-id", "social-card"}),  # the number of a social card is the resident id
    frozenset({"phone", "landline"}),
    frozenset({"credit-code", "org-code"}),
)
_SENSITIVE = frozenset(
    {
        "resident-id",
        "old-resident-id",
        "bank-card",
        "passport",
        "permit",
        "officer-id",
        "social-card",
        "gps",
    }
)
_PUBLIC = frozenset({"credit-code", "org-code"})


class Evidence(Struct, frozen=True):
    """What speaks for a finding: counts of sampled answers and of the values on the path that were looked at."""

    answers: int
    values: int
    hits: int
    share: float  # of values that are hits
    checked: bool  # check digits, a calendar or a table of surnames confirm each hit
    named: bool  # a name on the way speaks of the identifier
    distinct: int  # different values, about
    nulls: int
    lengths: tuple[int, ...]  # texts by length, bounds in `records.LENGTHS`
    first: str  # day (UTC)
    last: str


class Found(Struct, frozen=True):
    """A label to propose, or one that its values contradict.

    `label` is the identifier that the catalog names now: "" for a label without one, None (always with `unlabelled`) for none.
    """

    kind: Literal["unlabelled", "contradicted"]
    api: str
    asset: str  # id
    route: str  # method and template, `GET /civil/households/{id}`
    path: str  # as the catalog spells it
    identifier: str
    confidence: float  # PROPOSED to 1
    grade: Grade
    label: str | None
    evidence: Evidence


def found(record: Record) -> tuple[Found, ...]:
    """What is worth showing to a person, by API, route and path."""
    each = (_judge(route, path) for route in record.routes for path in route.paths)
    return tuple(sorted(filter(None, each), key=lambda one: (one.api, one.route, one.path)))


def _judge(route: RouteRecord, path: PathRecord) -> Found | None:
    called = spoken(path.path)
    said = {
        identifier: _says(path, DETECTORS[identifier], identifier in called)
        for identifier in path.hits
        if identifier in DETECTORS
    }
    if not said:
        return None
    identifier = max(said, key=lambda one: (said[one], one))
    if round(said[identifier], 6) < PROPOSED or _agrees(path, identifier):
        return None
    return Found(
        "unlabelled" if path.label is None else "contradicted",
        route.api,
        route.asset,
        route.route,
        path.path,
        identifier,
        min(1.0, round(said[identifier], 2)),
        proposed_grade(identifier),
        path.label,
        _evidence(path, identifier, identifier in called),
    )


def _says(path: PathRecord, detector: Detector, by_name: bool) -> float:
    """What speaks for an identifier on a path; 0 where it may be an accident. More than 1 is surer than sure."""
    hits, share = path.hits[detector.identifier], _share(path, detector.identifier)
    by_value = proven(detector)
    if detector.alone and by_value >= PROPOSED:
        enough = share >= HALF or (share >= SELDOM and hits >= ENOUGH)
    else:
        enough = share >= HALF and hits >= ENOUGH and path.distinct >= ENOUGH
    return by_value + (NAMED if by_name else 0.0) + SHARED * share if enough else 0.0


def _share(path: PathRecord, identifier: str) -> float:
    return min(1.0, path.hits.get(identifier, 0) / max(1, path.values))


def _agrees(path: PathRecord, identifier: str) -> bool:
    """Whether the label that stands there already says so; what is called a secret is hidden whatever it is."""
    if path.label is None:
        return False
    return path.label in (identifier, "secret") or any({path.label, identifier} <= alike for alike in _ALIKE)


def proposed_grade(identifier: str) -> Grade:
    """Where a person may begin to think about the grade."""
    if identifier in _SENSITIVE:
        return Grade.GENERAL_4
    return Grade.GENERAL_2 if identifier in _PUBLIC else Grade.GENERAL_3


def _evidence(path: PathRecord, identifier: str, by_name: bool) -> Evidence:
    return Evidence(
        path.answers,
        path.values,
        path.hits[identifier],
        round(_share(path, identifier), 4),
        DETECTORS[identifier].check is not None,
        by_name,
        path.distinct,
        path.nulls,
        path.lengths,
        path.first,
        path.last,
    )
