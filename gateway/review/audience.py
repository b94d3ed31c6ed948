"""What may each who asks "why?" hear?

Three accounts of one decision, for the caller, the operator and the auditor. Rules:

1. The caller hears what the answer said, and nothing else: the code, its sentence, what to do, the sign-in that is
   asked for, whom to turn to. `told` takes only those words, so no rule, threshold, role or person can slip in.
2. What observe let pass was an answer like any other: the caller is not told that it would have been refused. An answer
   that was withheld after the decision was a refusal like any other: the caller is not told that it had been allowed.
3. The auditor hears what a decision rested on and where it stands on record: bundle, catalog, layer, legal basis,
   owners, duties. No value of the request that the entry does not hold.
4. The layer that decided is that of the rules that had a say: the denying ones of a refusal, the allowing ones of a
   permit. It stands in the record. No layer decided what no rule allows, or what is refused before any rule is asked.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from gateway.entries import VerdictEntry
from gateway.facts import Challenge, Decision, Mask, Permit, Reason
from gateway.policy.bundle import Bundle
from gateway.policy.duties import parse
from gateway.policy.grants import Lapsed
from gateway.reasons import REASONS

Audience = Literal["caller", "operator", "auditor"]
Language = Literal["en", "zh-CN"]
AUDIENCES: tuple[Audience, ...] = ("caller", "operator", "auditor")

ALLOWED = "rule_allowed"
STEP_UP = "step_up_required"


class Told(Struct, frozen=True):
    """What a caller was told. The words of a step-up are "" and None when none was asked for, or none is on record."""

    outcome: str
    reason: str
    status: int
    sentence: str
    remedy: str
    contact: str
    acr_values: str = ""
    max_age: int | None = None

    def text(self, language: Language = "en") -> str:
        """Lines for a terminal."""
        zh = language == "zh-CN"
        lines = [
            f"{self.sentence}  ({self.reason}, {self.status})"
            if not zh
            else f"{self.sentence}（{self.reason}，{self.status}）"
        ]
        if self.outcome != "permit":
            lines.append(f"{'处理办法：' if zh else 'what to do: '}{self.remedy}")
            if self.acr_values:
                lines.append(f"{'要求的认证强度：' if zh else 'sign-in asked for: '}{_strength(self, zh)}")
            lines.append(f"{'申诉与咨询：' if zh else 'to appeal or ask: '}{self.contact}")
        return "\n".join(lines)


def _strength(told: Told, zh: bool) -> str:
    if told.max_age is None:
        return told.acr_values
    return f"{told.acr_values}{'，' if zh else ', '}" + (
        f"不早于 {told.max_age} 秒前" if zh else f"at most {told.max_age} seconds ago"
    )


def told(
    code: str, acr_values: str = "", max_age: int | None = None, language: Language = "en", status: int = 0
) -> Told:
    """What a caller hears under this code: a function of the code, the step-up and the language, of nothing else.

    `status` is that of an answer which had begun when it was cut, 0 for the one of the code.
    """
    zh = language == "zh-CN"
    if code == ALLOWED:
        return Told("permit", code, 200, "该请求已获允许" if zh else "the request was allowed", "", "")
    meaning = REASONS.get(code, REASONS["internal_error"])
    if meaning.status < 400:  # a reason to allow never dresses a refusal
        code, meaning = "no_rule", REASONS["no_rule"]
    if code == STEP_UP:
        kind, sign_in = "challenge", (acr_values, max_age)
    else:
        kind, sign_in = "deny", ("", None)
    return Told(
        kind,
        code,
        status or meaning.status,
        meaning.zh if zh else meaning.en,
        meaning.remedy_zh if zh else meaning.remedy_en,
        "联系数据责任部门，并提供判定编号" if zh else "turn to the owner of the data, with the decision id",
        *sign_in,
    )


def told_of(decision: Decision, language: Language = "en") -> Told:
    """What the caller of this decision hears."""
    if isinstance(decision, Permit):
        return told(ALLOWED, language=language)
    first = decision.reasons[0].code if decision.reasons else "policy_error"
    if isinstance(decision, Challenge):
        code = first if _status(first) == 401 else STEP_UP
        return told(code, decision.acr_values, decision.max_age, language)
    return told(first, language=language)


def told_on_record(entry: VerdictEntry, language: Language = "en", code: str = "", status: int = 0) -> Told:
    """What the caller heard whose decision this is; the record does not hold the words of a step-up.

    `code` and `status` are those of its outcome, "" and 0 where there is none.
    """
    if entry.outcome == "permit":
        unheard = code in ("", "client_gone")  # who left heard nothing else
        return told(ALLOWED, language=language) if unheard else told(code, language=language, status=status)
    first = entry.reasons[0].code if entry.reasons else "policy_error"
    if entry.outcome == "challenge" and _status(first) != 401:
        first = STEP_UP
    return told(first, language=language)


def _status(code: str) -> int:
    meaning = REASONS.get(code)
    return meaning.status if meaning is not None else 500


# --- the auditor -------------------------------------------------------------------------------


class RuleAudited(Struct, frozen=True):
    """A rule that had a say: where it stands, which layer it belongs to, what it rests on, who answers for it."""

    id: str
    place: str
    codes: tuple[str, ...]
    layer: str
    basis_en: str
    basis_zh: str
    owner: str


class Audited(Struct, frozen=True):
    """What an auditor needs to hold a decision against the rules and the law."""

    outcome: str
    reasons: tuple[str, ...]
    layers: tuple[str, ...]
    rules: tuple[RuleAudited, ...]
    bundle: str
    catalog: str
    asset: str
    category: str
    grade: str
    action: str
    data_owner: str
    purpose: str
    grants: tuple[str, ...]
    approved: bool
    obligations: tuple[str, ...]
    obligations_zh: tuple[str, ...]
    stage: str
    would: str = ""
    lapsed: tuple[Lapsed, ...] = ()  # of a refusal: sharing grants that only the day kept from being held

    def rows(self, language: Language = "en") -> list[tuple[str, str]]:
        """Name and value of each line, without the empty ones."""
        zh = language == "zh-CN"
        rows = [
            ("结果" if zh else "outcome", _came(self, zh)),
            ("原因" if zh else "reasons", " ".join(self.reasons)),
            ("判定层级" if zh else "layer that decided", " ".join(self.layers)),
            *((f"{'规则' if zh else 'rule'} {rule.id}", _audited(rule, zh)) for rule in self.rules),
            ("策略版本" if zh else "bundle", self.bundle),
            ("数据目录版本" if zh else "catalog revision", self.catalog),
            ("数据" if zh else "data", _data(self) if self.asset else ""),
            ("数据责任部门" if zh else "owner of the data", self.data_owner),
            ("用途" if zh else "purpose", self.purpose),
            ("共享授权" if zh else "sharing grants", _grants(self, zh)),
            ("不在有效期内的共享授权" if zh else "grants outside their days", ("，" if zh else ", ").join(one.text(zh) for one in self.lapsed)),
            *(("附带义务" if zh else "obligations", one) for one in (self.obligations_zh if zh else self.obligations)),
        ]  # fmt: skip
        return [(name, value) for name, value in rows if value]


def _came(audited: Audited, zh: bool) -> str:
    said = {"permit": "允许", "deny": "拒绝", "challenge": "需加强认证", "observe": "观察模式，强制时"} if zh else {}
    outcome, stage, would = (said.get(word, word) for word in (audited.outcome, audited.stage, audited.would))
    if not would:
        return outcome
    return f"{outcome}（{stage}：{would}）" if zh else f"{outcome} ({stage}: {would})"


def _audited(rule: RuleAudited, zh: bool) -> str:
    basis = rule.basis_zh if zh else rule.basis_en
    named = basis or (("未注明依据" if zh else "no legal basis is stated") if rule.layer else "")
    return "  ".join(part for part in (" ".join(rule.codes), rule.layer, rule.place, rule.owner, named) if part)


def _data(audited: Audited) -> str:
    kind = ", ".join(part for part in (audited.category, audited.grade) if part)
    return f"{audited.asset} ({kind}) {audited.action}"


def _grants(audited: Audited, zh: bool) -> str:
    if not audited.grants:
        return ""
    word = ("已批准" if zh else "approved") if audited.approved else ("未批准" if zh else "not approved")
    return f"{', '.join(audited.grants)} ({word})"


def audited(entry: VerdictEntry, bundle: Bundle | None) -> Audited:
    """The auditor's account of an entry. Without the bundle that decided, the legal basis stays unknown.

    So do the layers of an entry from before they were recorded.
    """
    known = bundle if bundle is not None and bundle.digest == entry.bundle else None
    reasons = entry.would_reasons if entry.would else entry.reasons
    rules = [_rule(known, place, reasons) for place in dict.fromkeys(reason.rule for reason in reasons) if place]
    layers = tuple(dict.fromkeys(rule.layer for rule in rules if rule.layer))
    owed = (
        *(_shown(entry.mask) if entry.mask else ()),
        *_forwarded(entry.forwarding),
        *_logged(known, entry),
        *((f"notify {topic}", f"通知 {topic}") for topic in entry.notify),
    )
    return Audited(
        outcome=entry.outcome,
        reasons=tuple(dict.fromkeys(reason.code for reason in entry.reasons)),
        layers=layers,
        rules=tuple(rules),
        bundle=entry.bundle,
        catalog=entry.revision,
        asset=entry.asset,
        category=entry.category,
        grade=entry.grade,
        action=entry.action,
        data_owner=entry.owner,
        purpose=entry.purpose,
        grants=entry.grant.ids,
        approved=entry.grant.approved,
        obligations=tuple(en for en, _ in owed),
        obligations_zh=tuple(zh for _, zh in owed),
        stage=entry.stage,
        would=entry.would,
        lapsed=_lapsed(known, entry) if known is not None and (entry.would or entry.outcome != "permit") else (),
    )


def _shown(mask: Mask) -> Iterator[tuple[str, str]]:
    """A mask in English and Chinese, with the records it is for."""
    yield f"mask {mask.profile}", f"脱敏方案 {mask.profile}"
    for field in mask.fields:
        yield (f"{field.path} {field.technique}",) * 2
    for row in mask.rows:
        yield f"rows {row.field} [{', '.join(row.values)}]", f"行过滤 {row.field} [{', '.join(row.values)}]"
    if mask.suppress is not None:
        k, by = mask.suppress.k, ", ".join(mask.suppress.fields)
        yield f"suppress k {k} by [{by}]", f"抑制 k {k}，依据 [{by}]"
    if mask.watermark:
        yield "watermark", "水印"
    if mask.most:
        en, zh = (
            ("withheld", "扣留")
            if mask.beyond is None
            else (f"mask {mask.beyond.profile}", f"脱敏方案 {mask.beyond.profile}")
        )
        yield f"more than {mask.most} records {en}", f"超过 {mask.most} 条记录：{zh}"


def _forwarded(mask: Mask | None) -> Iterator[tuple[str, str]]:
    """What the service was not to have of the request, and which profile said so."""
    if mask is None:
        return
    yield f"request {mask.profile}", f"请求脱敏 {mask.profile}"
    for field in mask.fields:
        if field.technique != "keep":
            yield f"request {field.path} {field.technique}", f"请求脱敏 {field.path} {field.technique}"


def _logged(bundle: Bundle | None, entry: VerdictEntry) -> tuple[tuple[str, str], ...]:
    """`log synced` where a rule that allowed asks for it; the record itself does not say."""
    if bundle is None or entry.outcome != "permit":
        return ()
    allowed = {reason.rule for reason in entry.reasons if reason.code == ALLOWED}
    places = bundle.content.places
    rows = (row for row in bundle.content.rules if places[row[0]] in allowed)
    return (("log synced", "日志 synced"),) if any(parse(row[9]).log == "synced" for row in rows) else ()


def _lapsed(bundle: Bundle, entry: VerdictEntry) -> tuple[Lapsed, ...]:
    if not bundle.asks_for_grants:
        return ()
    return bundle.lapsed(entry.subject, (entry.asset, entry.category), entry.action, entry.purpose, entry.at)


def _rule(bundle: Bundle | None, place: str, reasons: tuple[Reason, ...]) -> RuleAudited:
    """The rule that stands there, with every code under which it spoke."""
    spoke = [reason for reason in reasons if reason.rule == place]
    codes, id, layer = tuple(reason.code for reason in spoke), spoke[0].detail.partition(":")[0], spoke[0].layer
    if bundle is None:
        return RuleAudited(id, place, codes, layer, "", "", "")
    content = bundle.content
    id = next((rule for rule, where in content.places.items() if where == place), id)
    basis = content.basis.get(id, ("", ""))
    return RuleAudited(id, place, codes, layer or content.layers.get(id, ""), *basis, content.owners.get(id, ""))
