"""What does it cost to show five fields of an answer through a mask, and with other tools?

One answer, three sizes, measured in turns in one process; what each shows is held to hide the same identifiers, or
nothing is reported for it. The peers get their best form: paths and expressions compiled beforehand, orjson to parse
and write. Presidio's analyzer needs a language model for what it adds; its anonymizer is given the places that plain
expressions find, as its own pattern recognizers would.
"""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from gateway.detect import Gate
from gateway.detect.gate import ENGINE, WATCHED
from gateway.facts import Field, FieldMask, Grade, Mask, RawReply, Reply, Warrant
from gateway.masking import Masking, Settings
from tests.bench import machine, material
from tests.bench.table import Row, Said
from tests.literals import a_permit, a_subject, a_warrant, an_asset, some_facts

try:
    import jsonpath
    import jsonpath_ng
except ImportError:
    jsonpath = jsonpath_ng = None

try:
    from presidio_anonymizer import AnonymizerEngine
    from presidio_anonymizer.entities import OperatorConfig, RecognizerResult
except ImportError:
    AnonymizerEngine = None

LIMITS = {"1k": 60.0, "64k": 1_200.0, "1m": 25_000.0}  # µs
GATE_LIMIT = 100.0  # µs for 64 KB
TURNS = 7
LABELS = {
    "id_number": "resident-id",
    "name": "name",
    "phone": "phone",
    "address": "address",
    "birth_date": "birth-date",
}
HIDDEN = re.compile(rb'"(?:id_number|name|phone|address|birth_date)":\s?"(?!\*\*\*")')
JSON = ((b"content-type", b"application/json"),)


def measure(folder: Path, quick: bool) -> Said:
    """Microseconds for one answer, ours and theirs, and of the gate alone."""
    del folder
    rows: list[Row] = []
    data: dict[str, Any] = {"engine": ENGINE}
    notes = [] if ENGINE == "re2" else ["google-re2 is not installed: the gate runs on Python's own expressions"]
    with machine.on(machine.MEASURED):
        for size, limit in LIMITS.items():
            body = material.household(material.SIZES[size])
            found = _in_turns(_ways(body), quick)
            data[size] = {"bytes": len(body), "microseconds": found}
            ours = found.pop("gateway")
            rows.append(
                Row("data", f"five fields and the gate, {_spelled(size)}", ours, "µs", limit, beside=_rate(body, ours))
            )
            for name, theirs in found.items():
                rows.append(
                    Row("data", f"{name}, {_spelled(size)}", theirs / ours, "× as dear", beside=_rate(body, theirs))
                )
        clean = material.household(material.SIZES["64k"]).translate(bytes.maketrans(b"123", b"***"))
        gate = Gate(WATCHED)
        rows.append(
            Row(
                "data",
                "the gate alone, 64 KB",
                _in_turns({"gate": lambda: gate.found(clean)}, quick)["gate"],
                "µs",
                GATE_LIMIT,
            )
        )
    if jsonpath is None or AnonymizerEngine is None:
        notes.append("JSONPath libraries and presidio: install `.[bench]` to measure beside them")
    return Said(rows, data, notes)


def _ways(body: bytes) -> dict[str, Callable[[], bytes]]:
    ways: dict[str, Callable[[], bytes]] = {"gateway": _gateway(body)}
    if jsonpath is not None:
        ways |= {"python-jsonpath": _python_jsonpath(body), "jsonpath-ng": _jsonpath_ng(body)}
    if AnonymizerEngine is not None and len(body) < 100_000:  # a megabyte takes it a minute
        ways["presidio anonymizer"] = _presidio(body)
    for name, way in ways.items():
        assert not HIDDEN.search(way()) or name.startswith("presidio"), f"{name} does not hide the same"
    return ways


def _in_turns(ways: dict[str, Callable[[], Any]], quick: bool) -> dict[str, float]:
    """The median over turns of the microseconds for one call, all ways in each turn."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3 if quick else TURNS):
        for name, way in ways.items():
            times[name].append(_once(way, 0.02 if quick else 0.1))
    return {name: median(of) for name, of in times.items()}


def _once(way: Callable[[], Any], seconds: float) -> float:
    way()
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        way()
        calls += 1
    return (time.perf_counter() - began) / calls * 1e6


def _gateway(body: bytes) -> Callable[[], bytes]:
    room, loop = Masking(Settings(hash_key=b"k" * 32)), asyncio.new_event_loop()
    raw, warrant = RawReply(200, JSON, body, len(body), 0.0), _warrant()

    def masked() -> bytes:
        reply = loop.run_until_complete(room.apply(raw, warrant)) if len(body) > 4096 else _now(room, raw, warrant)
        assert isinstance(reply, Reply)
        assert isinstance(reply.body, bytes)
        return reply.body

    return masked


def _now(room: Masking, raw: RawReply, warrant: Warrant) -> object:
    """What a coroutine that never waits returns, without the loop's own cost."""
    try:
        room.apply(raw, warrant).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


def _warrant() -> Warrant:
    fields = tuple(Field(f"$..{name}", identifier, Grade.GENERAL_4) for name, identifier in LABELS.items())
    mask = Mask("bench", tuple(FieldMask(field.path, "redact") for field in fields), "warn")
    asset = an_asset(fields=fields, key="$..id_number", contract="warn")
    return a_warrant(facts=some_facts(asset=asset, subject=a_subject()), permit=a_permit(mask=mask))


def _python_jsonpath(body: bytes) -> Callable[[], bytes]:
    paths = [jsonpath.compile(f"$..{name}") for name in LABELS]

    def masked() -> bytes:
        tree = orjson.loads(body)
        for path in paths:
            for match in path.finditer(tree):
                match.parent.obj[match.parts[-1]] = "***"
        return orjson.dumps(tree)

    return masked


def _jsonpath_ng(body: bytes) -> Callable[[], bytes]:
    paths = [jsonpath_ng.parse(f"$..{name}") for name in LABELS]

    def masked() -> bytes:
        tree = orjson.loads(body)
        for path in paths:
            path.update(tree, "***")
        return orjson.dumps(tree)

    return masked


_PATTERNS = {
    "ID": re.compile(r"[1-9]\d{5}(?:18|19|20)\d{9}[\dXx]"),
    "PHONE": re.compile(r"1[3-9]\d{9}"),
    "DATE": re.compile(r"(?:19|20)\d{2}-\d{2}-\d{2}"),
}


def _presidio(body: bytes) -> Callable[[], bytes]:
    """What can be told without names: it knows no fields, so names and addresses stay."""
    engine, text = AnonymizerEngine(), body.decode()
    how = {"DEFAULT": OperatorConfig("replace", {"new_value": "***"})}

    def masked() -> bytes:
        places = [
            RecognizerResult(kind, match.start(), match.end(), 0.9)
            for kind, pattern in _PATTERNS.items()
            for match in pattern.finditer(text)
        ]
        return str(engine.anonymize(text, places, how).text).encode()

    return masked


def _spelled(size: str) -> str:
    return {"1k": "1 KB", "64k": "64 KB", "1m": "1 MB"}[size]


def _rate(body: bytes, microseconds: float) -> str:
    return f"{len(body) / microseconds:,.0f} MB/s"
