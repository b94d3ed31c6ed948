"""Does any answer, however broken or hostile, show a value that its mask hides?

Coverage-guided fuzzing (atheris, libFuzzer) of everything a service can send: the first byte chooses the form, the rest
is the body. Judged from outside, by readers that know nothing of the gateway: whatever several parsers make of what we
send, no value under a labelled name is anything but what a mask leaves.

`python -m tests.soak.masking_fuzz CORPUS -max_total_time=60` runs the fuzzer itself.
"""

import asyncio
import csv
import importlib.util
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import msgspec
import orjson

from tests.soak.trial import Trial

FULL, QUICK = {"seconds": 600}, {"seconds": 10}
HIDDEN = "id_number"
LEFT = frozenset({"***", "", None})
TYPES = (
    b"application/json",
    b"application/x-ndjson",
    b"text/csv",
    b"application/json-seq",
    b"application/xml",
    b"application/x-www-form-urlencoded",
    b"text/event-stream",
    b"text/html",
)
ID = "330106199003072319"
_ALONE = re.compile(rb"(?<![0-9])" + ID.encode() + rb"(?![0-9])")  # among more digits it is another number
SEEDS = (
    b'\x00{"id_number":"330106199003072319","n":12345678901234567890123}',
    b'\x00[{"id_number":["330106199003072319",{"id_number":1}]},{"a":{"id_number":null}}]',
    b'\x00 {"id\\u005fnumber":"330106199003072319","id_number":true}',
    b'\x00[[{"id_number":"330106199003072319"}],1e400,-0,"\\ud800"]',
    b'\x00"{\\"id_number\\":\\"330106199003072319\\"}"',
    b'\x01{"id_number":"330106199003072319"}\n{"items":[{"id_number":1}]}\r\n\n',
    b'\x02id_number,name\r\n330106199003072319,"a ""b"", c\nd"\r\n',
    b"\x02name;id_number\nx;330106199003072319\n",
    b"\x04<?xml version='1.0'?><a xmlns:x='u'><x:id_number y='330106199003072319'>3<b>301</b></x:id_number></a>",
    b'\x04<r><p id_number="330106199003072319" n="1"/><![CDATA[<id_number>1</id_number>]]></r>',
    b"\x05id_number=330106199003072319&a=b&id%5Fnumber=1",
    b'\x06id: 1\nevent: e\ndata: {"id_number":\ndata: "330106199003072319"}\n\n:x\n\ndata: [DONE]\n\n',
    b"\x07<p>330106199003072319, &#51;30106199003072319</p>",
    b'\x03\x1e{"id_number":"330106199003072319"}\n\x1e[{"id_number":2}]\n',
)


def run(trial: Trial, folder: Path, seconds: int) -> None:
    """Fuzz for so many seconds, from the seeds above."""
    if importlib.util.find_spec("atheris") is None:
        trial.skip("atheris is not installed (pip install '.[soak]')")
        return
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3000", "-max_len=4096", "-seed=1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.masking_fuzz", str(corpus), *limits, f"-artifact_prefix={folder}/"],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    runs = [line for line in done.stderr.splitlines() if "DONE" in line or "exec/s" in line]
    trial.note(runs[-1] if runs else "no line of the fuzzer")
    trial.must(done.returncode == 0, f"nothing hidden is shown, in {seconds} s of fuzzing", done.stderr[-1500:])


def under_label(value: object) -> Iterator[object]:
    """Every value under the labelled name, as a reader of the answer finds it."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from leaves(inside) if name == HIDDEN else under_label(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from under_label(inside)


def leaves(value: object) -> Iterator[object]:
    """What stands in a value, without the containers."""
    if isinstance(value, dict):
        for inside in value.values():
            yield from leaves(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from leaves(inside)
    else:
        yield value


def readings(text: bytes) -> Iterator[object]:
    """What several readers make of one JSON text."""
    for read in (json.loads, orjson.loads, msgspec.json.decode):
        try:
            yield read(text)
        except (ValueError, RecursionError):
            continue


def shown_values(kind: bytes, body: bytes) -> Iterator[object]:
    """The values that readers find where the label says."""
    if kind == b"text/csv":
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        places = [at for at, name in enumerate(rows[0]) if name == HIDDEN] if rows else []
        yield from (row[at] for row in rows[1:] for at in places if at < len(row))
        return
    if kind in _READERS:
        yield from _READERS[kind](body)
        return
    texts = [body] if kind == b"application/json" else body.replace(b"\x1e", b"").split(b"\n")
    for text in texts:
        for reading in readings(text):
            yield from under_label(reading)


def in_markup(body: bytes) -> Iterator[object]:
    """Texts and attributes of elements under the label, and attributes of that name."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:  # a prefix that the service never bound: nobody reads this
        return
    for element in root.iter():
        yield from (value for name, value in element.attrib.items() if name.rpartition("}")[2] == HIDDEN)
        if element.tag.rpartition("}")[2] == HIDDEN:
            yield from (text.strip(" \t\r\n") for text in element.itertext())
            yield from (value for inside in element.iter() for value in inside.attrib.values())


def in_form(body: bytes) -> Iterator[object]:
    """The values of the parameter of that name."""
    text = body.decode("utf-8", "surrogateescape")  # half a letter may stand there plainly, and half escaped
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    yield from (value for name, value in pairs if name == HIDDEN)


def in_events(body: bytes) -> Iterator[object]:
    """The values under the label in the data of each event."""
    for event in body.split(b"\n\n"):
        data = b"\n".join(line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:"))
        for reading in readings(data):
            yield from under_label(reading)


_READERS: dict[bytes, Callable[[bytes], Iterator[object]]] = {
    b"application/xml": in_markup,
    b"application/x-www-form-urlencoded": in_form,
    b"text/event-stream": in_events,
    b"text/html": lambda body: iter(()),  # no label can be told in a text: the second look judges it
}


def fuzz(words: list[str]) -> None:
    """Run libFuzzer in this process; it does not return."""
    import atheris

    with atheris.instrument_imports(include=["gateway.masking", "gateway.detect"]):
        from gateway.facts import BodyFailed, Field, FieldMask, Grade, Mask, RawReply, Reply
        from gateway.masking import Masking, Settings
        from tests.literals import a_permit, a_warrant, an_asset, some_facts

    room, loop = Masking(Settings(hash_key=b"k" * 32)), asyncio.new_event_loop()
    fields = (Field(f"$..{HIDDEN}", "resident-id", Grade.CORE),)
    masks = [Mask("fuzz", (FieldMask(fields[0].path, "redact"),), contract) for contract in ("pass", "warn", "redact")]
    facts = some_facts(asset=an_asset(fields=fields, key=fields[0].path))
    warrants = [a_warrant(facts=facts, permit=a_permit(mask=mask)) for mask in masks]

    async def sent(raw: RawReply, which: int) -> bytes:
        reply = await room.apply(raw, warrants[which])
        if not isinstance(reply, Reply):
            return b""
        if isinstance(reply.body, bytes):
            return reply.body
        pieces = []
        try:
            async for piece in reply.body:
                pieces.append(piece)
        except BodyFailed:
            pass  # a truncation: what was sent until then is judged
        return b"".join(pieces)

    def one(data: bytes) -> None:
        if not data:
            return
        kind, which, body = TYPES[data[0] % len(TYPES)], data[0] // len(TYPES) % len(warrants), data[1:]
        shown = loop.run_until_complete(sent(RawReply(200, ((b"content-type", kind),), body, None, 0.0), which))
        odd = [value for value in shown_values(kind, shown) if value not in LEFT]
        if odd:
            raise AssertionError(f"shown under the label: {odd[:3]!r}")
        if _ALONE.search(shown):
            raise AssertionError("the second look let an identifier pass")

    atheris.Setup([sys.argv[0], *words], one)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(sys.argv[1:])
