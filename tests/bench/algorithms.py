"""What does one hidden value cost, by algorithm and profile?"""

import time
from collections.abc import Callable
from statistics import median

from gateway.crypto.suite import INTL, SM
from gateway.masking.keys import Keys
from gateway.masking.reversible import restored
from gateway.masking.techniques import REGISTRY
from tests.bench import machine
from tests.bench.table import Row, Said

ID = "330106199003072319"
PHONE = "13800138000"
NAMES = {"intl": "HMAC-SHA-256, AES-SIV, FF1 over AES", "sm": "HMAC-SM3, SIV over SM4, FF1 over SM4"}


def measure(quick: bool) -> Said:
    """Microseconds for one value of a department whose keys are at hand."""
    rows, data = [], {}
    fpe = REGISTRY["fpe"].text()
    with machine.on(machine.MEASURED):
        for suite in (INTL, SM):
            keys = Keys(bytes(32), "prov/civil", suite)
            works: dict[str, Callable[[], object]] = {
                "hash": lambda keys=keys: keys.digest(ID),
                "whom a record is about": lambda keys=keys: keys.about(ID),
                "encrypt": lambda keys=keys: keys.sealed(ID),
                "fpe, resident id": lambda keys=keys: fpe(ID, keys),
                "fpe, mobile number": lambda keys=keys: fpe(PHONE, keys),
            }
            assert restored(fpe(ID, keys), keys) == ID
            for name, work in works.items():
                cost = data[f"{suite.name} {name}"] = _each(work, 0.05 if quick else 0.3)
                rows.append(Row("algorithms", f"{name}, {suite.name}", cost, "µs", beside=NAMES[suite.name]))
    return Said(rows, data)


def _each(work: Callable[[], object], seconds: float) -> float:
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(100):
            work()
        times.append(time.perf_counter() - began)
    return median(times) * 10_000
