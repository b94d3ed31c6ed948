"""How much, how fast, how often no?

Every figure is read from an entry, or from what the board and the sealer say about themselves. Rules:

1. Names and labels are those of docs/design/contracts.md section 11, and nothing else is exported.
2. A label is a name from the configuration, the reason table or a fixed list: never a user, a path, an
   address or a token. At most 200 values per label; what comes after is `_other`, so that nobody can
   fill the memory of a monitoring system with invented names.
3. A child is looked up once and kept: `.labels()` costs three times an increment.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from gateway.facts import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.reasons import REASONS
from gateway.telemetry.pairs import Pairs

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
    observing: tuple[str, ...] = ()  # APIs that only observe
    enforcing: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()  # insecure switches that are on
    jwks_age: tuple[tuple[str, float], ...] = ()  # (issuer, seconds)


_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


class _Family(Generic[_Metric]):
    """A metric with labels whose children are kept, and whose label values are bounded."""

    def __init__(self, metric: _Metric, labels: int) -> None:
        self._metric: _Metric = metric
        self._children: dict[tuple[str, ...], _Metric] = {}
        self._values: tuple[set[str], ...] = tuple(set() for _ in range(labels))

    def __call__(self, *values: str) -> _Metric:
        child = self._children.get(values)
        return self._make(values) if child is None else child

    def _make(self, values: tuple[str, ...]) -> _Metric:
        bounded = tuple([self._bounded(seen, value) for seen, value in zip(self._values, values, strict=True)])
        child: _Metric = self._metric.labels(*bounded)
        if bounded == values:  # an invented name must not fill our memory either
            self._children[values] = child
        return child

    @staticmethod
    def _bounded(seen: set[str], value: str) -> str:
        if value not in seen:
            if len(seen) >= LABEL_VALUES:
                return OTHER
            seen.add(value)
        return value


class Meter:
    """All metrics of the gateway, in a registry of their own. Belongs to the control process."""

    def __init__(self, version: str = "", python: str = "") -> None:
        self.registry = registry = CollectorRegistry()
        self._pairs = Pairs()

        def counter(name: str, text: str, *labels: str) -> _Family[Counter]:
            return _Family(Counter(name, text, labels, registry=registry), len(labels))

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> _Family[Histogram]:
            return _Family(Histogram(name, text, labels, buckets=buckets, registry=registry), len(labels))

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
        self._masked = counter("gateway_masked_fields_total", "Values that were masked in replies.", "api")
        self._unlabelled = counter(
            "gateway_unlabelled_fields_total", "Fields in replies that the catalog does not know.", "api"
        )
        self._records = counter("gateway_records_total", "Records that were handed out.", "api", "grade")
        self._auth = counter("gateway_auth_failures_total", "Credentials that were rejected.", "reason")
        self._refused = counter("gateway_refused_total", "Requests that could not be read or recorded.", "reason")
        self._shed = counter("gateway_shed_total", "Requests that were turned away under load.", "reason")
        self._risk = Histogram(
            "gateway_risk_score", "Risk score at the time of a decision.", buckets=_SCORES, registry=registry
        )
        self._honey = Counter("gateway_honey_touched_total", "Requests for a decoy.", registry=registry)
        self._entries = counter("gateway_audit_entries_total", "Entries that were sealed.", "kind")
        self._interrupted = Counter(
            "gateway_interrupted_total", "Permits whose process died before the outcome.", registry=registry
        )
        self._reloads = counter("gateway_policy_reloads_total", "Attempts to load the policies.", "result")
        self._mismatches = Counter(
            "gateway_policy_mismatches_total", "Decisions that the reference did not confirm.", registry=registry
        )
        self._postures = counter("gateway_posture_reports_total", "Posture reports received.", "result")
        self._restarts = Counter("gateway_worker_restarts_total", "Workers that were replaced.", registry=registry)
        self._size = gauge("gateway_audit_sealed_size", "Entries under the last checkpoint.")
        self._checkpoint = gauge("gateway_audit_checkpoint_timestamp_seconds", "When the last checkpoint was signed.")
        self._unsealed = gauge("gateway_audit_unsealed_entries", "Entries that wait to be sealed.")
        self._policy = gauge("gateway_policy_info", "The active policy bundle.", "digest")
        self._policy_at = gauge("gateway_policy_loaded_timestamp_seconds", "When the active policies were loaded.")
        self._revocations = gauge("gateway_revocations_active", "Revocations in force.")
        self._workers = gauge("gateway_workers", "Workers that are alive.")
        self._inflight = gauge("gateway_inflight_requests", "Requests in progress.")
        self._connections = gauge("gateway_connections", "Open connections of callers.")
        self._lag = gauge("gateway_loop_lag_seconds", "The longest recent delay of an event loop.")
        self._observe = gauge("gateway_observe_mode", "1 where an API observes and does not enforce.", "api")
        self._switch = gauge("gateway_insecure_switch", "1 for each switch that weakens something.", "switch")
        self._jwks = gauge("gateway_jwks_age_seconds", "Age of the keys of an issuer.", "issuer")
        gauge("gateway_build_info", "The version that runs.", "version", "python").labels(version, python).set(1)
        self._readers: Mapping[type, Callable[[Any], None]] = {
            VerdictEntry: self._verdict,
            OutcomeEntry: self._outcome,
            NoticeEntry: self._notice,
            ActEntry: self._act,
        }

    def read(self, entry: Entry) -> None:
        """Count what this entry tells."""
        self._readers[type(entry)](entry)

    def gauges(self, now: Gauges) -> None:
        """Take over the state of the processes."""
        self._size.set(now.sealed_size)
        self._checkpoint.set(now.checkpoint_at)
        self._unsealed.set(now.unsealed)
        self._policy_at.set(now.policy_loaded_at)
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

    # --- one entry each -------------------------------------------------------------------------

    def _verdict(self, entry: VerdictEntry) -> None:
        self._entries("verdict").inc()
        reason = entry.reasons[0].code if entry.reasons else ""
        self._decisions(entry.api, entry.outcome, reason, entry.grade, entry.stage).inc()
        score, rejection = entry.risk.score, entry.subject.rejection
        if score is not None:
            self._risk.observe(score)
        if rejection is not None:
            self._auth(rejection.code).inc()
        if entry.honey:
            self._honey.inc()
        if entry.outcome == "permit":
            self._pairs.wait(entry)
        else:
            meaning = REASONS.get(reason)
            self._count(entry, meaning.status if meaning else 403)

    def _outcome(self, entry: OutcomeEntry) -> None:
        self._entries("outcome").inc()
        verdict = self._pairs.match(entry)
        if entry.code == "interrupted":
            self._interrupted.inc()
        if verdict is None:
            return  # decided before this process began to read
        api = verdict.api
        self._count(verdict, entry.status)
        if entry.code != "interrupted":
            self._duration(api).observe(entry.took)
        if entry.waited:
            self._waited(api).observe(entry.waited)
        if entry.masked:
            self._masked(api).inc(sum([count for _, count in entry.masked]))
        if entry.unlabelled:
            self._unlabelled(api).inc(len(entry.unlabelled))
        if entry.records:
            self._records(api, verdict.grade).inc(entry.records)

    def _count(self, verdict: VerdictEntry, status: int) -> None:
        method = verdict.method if verdict.method in _METHODS else OTHER
        self._requests(verdict.api, method, _CLASSES.get(status // 100, "none"), verdict.outcome).inc()

    def _notice(self, entry: NoticeEntry) -> None:
        self._entries("notice").inc()
        read = _NOTICES.get(entry.name)
        if read is not None:
            read(self, entry)

    def _act(self, entry: ActEntry) -> None:
        self._entries("act").inc()
        if entry.act == "posture.report":
            self._postures("accepted" if entry.ok else "rejected").inc()
        elif entry.act == "policy.reload":
            self._reloads("loaded" if entry.ok else "rejected").inc()

    def _shed_by(self, entry: NoticeEntry) -> None:
        self._shed(_code(entry.detail)).inc(entry.count)

    def _refused_by(self, entry: NoticeEntry) -> None:
        self._refused(_code(entry.detail)).inc(entry.count)

    def _unrecorded(self, entry: NoticeEntry) -> None:
        self._refused("audit_unavailable").inc(entry.count)

    def _reloaded(self, entry: NoticeEntry) -> None:
        self._reloads("loaded" if entry.name == "policy.reload" else "rejected").inc(entry.count)

    def _reported(self, entry: NoticeEntry) -> None:
        self._postures(_code(entry.detail) if entry.detail else "accepted").inc(entry.count)

    def _mismatched(self, entry: NoticeEntry) -> None:
        self._mismatches.inc(entry.count)

    def _restarted(self, entry: NoticeEntry) -> None:
        self._restarts.inc(entry.count)


_NOTICES: dict[str, Callable[[Meter, NoticeEntry], None]] = {
    "edge.refused": Meter._refused_by,
    "edge.shed": Meter._shed_by,
    "audit.unavailable": Meter._unrecorded,
    "policy.reload": Meter._reloaded,
    "policy.rejected": Meter._reloaded,
    "posture.report": Meter._reported,
    "policy.mismatch": Meter._mismatched,
    "worker.died": Meter._restarted,
}


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
