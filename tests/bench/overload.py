"""How long does an answer take at half load, and what happens when more is asked than can be done?

Open loop (see `load`), over connections that are open. Capacity is what a closed loop of 32 connections got just
before. The control process shares the measured core, as on a small machine: its work is part of every figure.
"""

from msgspec import Struct

from tests.bench import load, machine
from tests.bench.load import Job, Load, percentile
from tests.bench.stage import Stage
from tests.bench.table import Row, Said

PATH = "/plain/1k"
LOADS = (0.5, 0.9, 1.5, 3.0)
CONNECTIONS = 512
STORM = 500.0  # new connections a second
MS = 1e3


class Point(Struct):
    """The curve at one load. Times in seconds."""

    load: float
    offered: float  # requests per second that were really sent
    goodput: float  # answered 2xx per second, as a share of capacity
    shed: float  # share of the answers that were 503
    p50: float
    p99: float
    shed_p99: float
    lost: int
    unsent: int
    busy: float  # of the generator, as a share of a core


def measure(stage: Stage, seconds: int, turns: int) -> Said:
    """Latency, curve, storm."""
    port = stage.gateway.port
    load.closed(port, PATH, stage.token, 1)
    _rest(stage)
    capacity = _capacity(stage, seconds)
    _rest(stage)
    rows = [Row("overload", "capacity, closed loop of 32", capacity, "req/s")]
    added, direct, through = _added(stage, capacity / 2, seconds, turns)
    rows += added
    curve = []
    for times in LOADS:
        curve.append(_point(times, capacity, _open(stage, capacity * times, seconds)))
        _rest(stage)
    storm = _open(stage, capacity / 2, seconds, STORM)
    _rest(stage)
    rows += [_row(point) for point in curve] + _targets(curve)
    p99 = percentile(storm.good, 0.99) * MS
    beside = f"{storm.stormed} connections opened beside · {storm.lost} lost"
    rows.append(
        Row("overload", f"p99 at half load, {STORM:.0f} new connections/s beside", p99, "ms", 50, beside=beside)
    )
    notes = [
        f"sent {point.offered:,.0f} of {point.load * capacity:,.0f} req/s at {point.load} × capacity: the generator took "
        f"{point.busy:.0%} of a core, {point.unsent} requests found no free connection"
        for point in curve
        if point.offered < 0.9 * point.load * capacity
    ]
    return Said(rows, {"capacity": capacity, "direct": direct, "through": through, "curve": curve}, notes)


def _capacity(stage: Stage, seconds: int) -> float:
    answered = load.closed(stage.gateway.port, PATH, stage.token, seconds)
    return answered.requests / answered.seconds


def _rest(stage: Stage) -> None:
    machine.settle([pid for pids in stage.pids.values() for pid in pids])


def _open(stage: Stage, rate: float, seconds: float, storm: float = 0.0) -> Load:
    port = stage.gateway.port
    return load.run(Job(port, [load.request(PATH, port, stage.token)], CONNECTIONS, seconds, rate, storm=storm))


def _added(stage: Stage, rate: float, seconds: int, turns: int) -> tuple[list[Row], list[float], list[float]]:
    """Latency through the gateway less latency of the service asked directly, turn by turn."""
    direct: list[float] = []
    through: list[float] = []
    for _ in range(turns):
        for port, token, times in ((stage.service, "", direct), (stage.gateway.port, stage.token, through)):
            times += load.run(Job(port, [load.request(PATH, port, token)], 32, seconds, rate)).good
            _rest(stage)
    rows = []
    for share, target in ((0.5, 0.5), (0.99, 3.0)):
        before, after = percentile(sorted(direct), share) * MS, percentile(sorted(through), share) * MS
        beside = f"{before:.2f} ms direct, {after:.2f} ms through"
        rows.append(
            Row("overload", f"added at half load, p{share * 100:.0f}", after - before, "ms", target, beside=beside)
        )
    shares = (0.5, 0.9, 0.99, 0.999)
    return rows, *([percentile(sorted(times), share) for share in shares] for times in (direct, through))  # type: ignore[return-value]  # two lists


def _point(times: float, capacity: float, seen: Load) -> Point:
    return Point(
        times,
        seen.sent / seen.seconds,
        len(seen.good) / seen.seconds / capacity,
        len(seen.shed) / max(1, seen.answered),
        percentile(seen.good, 0.5),
        percentile(seen.good, 0.99),
        percentile(seen.shed, 0.99),
        seen.lost,
        seen.unsent,
        seen.busy,
    )


def _row(point: Point) -> Row:
    beside = f"p50 {point.p50 * MS:.1f} ms · goodput {point.goodput:.0%} · shed {point.shed:.0%}"
    if point.shed:
        beside += f", 503 p99 {point.shed_p99 * MS:.1f} ms"
    if point.lost or point.unsent:
        beside += f" · lost {point.lost}, unsent {point.unsent}"
    return Row("overload", f"{point.load} × capacity: admitted p99", point.p99 * MS, "ms", beside=beside)


def _targets(curve: list[Point]) -> list[Row]:
    at = {point.load: point for point in curve}
    most = max(50.0, 2 * at[0.9].p99 * MS)
    return [
        Row("overload", "at 3 ×: admitted p99", at[3.0].p99 * MS, "ms", most),
        Row("overload", "at 3 ×: time to a 503, p99", at[3.0].shed_p99 * MS, "ms", 50),
        Row("overload", "at 3 ×: goodput", at[3.0].goodput * 100, "%", 70, "more"),
    ]
