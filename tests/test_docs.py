"""Do the documents still say what the gateway does? Every name in both languages, defaults, links, examples."""

import ast
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from gateway.audit.fields import ALIASES, FIELDS, VALUES, WORDS
from gateway.behaviour.settings import IDENTITIES_MAX
from gateway.behaviour.signals import SIGNALS
from gateway.catalog import ApiBinding
from gateway.catalog import load as load_catalog
from gateway.cli import parser
from gateway.cli.codes import explained, known
from gateway.config import DEFAULT_ORIGIN, checks
from gateway.config.faults import translate
from gateway.config.model import Discovery, GatewayFile, Role, Section
from gateway.control.routes import WAYS
from gateway.document import parse
from gateway.edge import Limits
from gateway.facts import GRADES
from gateway.identity.settings import DEFAULT_ALGORITHMS, Claims
from gateway.inventory.openapi import described
from gateway.masks import IDENTIFIERS, TECHNIQUES
from gateway.policy import load as load_policies
from gateway.policy import offices, run_tests
from gateway.policy.condition import FUNCTIONS
from gateway.policy.names import Vocabulary, names
from gateway.policy.rules import KEYS as RULE_KEYS
from gateway.policy.suppose import SHORT
from gateway.reasons import REASONS
from gateway.telemetry import Meter
from gateway.upstream import Service

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for path in (ROOT / "gateway").rglob("*.py") if "starter" not in path.parts]
PAIRS = [("README.md", "README.zh-CN.md"), ("docs/policy.md", "docs/policy.zh-CN.md"),
         ("docs/operations.md", "docs/operations.zh-CN.md"),
         ("docs/casbin.md", "docs/casbin.zh-CN.md"), ("docs/codes.md", "docs/codes.zh-CN.md"),
         ("docs/authoring.md", "docs/authoring.zh-CN.md"), ("docs/data.md", "docs/data.zh-CN.md"),
         ("docs/opa-cedar.md", "docs/opa-cedar.zh-CN.md"), ("docs/performance.md", "docs/performance.zh-CN.md"),
         ("SECURITY.md", "SECURITY.zh-CN.md")]  # fmt: skip
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
POLICY = ["docs/policy.md", "docs/policy.zh-CN.md"]
CODES = ["docs/codes.md", "docs/codes.zh-CN.md"]
OPERATIONS = ["docs/operations.md", "docs/operations.zh-CN.md"]
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.M | re.S)
OF_FILES = {"C021", "C050", "C053"}  # an example names files that are not here
NEEDED = ("required", "必填")


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def spelled(page: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(page))))


@cache
def rows(page: str) -> dict[str, list[str]]:
    """The tables of a page: cells by the name in the first column."""
    found = {}
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and re.fullmatch(r"`[^`]+`", cells[0]):
            found.setdefault(cells[0][1:-1], cells[1:])
    return found


def missing(page: str, wanted: Any) -> list[str]:
    return sorted(set(wanted) - spelled(page))


# --- settings -----------------------------------------------------------------------------------


def settings(section: type[BaseModel] = GatewayFile, place: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of the configuration with its path; `[]` is a list item."""
    for name, field in section.model_fields.items():
        path = place + (field.alias or name)
        yield path, field
        for inner, listed in inner_sections(field.annotation):
            yield from settings(inner, path + ("[]." if listed else "."))


def inner_sections(annotation: Any, listed: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, listed
    for part in get_args(annotation):
        yield from inner_sections(part, listed or getattr(annotation, "__origin__", None) is list)


SETTINGS = {path: field for path, field in settings() if not path.startswith("identity.issuers[].")}
ELSEWHERE = (
    {f"limits.{name}": f"{getattr(Limits(), name):g}" for name in Limits.__struct_fields__}
    | {f"identity.claims.{name}": getattr(Claims(), name) for name in Claims.__struct_fields__}
    | {
        "identity.algorithms": " ".join(DEFAULT_ALGORITHMS),
        "audit.origin": DEFAULT_ORIGIN,
        "behaviour.identities_max": str(IDENTITIES_MAX),
        "apis[].pool_size": str(Service("any", ("https://127.0.0.1",)).pool_size),
    }
)
"""Defaults that the file leaves to the rooms."""


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_setting_is_in_the_reference(page: str) -> None:
    assert missing(page, SETTINGS) == []
    assert missing(page, get_args(Role)) == missing(page, checks.SWITCHES) == []


@pytest.mark.parametrize("page", OPERATIONS)
def test_the_reference_tells_the_defaults(page: str) -> None:
    told = {path: rows(page)[path][0] for path in SETTINGS}
    wrong = {path: told[path] for path, field in SETTINGS.items() if not tells_default(path, field, told[path])}
    assert wrong == {}


def tells_default(path: str, field: FieldInfo, said: str) -> bool:
    if field.is_required() or said in NEEDED:
        return field.is_required() and said in NEEDED
    if not said.startswith("`"):  # a word for what depends on something else
        return field.default is None or path == "apis[].hosts"
    if path in ELSEWHERE and field.default is None:
        return float_or_text(said.strip("`")) == float_or_text(str(ELSEWHERE[path]))
    one = create_model("One", __base__=Section, value=(Annotated[(field.annotation, "", *field.metadata)], ...))
    read = one.model_validate({"value": parse(said.strip("`"), "table").plain()})
    return bool(read.value == field.get_default(call_default_factory=True))  # type: ignore[attr-defined]


def float_or_text(said: str) -> float | str:
    try:
        return float(said)
    except ValueError:
        return said


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", *OPERATIONS])
def test_a_complete_configuration_is_one(page: str) -> None:
    blocks = [body for kind, body in FENCE.findall(text_of(page)) if kind == "yaml" and body.startswith("version: 1")]
    assert len(blocks) == 1
    for body in blocks:
        root = parse(body, page)
        try:
            GatewayFile.model_validate(root.plain())
        except ValueError as invalid:
            pytest.fail("\n".join(fault.render(body) for fault in translate(root, invalid)))  # type: ignore[arg-type]
        found = checks.check(root, checks.Ground(ROOT, {}))
        assert [fault.render(body) for fault in found if not fault.warning and fault.code not in OF_FILES] == []


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_reason_has_its_status_and_a_remedy(page: str) -> None:
    table = rows(page)
    assert {code: table.get(code, [""])[0] for code in REASONS} == {code: str(m.status) for code, m in REASONS.items()}
    assert [code for code in REASONS if not table[code][2]] == []


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_metric_and_its_labels(page: str) -> None:
    table = rows(page)
    for family in [*Meter().collect(), *Meter().registry.collect()]:
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name in table, f"{name} is not documented"
    for name, labels in label_names().items():
        assert re.findall(r"`(\w+)`", table[name][0]) == labels, name


@cache
def label_names() -> dict[str, list[str]]:
    """The labels of each metric, as the meter declares them."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "gateway/telemetry/metrics.py").read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("counter", "gauge", "histogram")
        ):
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            found[words[0]] = words[2:]
    return found


@pytest.mark.parametrize("page", POLICY)
def test_the_vocabulary_of_policies(page: str) -> None:
    said = spelled(page)
    assert missing(page, IDENTIFIERS) == missing(page, names(Vocabulary())) == missing(page, RULE_KEYS) == []
    assert missing(page, SIGNALS) == missing(page, SHORT) == []
    for name in (*TECHNIQUES, *FUNCTIONS):
        assert any(word == name or word.startswith(f"{name}(") for word in said), name


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_command_and_option(page: str) -> None:
    text = text_of(page)
    for command, options in commands(parser("en")):
        assert command in text, f"`{command}` is not documented"
        assert [option for option in options if option not in text and option not in ("-k", "-v", "-h")] == []


def commands(of: Any, path: str = "gateway") -> Iterator[tuple[str, list[str]]]:
    """Each command with the long options that only it has."""
    inner = next((action.choices for action in of._actions if isinstance(action.choices, dict)), None)
    if inner:
        for name, command in inner.items():
            yield from commands(command, f"{path} {name}")
        return
    options = [max(action.option_strings, key=len) for action in of._actions if action.option_strings]
    known = ("--help", "--output", "--config", "--as", "--do", "--given", "--policies")
    yield path, [option for option in options if option not in known]


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_route_act_and_notice(page: str) -> None:
    text = text_of(page)
    routes = [f"`{way.method} {way.path.replace(':path', '')}`" for way in WAYS]
    assert [route for route in routes if route not in text] == []
    acts = {way.act for way in WAYS if way.act} | {"policy.rejected"}
    assert missing(page, acts | notices()) == []


@cache
def notices() -> set[str]:
    """The names under which anything is told, as they stand in the source."""
    found = set()
    for source in (path.read_text(encoding="utf-8") for path in SOURCES):
        for node in ast.walk(ast.parse(source)) if re.search(r"otice\(|_declare\(", source) else ():
            if (
                isinstance(node, ast.Call)
                and called(node.func) in ("Notice", "_notice", "_declare", "notice")
                and node.args
            ):
                constants = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
                found |= {
                    word for word in constants if isinstance(word, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", word)
                }
    assert len(found) > 20
    return found


def called(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


@pytest.mark.parametrize("page", OPERATIONS)
def test_every_field_of_lines_and_questions(page: str) -> None:
    source = (ROOT / "gateway/telemetry/lines.py").read_text(encoding="utf-8")
    lines = set(
        re.findall(
            r'"(@timestamp|(?:event|gateway|http|rule|service|source|trace|url|user|organization)(?:\.[a-z_]+)+)"',
            source,
        )
    )
    assert len(lines) > 30
    assert missing(page, lines) == missing(page, FIELDS) == missing(page, ALIASES) == []
    assert [word for word in (*VALUES, *WORDS) if word not in text_of(page)] == []


@pytest.mark.parametrize("page", CODES)
def test_every_fault_code_means_what_explain_code_says_and_there_is_no_other(page: str) -> None:
    listed = {code: (cells[0], cells[-1]) for code, cells in rows(page).items()}
    said = {code: tuple(cell.replace("|", r"\|") for cell in meaning(code, page)) for code in known() if code.isupper()}
    assert listed == said


def meaning(code: str, page: str) -> tuple[str, str]:
    """What a code means and what to do; it may be told of several mistakes."""
    chinese = page == "docs/codes.zh-CN.md"
    pairs = [(one.zh, one.remedy_zh) if chinese else (one.en, one.remedy_en) for one in explained(code)]
    texts, remedies = (("；" if chinese else "; ").join(dict.fromkeys(cells)) for cells in zip(*pairs, strict=True))
    return texts, remedies


# --- form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name}: {target}"


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_parts(english: str, chinese: str) -> None:
    one, other = (FENCE.sub("```", text_of(page)) for page in (english, chinese))
    assert re.findall(r"^#+", one, re.M) == re.findall(r"^#+", other, re.M)
    assert one.count("```") == other.count("```")
    assert len(rows(english)) == len(rows(chinese))


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair])
def test_yaml_examples_can_be_read(page: str) -> None:
    for kind, body in FENCE.findall(text_of(page)):
        if kind == "yaml":
            parse(body, page)  # raises Faulty


# --- the data guide ---------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["docs/data.md", "docs/data.zh-CN.md"])
def test_every_yaml_example_of_the_data_guide_is_taken_as_it_stands(page: str, tmp_path: Path) -> None:
    """Beside the shipped policies, each in the place that it is for; one for which there is no place is none."""
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    shutil.rmtree(folder / "tests")
    blocks = [body for kind, body in FENCE.findall(text_of(page)) if kind == "yaml"]
    for number, body in enumerate(blocks):
        PLACES[next(iter(parse(body, page).plain()))](folder, number, body)
    civil = ApiBinding("civil-api", "/civil/marriages", ("marriage",))
    catalog = load_catalog(folder / "catalog", (civil,), offices(folder))
    bundle = load_policies(folder, catalog.assets)
    assert {fault.code for fault in (*catalog.faults, *bundle.warnings)} <= {"K034"}  # as the page says of the override
    results = run_tests(folder, bundle, lambda method, path: catalog.find(method, path))
    assert [result.en for result in results] == [""]


def _beside(name: str) -> Callable[[Path, int, str], None]:
    """A file of its own."""
    return lambda folder, number, body: _written(folder / name.format(number), body)


def _within(name: str, key: str) -> Callable[[Path, int, str], None]:
    """At the head of a list or mapping of the shipped file."""

    def write(folder: Path, number: int, body: str) -> None:
        before, found, after = (folder / name).read_text(encoding="utf-8").partition(f"\n{key}:\n")
        assert found
        _written(folder / name, before + found + body.partition(f"{key}:\n")[2] + after)

    return write


def _written(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(body, encoding="utf-8")


def _configured(folder: Path, number: int, body: str) -> None:
    create_model("Part", __base__=Section, discovery=(Discovery, ...)).model_validate(parse(body, "example").plain())


def _described(folder: Path, number: int, body: str) -> None:
    assert described(parse(body, "example"), "", GRADES).operations


PLACES = {
    "names": _beside("grades.yaml"),
    "defaults": _beside("catalog/marriage.yaml"),
    "budgets": _beside("budgets.yaml"),
    "rules": _beside("rules/9{}-example.yaml"),
    "tests": _beside("tests/9{}-example.yaml"),
    "profiles": _within("masks.yaml", "profiles"),
    "grants": _within("grants.yaml", "grants"),
    "discovery": _configured,
    "openapi": _described,
}
"""What becomes of an example, by its first key."""
