"""What did a recorded decision rest on?

Makes the facts of a decision again from its entry in the ledger, so that it can be judged a second time. Rules:

1. The entry holds everything a decision may look at, but what the catalog of its revision says about the route: the
   labelled fields, the contract, the mode of the API. What is not in the entry (headers, query, identifiers in the
   path, the body) cannot have mattered; the tests hold every name of conditions to that.
2. What cannot be known is never guessed: an entry that was shortened to fit, a route the catalog does not have,
   a refusal that came from an alarm and not from facts is `Unreplayable`, with the reason in words.
3. An asset is looked up as the request was: by API, method and path. The path of a discreet asset is on record as its
   template, which leads to the same endpoint; a policy that looks at the path itself cannot judge that again.
"""

from collections.abc import AsyncIterator, Iterator

from msgspec.structs import replace

from gateway.audit import encode
from gateway.catalog import Catalog
from gateway.entries import VerdictEntry
from gateway.facts import GRADES, Ask, Asset, Facts, Grade
from gateway.policy import Bundle
from gateway.policy.names import REVEAL

ALARMS = {
    "index and enforcer disagree": ("index and enforcer disagreed", "索引与执行器结论不一致"),
    "the policies in force cannot be read": ("the policies in force could not be read", "当时无法读取生效中的策略"),
}
"""What no rule decided, by the detail of its only reason."""
_REST = "**"
_DEPTH = 8
_CUT_TEXT = frozenset((1025, 257, 65))  # characters that `gateway.audit.entry` leaves of a text, with the ellipsis
_CUT_LISTS = (64, 16, 4)
_CUT_BYTES = 3000  # an entry that lost more than the 65th item of a list is still this long
_LOST = "\ufffd"  # stands where half a character was


class Unreplayable(Exception):
    """The decision cannot be made again; `en` and `zh` say why."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


UNLISTED = Asset(
    id="", api="", route="", action="other", grade=Grade.CORE, category="", owner="", fields=(), contract="enforce",
    opaque=False, parameters=(), revision="", listed=False,
)  # fmt: skip
"""What no catalog lists: it is refused whatever the rules say."""


class _NoBody:
    """The body of a request that is over: policy never looks at one."""

    length: int | None = 0
    received = 0

    async def settle(self) -> str | None:
        return None

    def whole(self) -> bytes | None:
        return None

    async def chunks(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for chunk in nothing:
            yield chunk


_NO_BODY = _NoBody()


def facts_of(entry: VerdictEntry, asset: Asset) -> Facts:
    """What the decision rested on; `asset` as `asset_of` finds it. Raises Unreplayable."""
    lost = doubt(entry)
    if lost is not None:
        raise lost
    return Facts(ask_of(entry), entry.subject, entry.posture, entry.risk, asset, entry.grant, entry.exposure)


def ask_of(entry: VerdictEntry) -> Ask:
    """The request, without headers, query and body."""
    return Ask(
        entry.request, entry.at, 0.0, entry.method, "https", entry.host, entry.api, entry.path, "", (), entry.source,
        entry.source, None, entry.trace, entry.purpose, "en", False, _NO_BODY,
    )  # fmt: skip


def doubt(entry: VerdictEntry) -> Unreplayable | None:
    """Why the entry may hold less than was known, None when it holds everything."""
    reasons = entry.reasons
    alarm = ALARMS.get(reasons[0].detail) if len(reasons) == 1 and not reasons[0].rule else None
    if alarm is not None:
        return Unreplayable(f"an alarm refused it, not a rule: {alarm[0]}", f"由告警而非规则拒绝：{alarm[1]}")
    if entry.action == REVEAL and not entry.asset:
        return Unreplayable("what was brought was no token: no rule was asked", "提交的内容不是令牌：未经任何规则判定")
    if _shortened(entry):
        return Unreplayable(
            "its entry was too long and stands shortened in the record", "该记录过长，在审计日志中是截短后的内容"
        )
    return None


def _shortened(entry: VerdictEntry) -> bool:
    """Whether something that a decision may look at was cut when the entry was made to fit."""
    subject, posture, grants = entry.subject, entry.posture, entry.grant.ids
    texts = (
        subject.id, subject.org, subject.purpose, entry.purpose, entry.source, entry.method, entry.asset, entry.api,
        entry.route, posture.device, posture.org, *subject.roles, *grants,
    )  # fmt: skip
    if not "".join(texts).isascii() and any(map(_is_cut, texts)):
        return True
    return _are_cut(subject.roles, entry) or _are_cut(grants, entry)


def _is_cut(text: str) -> bool:
    return (len(text) in _CUT_TEXT and text[-1] == "…") or _LOST in text


def _are_cut(items: tuple[str, ...], entry: VerdictEntry) -> bool:
    """Whether there may have been more of them: just as many as are left, in an entry that long."""
    count = len(items)
    return count in _CUT_LISTS and (count == _CUT_LISTS[0] or len(encode(entry)) > _CUT_BYTES)


def reads_path(bundle: Bundle) -> bool:
    """Whether the path itself is looked at: a team's own casbin policy may, conditions never do."""
    native = bundle.content.native
    return native is not None and "path" in native.request.values()


def path_unknown(entry: VerdictEntry) -> Unreplayable | None:
    """Why the path is not known, None when it is on record."""
    if "{" not in entry.path and not entry.path.endswith("/**"):  # a path has `{` escaped: this is a template
        return None
    return Unreplayable(
        "its casbin policy looks at the path, which is not on record: it may hold an identifier",
        "其 casbin 策略依据路径判断，而路径可能含有个人标识，未予记录",
    )


def asset_of(entry: VerdictEntry, catalog: Catalog) -> Asset:
    """What was asked for; `catalog` is that of the decision's revision. Raises Unreplayable.

    Grade, action, category and owner are those of the entry.
    """
    if not entry.asset:
        return _as_recorded(UNLISTED, entry)
    for path in paths(entry):
        found = catalog.find(entry.method, path, entry.api, entry.at)
        if found.route == entry.route and found.id == entry.asset:
            return _as_recorded(catalog.aggregated(found, entry.exposure), entry)
    raise Unreplayable(
        f"the catalog has no `{entry.route}` of API `{entry.api}` with asset `{entry.asset}`",
        f"数据目录中没有接口 `{entry.api}` 的 `{entry.route}`（资产 `{entry.asset}`）",
    )


def _as_recorded(asset: Asset, entry: VerdictEntry) -> Asset:
    if entry.grade not in GRADES:  # an entry out of a file that somebody wrote
        raise Unreplayable(f"no grade is called `{entry.grade}`", f"没有名为 `{entry.grade}` 的级别")
    return replace(
        asset,
        api=entry.api,
        route=entry.route,
        action=entry.action,
        grade=GRADES[entry.grade],
        category=entry.category,
        owner=entry.owner,
        honey=entry.honey,
        revision=entry.revision,
    )


def paths(entry: VerdictEntry) -> Iterator[str]:
    """Paths that lead to the endpoint of a recorded decision: its own, then its template's, `/**` at every depth."""
    yield entry.path
    template = entry.route.partition(" ")[2]
    if not template.endswith(_REST):
        yield template
        return
    stem = template.removesuffix("/" + _REST)
    for depth in range(_DEPTH):
        yield stem + "/-" * depth
