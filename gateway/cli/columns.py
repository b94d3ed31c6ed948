"""What are the columns of an answer of the audit called, and how does a person read their values?

Programs get the record's own words (`-o json`). People get times with the offset in which questions are meant, numbers
without the noise of the machine, and on a Chinese screen Chinese heads and words. Codes, ids and paths stay as they are typed.
"""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.cli.texts import Language

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""In which `time:` and `hour:` of a question are meant."""

_HEADS: Final = {
    "time": "时间", "hour": "小时", "kind": "种类", "id": "编号", "subject": "主体", "person": "人员", "role": "角色",
    "org": "机构", "clearance": "可见级别", "assurance": "认证强度", "session": "会话", "token": "令牌", "device": "设备",
    "device.trust": "设备信任", "ip": "地址", "risk": "风险", "band": "风险等级", "api": "接口", "method": "方法",
    "host": "主机", "path": "路径", "route": "路由", "action": "操作", "asset": "资产", "data": "数据", "category": "类别",
    "owner": "责任部门", "level": "级别", "record": "对象", "digest": "摘要", "outcome": "结果", "mode": "模式",
    "would": "强制时结果", "reason": "原因", "rule": "规则", "layer": "层级", "bundle": "策略版本", "mask": "脱敏方案",
    "masked": "脱敏值数", "unlabelled": "未标注字段数", "records": "条数", "clear": "明文值数", "removed": "去掉条数",
    "suppressed": "抑制值数", "residual": "残留标识", "purpose": "用途", "honey": "诱饵", "notify": "通知",
    "request": "请求编号", "trace": "追踪编号", "name": "名称", "target": "目标", "detail": "说明", "count": "次数",
    "status": "状态", "upstream.status": "后端状态", "sent": "发送字节", "received": "接收字节", "complete": "完整",
    "code": "代码", "latency": "耗时", "waited": "等待",
}  # fmt: skip
_GRADES: Final = {
    "general-1": "一般 1 级", "general-2": "一般 2 级", "general-3": "一般 3 级", "general-4": "一般 4 级",
    "important": "重要", "core": "核心",
}  # fmt: skip
_OUTCOMES: Final = {"permit": "允许", "challenge": "加强认证", "deny": "拒绝", "none": "无"}
_WORDS: Final[dict[str, dict[str, str]]] = {
    "kind": {"verdict": "判定", "notice": "通知", "act": "操作"},
    "outcome": _OUTCOMES,
    "would": _OUTCOMES,
    "mode": {"observe": "观察", "enforce": "强制"},
    "level": _GRADES,
    "clearance": _GRADES,
    "band": {"normal": "正常", "step_up": "加强认证", "limit": "限制", "quarantine": "隔离"},
    "device.trust": {"managed": "受管", "known": "已知", "unknown": "未知", "compromised": "失陷"},
    "action": {
        "read": "读取", "create": "新增", "update": "修改", "delete": "删除", "other": "其他", "reveal": "还原",
    },
}  # fmt: skip


def head(name: str, language: Language) -> str:
    """The head of a column."""
    if language != "zh-CN":
        return name
    summed, _, field = name.rpartition("sum ")
    return f"合计 {_HEADS.get(field, field)}" if name != field and not summed else _HEADS.get(name, name)


def told(name: str, value: Any, language: Language) -> str:
    """A value of a column."""
    zh = language == "zh-CN"
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else str(value).lower()
    if isinstance(value, list):
        return ("、" if zh else ", ").join(map(str, value))
    if isinstance(value, float):
        return f"{round(value, 6)}".removesuffix(".0")
    if name == "time":
        return _time(str(value))
    return _WORDS.get(name, {}).get(value, str(value)) if zh else str(value)


def _time(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found.astimezone(ZONE).isoformat(sep=" ", timespec="milliseconds") if found.tzinfo else text
