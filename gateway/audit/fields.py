"""What can be asked for in the audit log, and what is it called?

The table of the query language: each field, where it stands in the index, what its values are, and its
Chinese name. A field that is not here cannot be asked for.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from gateway.facts import GRADE_TEXT
from gateway.reasons import AFTERWARDS, REASONS


class Field(NamedTuple):
    """How a field is asked for: its SQL expression, and what its values are."""

    sql: str
    kind: str = "text"  # text, list, number, grade, time, hour, flag, id


FIELDS: Final[dict[str, Field]] = {
    "time": Field("at", "time"),
    "hour": Field("hour", "hour"),
    "kind": Field("kind"),
    "id": Field("id", "id"),
    "subject": Field("subject"),
    "person": Field("person"),
    "role": Field("roles", "list"),
    "org": Field("org"),
    "clearance": Field("clearance", "grade"),
    "assurance": Field("assurance", "number"),
    "session": Field("session"),
    "token": Field("token"),
    "device": Field("device"),
    "device.trust": Field("trust"),
    "ip": Field("source"),
    "risk": Field("risk", "number"),
    "band": Field("band"),
    "api": Field("api"),
    "method": Field("method"),
    "host": Field("host"),
    "path": Field("path"),
    "route": Field("route"),
    "action": Field("action"),
    "asset": Field("asset"),
    "data": Field("asset"),
    "category": Field("category"),
    "owner": Field("owner"),
    "level": Field("grade", "grade"),
    "record": Field("object"),
    "digest": Field("digest"),
    "outcome": Field("outcome"),
    "mode": Field("stage"),
    "would": Field("would"),
    "reason": Field("reasons", "list"),
    "rule": Field("rules", "list"),
    "layer": Field("layers", "list"),
    "bundle": Field("bundle"),
    "mask": Field("mask"),
    "masked": Field("masked", "number"),
    "unlabelled": Field("unlabelled", "number"),
    "records": Field("records", "number"),
    "clear": Field("clear", "number"),
    "removed": Field("removed", "number"),
    "suppressed": Field("suppressed", "number"),
    "residual": Field("residual", "list"),
    "purpose": Field("purpose"),
    "honey": Field("honey", "flag"),
    "notify": Field("notify", "list"),
    "request": Field("request"),
    "trace": Field("trace"),
    "name": Field("name"),
    "target": Field("target"),
    "detail": Field("detail"),
    "count": Field("count", "number"),
    "status": Field("status", "number"),
    "upstream.status": Field("status", "number"),
    "sent": Field("sent", "number"),
    "received": Field("received", "number"),
    "complete": Field("complete", "flag"),
    "code": Field("code"),
    "latency": Field("took", "number"),
    "waited": Field("waited", "number"),
}
ALIASES: Final = {
    "时间": "time", "小时": "hour", "主体": "subject", "人员": "person", "姓名": "person", "角色": "role", "部门": "org",
    "设备": "device", "地址": "ip", "风险": "risk", "接口": "api", "动作": "action", "操作": "action", "资产": "asset",
    "数据": "data", "类别": "category", "责任部门": "owner", "级别": "level", "结果": "outcome", "原因": "reason",
    "依据": "rule", "规则": "rule", "层级": "layer", "脱敏": "mask", "用途": "purpose", "条数": "records", "状态": "status",
    "编号": "id", "机构": "org", "会话": "session", "模式": "mode", "对象": "record", "耗时": "latency",
}  # fmt: skip
VALUES: Final = {
    "一般": "general", "重要": "important", "核心": "core", "放行": "permit", "允许": "permit", "allow": "permit",
    "拒绝": "deny", "质询": "challenge", "加强认证": "challenge", "是": "true", "否": "false",
}  # fmt: skip
CLOSED: Final[dict[str, tuple[str, ...]]] = {
    "kind": ("verdict", "notice", "act"),
    "outcome": ("permit", "challenge", "deny"),
    "would": ("challenge", "deny", "none"),
    "mode": ("observe", "enforce"),
    "band": ("normal", "step_up", "limit", "quarantine"),
    "device.trust": ("managed", "known", "unknown", "compromised"),
    "action": ("read", "create", "update", "delete", "other", "reveal"),
    "method": ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    "reason": tuple(code for code in REASONS if code not in AFTERWARDS),
    "code": tuple(REASONS),
}
"""Fields that have these values and no others: a misspelt one must not be answered with nothing."""

TAIL: Final = {"count": "count", "sum": "sum", "top": "top", "by": "count by", "计数": "count", "求和": "sum"}
"""Words that stand after `|`, by what is meant when one stands before it."""

WORDS: Final = {"且": "and", "并且": "and", "或": "or", "或者": "or", "非": "not", "不是": "not"}
BARE: Final = ("subject", "api", "rule", "id", "name", "person")
SHOWN: Final = (
    "time", "id", "kind", "subject", "person", "org", "role", "device", "device.trust", "ip", "risk", "api", "action",
    "asset", "level", "outcome", "mode", "would", "reason", "rule", "layer", "mask", "masked", "record", "records",
    "clear", "removed", "suppressed", "residual", "unlabelled", "purpose",
    "method", "path", "status", "sent", "latency", "code", "bundle", "request", "name", "target", "detail", "count",
)  # fmt: skip


def shown(name: str, value: Any) -> Any:
    """A value of the index as a person reads it: a time, a level, a list."""
    field = FIELDS.get(name)
    if field is None or value is None:
        return value
    show: Callable[[Any], Any] | None = _SHOW.get(field.kind)
    return show(value) if show else value


_SHOW: dict[str, Callable[[Any], Any]] = {
    "time": lambda at: datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    "grade": lambda number: next((text for grade, text in GRADE_TEXT.items() if grade == number), ""),
    "list": lambda text: text.split("\n")[1:-1],
    "flag": bool,
}
