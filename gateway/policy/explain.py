"""Why was it decided so, and what was nearly enough?

For operators and authors only: it names rules, thresholds and the values seen, which a caller must never learn.
Every rule is looked at clause by clause (action, data, who, org, level, until, when); of the allows that did not
match, the nearest are shown with the first part of their condition that is false and the values it saw.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import Decision, Facts, Mask, Permit, RowFilter
from gateway.policy.allowance import Allowance, allowances
from gateway.policy.bundle import Bundle
from gateway.policy.condition import FAILURES, Clause
from gateway.policy.content import Row
from gateway.policy.decide import BY_GRADE, decide, stopped
from gateway.policy.engine import Sub
from gateway.policy.examples import outcome
from gateway.policy.grants import Lapsed
from gateway.policy.levels import span
from gateway.policy.native.source import LAYER
from gateway.policy.native.verdict import Native
from gateway.reasons import REASONS

CLAUSES = ("action", "data", "who", "org", "level", "until", "when")
DATA = CLAUSES.index("data")
NEAREST = 3
SUPPRESS = "suppress"  # no path, where those of the fields stand

Language = Literal["en", "zh-CN"]


class ClauseSeen(Struct, frozen=True):
    """One clause of a rule: whether it holds, what the rule asks for, and what the request has."""

    name: str
    holds: bool
    asks: str
    has: str


class WhenSeen(Struct, frozen=True):
    """The first false part of a condition: its place in the text, and the values it saw."""

    text: str
    start: int
    end: int
    values: tuple[tuple[str, str], ...]


class RuleSeen(Struct, frozen=True):
    """One rule as it met the request."""

    id: str
    effect: str
    place: str
    title_en: str
    title_zh: str
    clauses: tuple[ClauseSeen, ...]
    when: WhenSeen | None = None
    layer: str = ""  # base, province, department:ORG, city:ORG, emergency:LEVEL, casbin

    @property
    def applies(self) -> bool:
        """Whether every clause holds."""
        return all(clause.holds for clause in self.clauses)


class Explanation(Struct, frozen=True):
    """A decision with its grounds; `msgspec.json.encode` gives the JSON form."""

    outcome: str
    reasons: tuple[tuple[str, str, str], ...]  # code, place, detail
    bundle: str
    applied: tuple[RuleSeen, ...]
    nearest: tuple[RuleSeen, ...]
    denies_checked: int
    denies_applied: int
    mask: tuple[tuple[str, str], ...] = ()
    profile: str = ""
    would: str = ""  # in observe: what enforce would have said
    layers: tuple[str, ...] = ()  # of the rules that decided
    grants: tuple[str, ...] | None = None  # sharing grants that are held; None when no rule shown asks for any
    approved: bool = False  # one of them carries an approval
    lapsed: tuple[Lapsed, ...] = ()  # sharing grants that only the day keeps from being held
    log: str = ""  # of a permit: written, or synced to disk before anything is forwarded
    notify: tuple[str, ...] = ()  # of a permit: who is told
    request: tuple[tuple[str, str], ...] = ()  # that no row of a casbin policy allows: its tokens as they were filled
    filters: tuple[RowFilter, ...] = ()  # of a permit: which records of the answer this caller sees
    watermark: bool = False  # of a permit: the answer names its recipient
    forwarded: tuple[tuple[str, str], ...] = ()  # of a permit: what its service may not have of the request
    forwarding: str = ""  # of a permit: the profile that says so
    most: int = 0  # of a permit: for how many records at most; 0 for any number
    beyond: tuple[tuple[str, str], ...] | None = None  # the mask for more than those; None: they are withheld
    budgets: tuple[Allowance, ...] = ()  # that count this request, once something was shown
    rows: tuple[tuple[str, str], ...] = ()  # rows about the same subject or object: place and text

    def text(self, language: Language = "en") -> str:
        """The explanation as lines for a terminal."""
        return "\n".join(_lines(self, language == "zh-CN"))

    def brief(self, language: Language = "en") -> tuple[str, ...]:
        """The least that an author needs: the reason, the rules that applied, and the rule that nearly allowed it."""
        zh = language == "zh-CN"
        code = self.reasons[0][0]
        said = f"{code}：{REASONS[code].zh}" if zh else f"{code}: {REASONS[code].en}"
        return (said, *_applied(self, zh), *(_near(self.nearest[0], zh) if self.nearest else ()))


def explain(bundle: Bundle, facts: Facts) -> Explanation:
    """Decide again, and say why."""
    decision = decide(bundle, facts, BY_GRADE[facts.asset.grade.national])
    if stopped(bundle, facts) is not None:
        return _explanation(bundle, facts, decision, (), ())
    rules = _all_rules(bundle, facts)
    applied = tuple(rule for rule in rules if rule.applies)
    missed = [] if any(r.effect == "allow" for r in applied) else [r for r in rules if r.effect == "allow"]
    missed.sort(key=_distance)
    about = [rule for rule in missed if rule.clauses[DATA].holds]
    missed = about[:NEAREST] or missed[:1]
    denies = sum(r.effect == "deny" for r in rules)
    if bundle.native is not None:
        applied += tuple(_native(bundle, bundle.native, facts))
        denies += sum(bundle.native.denies.values())
    explanation = _explanation(bundle, facts, decision, applied, tuple(missed), denies)
    native, nothing = bundle.native, any(reason.code == "no_rule" for reason in decision.reasons)
    if native is None or not nothing or facts.subject.kind == "anonymous":  # who has not signed in is not asked about
        return explanation
    return replace(explanation, request=native.filled(facts), rows=native.near(facts))


def _explanation(
    bundle: Bundle,
    facts: Facts,
    decision: Decision,
    applied: tuple[RuleSeen, ...],
    nearest: tuple[RuleSeen, ...],
    denies: int = 0,
) -> Explanation:
    mask, forwarding = (decision.mask, decision.forwarding) if isinstance(decision, Permit) else (None, None)
    asks = _asks_for_grants((*applied, *nearest)) or any(one.code == "approval_needed" for one in decision.reasons)
    return Explanation(
        outcome=outcome(decision),
        reasons=tuple((reason.code, reason.rule, reason.detail) for reason in decision.reasons),
        bundle=bundle.digest,
        applied=applied,
        nearest=nearest,
        denies_checked=denies,
        denies_applied=sum(rule.effect == "deny" for rule in applied),
        mask=_techniques(mask) if mask is not None else (),
        profile=mask.profile if mask is not None else "",
        filters=mask.rows if mask is not None else (),
        watermark=mask is not None and mask.watermark,
        forwarded=tuple(pair for pair in _techniques(forwarding) if pair[1] != "keep")
        if forwarding is not None
        else (),
        forwarding=forwarding.profile if forwarding is not None else "",
        most=mask.most if mask is not None else 0,
        beyond=_techniques(mask.beyond) if mask is not None and mask.beyond is not None else None,
        would=outcome(decision.would) if isinstance(decision, Permit) and decision.would is not None else "",
        layers=tuple(dict.fromkeys(reason.layer for reason in decision.reasons if reason.layer)),
        grants=facts.grant.ids if facts.grant.ids or asks else None,
        approved=facts.grant.approved,
        lapsed=_lapsed(bundle, facts) if asks and _refused(decision) else (),
        log=decision.strength if isinstance(decision, Permit) else "",
        budgets=allowances(bundle, facts),
        notify=tuple(one.topic for one in decision.obligations) if isinstance(decision, Permit) else (),
    )


def _techniques(mask: Mask) -> tuple[tuple[str, str], ...]:
    fields = tuple((field.path, field.technique) for field in mask.fields)
    rare = mask.suppress
    return fields if rare is None else (*fields, (SUPPRESS, f"k {rare.k} by [{', '.join(rare.fields)}]"))


def _refused(decision: Decision) -> bool:
    """Refused, or let through by observe mode only."""
    return not isinstance(decision, Permit) or decision.would is not None


def _lapsed(bundle: Bundle, facts: Facts) -> tuple[Lapsed, ...]:
    ask, asset = facts.ask, facts.asset
    return bundle.lapsed(facts.subject, (asset.id, asset.category), asset.action, ask.purpose, ask.at)


def _native(bundle: Bundle, native: Native, facts: Facts) -> Iterator[RuleSeen]:
    """Every row of casbin/policy.csv that matches, also those that casbin's effect outweighs; its text is its title."""
    for identity, effect, row in native.matching(facts):
        yield RuleSeen(identity, effect, bundle.content.places[identity], row, row, (), layer=LAYER)


def _asks_for_grants(rules: tuple[RuleSeen, ...]) -> bool:
    conditions = [clause.asks for rule in rules for clause in rule.clauses if clause.name == "when"]
    return any("grant." in condition or "approval." in condition for condition in conditions)


def _distance(rule: RuleSeen) -> tuple[bool, int]:
    """Rules about this data first, then those that miss least."""
    return not rule.clauses[DATA].holds, sum(not clause.holds for clause in rule.clauses)


def _all_rules(bundle: Bundle, facts: Facts) -> list[RuleSeen]:
    rows: dict[str, list[Row]] = {}
    for row in bundle.engine.rules:
        rows.setdefault(row[0], []).append(row)
    sub = bundle.index.sub(facts.subject)
    return [_rule(bundle, facts, sub, found) for found in rows.values()]


def _rule(bundle: Bundle, facts: Facts, sub: Sub, rows: list[Row]) -> RuleSeen:
    seen = [_clauses(bundle, facts, sub, row) for row in rows]
    best = max(seen, key=lambda clauses: sum(clause.holds for clause in clauses))
    named = {clause.name: clause for clause in best}
    merged = tuple(_asked_by_all(named[name], seen, index) for index, name in enumerate(CLAUSES))
    identity, effect, when = rows[0][0], rows[0][1], rows[0][8]
    title = bundle.content.titles.get(identity, ("", ""))
    shown = _first_false(bundle, facts, when) if when and not named["when"].holds else None
    layer = bundle.content.layers.get(identity, "")
    return RuleSeen(identity, effect, bundle.content.places[identity], title[0], title[1], merged, shown, layer)


def _asked_by_all(best: ClauseSeen, seen: list[tuple[ClauseSeen, ...]], index: int) -> ClauseSeen:
    """The clause of the best row, asking for what all rows of the rule ask for."""
    asks = dict.fromkeys(clauses[index].asks for clauses in seen)
    return ClauseSeen(best.name, best.holds, ", ".join(asks), best.has)


def _clauses(bundle: Bundle, facts: Facts, sub: Sub, row: Row) -> tuple[ClauseSeen, ...]:
    _, effect, who, org, data, action, level, until, when, _ = row
    engine, asset = bundle.engine, facts.asset
    low, high = span(level) or (1, 0)
    return (
        ClauseSeen("action", action == "*" or asset.action in action.split("|"), action, asset.action),
        ClauseSeen("data", data == "*" or engine.links("g3").has_link(asset.id, data), data, f"{asset.id} ({asset.category})" if asset.category else asset.id),
        ClauseSeen("who", who == "*" or engine.links("g").has_link(sub.roles, who), who, " ".join(facts.subject.roles) or facts.subject.kind),
        ClauseSeen("org", org == "*" or engine.links("g2").has_link(sub.org, org), org, sub.org),
        ClauseSeen("level", low <= asset.grade <= high, level, asset.grade.text),
        ClauseSeen("until", not until or facts.ask.at < int(until), until, str(int(facts.ask.at))),
        ClauseSeen("when", _holds(bundle, facts, when, effect), when, ""),
    )  # fmt: skip


def _holds(bundle: Bundle, facts: Facts, when: str, effect: str) -> bool:
    if not when:
        return True
    try:
        return bundle.condition(when).test(facts)
    except FAILURES:
        return effect == "deny"


def _first_false(bundle: Bundle, facts: Facts, when: str) -> WhenSeen:
    clauses = bundle.condition(when).clauses
    fails = partial(_fails, facts)
    clause = next(filter(fails, clauses), clauses[0])
    values = tuple((name, _value(bundle, facts, name)) for name in clause.reads)
    return WhenSeen(when, clause.start, clause.end, values)


def _fails(facts: Facts, clause: Clause) -> bool:
    try:
        return not clause.test(facts)
    except FAILURES:
        return True


def _value(bundle: Bundle, facts: Facts, name: str) -> str:
    get: Callable[[Facts], object] = bundle.names[name].get
    try:
        value = get(facts)
    except FAILURES:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "empty"
    return str(value) if value != "" else "empty"


# --- words ------------------------------------------------------------------------------------

_OUTCOMES = {
    "permit": ("ALLOW", "允许"),
    "challenge": ("STEP UP", "需加强认证"),
    "deny": ("DENY", "拒绝"),
}
_OBSERVED = {
    "deny": (
        "LET THROUGH  because the API is in observe mode; enforced, it would have been denied",
        "已放行  仅因接口处于观察模式；若为强制模式，将被拒绝",
    ),
    "challenge": (
        "LET THROUGH  because the API is in observe mode; enforced, a stronger sign-in would have been asked for",
        "已放行  仅因接口处于观察模式；若为强制模式，将要求加强认证",
    ),
}
_RENEW = (
    "ask the owner of the data for a grant whose days cover today",
    "请向数据责任部门申请有效期覆盖当日的共享授权",
)
_NAMES_ZH = {
    "action": "操作", "data": "数据", "who": "角色", "org": "机构", "level": "级别", "until": "有效期", "when": "条件",
}  # fmt: skip
_VALUES_ZH = {"empty": "空", "unknown": "未知"}


def _lines(explanation: Explanation, zh: bool) -> list[str]:
    code = explanation.reasons[0][0]
    meaning = REASONS[code]
    words = meaning.zh if zh else meaning.en
    if explanation.would:
        words = f"{_OBSERVED[explanation.would][zh]}{'：' if zh else ': '}{words}"
    else:
        words = f"{_OUTCOMES[explanation.outcome][zh]}  {words}"
    digest, plus, level = explanation.bundle.partition("+")
    short = f"{digest[:12]}{plus}{level}"
    out = [f"{words}    {code}，版本 {short}" if zh else f"{words}    {code}, bundle {short}"]
    out.extend(_applied(explanation, zh))
    for rule in explanation.nearest:
        out.extend(_near(rule, zh))
    out.extend(_unmasked(place, detail, zh) for code, place, detail in explanation.reasons if code == "cannot_mask")
    if explanation.request:
        asked = ", ".join(f"{token} = {value or ('空' if zh else 'empty')}" for token, value in explanation.request)
        out.append(f"casbin 请求  {asked}" if zh else f"casbin was asked  {asked}")
    out.extend(f"   {place}  {row}" for place, row in explanation.rows)
    if explanation.profile:
        out.append(f"{'脱敏方案' if zh else 'mask'}  {explanation.profile}")
        out.extend(_field(*pair, zh) for pair in explanation.mask)
    out.extend(_filtered(row, zh) for row in explanation.filters)
    if explanation.most:
        out.extend(_many(explanation, zh))
    if explanation.watermark:
        out.append("水印  应答注明接收者" if zh else "watermark  the answer names its recipient")
    if explanation.forwarding:
        out.append(f"{'请求脱敏' if zh else 'request'}  {explanation.forwarding}")
        out.extend(_field(*pair, zh) for pair in explanation.forwarded)
    out.extend(one.text(zh) for one in explanation.budgets)
    if explanation.log == "synced":
        out.append("日志  转发前落盘（synced）" if zh else "log  synced: on disk before anything is forwarded")
    if explanation.notify:
        out.append(f"通知  {'、'.join(explanation.notify)}" if zh else f"notify  {', '.join(explanation.notify)}")
    if explanation.grants is not None:
        out.append(_held(explanation, zh))
    out.extend(("   共享授权 " if zh else "   ") + one.text(zh) for one in explanation.lapsed)
    if explanation.denies_checked:
        out.append(_count(explanation, zh))
    if explanation.outcome != "permit" or explanation.would:
        remedy = meaning.remedy_zh if zh else meaning.remedy_en
        if code == "approval_needed" and explanation.lapsed:  # its purpose was stated: only the day is wrong
            remedy = _RENEW[zh]
        out.append(f"处理办法：{remedy}" if zh else f"to get access: {remedy}")
    return out


def _applied(explanation: Explanation, zh: bool) -> Iterator[str]:
    for rule in explanation.applied:
        word = ("适用" if zh else "applies") if rule.effect == "deny" else ("允许" if zh else "allows")
        yield f"{word}  {_named(rule, zh)}"


def _field(path: str, how: str, zh: bool) -> str:
    """What is done to a field; the last of a mask may say what is suppressed."""
    if zh and path == SUPPRESS:
        return f"   抑制  {how.replace(' by [', '，依据 [', 1)}"
    return f"   {path}  {how}"


def _filtered(row: RowFilter, zh: bool) -> str:
    """Which records are shown."""
    values = ("、" if zh else ", ").join(row.values)
    if not values:
        return (
            f"行过滤  {row.field}  调用方没有对应的值：不展示任何记录"
            if zh
            else f"rows  {row.field}  none: the caller has no such value"
        )
    return f"行过滤  {row.field}  仅 {values}" if zh else f"rows  {row.field}  only {values}"


def _many(explanation: Explanation, zh: bool) -> Iterator[str]:
    """What becomes of an answer with more records than the mask is for."""
    if explanation.beyond is None:
        more = f"超过 {explanation.most} 条记录：扣留" if zh else f"more than {explanation.most} records: withheld"
    elif explanation.beyond == explanation.mask:
        more = (
            f"超过 {explanation.most} 条记录：字段不变"
            if zh
            else f"more than {explanation.most} records: the same fields"
        )
    else:
        more = f"超过 {explanation.most} 条记录时" if zh else f"more than {explanation.most} records"
    yield f"批量  {more}" if zh else f"bulk  {more}"
    if explanation.beyond not in (None, explanation.mask):
        yield from (_field(*pair, zh) for pair in explanation.beyond or ())


def _unmasked(place: str, detail: str, zh: bool) -> str:
    """Who asks for a mask that cannot be laid over the answer; the detail is of `gateway.policy.index`."""
    wanted = detail.partition(": ")[2]
    if zh:
        return f"脱敏  {place}  要求 {wanted}，但应答不经检查直接通过（opaque），其中内容无法隐藏"
    return f"mask  {place}  asks for {wanted}, but the answer passes unread (opaque): nothing in it can be hidden"


def _count(explanation: Explanation, zh: bool) -> str:
    checked, applied = explanation.denies_checked, explanation.denies_applied
    if zh:
        return f"检查拒绝规则 {checked} 条，{f'适用 {applied} 条' if applied else '均不适用'}"
    return f"denies checked: {checked}, {f'{applied} apply' if applied > 1 else '1 applies' if applied else 'none applies'}"


def _named(rule: RuleSeen, zh: bool) -> str:
    parts = (rule.id, rule.place, rule.layer, rule.title_zh if zh else rule.title_en)
    return "  ".join(part for part in parts if part)


def _held(explanation: Explanation, zh: bool) -> str:
    """Which sharing grants the caller holds for this, where rules ask for any."""
    if not explanation.grants:
        return "共享授权：无" if zh else "sharing grants held: none"
    named = ", ".join(explanation.grants)
    if zh:
        return f"共享授权：{named}（{'已批准' if explanation.approved else '未批准'}）"
    return f"sharing grants held: {named} ({'approved' if explanation.approved else 'not approved'})"


def _near(rule: RuleSeen, zh: bool) -> list[str]:
    out = [f"{'最接近' if zh else 'nearest'}  {_named(rule, zh)}"]
    marks = (f"{_NAMES_ZH[c.name] if zh else c.name} {'✓' if c.holds else '✕'}" for c in rule.clauses if c.asks)
    out.append("   " + "  ".join(marks))
    for clause in rule.clauses:
        if not clause.holds and clause.name != "when":
            if zh:
                out.append(f"   {_NAMES_ZH[clause.name]}：规则要求 {clause.asks}，实际为 {clause.has or '空'}")
            else:
                out.append(f"   {clause.name}: asks for {clause.asks}, is {clause.has or 'empty'}")
    if rule.when is not None:
        out.extend(_condition(rule.when, zh))
    return out


def _condition(when: WhenSeen, zh: bool) -> list[str]:
    label = "   条件：" if zh else "   when: "
    width = len(label) + (3 if zh else 0) + when.start  # a Chinese character takes two cells
    if zh:
        values = "，".join(f"{name} 为 {_VALUES_ZH.get(value, value)}" for name, value in when.values)
    else:
        values = ", ".join(f"{name} is {value}" for name, value in when.values)
    return [label + when.text.replace("\n", " "), " " * width + "^" * max(when.end - when.start, 1) + " " + values]
