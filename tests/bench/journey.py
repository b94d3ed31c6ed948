"""What does each room cost per request, beside nginx?

All variants run one after the other in every round, so that what else the machine does falls on all alike.
A figure is the median of its rounds; a ratio is the median of the ratios to nginx within the same round. The best
round stands beside it: where it is far below the median, the machine was disturbed.
"""

from contextlib import ExitStack
from statistics import median

from msgspec import Struct, to_builtins

from tests.bench import load, machine, peers
from tests.bench.partial import LEVELS
from tests.bench.stage import RULES, Stage, partial
from tests.bench.table import Row, Said

SECTION = "journey: CPU per request"
NAMES = {"pass": "pass-through", "identity": "+ identity", "policy": "+ policy", "journal": "+ journal"}
MASKED = {"1k": "everything + masking, 1 KB", "64k": "everything + masking, 64 KB"}
WHOLE = {"1k": "everything, 1 KB", "64k": "everything, 64 KB"}
ENVOY = "Envoy pass-through, 1 KB"
NGINX = {"1k": "nginx pass-through, 1 KB", "64k": "nginx pass-through, 64 KB"}


class Variant(Struct):
    """One thing to measure: where it listens and which processes do the work."""

    name: str
    port: int
    path: str
    worker: list[int]
    beside: list[int] = []  # control and supervisor
    token: str = ""

    @property
    def size(self) -> str:
        return self.path.rpartition("/")[2]


class Round(Struct):
    """One measurement, in CPU microseconds per request."""

    requests: int
    bad: int
    rate: float  # requests per second
    worker: float
    tree: float
    network: float  # the kernel's, outside any process (softirq)


def measured(variant: Variant, seconds: int) -> Round:
    """Load it, let it finish, divide."""
    pids = [*variant.worker, *variant.beside]
    before, before_worker = sum(map(machine.cpu, pids)), sum(map(machine.cpu, variant.worker))
    network = machine.softirq()
    answered = load.closed(variant.port, variant.path, variant.token, seconds)
    network = machine.softirq() - network
    if variant.beside:
        machine.settle(pids)  # the control process seals after the fact: that is part of the price
    tree, worker = sum(map(machine.cpu, pids)) - before, sum(map(machine.cpu, variant.worker)) - before_worker
    count = max(1, answered.requests)
    each = 1e6 / count
    return Round(count, answered.bad, count / answered.seconds, worker * each, tree * each, network * each)


def variants(stage: Stage, stack: ExitStack) -> list[Variant]:
    """Everything that is compared; partial journeys are started."""
    found, starting = [], []
    if stage.yardstick is not None:
        port, pid = stage.yardstick
        found += [Variant(NGINX[size], port, f"/plain/{size}", [pid]) for size in NGINX]
    if stage.envoy is not None:
        found.append(Variant(ENVOY, stage.envoy[0], "/plain/1k", [stage.envoy[1]]))
    for level in LEVELS:
        for rules in (10, RULES) if level == "policy" else (RULES,):
            port, process = stack.enter_context(partial(stage, level, rules))
            name = f"{NAMES[level]}, {rules:,} rules" if level == "policy" else NAMES[level]
            found.append(Variant(name, port, "/plain/1k", [process.pid], token=stage.token))
            starting.append((process, port))
    for process, port in starting:
        peers.await_port(process, port, 60)
    pids = stage.pids
    whole = (stage.gateway.port, pids["worker"], [*pids["control"], *pids["supervisor"]])
    for names, folder in ((WHOLE, "/plain"), (MASKED, "/civil/households")):
        for size, name in names.items():
            found.append(Variant(name, whole[0], f"{folder}/{size}", whole[1], whole[2], stage.token))
    return found


def measure(stage: Stage, rounds: int, seconds: int) -> Said:
    """All rounds."""
    with ExitStack() as stack:
        all_of_them = variants(stage, stack)
        for variant in all_of_them:  # warm caches, pools and branches
            asked = load.request(variant.path, variant.port, variant.token)
            load.run(load.Job(variant.port, [asked], 8, 5.0, limit=500))
        found: dict[str, list[Round]] = {variant.name: [] for variant in all_of_them}
        for _ in range(rounds):
            for variant in all_of_them:
                found[variant.name].append(measured(variant, seconds))
    sizes = {variant.name: variant.size for variant in all_of_them}
    rows = [_row(name, ones, found.get(NGINX[sizes[name]])) for name, ones in found.items()]
    rows += _conclusions(found)
    bad = [
        f"{name}: {sum(one.bad for one in ones)} answers were not 2xx"
        for name, ones in found.items()
        if any(one.bad for one in ones)
    ]
    absent = [] if stage.yardstick else ["nginx is not installed: no yardstick, no ratios"]
    absent += [] if load.WRK else ["wrk is not installed: load from the built-in generator"]
    return Said(rows, {name: to_builtins(ones) for name, ones in found.items()}, [*bad, *absent])


def _row(name: str, ones: list[Round], nginx: list[Round] | None) -> Row:
    rate, tree = median(one.rate for one in ones), median(one.tree for one in ones)
    best = min(one.worker for one in ones)
    parts = [f"{rate:>8,.0f} req/s"] + ([f"best round {best:.0f} µs"] if len(ones) > 1 else [])
    if name in (*WHOLE.values(), *MASKED.values()):
        parts.append(f"whole tree {tree:.0f} µs")
    if nginx and not name.startswith("nginx"):
        parts.append(f"{_ratio(ones, nginx):.2f} × nginx")
    return Row(SECTION, name, median(one.worker for one in ones), "µs", beside=" · ".join(parts))


def _ratio(ones: list[Round], nginx: list[Round]) -> float:
    return median(one.worker / yard.worker for one, yard in zip(ones, nginx, strict=True))


def _with_network(ones: list[Round], nginx: list[Round]) -> float:
    pairs = zip(ones, nginx, strict=True)
    return median((one.worker + one.network) / (yard.worker + yard.network) for one, yard in pairs)


def _conclusions(found: dict[str, list[Round]]) -> list[Row]:
    section = "journey: targets"
    whole, nginx = found[WHOLE["1k"]], found.get(NGINX["1k"])
    rows = []
    if nginx:
        for name, ones, target in (("pass-through", found[NAMES["pass"]], 2.5), ("everything (worker)", whole, 3.3)):
            beside = f"{_with_network(ones, nginx):.2f} × with the kernel's network work outside processes"
            rows.append(Row(section, f"{name} beside nginx", _ratio(ones, nginx), "×", target, beside=beside))
    if ENVOY in found:
        rows.append(
            Row(section, "everything (worker) beside Envoy pass-through", _ratio(whole, found[ENVOY]), "×", 1.0)
        )
    beside = median(one.tree - one.worker for one in whole)
    rows.append(Row(section, "control and supervisor, per request", beside, "µs", 25))
    for size, target in (("1k", 40), ("64k", None)):
        pairs = zip(found[MASKED[size]], found[WHOLE[size]], strict=True)
        adds = median(masked.worker - plain.worker for masked, plain in pairs)
        rows.append(Row(section, f"masking adds, {size[:-1]} KB", adds, "µs", target))
    return rows
