"""What are the words of the ledger called in Chinese?

On paper, on screen and in a table for a spreadsheet; a program that reads JSON gets the gateway's own words. Ids of assets and
paths stay as they are typed, an office is told with its title.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from gateway.facts import Grade
from gateway.inventory.views import Cell, View

_OFFICES: Final = frozenset(("department", "office"))
_GRADES: Final = dict(
    zip(
        (grade.text for grade in Grade),
        ("一般 1 级", "一般 2 级", "一般 3 级", "一般 4 级", "重要", "核心"),
        strict=True,
    )
)
_CHINESE: Final[dict[str, dict[str, str]]] = {
    "grade": _GRADES,
    "highest": _GRADES,
    "contract": {"learn": "展示并记录", "warn": "展示并告警", "enforce": "隐藏"},
    "categories": {
        "personal": "个人",
        "sensitive-personal": "敏感个人",
        "minor": "未成年人",
        "organisation": "组织",
        "public-safety": "公共安全",
    },
    "subject": {"natural-person": "自然人", "legal-person": "法人", "government": "政府", "thing": "物"},
    "sharing": {"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"},
    "opening": {"open": "开放", "restricted": "受限开放", "closed": "不开放"},
    "graded by": {
        "department": "部门",
        "service": "服务",
        "asset": "资产",
        "endpoint": "端点",
        "unlabelled": "未标注",
        "field": "字段",
        "api": "接口",
        "aggregation": "汇聚",
    },
    "source": {"declared": "登记", "imported": "导入", "proposed": "建议"},
    "identifier": {
        "resident-id": "身份证号",
        "old-resident-id": "旧身份证号",
        "credit-code": "统一社会信用代码",
        "org-code": "组织机构代码",
        "phone": "手机号",
        "landline": "固定电话",
        "bank-card": "银行卡号",
        "passport": "护照号",
        "permit": "通行证号",
        "officer-id": "军官证号",
        "plate": "车牌号",
        "vin": "车辆识别代号",
        "imei": "手机串号",
        "social-card": "社会保障卡号",
        "email": "邮箱",
        "address": "地址",
        "name": "姓名",
        "ip": "IP 地址",
        "mac": "MAC 地址",
        "gps": "经纬度",
        "birth-date": "出生日期",
        "secret": "高度敏感内容",
        "other": "其他",
    },
}
"""What the words of a column, by its English head, are called in Chinese. 秘密 and 机密 are levels of state secrets, and no words of this."""


def spoken(view: View, offices: Mapping[str, str]) -> View:
    """The view for people who read Chinese; `offices`: the title of each office that has one."""
    titled = {office: f"{title}（{office}）" for office, title in offices.items() if title}
    words = [titled if head[0] in _OFFICES else _CHINESE.get(head[0], {}) for head in view.head]
    head = tuple((en, _GRADES.get(en, zh)) for en, zh in view.head)
    return replace(view, head=head, rows=tuple(tuple(map(_said, row, words)) for row in view.rows))


def _said(cell: Cell, words: Mapping[str, str]) -> Cell:
    if not isinstance(cell, str):
        return cell
    parts = cell.split(", ")  # several of them in one cell
    return "、".join(words[part] for part in parts) if all(part in words for part in parts) else cell
