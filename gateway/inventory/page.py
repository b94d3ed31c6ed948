"""How does the ledger look on paper?

One HTML page of tables: no script, nothing from elsewhere, everything escaped, laid out for A4. Cells come from catalog files and
from the record: what a caller typed as a path must stay text in the browser of whoever prints it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final, Literal

from gateway.facts import Grade
from gateway.inventory.views import Cell, View

Language = Literal["zh-CN", "en"]

_STYLE: Final = (
    "@page{size:A4 landscape;margin:14mm}"
    "body{font:10pt/1.4 'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif;color:#111;margin:2em}"
    "h1{font-size:16pt;margin:0 0 .2em}h2{font-size:12pt;margin:1.6em 0 .4em;break-after:avoid}"
    "p{margin:.2em 0;color:#555}table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "tr{break-inside:avoid}th,td{border:.5pt solid #999;padding:2pt 5pt;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#eee}th.n,td.n{text-align:right;white-space:nowrap}"
    "@media print{body{margin:0}}"
)
_TITLE: Final = ("Ledger of data assets", "数据资产台账")
_NONE: Final = ("none", "无")
_GRADES: Final = dict(
    zip(
        (grade.text for grade in Grade),
        ("一般 1 级", "一般 2 级", "一般 3 级", "一般 4 级", "重要", "核心"),
        strict=True,
    )
)
_CHINESE: Final[dict[str, dict[str, str]]] = {
    "grade": _GRADES,
    "contract": {"learn": "展示并记录", "warn": "展示并告警", "enforce": "隐藏"},
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
        "secret": "秘密",
        "other": "其他",
    },
}
"""What the words of a column, by its English head, are called on a Chinese page. Ids and paths stay as they are typed."""


def page(views: Sequence[View], language: Language, notes: Sequence[str]) -> str:
    """The page; `notes` stand below its title."""
    at = language == "zh-CN"
    title = _TITLE[at]
    tables = "\n".join(_table(view, at) for view in views)
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        # nothing is fetched and nothing runs, even if an escape were missing
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>{said}\n{tables}\n</body>\n</html>\n"
    )


def _table(view: View, at: bool) -> str:
    title = f"<h2>{escape(view.title[at])}</h2>"
    if not view.rows:
        return f"{title}\n<p>{_NONE[at]}</p>"
    heads = [_GRADES.get(words[0], words[1]) if at else words[0] for words in view.head]
    head = "".join(map(_head, heads, zip(*view.rows, strict=True)))
    spoken = [_CHINESE.get(words[0], {}) if at else {} for words in view.head]
    rows = "\n".join("<tr>" + "".join(map(_cell, row, spoken)) + "</tr>" for row in view.rows)
    return f"{title}\n<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _head(words: str, column: tuple[Cell, ...]) -> str:
    """Above numbers as they stand, on the right."""
    words = escape(words)
    return f"<th>{words}</th>" if all(isinstance(cell, str) for cell in column) else f'<th class="n">{words}</th>'


def _cell(value: Cell, spoken: dict[str, str]) -> str:
    if not isinstance(value, str):
        return f'<td class="n">{value}</td>'
    value = spoken.get(value, value)
    return f"<td>{escape(''.join(c if c.isprintable() else '�' for c in value))}</td>"
