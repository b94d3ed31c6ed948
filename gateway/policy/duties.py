"""What does an allowed caller owe, and what does a refused one get offered?

The `then` of a rule: mask profile, row filters, watermark, mask of the request, log strength, notices, step-up. Rules:

1. Duties of all allows that match are merged: profiles, filters and topics are united, the stronger log wins.
   Union and maximum are associative, commutative and idempotent, so the order of rules never matters.
2. A step-up stands on a deny only; a mask, a filter, a log or a notice on an allow only.
3. Written into the casbin row as canonical JSON, and read back from there.
"""

from functools import lru_cache
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.facts import Notify, Strength
from gateway.policy.rows import RowRule, read_rows
from gateway.policy.shapes import Faults, flag, mapping, one_of, texts, whole_number

ASSURANCES = {"aal1": 1, "aal2": 2, "aal3": 3}
DAY = 86400

DenialCode = Literal["rule_denied", "device_untrusted", "risk_too_high"]
REASONS: dict[str, DenialCode] = {code: code for code in get_args(DenialCode)}


class Then(Struct, frozen=True, omit_defaults=True):
    """The `then` of one rule, with its `reason`."""

    mask: str = ""
    log: Strength = "written"
    notify: tuple[str, ...] = ()
    step_up: str = ""
    max_age: int | None = None
    reason: DenialCode = "rule_denied"
    rows: tuple[RowRule, ...] = ()
    watermark: bool = False
    request: str = ""  # the profile through which the request is forwarded


class Duties(Struct, frozen=True):
    """What all matching allows together ask for."""

    profiles: frozenset[str] = frozenset()
    strength: Strength = "written"
    topics: frozenset[str] = frozenset()
    rows: frozenset[RowRule] = frozenset()  # a record must pass all of them
    watermark: bool = False
    requests: frozenset[str] = frozenset()  # profiles through which the request is forwarded

    def merge(self, other: "Duties") -> "Duties":
        """Both sets of duties at once."""
        return Duties(
            self.profiles | other.profiles,
            stronger(self.strength, other.strength),
            self.topics | other.topics,
            self.rows | other.rows,
            self.watermark or other.watermark,
            self.requests | other.requests,
        )

    def notices(self) -> tuple[Notify, ...]:
        """The topics in a fixed order."""
        return tuple(Notify(topic) for topic in sorted(self.topics))


def stronger(one: Strength, two: Strength) -> Strength:
    """The strength that survives more: a rule may strengthen the log, never weaken it."""
    return "synced" if "synced" in (one, two) else "written"


def duties(then: Then) -> Duties:
    """The duties of one allow."""
    requests = frozenset((then.request,)) if then.request else frozenset[str]()
    return Duties(
        frozenset((then.mask,)), then.log, frozenset(then.notify), frozenset(then.rows), then.watermark, requests
    )


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Then).decode


def written(then: Then) -> str:
    """The text of the casbin row."""
    return _encode(then).decode()


@lru_cache(maxsize=4096)
def parse(row: str) -> Then:
    """Read the text of a casbin row. Raises msgspec.ValidationError."""
    return _decode(row)


def read_then(node: Node | None, deny: bool, profiles: frozenset[str], faults: Faults) -> Then:
    """Read the `then` of a rule; every fault goes to `faults`."""
    if node is None:
        return Then()
    allowed = ("step_up", "max_age") if deny else ("mask", "rows", "watermark", "request", "log", "notify")
    parts = mapping(node, faults)
    for key in parts:
        if key not in allowed:
            effect, other = ("deny", "拒绝") if deny else ("allow", "允许")
            hint = did_you_mean(key, allowed)
            faults.append(
                node.key_fault(
                    key,
                    "P070",
                    f"`{key}` means nothing on {effect}",
                    f"`{key}` 对{other}规则没有意义",
                    hint[0],
                    hint[1],
                )
            )
    if deny:
        return _offer(node, parts, faults)
    mask = one_of(parts["mask"], faults, profiles, "P014", "mask profile", "脱敏方案") if "mask" in parts else ""
    log = (
        one_of(parts["log"], faults, ("written", "synced"), "P071", "log strength", "日志强度")
        if "log" in parts
        else ""
    )
    topics = texts(parts["notify"], faults) if "notify" in parts else []
    return Then(
        mask=mask,
        log="synced" if log == "synced" else "written",
        notify=tuple(word for word, _ in topics),
        rows=read_rows(parts["rows"], faults) if "rows" in parts else (),
        request=one_of(parts["request"], faults, profiles, "P014", "mask profile", "脱敏方案")
        if "request" in parts
        else "",
        watermark=flag(parts.get("watermark"), faults),
    )


def _offer(node: Node, parts: dict[str, Node], faults: Faults) -> Then:
    if "max_age" in parts and "step_up" not in parts:
        faults.append(
            node.key_fault(
                "max_age",
                "P070",
                "`max_age` needs `step_up`",
                "`max_age` 需要与 `step_up` 一起使用",
                "add step_up: aal2",
                "请添加 step_up: aal2",
            )
        )
    step_up = (
        one_of(parts["step_up"], faults, ASSURANCES, "P072", "assurance", "认证强度") if "step_up" in parts else ""
    )
    max_age = whole_number(parts["max_age"], faults, 1, DAY) if "max_age" in parts else None
    return Then(step_up=step_up, max_age=max_age)
