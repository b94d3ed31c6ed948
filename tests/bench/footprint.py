"""How soon does it answer after its start, and how much memory does a worker take that has seen many people?"""

from tests.bench import load, machine
from tests.bench.load import Job
from tests.bench.stage import Stage, first_answer, made, token
from tests.bench.table import Row, Said

PEOPLE = 10_000


def measure(stage: Stage, quick: bool) -> Said:
    """A gateway of its own, started afresh."""
    rows, data = [], {}
    for rules in (50,) if quick else (1000, 50):
        gateway = made(stage.folder / f"fresh-{rules}", stage.service, stage.issuer, rules)
        took = first_answer(gateway, "/plain/1k", stage.token)
        rows.append(Row("footprint", f"start to first answer, {rules:,} rules", took, "s", 2.0))
        data[f"start_{rules}"] = took
        if rules == 1000:
            gateway.stop()
    fresh = machine.memory(gateway.workers()[0])
    port = gateway.port
    requests = [load.request("/plain/1k", port, token(stage.issuer, f"person-{n}")) for n in range(PEOPLE)]
    seen = load.run(Job(port, requests, 16, 60.0, limit=PEOPLE))
    full = machine.memory(gateway.workers()[0])
    top = gateway.process.pid if gateway.process else 0
    whole = sum(machine.memory(pid)[1] for pid in (top, *machine.children(top)))
    gateway.stop()
    beside = f"{full[1]:.0f} MiB proportional · fresh {fresh[0]:.0f} MiB · whole tree {whole:.0f} MiB proportional"
    rows.append(Row("footprint", f"worker, {PEOPLE:,} people seen: resident", full[0], "MiB", 120, beside=beside))
    rate = len(seen.good) / seen.seconds
    rows.append(Row("footprint", "first request of a person (token verified)", 1e6 / rate, "µs", beside="wall time"))
    data |= {"fresh": fresh, "full": full, "tree_proportional": whole, "answered": len(seen.good)}
    notes = [] if len(seen.good) >= PEOPLE else [f"only {len(seen.good)} of {PEOPLE} people were answered"]
    return Said(rows, data, notes)
