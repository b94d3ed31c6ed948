"""Do the policies do what their authors wrote down?

Runs `tests/*.yaml` beside the rules: each test supposes a caller, asks a request, and names what must come out.

1. A test that cannot be read has failed; it is never skipped.
2. Tests are read once (`read_tests`) and can be run many times, against other rules: that is what mutation needs.
3. `rule` names rules that had a say, `rules` all of them and no other (`[]`: none had one).
4. `rows` names all row filters of a permit with all their values (`{}`: none), `most` how many records it is for,
   `suppress` its k, and by which paths (`{}`: nothing is suppressed).
5. A test may say under which emergency level it is asked (`emergency: II`); what enforce says is what counts.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, get_args

from msgspec import Struct

from gateway.document import Faulty, FileFault, Node, Plain, did_you_mean, read
from gateway.facts import Asset, Challenge, Decision, Facts, Permit, Strength, Suppress
from gateway.policy.bundle import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.duties import ASSURANCES
from gateway.policy.overlays import LEVELS
from gateway.policy.profiles import LEAST, MOST
from gateway.policy.shapes import Faults, items, mapping, one_of, required, text, texts, whole_number
from gateway.policy.suppose import Impossible, suppose
from gateway.reasons import REASONS

_SHOWN = ("mask", "rows", "most", "suppress", "watermark", "forwarded")
WISHES = ("expect", "rule", "rules", "reason", *_SHOWN, "notify", "log", "step_up", "max_age")
KEYS = ("name", "given", "request", *WISHES, "emergency")
OUTCOMES = ("permit", "challenge", "deny")
MEANT = {"allow": "permit", "step_up": "challenge"}
"""What `effect` and `then` call it."""
NOTHING_GIVEN = Node({}, "", 1, 1)
MAX_AGE = 86400
MAX_RECORDS = 1_000_000_000

Wishes = dict[str, Plain]
"""What must come out, by the keys of WISHES."""

Seen = dict[str, str | list[str] | int]
"""What came out, by the same keys."""

Locate = Callable[[str, str], Asset]
"""The asset of a method and a path, as the catalog sees it."""


class Example(Struct, frozen=True, eq=False):
    """One test that could be read: what it supposes, asks, and wishes (a key of WISHES → what must come out)."""

    name: str
    place: str
    method: str
    path: str
    given: Node
    wishes: Wishes
    node: Node  # the whole of it, for faults
    emergency: str = ""


class TestResult(Struct, frozen=True):
    """One test: its name, where it stands, and what went otherwise ("" when it passed)."""

    __test__: ClassVar[bool] = False  # its name makes pytest look inside
    name: str
    place: str
    en: str
    zh: str
    outcome: str = ""
    faults: tuple[FileFault, ...] = ()  # why it could not be read
    asset: Asset | None = None  # what was asked for
    decision: Decision | None = None  # what enforce says
    facts: Facts | None = None  # what was supposed
    example: Example | None = None  # what was run

    @property
    def passed(self) -> bool:
        """Whether everything came out as written."""
        return not self.en

    @property
    def remedy(self) -> tuple[str, str]:
        """What to do about a failure that comes of the catalog; ("", "") where only its author knows."""
        if self.passed or self.asset is None or self.asset.listed:
            return "", ""
        file = self.place.rpartition(":")[0]
        return (
            f"list the endpoint in catalog/; or, where its API is gone from gateway.yaml, edit or remove the tests in {file} that speak of it",
            f"请在 catalog/ 中登记该接口；若其 API 已从 gateway.yaml 中删除，请修改或删除 {file} 中涉及它的测试",
        )


def run_tests(folder: Path, bundle: Bundle, locate: Locate) -> tuple[TestResult, ...]:
    """Run every test of the policy folder. Never raises for what a file says."""
    levels = {"": bundle}
    return tuple(one if isinstance(one, TestResult) else run_example(one, levels, locate) for one in read_tests(folder))


def read_tests(folder: Path) -> Iterator[Example | TestResult]:
    """Every test of the policy folder, in order; one that cannot be read as the result it has already."""
    for path in sorted((folder / "tests").glob("[!.]*")):
        place = f"tests/{path.name}"
        if path.suffix != ".yaml":
            yield _unreadable(place, (_stray(path),))
            continue
        try:
            root = read(path)
        except Faulty as faulty:
            yield _unreadable(place, faulty.faults)
            continue
        yield from read_examples(root, place)


def read_examples(root: Node, place: str) -> Iterator[Example | TestResult]:
    """The tests of one file; `place` is its name relative to the policy folder."""
    faults: Faults = []
    parts = mapping(root, faults, ("tests",))
    nodes = items(parts["tests"], faults) if "tests" in parts else []
    if faults:
        yield _unreadable(place, tuple(faults))
    for node in nodes:
        yield _example(node, f"{place}:{node.line}")


def _unreadable(place: str, faults: tuple[FileFault, ...], name: str = "") -> TestResult:
    """A test, or a whole file of them, that cannot be run; it stands where its first fault is."""
    file, _, line = place.rpartition(":")
    en = "; ".join(f"line {one.line}: {one.en}" + (f" ({one.remedy_en})" if one.remedy_en else "") for one in faults)
    zh = "；".join(f"第 {one.line} 行：{one.zh}" + (f"（{one.remedy_zh}）" if one.remedy_zh else "") for one in faults)
    return TestResult(name or place, f"{file if line.isdigit() else place}:{faults[0].line}", en, zh, faults=faults)


def _stray(path: Path) -> FileFault:
    """A test in `10-civil.yml` would be taken for one that passes."""
    return FileFault(
        str(path), 1, 1, "P088", "is not read: test files end in .yaml", "不会被读取：测试文件须以 .yaml 结尾",
        "rename or remove it", "请改名或移走",
    )  # fmt: skip


def failure(folder: Path, result: TestResult) -> FileFault:
    """That a test fails, as a fault at its place."""
    file, _, line = result.place.rpartition(":")
    where = (file, int(line)) if line.isdigit() else (result.place, 1)
    return FileFault(
        str(folder / where[0]), where[1], 1, "P098",
        f"the test `{result.name}` fails: {result.en}", f"测试 `{result.name}` 未通过：{result.zh}", *result.remedy,
    )  # fmt: skip


def no_tests(folder: Path) -> FileFault:
    """What is said of policies that nothing holds to what they are meant to do."""
    return FileFault(
        str(folder / "tests"), 1, 1, "P095", "there are no tests: nothing would notice a rule that allows too much",
        "没有测试：规则放行过多时无从发现",
        "write tests/NAME.yaml: `tests: [{name: …, given: {role: clerk}, request: GET /…, expect: permit}]`",
        "请编写 tests/名称.yaml：`tests: [{name: …, given: {role: clerk}, request: GET /…, expect: permit}]`", True,
    )  # fmt: skip


def _example(node: Node, place: str) -> Example | TestResult:
    faults: Faults = []
    parts = mapping(node, faults, KEYS)
    required(node, parts, ("name", "request", "expect"), faults)
    if faults:
        return _unreadable(place, tuple(faults))
    name = text(parts["name"], faults)
    method, _, path = text(parts["request"], faults).partition(" ")
    _check_words(parts, faults)
    if not faults and not path:
        faults.append(parts["request"].fault("P094", "expected `GET /path`", "此处应为 `GET /路径`"))
    if faults:
        return _unreadable(place, tuple(faults), name)
    wishes = {key: parts[key].plain() for key in WISHES if key in parts}
    emergency = str(parts["emergency"].value) if "emergency" in parts else ""
    return Example(name, place, method, path, parts.get("given", NOTHING_GIVEN), wishes, node, emergency)


def _check_words(parts: dict[str, Node], faults: Faults) -> None:
    one_of(parts["expect"], faults, OUTCOMES, "P092", "outcome", "结果", MEANT)
    mapping(parts.get("given", NOTHING_GIVEN), faults)
    for key in ("rule", "rules", "notify"):
        if key in parts and not (key == "rules" and parts[key].value == []):
            texts(parts[key], faults)
    if "mask" in parts and not (isinstance(parts["mask"].value, dict) and parts["mask"].value):
        text(parts["mask"], faults)
    for values in mapping(parts["rows"], faults).values() if "rows" in parts else ():
        if values.value != []:
            texts(values, faults)
    rare = mapping(parts["suppress"], faults, ("k", "by")) if "suppress" in parts else {}
    if "k" in rare:
        whole_number(rare["k"], faults, LEAST, MOST)
    if "by" in rare:
        texts(rare["by"], faults)
    if "most" in parts:
        whole_number(parts["most"], faults, 0, MAX_RECORDS)
    if "log" in parts:
        one_of(parts["log"], faults, get_args(Strength), "P071", "log strength", "日志强度")
    if "reason" in parts:
        one_of(parts["reason"], faults, REASONS, "P073", "reason", "原因代码")
    if "step_up" in parts:
        one_of(parts["step_up"], faults, ASSURANCES, "P072", "assurance", "认证强度")
    if "max_age" in parts:
        whole_number(parts["max_age"], faults, 0, MAX_AGE)
    if "emergency" in parts:
        one_of(parts["emergency"], faults, LEVELS, "P054", "emergency level", "应急响应级别")


def run_example(example: Example, levels: dict[str, Bundle], locate: Locate) -> TestResult:
    """Run one test. `levels` has the bundle under "", and remembers what it is while an emergency level is in force."""
    try:
        bundle, facts = supposed(example, levels, locate)
    except Impossible as error:
        return _unreadable(example.place, error.faults, example.name)
    return judge(example, bundle, facts)


def supposed(example: Example, levels: dict[str, Bundle], locate: Locate) -> tuple[Bundle, Facts]:
    """The bundle that a test is about, and what it supposes. Raises Impossible."""
    bundle = levels.get(example.emergency)
    if bundle is None:
        bundle = levels[example.emergency] = _raised(example, levels[""])
    unknown = [
        example.node.at([key]).fault(
            "P093", f"no rule `{word}`", f"没有名为 `{word}` 的规则", *did_you_mean(str(word), bundle.denies)
        )
        for key in ("rule", "rules")
        for word in _words(example.wishes.get(key))
        if word not in bundle.denies
    ]
    if unknown:
        raise Impossible(unknown)
    asset = locate(example.method, example.path)
    zone = bundle.content.timezone
    return bundle, suppose(asset, example.method, example.path, example.given, zone, bundle.granted, bundle.exposed)


def _raised(example: Example, bundle: Bundle) -> Bundle:
    try:
        return bundle.raised(example.emergency)
    except ValueError:
        level = example.emergency
        raise Impossible(
            [
                example.node.at(["emergency"]).fault(
                    "P054", f"the policies have no emergency level `{level}`", f"策略中没有 `{level}` 级应急响应"
                )
            ]
        ) from None


def judge(example: Example, bundle: Bundle, facts: Facts) -> TestResult:
    """Whether the decision about these facts is what the test wishes."""
    return _compare(example, facts, enforced(bundle, facts))


def enforced(bundle: Bundle, facts: Facts) -> Decision:
    """What enforce says, with the log strength that the grade demands by default."""
    strength: Strength = BY_GRADE[facts.asset.grade.national]
    decision = decide(bundle, facts, strength)
    if isinstance(decision, Permit) and decision.would is not None:  # tests say what enforce says
        return decision.would
    return decision


def _compare(example: Example, facts: Facts, decision: Decision) -> TestResult:
    seen = seen_in(decision)
    en, zh = [], []
    for key, wanted in example.wishes.items():
        if not fits(key, wanted, seen[key]):
            wish, came = _show(wanted), _came(key, wanted, seen[key])
            en.append(f"{key}: expected {wish}, got {came or 'nothing'}")
            zh.append(f"{key}：预期 {wish}，实际 {came or '无'}")
    if en and not facts.asset.listed:
        en.append(f"the catalog lists no `{example.method} {example.path}`")
        zh.append(f"目录未登记 `{example.method} {example.path}`")
    return TestResult(
        example.name,
        example.place,
        "; ".join(en),
        "；".join(zh),
        outcome(decision),
        (),
        facts.asset,
        decision,
        facts,
        example,
    )


def seen_in(decision: Decision) -> Seen:
    """What came out, under the keys that a test can name."""
    rules = list(dict.fromkeys(reason.detail for reason in decision.reasons if reason.rule))  # one may give two reasons
    seen: Seen = {
        "expect": outcome(decision),
        "rule": rules,
        "rules": rules,
        "reason": decision.reasons[0].code,
        "mask": [],
        "rows": [],
        "most": 0,
        "suppress": [],
        "watermark": False,
        "forwarded": "",
        "notify": [],
        "log": "",
        "step_up": "",
        "max_age": "",
    }
    if isinstance(decision, Challenge):
        return seen | {"step_up": decision.acr_values, "max_age": "" if decision.max_age is None else decision.max_age}
    if not isinstance(decision, Permit):
        return seen
    fields = (f"{field.path}={field.technique}" for field in decision.mask.fields)
    return seen | {
        "mask": [decision.mask.profile, *fields],
        "rows": [pair for row in decision.mask.rows for pair in _pairs(row.field, list(row.values))],
        "most": decision.mask.most,
        "suppress": _suppressed(decision.mask.suppress),
        "watermark": decision.mask.watermark,
        "forwarded": decision.forwarding.profile if decision.forwarding is not None else "",
        "notify": [notice.topic for notice in decision.obligations],
        "log": decision.strength,
    }


def _suppressed(rare: Suppress | None) -> list[str]:
    return [] if rare is None else [f"k={rare.k}", *(f"by={path}" for path in rare.fields)]


def _pairs(field: str, values: Plain) -> list[str]:
    """A filter as it is compared: a pair for each value it lets pass, and one for a filter that lets nothing pass."""
    words = values if isinstance(values, list) else [values]
    return [f"{field}={word}" for word in words] or [f"{field}="]


def _wished(wanted: Plain) -> list[str]:
    """A mapping that is wished for, as pairs."""
    said = wanted.items() if isinstance(wanted, dict) else ()
    return [pair for name, value in said for pair in _pairs(name, value)]


def fits(key: str, wanted: Plain, seen: str | list[str] | int) -> bool:
    """Whether what came out under a key is what was wished for."""
    if key == "rows" and isinstance(seen, list):  # rows: {$.district: [hz]}
        return set(_wished(wanted)) == set(seen)
    if key == "suppress" and isinstance(seen, list):  # suppress: {k: 5, by: [$..gender]}
        said = wanted if isinstance(wanted, dict) else {}
        return set(_wished(wanted)) == {pair for pair in seen if not said or pair.partition("=")[0] in said}
    if isinstance(wanted, dict):  # mask: {$..id_number: partial(1,1)}
        return isinstance(seen, list) and all(pair in seen for pair in _wished(wanted))
    if isinstance(seen, list) and key == "mask":  # none+pii-strict, in any order
        return bool(seen) and sorted(str(wanted).split("+")) == sorted(seen[0].split("+"))
    if isinstance(seen, list) and key == "rules":
        return set(_words(wanted)) == set(seen)
    if isinstance(seen, list):
        return all(wish in seen for wish in _words(wanted))
    return wanted == seen


def _words(wanted: Plain) -> list[Plain]:
    """One word or several; nothing for nothing."""
    if wanted is None:
        return []
    return wanted if isinstance(wanted, list) else [wanted]


def _show(wanted: Plain) -> str:
    """A wish as it is written in a test."""
    if isinstance(wanted, dict):
        return ", ".join(_wished(wanted)) or "{}"
    return ", ".join(map(_word, wanted)) if isinstance(wanted, list) else _word(wanted)


def _came(key: str, wanted: Plain, seen: str | list[str] | int) -> str:
    """What came out, as far as it was asked for: a mask is its name, or the fields that were named."""
    if key == "mask" and isinstance(seen, list):
        asked = tuple(f"{path}=" for path in wanted) if isinstance(wanted, dict) else ()
        seen = [field for field in seen[1:] if field.startswith(asked)] if asked else seen[:1]
    return ", ".join(seen) if isinstance(seen, list) else _word(seen)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def outcome(decision: Decision) -> str:
    """`permit`, `challenge` or `deny`."""
    if isinstance(decision, Permit):
        return "permit"
    return "challenge" if isinstance(decision, Challenge) else "deny"
