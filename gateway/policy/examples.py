"""Do the policies do what their authors wrote down?

Runs `tests/*.yaml` beside the rules: each test supposes a caller, asks a request, and names what must come out.
A test that cannot be read has failed; it is never skipped.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from gateway.document import Faulty, FileFault, Node, read
from gateway.facts import Asset, Challenge, Decision, Permit, Strength
from gateway.policy.bundle import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.shapes import Faults, items, mapping, one_of, plain, text
from gateway.policy.suppose import Impossible, suppose
from gateway.reasons import REASONS

KEYS = ("name", "given", "request", "expect", "rule", "mask", "reason", "notify", "log")
OUTCOMES = ("permit", "challenge", "deny")
NOTHING_GIVEN = Node({}, "", 1, 1)

Locate = Callable[[str, str], Asset]
"""The asset of a method and a path, as the catalog sees it."""


class TestResult(Struct, frozen=True):
    """One test: its name, where it stands, and what went otherwise ("" when it passed)."""

    __test__: ClassVar[bool] = False  # its name makes pytest look inside
    name: str
    place: str
    en: str
    zh: str
    outcome: str = ""
    faults: tuple[FileFault, ...] = ()  # why it could not be read

    @property
    def passed(self) -> bool:
        """Whether everything came out as written."""
        return not self.en


def run_tests(folder: Path, bundle: Bundle, locate: Locate) -> tuple[TestResult, ...]:
    """Run every test of the policy folder. Never raises for what a file says."""
    results: list[TestResult] = []
    for path in sorted((folder / "tests").glob("[!.]*")):
        place = f"tests/{path.name}"
        if path.suffix != ".yaml":
            results.append(_unreadable(place, (_stray(path),)))
            continue
        try:
            root = read(path)
        except Faulty as faulty:
            results.append(_unreadable(place, faulty.faults))
            continue
        faults: Faults = []
        parts = mapping(root, faults, ("tests",))
        nodes = items(parts["tests"], faults) if "tests" in parts else []
        if faults:
            results.append(_unreadable(place, tuple(faults)))
        results.extend(_run(node, f"{place}:{node.line}", bundle, locate) for node in nodes)
    return tuple(results)


def _unreadable(place: str, faults: tuple[FileFault, ...]) -> TestResult:
    en = "; ".join(f"line {fault.line}: {fault.en}" for fault in faults)
    zh = "；".join(f"第 {fault.line} 行：{fault.zh}" for fault in faults)
    return TestResult(place, f"{place}:{faults[0].line}", en, zh, faults=faults)


def _stray(path: Path) -> FileFault:
    """A test in `10-civil.yml` would be taken for one that passes."""
    return FileFault(
        str(path), 1, 1, "P088", "is not read: test files end in .yaml", "不会被读取：测试文件须以 .yaml 结尾",
        "rename or remove it", "请改名或移走",
    )  # fmt: skip


def no_tests(folder: Path) -> FileFault:
    """What is said of policies that nothing holds to what they are meant to do."""
    return FileFault(
        str(folder / "tests"), 1, 1, "P095", "there are no tests: nothing would notice a rule that allows too much",
        "没有测试：规则放行过多时无从发现",
        "write tests/NAME.yaml: `tests: [{name: …, given: {role: clerk}, request: GET /…, expect: permit}]`",
        "请编写 tests/名称.yaml：`tests: [{name: …, given: {role: clerk}, request: GET /…, expect: permit}]`", True,
    )  # fmt: skip


def _run(node: Node, place: str, bundle: Bundle, locate: Locate) -> TestResult:
    faults: Faults = []
    parts = mapping(node, faults, KEYS)
    faults.extend(
        node.fault("P003", f"`{k}` is missing", f"缺少 `{k}`") for k in ("name", "request", "expect") if k not in parts
    )
    if faults:
        return _unreadable(place, tuple(faults))
    name = text(parts["name"], faults)
    method, _, path = text(parts["request"], faults).partition(" ")
    expected = one_of(parts["expect"], faults, OUTCOMES, "P092", "outcome", "结果")
    if "reason" in parts:
        one_of(parts["reason"], faults, REASONS, "P073", "reason", "原因代码")
    if "rule" in parts and parts["rule"].value not in bundle.denies:
        faults.append(
            parts["rule"].fault(
                "P093", f"no rule `{plain(parts['rule'])}`", f"没有名为 `{plain(parts['rule'])}` 的规则"
            )
        )
    if faults or not path:
        return _unreadable(
            place, tuple(faults) or (parts["request"].fault("P094", "expected `GET /path`", "此处应为 `GET /路径`"),)
        )
    try:
        facts = suppose(locate(method, path), method, path, parts.get("given", NOTHING_GIVEN), bundle.content.timezone, bundle.granted)
    except Impossible as error:
        return _unreadable(place, error.faults)
    strength: Strength = BY_GRADE[facts.asset.grade.national]
    decision = decide(bundle, facts, strength)
    if isinstance(decision, Permit) and decision.would is not None:  # tests say what enforce says
        decision = decision.would
    return _compare(name, place, parts, expected, decision)


def _compare(name: str, place: str, parts: dict[str, Node], expected: str, decision: Decision) -> TestResult:
    seen = _seen(decision)
    en, zh = [], []
    for key in ("expect", "rule", "reason", "mask", "notify", "log"):
        if key not in parts:
            continue
        wanted = expected if key == "expect" else parts[key].plain()
        if not _fits(key, wanted, seen[key]):
            shown = ", ".join(seen[key]) if isinstance(seen[key], list) else seen[key]
            en.append(f"{key}: expected {_show(wanted)}, got {shown or 'nothing'}")
            zh.append(f"{key}：预期 {_show(wanted)}，实际 {shown or '无'}")
    return TestResult(name, place, "; ".join(en), "；".join(zh), outcome(decision))


def _seen(decision: Decision) -> dict[str, str | list[str]]:
    seen: dict[str, str | list[str]] = {
        "expect": outcome(decision),
        "rule": [reason.detail for reason in decision.reasons if reason.rule],
        "reason": decision.reasons[0].code,
    }
    if not isinstance(decision, Permit):
        return seen | {"mask": [], "notify": [], "log": ""}
    fields = (f"{field.path}={field.technique}" for field in decision.mask.fields)
    return seen | {
        "mask": [decision.mask.profile, *fields],
        "notify": [notice.topic for notice in decision.obligations],
        "log": decision.strength,
    }


def _fits(key: str, wanted: object, seen: str | list[str]) -> bool:
    if isinstance(wanted, dict):  # mask: {$..id_number: partial(1,1)}
        return all(f"{path}={how}" in seen for path, how in wanted.items())
    if isinstance(seen, list) and key == "mask":
        return seen[:1] == [wanted]
    if isinstance(seen, list):
        wishes = wanted if isinstance(wanted, list) else [wanted]
        return all(wish in seen for wish in wishes)
    return wanted == seen


def _show(wanted: object) -> str:
    if isinstance(wanted, dict):
        return ", ".join(f"{key}={value}" for key, value in wanted.items())
    return ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


def outcome(decision: Decision) -> str:
    """`permit`, `challenge` or `deny`."""
    if isinstance(decision, Permit):
        return "permit"
    return "challenge" if isinstance(decision, Challenge) else "deny"
