"""How does a build server learn what the checks found?

Two plain texts: JUnit XML for what was tried, SARIF 2.1.0 for what stands where. Rules:

1. Whatever an author wrote into a name arrives as a name: characters that XML cannot carry are replaced, everything
   else is escaped by the writer. Nothing can end a text early or add an element.
2. Files are named relative to a folder, as URIs; what stands elsewhere is named in full.
3. Both languages: SARIF has its rules in English with a Chinese translation, and each result carries its Chinese text
   beside the English one. JUnit knows one text: the chosen language.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote
from xml.etree import ElementTree as Xml

import msgspec
from msgspec import Struct

from gateway.document import FileFault

Language = Literal["en", "zh-CN"]
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
TOOL = "zero-trust-gateway"
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, not even escaped."""


# --- JUnit ----------------------------------------------------------------------------------------


class Case(Struct, frozen=True):
    """One thing that was tried. `said` is why it failed, "" when it passed; `broken` when it could not be tried."""

    name: str
    place: str
    said: str = ""
    broken: bool = False
    skipped: bool = False


class Suite(Struct, frozen=True):
    """Several cases under one name."""

    name: str
    cases: tuple[Case, ...]


def junit(suites: Iterable[Suite]) -> str:
    """The suites as JUnit XML."""
    root = Xml.Element("testsuites")
    made = [_suite(suite) for suite in suites]
    root.extend(made)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(one.get(key, "0")) for one in made)))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(suite: Suite) -> Xml.Element:
    cases = suite.cases
    failed = [case for case in cases if case.said and not case.skipped]
    element = Xml.Element("testsuite", name=_fit(suite.name), tests=str(len(cases)))
    element.set("failures", str(sum(not case.broken for case in failed)))
    element.set("errors", str(sum(case.broken for case in failed)))
    element.set("skipped", str(sum(case.skipped for case in cases)))
    element.extend(_case(suite.name, case) for case in cases)
    return element


def _case(suite: str, case: Case) -> Xml.Element:
    file, _, line = case.place.rpartition(":")
    element = Xml.Element("testcase", name=_fit(case.name), classname=_fit(suite))
    if line.isdigit():
        element.set("file", _fit(file))
        element.set("line", line)
    kind = "skipped" if case.skipped else "error" if case.broken else "failure"
    if case.said or case.skipped:
        said = Xml.SubElement(element, kind, message=_fit(case.said.splitlines()[0] if case.said else ""))
        said.text = _fit(f"{case.place}\n{case.said}")
    return element


def _fit(text: str) -> str:
    """The text with � for what XML cannot carry: a parser would refuse the whole file, and the failures with it."""
    return _UNFIT.sub("\ufffd", text)


# --- SARIF ----------------------------------------------------------------------------------------


class Meaning(Struct, frozen=True):
    """What a code means and what to do, as `gateway explain-code` says it."""

    en: str
    zh: str
    remedy_en: str = ""
    remedy_zh: str = ""


Meanings = Callable[[str], Meaning | None]


class _Text(Struct):
    text: str


class _Message(Struct, omit_defaults=True):
    text: str
    properties: dict[str, str] = {}


class _Rule(Struct, rename="camel"):
    id: str
    short_description: _Text
    help: _Text


class _Component(Struct, rename="camel", omit_defaults=True):
    name: str
    language: str
    rules: tuple[_Rule, ...]
    version: str = ""
    contents: tuple[str, ...] = ()
    is_comprehensive: bool = False
    associated_component: dict[str, str] = {}


class _Tool(Struct):
    driver: _Component


class _Region(Struct, rename="camel"):
    start_line: int
    start_column: int


class _Artifact(Struct):
    uri: str


class _Physical(Struct, rename="camel"):
    artifact_location: _Artifact
    region: _Region


class _Location(Struct, rename="camel"):
    physical_location: _Physical


class _Result(Struct, rename="camel"):
    rule_id: str
    rule_index: int
    level: Literal["warning", "error"]
    message: _Message
    locations: tuple[_Location, ...]
    partial_fingerprints: dict[str, str]


class _Run(Struct, rename="camel"):
    tool: _Tool
    language: str
    column_kind: str
    translations: tuple[_Component, ...]
    results: tuple[_Result, ...]


class _Log(Struct):
    version: str
    runs: tuple[_Run, ...]
    schema: str = msgspec.field(default=SCHEMA, name="$schema")


def sarif(faults: Iterable[FileFault], root: Path, meanings: Meanings, version: str) -> str:
    """The faults as SARIF 2.1.0; files under `root` are named relative to it. `version` is that of the gateway."""
    found = sorted(set(faults))
    codes = sorted({fault.code for fault in found})
    driver = _Component(TOOL, "en-US", tuple(_rule(code, meanings, "en") for code in codes), version)
    chinese = _Component(
        TOOL,
        "zh-CN",
        tuple(_rule(code, meanings, "zh-CN") for code in codes),
        contents=("localizedData",),
        associated_component={"name": TOOL},
    )
    results = tuple(_result(fault, codes, root) for fault in found)
    log = _Log("2.1.0", (_Run(_Tool(driver), "en-US", "unicodeCodePoints", (chinese,), results),))
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(code: str, meanings: Meanings, language: Language) -> _Rule:
    meaning = meanings(code) or Meaning(code, code)
    zh = language == "zh-CN"
    said = meaning.zh if zh else meaning.en
    return _Rule(code, _Text(said), _Text((meaning.remedy_zh if zh else meaning.remedy_en) or said))


def _result(fault: FileFault, codes: Sequence[str], root: Path) -> _Result:
    uri = _uri(fault.file, root)
    en, zh = (_sound("\n".join(filter(None, pair))) for pair in _texts(fault))
    region = _Region(max(fault.line, 1), max(fault.column, 1))
    location = _Location(_Physical(_Artifact(uri), region))
    # without the line: a finding that moves is the same finding
    print_ = sha256(f"{fault.code}\n{uri}\n{en}".encode()).hexdigest()[:32]
    return _Result(
        fault.code,
        codes.index(fault.code),
        "warning" if fault.warning else "error",
        _Message(en, {"zh-CN": zh}),
        (location,),
        {"finding/v1": print_},
    )


def _texts(fault: FileFault) -> tuple[tuple[str, str], tuple[str, str]]:
    return (fault.en, fault.remedy_en), (fault.zh, fault.remedy_zh)


def _uri(file: str, root: Path) -> str:
    """A relative URI; a name that is a path elsewhere as a whole one. `javascript:…` is a file name here, not a scheme."""
    path = Path(file)
    if path.is_absolute() and not path.is_relative_to(root):
        return "file://" + quote(_sound(path.as_posix()))
    inside = path.relative_to(root) if path.is_absolute() else path
    return quote(_sound(PurePosixPath(inside).as_posix()))


def _sound(text: str) -> str:
    """The text without halves of characters: a file name that is not UTF-8 has them, and JSON cannot."""
    return text.encode("utf-8", "replace").decode()
