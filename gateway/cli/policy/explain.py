"""`gateway policy explain`: why this decision?

For a request that is supposed (`--as --do --given`) by the policies of a folder or a stored revision, under an
emergency level or none, or for a decision on record (`recall.py`). `--for` says who asks: a caller hears less than an operator, an auditor something else.
"""

import argparse
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.policy.clauses import tell
from gateway.cli.policy.meant import judging
from gateway.cli.policy.recall import recall
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.catalog import Catalog
    from gateway.document import Node
    from gateway.facts import Facts
    from gateway.policy import Bundle

AUDIENCES = ("caller", "operator", "auditor")

WORDS = {
    "policy.explain.for": (
        "who asks why: caller (what the answer said), operator (rules and values; default), auditor (grounds and record)",
        "由谁询问：caller（调用方得到的答复）、operator（规则与取值，默认）、auditor（依据与留痕）",
    ),
    "policy.explain.state": (
        "with a decision id: read this state directory instead of asking the gateway",
        "配合判定编号：读取该状态目录，而不询问网关",
    ),
    "policy.explain.examples": (
        "examples:\n"
        "  a clerk reads a household:\n"
        "    gateway policy explain --as zhang.wei --do 'GET /civil/households/1' --given role=clerk --given org=prov/civil\n"
        "  what an auditor would still need:\n"
        "    gateway policy explain --as li.na --do 'GET /health/visits/9' --given role=auditor --given org=prov\n"
        "  the same while emergency level II is in force, by the policies that decide now:\n"
        "    gateway policy explain --as li.na --do 'GET /health/visits/9' --policies active --emergency II\n"
        "  what a caller was told; where a decision stands on record, judged again:\n"
        "    gateway policy explain 20260921T133320-w0-abc123.7 --for caller\n"
        "    gateway policy explain 20260921T133320-w0-abc123.7 --for auditor --state /backup/state\n"
        "exit codes: 0 allowed, or told · 1 not allowed, or not on record · 2 usage · 3 could not find out\n"
        "  4 judged again it is another decision than on record · 5 could not be judged again",
        "示例：\n"
        "  gateway policy explain --as 张伟 --do 'GET /civil/households/1' --given role=clerk --given org=prov/civil\n"
        "  gateway policy explain --as 李娜 --do 'GET /health/visits/9' --given role=auditor --given org=prov  # 还缺什么\n"
        "  gateway policy explain --as 李娜 --do 'GET /health/visits/9' --policies active --emergency II  # 应急级别 II 生效时\n"
        "  gateway policy explain 20260921T133320-w0-abc123.7 --for caller  # 调用方得到的答复\n"
        "  gateway policy explain 20260921T133320-w0-abc123.7 --for auditor --state /backup/state  # 留痕与重新判定\n"
        "退出码：0 允许或已说明 · 1 不允许或没有记录 · 2 用法错误 · 3 无法查明 · 4 重新判定与记录不一致 · 5 无法重新判定",
    ),
    "policy.explain.policies": (
        "a folder (default: as the configuration says), `active`, or the digest of a stored revision; `+II` behind one of these two: at that emergency level",
        "策略目录（默认取自配置）、`active`，或已存版本的摘要；摘要后加 `+II` 表示处于该应急级别",
    ),
    "policy.explain.emergency": (
        "suppose that this emergency level is in force",
        "假设该应急级别已生效",
    ),
    "policy.explain.no_level": (
        "the policies have no emergency level `{value}`; they have: {known}",
        "策略中没有应急级别 `{value}`；已有：{known}",
    ),
    "policy.explain.level_alone": (
        "--emergency goes with a supposed request: a decision on record had its own level",
        "--emergency 须配合假设的请求使用：已有记录的判定自带当时的级别",
    ),
    "policy.explain.then": (
        "by the policies that decided: the same with --policies {name}",
        "用作出该判定的策略再问：加上 --policies {name}",
    ),
    "policy.explain.both": (
        "either a decision id, or a supposed request (--as --do --given), not both",
        "判定编号与假设的请求（--as --do --given）只能二选一",
    ),
    "policy.explain.state_alone": (
        "--state goes with a decision id: a supposed request is on no record",
        "--state 须配合判定编号使用：假设的请求没有记录",
    ),
    "policy.explain.odd_id": (
        "`{value}` is not a decision id: one looks like 20260921T133320-w0-abc123.7 (`decision_id` of the answer, X-Gateway-Decision)",
        "`{value}` 不是判定编号：形如 20260921T133320-w0-abc123.7（见答复中的 decision_id 或 X-Gateway-Decision）",
    ),
    "policy.explain.no_verdict": ("entry `{id}` is not a decision", "记录 `{id}` 不是一项判定"),
    "policy.explain.unknown": (
        "the policies do not know the {what} `{value}`, so it counts for nothing. {hint}",
        "策略中没有{what} `{value}`，因此不起作用。{hint}",
    ),
    "policy.explain.closest": ("the catalog lists: {hint}", "目录中有：{hint}"),
    "policy.explain.helps": ("would be allowed:", "满足以下任一项即可允许："),
    "policy.explain.ends": ("the permit would end:", "出现以下任一情况即不再允许："),
    "policy.explain.only_owner": (
        "no change of the caller's own would help: ask the owner of the data, {owner}",
        "调用方自身的改变均无济于事：请联系数据责任部门 {owner}",
    ),
    "policy.explain.no_owner": (
        "no change of the caller's own would help: only the owner of the data could, and the catalog names none",
        "调用方自身的改变均无济于事：只有数据责任部门可以处理，而目录中未指定责任部门",
    ),
    "policy.explain.cut": ("not everything was tried: there may be other ways", "未尝试全部组合：可能还有其他途径"),
    "policy.explain.grade_field": (
        "grade  {grade}, by field {name}; the asset itself is {own}",
        "级别  {grade}，由字段 {name} 提高；资产本身为 {own}",
    ),
    "policy.explain.grade_endpoint": (
        "grade  {grade}, by endpoint {name}; the asset itself is {own}",
        "级别  {grade}，由端点 {name} 提高；资产本身为 {own}",
    ),
    "policy.explain.grade_api": (
        "grade  {grade}, by API `{name}`; the asset itself is {own}",
        "级别  {grade}，由接口 `{name}` 提高；资产本身为 {own}",
    ),
    "policy.explain.grade_aggregation": (
        "grade  {grade}, by aggregation rule `{name}`; the asset itself is {own}",
        "级别  {grade}，由汇聚规则 `{name}` 提高；资产本身为 {own}",
    ),
    "policy.explain.supposed": (
        "supposed, on no record: a decision id gives the place in the ledger and judges it again",
        "此为假设，没有记录：给出判定编号方可查明其在审计日志中的位置并重新判定",
    ),
    "policy.explain.afterwards": ("after the decision", "判定之后"),
    "policy.explain.entry": ("entry of the ledger", "审计日志记录号"),
    "policy.explain.checkpoint": ("checkpoint", "检查点"),
    "policy.explain.covered": (
        "covered by the signed checkpoint of {size} entries",
        "已由 {size} 条记录的签名检查点覆盖",
    ),
    "policy.explain.open": (
        "not yet covered: the last signed checkpoint has {size} entries",
        "尚未覆盖：最近的签名检查点为 {size} 条记录",
    ),
    "policy.explain.unseen": ("the state directory cannot be read from here", "此处无法读取状态目录"),
    "policy.explain.prove": ("proof of inclusion", "包含证明"),
    "policy.explain.replay": ("judged again", "重新判定"),
    "policy.explain.replay_same": ("the same, byte for byte", "与记录逐字节一致"),
    "policy.explain.replay_differs": (
        "NOT the same; other than on record: {fields}",
        "与记录不一致，存在差异的字段：{fields}",
    ),
    "policy.explain.no_revision": (
        "legal basis and owners of rules are not told: {why}",
        "无法说明规则的依据与责任部门：{why}",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "explain", help="policy.explain.help", description="policy.explain.help", epilog="policy.explain.examples"
    )
    with_config(parser)
    parser.add_argument("decision", nargs="?", default="", metavar="DECISION", help="policy.decision")
    parser.add_argument("--as", dest="who", default="", metavar="NAME", help="policy.as")
    parser.add_argument("--do", dest="what", default="", metavar="REQUEST", help="policy.do")
    parser.add_argument("--given", action="append", default=[], metavar="NAME=VALUE", help="policy.given")
    parser.add_argument("--for", dest="audience", choices=AUDIENCES, default="operator", help="policy.explain.for")
    parser.add_argument("--policies", dest="dir", default="", metavar="POLICIES", help="policy.explain.policies")
    parser.add_argument("--emergency", default="", metavar="LEVEL", help="policy.explain.emergency")
    parser.add_argument("--socket", default="", metavar="PATH", help="socket")
    parser.add_argument("--state", default="", metavar="DIR", help="policy.explain.state")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain a supposed request (0 allowed, 1 not) or a recorded decision (see `recall`)."""
    screen = Screen(args)
    supposed = bool(args.who or args.what or args.given)
    if args.decision and supposed:
        screen.warn("policy.explain.both", "error")
        return 2
    if args.decision and args.emergency:
        screen.warn("policy.explain.level_alone", "error")
        return 2
    if args.decision:
        return recall(args, screen)
    if args.state:
        screen.warn("policy.explain.state_alone", "error")
        return 2
    if not args.who or not args.what:
        screen.warn("policy.what", "error")
        return 2
    method, _, path = args.what.partition(" ")
    if not method.isalpha() or not path.startswith("/"):
        screen.warn("policy.request_odd", "error", value=args.what)
        return 2
    found = _policies(args, screen)
    if found is None:
        return 3
    bundle, catalog = found
    if args.emergency:
        if args.emergency not in bundle.content.overlays:
            known = ", ".join(sorted(bundle.content.overlays)) or screen.choose("none", "无")
            screen.warn("policy.explain.no_level", "error", value=args.emergency, known=known)
            return 2
        bundle = bundle.raised(args.emergency)
    return _suppose(args, screen, bundle, catalog, method.upper(), path)


def _policies(args: argparse.Namespace, screen: Screen) -> "tuple[Bundle, Catalog] | None":
    """The policies that are meant, of a folder or stored; None after saying why there are none."""
    if args.dir and not Path(args.dir).is_dir():
        from gateway.cli.policy.stored import installed, side

        stored = side(args.dir, installed(args), screen)
        return (stored.bundle, stored.catalog) if stored else None
    found = judging(args, screen)
    return None if isinstance(found, int) else (found.bundle, found.catalog)


def _suppose(
    args: argparse.Namespace, screen: Screen, bundle: "Bundle", catalog: "Catalog", method: str, path: str
) -> int:
    """Explain a supposed request: 0 when it would be allowed, 1 when not."""
    from msgspec.structs import replace

    from gateway.policy import Impossible, suppose

    try:
        given = _given(args.who, args.given)
    except ValueError as odd:
        screen.warn("policy.given_odd", "error", value=odd)
        return 2
    asset = catalog.find(method, path.partition("?")[0])
    try:
        facts = suppose(asset, method, path, given, bundle.content.timezone, bundle.granted, bundle.exposed)
    except Impossible as impossible:
        screen.faults(impossible.faults)
        return 2
    facts = replace(facts, asset=catalog.aggregated(asset, facts.exposure))  # what was shown today may raise the grade
    _warn(screen, bundle, catalog, facts)
    if args.audience == "operator":
        return _operator(screen, bundle, catalog, facts)
    return {"caller": _caller, "auditor": _auditor}[args.audience](screen, bundle, facts)


def _caller(screen: Screen, bundle: "Bundle", facts: "Facts") -> int:
    from gateway.policy import Policy
    from gateway.review.audience import told_of

    told = told_of(Policy(bundle).decide(facts), screen.language)
    screen.line(told.text(screen.language))
    screen.result(told)
    return 0 if told.outcome == "permit" else 1


def _operator(screen: Screen, bundle: "Bundle", catalog: "Catalog", facts: "Facts") -> int:
    from msgspec import to_builtins

    explanation, raised, found = tell(screen, bundle, catalog, facts)
    more = {"flips": to_builtins(found.flips), "searched": found.complete}
    grade = {"own": raised.own.text, "by": raised.by, "name": raised.name} if raised else None
    screen.result(to_builtins(explanation) | more | {"raised": grade})
    return 0 if explanation.outcome == "permit" else 1


def _auditor(screen: Screen, bundle: "Bundle", facts: "Facts") -> int:
    from gateway.audit import Digests
    from gateway.audit.entry import verdict_entry
    from gateway.policy import Policy
    from gateway.review.audience import audited

    entry = verdict_entry("supposed", 0, facts, Policy(bundle).decide(facts), Digests(bytes(32)))
    account = audited(entry, bundle)
    screen.table((screen.text("policy.fact"), screen.text("policy.value")), account.rows(screen.language))
    screen.warn("policy.explain.supposed", "dim")
    screen.result({"audited": account, "record": None, "replay": None})
    return 0 if entry.outcome == "permit" else 1


def _given(who: str, words: list[str]) -> "Node":
    """What is supposed, as the mapping that a test would write. Raises ValueError for an odd word."""
    from gateway.document import Faulty, Node, parse

    given = {"as": Node(who, "--as", 1, 1)}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(word)
        try:
            given[name] = parse(value, f"--given {word}")
        except Faulty:
            raise ValueError(word) from None
    return Node(given, "--given", 1, 1)


def _warn(screen: Screen, bundle: "Bundle", catalog: "Catalog", facts: "Facts") -> None:
    """Say what counts for nothing because the policies do not know it: a slip that looks like a denial."""
    content, subject = bundle.content, facts.subject
    if not facts.asset.listed:
        screen.warn("policy.unlisted", "warning", value=facts.ask.path)
        _closest(screen, f"{facts.ask.method} {facts.ask.path}", (e for one in catalog.assets for e in one.endpoints))
    for role in subject.roles:
        _unknown(screen, ("role", "角色"), role, content.declared)
    if subject.org:
        _unknown(screen, ("org", "机构"), subject.org, content.offices)
    for grant in facts.grant.ids:
        _unknown(screen, ("sharing grant", "共享授权"), grant, [one.id for one in content.grants])


def _unknown(screen: Screen, what: tuple[str, str], value: str, known: Collection[str]) -> None:
    from gateway.document import did_you_mean

    if value not in known:
        hint = screen.choose(*did_you_mean(value, known))
        screen.warn("policy.explain.unknown", "warning", what=screen.choose(*what), value=value, hint=hint)


def _closest(screen: Screen, asked: str, listed: Iterable[str]) -> None:
    from difflib import get_close_matches

    close = get_close_matches(asked, sorted(set(listed)), n=3, cutoff=0.7)
    if close:
        screen.warn("policy.explain.closest", "dim", hint=", ".join(close))
