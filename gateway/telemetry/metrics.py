"""How much, how fast, how often no?

Every figure is read from an entry, or from what the board and the sealer say about themselves. Rules:

1. Names and labels are those of docs/design/contracts.md section 11, and nothing else is exported.
2. A label is a name from the configuration, the reason table or a fixed list: never a user, a path, an
   address or a token. At most 200 values per label; what comes after is `_other`, so that nobody can
   fill the memory of a monitoring system with invented names.
3. Counting is adding to a dictionary; the work of an exposition is done at a scrape.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, repeat
from typing import Any, Protocol

from msgspec import Struct
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.entries import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.reasons import REASONS, SHED, withheld
from gateway.telemetry.pairs import Pairs, Story, Told

OTHER = "_other"
LABEL_VALUES = 200
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SCORES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_CLASSES = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}


class Gauges(Struct, frozen=True):
    """What is measured rather than counted: the state of the processes at the moment of a scrape."""

    workers: int = 0
    inflight: int = 0
    connections: int = 0
    loop_lag: float = 0.0
    revocations: int = 0
    sealed_size: int = 0
    checkpoint_at: float = 0.0
    unsealed: int = 0
    policy: str = ""  # digest of the active bundle
    policy_loaded_at: float = 0.0
    emergency: int = 0  # the level in force, 1 (the gravest) to 4; 0 for none
    observing: tuple[str, ...] = ()  # APIs that only observe
    enforcing: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()  # insecure switches that are on
    jwks_age: tuple[tuple[str, float], ...] = ()  # (issuer, seconds)


class _Tally:
    """What is counted for each combination of labels, with their values bounded.

    Kept by ourselves and handed to prometheus-client at a scrape: an increment of a dictionary costs a
    quarter of `Counter.inc`, and one request is a dozen of them.
    """

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self.name, self.text, self.labels = name, text, labels
        self._counts: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}
        self._values: tuple[set[str], ...] = tuple(set() for _ in labels)

    def add(self, labels: tuple[str, ...] = (), amount: float = 1.0) -> None:
        """Count `amount` more."""
        try:
            self._counts[labels] += amount
        except KeyError:
            bounded = _bounded(self._values, labels)
            self._counts[bounded] = self._counts.get(bounded, 0.0) + amount

    def add_all(self, labels: Iterable[tuple[str, ...]]) -> None:
        """Count one for each of these."""
        for each, count in Counter(labels).items():
            self.add(each, count)

    def family(self) -> Metric:
        """As it is exported."""
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for labels, count in list(self._counts.items()):  # a scrape may come from another thread
            family.add_metric(labels, count)
        return family


class _Spread:
    """How measurements are distributed over buckets, for each combination of labels."""

    def __init__(self, name: str, text: str, bounds: tuple[float, ...], labels: tuple[str, ...]) -> None:
        self.name, self.text, self.bounds, self.labels = name, text, bounds, labels
        self._rows: dict[tuple[str, ...], list[float]] = {} if labels else {(): self._row()}
        self._values: tuple[set[str], ...] = tuple(set() for _ in labels)

    def observe(self, labels: tuple[str, ...], values: Sequence[float]) -> None:
        """Take in these measurements."""
        row = self._rows.get(labels)
        if row is None:
            row = self._rows.setdefault(_bounded(self._values, labels), self._row())
        for bucket, count in Counter(map(bisect_left, repeat(self.bounds), values)).items():
            row[bucket] += count
        row[-1] += sum(values)

    def family(self) -> Metric:
        """As it is exported: cumulated, as Prometheus wants it."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        for labels, row in list(self._rows.items()):
            counts = accumulate(row[:-1])
            buckets = list(zip([*map(floatToGoString, self.bounds), "+Inf"], counts, strict=True))
            family.add_metric(labels, buckets, row[-1])
        return family

    def _row(self) -> list[float]:
        return [0.0] * (len(self.bounds) + 2)  # one beyond the last bound, and the sum


def _bounded(values: tuple[set[str], ...], labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([_admit(seen, value) for seen, value in zip(values, labels, strict=True)])


def _admit(seen: set[str], value: str) -> str:
    if value not in seen:
        if len(seen) >= LABEL_VALUES:
            return OTHER
        seen.add(value)
    return value


class Meter(Collector):
    """All metrics of the gateway, in a registry of their own. Belongs to the control process."""

    def __init__(self, version: str = "", python: str = "") -> None:
        self.registry = registry = CollectorRegistry()
        self._pairs = Pairs()

        self._families: list[_Tally | _Spread] = []

        def counter(name: str, text: str, *labels: str) -> _Tally:
            self._families.append(tally := _Tally(name, text, labels))
            return tally

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> _Spread:
            self._families.append(spread := _Spread(name, text, buckets, labels))
            return spread

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self._requests = counter(
            "gateway_requests_total", "Requests that were decided.", "api", "method", "code_class", "outcome"
        )
        self._duration = histogram(
            "gateway_request_duration_seconds", "From receipt to the last byte of the reply.", _SECONDS, "api"
        )
        self._waited = histogram(
            "gateway_upstream_duration_seconds", "Waiting for the head of the service's reply.", _SECONDS, "api"
        )
        self._decisions = counter(
            "gateway_decisions_total", "Decisions by their first reason.", "api", "outcome", "reason", "grade", "stage"
        )
        self._withheld = counter(
            "gateway_withheld_total", "Answers that were allowed and then kept back, by the code.", "api", "code"
        )
        self._masked = counter("gateway_masked_fields_total", "Values that were masked in replies.", "api")
        self._unlabelled = counter(
            "gateway_unlabelled_fields_total", "Fields in replies that the catalog does not know.", "api", "contract"
        )
        self._records = counter("gateway_records_total", "Records that were handed out.", "api", "grade")
        self._auth = counter("gateway_auth_failures_total", "Credentials that were rejected.", "reason")
        self._refused = counter("gateway_refused_total", "Requests that could not be read or recorded.", "reason")
        self._shed = counter("gateway_shed_total", "Requests that were turned away under load.", "reason")
        self._risk = histogram("gateway_risk_score", "Risk score at the time of a decision.", _SCORES)
        self._honey = counter("gateway_honey_touched_total", "Requests for a decoy.")
        self._entries = counter("gateway_audit_entries_total", "Entries that were sealed.", "kind")
        self._interrupted = counter("gateway_interrupted_total", "Permits whose process died before the outcome.")
        self._reloads = counter("gateway_policy_reloads_total", "Attempts to load the policies.", "result")
        self._pilot_decisions = counter("gateway_pilot_decisions_total", "What a candidate said.", "outcome")
        self._pilot_differences = counter(
            "gateway_pilot_differences_total", "What a candidate decides otherwise.", "kind", "api"
        )
        self._mismatches = counter("gateway_policy_mismatches_total", "Decisions that the reference did not confirm.")
        self._postures = counter("gateway_posture_reports_total", "Posture reports received.", "result")
        self._restarts = counter("gateway_worker_restarts_total", "Workers that were replaced.")
        self._size = gauge("gateway_audit_sealed_size", "Entries under the last checkpoint.")
        self._checkpoint = gauge("gateway_audit_checkpoint_timestamp_seconds", "When the last checkpoint was signed.")
        self._unsealed = gauge("gateway_audit_unsealed_entries", "Entries that wait to be sealed.")
        self._policy = gauge("gateway_policy_info", "The active policy bundle.", "digest")
        self._policy_at = gauge("gateway_policy_loaded_timestamp_seconds", "When the active policies were loaded.")
        self._emergency = gauge("gateway_emergency_level", "The emergency level in force: 1 to 4, 0 for none.")
        self._revocations = gauge("gateway_revocations_active", "Revocations in force.")
        self._workers = gauge("gateway_workers", "Workers that are alive.")
        self._inflight = gauge("gateway_inflight_requests", "Requests in progress.")
        self._connections = gauge("gateway_connections", "Open connections of callers.")
        self._lag = gauge("gateway_loop_lag_seconds", "The longest recent delay of an event loop.")
        self._observe = gauge("gateway_observe_mode", "1 where an API observes and does not enforce.", "api")
        self._switch = gauge("gateway_insecure_switch", "1 for each switch that weakens something.", "switch")
        self._jwks = gauge("gateway_jwks_age_seconds", "Age of the keys of an issuer.", "issuer")
        registry.register(self)
        gauge("gateway_build_info", "The version that runs.", "version", "python").labels(version, python).set(1)

    def collect(self) -> Iterator[Metric]:
        """What was counted so far (the registry calls this at a scrape)."""
        return (family.family() for family in self._families)

    def read(self, entry: Entry) -> None:
        """Count what this entry tells."""
        self.take(self._pairs.join((entry,)))

    def take(self, stories: Iterable[Story]) -> None:
        """Count what these tell: many at once cost a third of one by one."""
        verdicts: list[VerdictEntry] = []
        outcomes: list[OutcomeEntry] = []
        pairs: list[tuple[VerdictEntry, OutcomeEntry]] = []
        for story in stories:
            if isinstance(story, Told):
                verdict, outcome = story.verdict, story.outcome
                if story.fresh and verdict is not None:
                    verdicts.append(verdict)
                if outcome is not None:
                    outcomes.append(outcome)
                    if verdict is not None:  # else decided before this process began to read
                        pairs.append((verdict, outcome))
            elif isinstance(story, NoticeEntry):
                self._notice(story)
            else:
                self._act(story)
        self._decided(verdicts)
        self._answered(outcomes, pairs)

    def gauges(self, now: Gauges) -> None:
        """Take over the state of the processes."""
        self._size.set(now.sealed_size)
        self._checkpoint.set(now.checkpoint_at)
        self._unsealed.set(now.unsealed)
        self._policy_at.set(now.policy_loaded_at)
        self._emergency.set(now.emergency)
        self._revocations.set(now.revocations)
        self._workers.set(now.workers)
        self._inflight.set(now.inflight)
        self._connections.set(now.connections)
        self._lag.set(now.loop_lag)
        _only(self._policy, {now.policy: 1.0} if now.policy else {})
        _only(self._observe, dict.fromkeys(now.enforcing, 0.0) | dict.fromkeys(now.observing, 1.0))
        _only(self._switch, dict.fromkeys(now.switches, 1.0))
        _only(self._jwks, dict(now.jwks_age))

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition that this `Accept` header prefers, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    # --- verdicts and outcomes, many at once -------------------------------------------------------

    def _decided(self, verdicts: list[VerdictEntry]) -> None:
        if not verdicts:
            return
        self._entries.add(("verdict",), len(verdicts))
        self._decisions.add_all(
            [
                (each.api, each.outcome, each.reasons[0].code if each.reasons else "", each.grade, each.stage)
                for each in verdicts
            ],
        )
        self._risk.observe((), [score for each in verdicts if (score := each.risk.score) is not None])
        self._auth.add_all([(each.subject.rejection.code,) for each in verdicts if each.subject.rejection is not None])
        self._honey.add((), sum([each.honey for each in verdicts]))
        self._requests.add_all([_refusal(each) for each in verdicts if each.outcome != "permit"])

    def _answered(self, outcomes: list[OutcomeEntry], pairs: list[tuple[VerdictEntry, OutcomeEntry]]) -> None:
        if not outcomes:
            return
        self._entries.add(("outcome",), len(outcomes))
        self._interrupted.add((), sum([each.code == "interrupted" for each in outcomes]))
        same = Counter([(verdict.api, verdict.method, outcome.status, verdict.outcome) for verdict, outcome in pairs])
        for (api, method, status, said), count in same.items():
            self._requests.add(_answer(api, method, status, said), count)
        took: defaultdict[str, list[float]] = defaultdict(list)
        waited: defaultdict[str, list[float]] = defaultdict(list)
        masked: defaultdict[str, int] = defaultdict(int)
        records: defaultdict[tuple[str, str], int] = defaultdict(int)
        for verdict, outcome in pairs:
            api = verdict.api
            if outcome.code != "interrupted":
                took[api].append(outcome.took)
            if outcome.code and withheld(outcome.code):
                self._withheld.add((api, outcome.code))
            if outcome.waited:
                waited[api].append(outcome.waited)
            for _, count in outcome.masked:
                masked[api] += count
            if outcome.unlabelled:
                self._unlabelled.add((api, _contract(verdict)), len(outcome.unlabelled))
            if outcome.records:
                records[api, verdict.grade] += outcome.records
        for api, values in took.items():
            self._duration.observe((api,), values)
        for api, values in waited.items():
            self._waited.observe((api,), values)
        for api, count in masked.items():
            self._masked.add((api,), count)
        for labels, count in records.items():
            self._records.add(labels, count)

    # --- what is beside the requests ---------------------------------------------------------------

    def _notice(self, entry: NoticeEntry) -> None:
        self._entries.add(("notice",))
        read = _NOTICES.get(entry.name)
        if read is not None:
            read(self, entry)

    def _act(self, entry: ActEntry) -> None:
        self._entries.add(("act",))
        if entry.act == "posture.report":
            self._postures.add(("accepted" if entry.ok else "rejected",))
        elif entry.act == "policy.reload":
            self._reloads.add(("loaded" if entry.ok else "rejected",))
        elif entry.act == "policy.rejected":
            self._reloads.add(("rejected",))

    def _shed_by(self, entry: NoticeEntry) -> None:
        self._shed.add((entry.detail if entry.detail in SHED else OTHER,), entry.count)

    def _refused_by(self, entry: NoticeEntry) -> None:
        self._refused.add((_code(entry.detail),), entry.count)

    def _unrecorded(self, entry: NoticeEntry) -> None:
        self._refused.add(("audit_unavailable",), entry.count)

    def _reloaded(self, entry: NoticeEntry) -> None:
        self._reloads.add(("loaded" if entry.name == "policy.reload" else "rejected",), entry.count)

    def _reported(self, entry: NoticeEntry) -> None:
        self._postures.add((_code(entry.detail) if entry.detail else "accepted",), entry.count)

    def _mismatched(self, entry: NoticeEntry) -> None:
        self._mismatches.add((), entry.count)

    def _tried(self, entry: NoticeEntry) -> None:
        self._pilot_decisions.add((entry.subject,), entry.count)

    def _differed(self, entry: NoticeEntry) -> None:
        self._pilot_differences.add((entry.name.removeprefix("pilot."), entry.subject), entry.count)

    def _restarted(self, entry: NoticeEntry) -> None:
        self._restarts.add((), entry.count)


_NOTICES: dict[str, Callable[[Meter, NoticeEntry], None]] = {
    "edge.refused": Meter._refused_by,
    "edge.shed": Meter._shed_by,
    "audit.unavailable": Meter._unrecorded,
    "policy.reload": Meter._reloaded,
    "policy.rejected": Meter._reloaded,
    "posture.report": Meter._reported,
    "policy.mismatch": Meter._mismatched,
    "pilot.judged": Meter._tried,
    "pilot.would_deny": Meter._differed,
    "pilot.would_challenge": Meter._differed,
    "pilot.would_permit": Meter._differed,
    "pilot.would_show": Meter._differed,
    "pilot.would_hide": Meter._differed,
    "worker.died": Meter._restarted,
}


def _refusal(verdict: VerdictEntry) -> tuple[str, ...]:
    meaning = REASONS.get(verdict.reasons[0].code) if verdict.reasons else None
    return _answer(verdict.api, verdict.method, meaning.status if meaning else 403, verdict.outcome)


def _answer(api: str, method: str, status: int, outcome: str) -> tuple[str, ...]:
    return api, method if method in _METHODS else OTHER, _CLASSES.get(status // 100, "none"), outcome


def _contract(verdict: VerdictEntry) -> str:
    """What the answer was held to; "" where nothing had to be looked at."""
    if verdict.mask is None or verdict.mask.unlabelled == "pass":
        return ""
    return "enforce" if verdict.mask.unlabelled == "redact" else verdict.mask.unlabelled


def _code(detail: str) -> str:
    """A reason code, or `_other`: a detail may hold what a caller sent."""
    word = detail.partition(" ")[0].rstrip(":")
    return word if word in REASONS or word in ("accepted", "rejected") else OTHER


class _Labelled(Protocol):
    def clear(self) -> None: ...
    def labels(self, *values: str) -> Any: ...


def _only(gauge: _Labelled, values: Mapping[str, float]) -> None:
    """Exactly these children: a switch that was turned off must not stay at 1."""
    gauge.clear()
    for name, value in list(values.items())[:LABEL_VALUES]:
        gauge.labels(name).set(value)
