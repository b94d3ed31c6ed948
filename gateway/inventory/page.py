"""How does the ledger look on paper?

One HTML page of tables: no script, nothing from elsewhere, everything escaped, laid out for A4. Cells come from catalog files and
from the record: what a caller typed as a path must stay text in the browser of whoever prints it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final, Literal

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
    heads = [words[at] for words in view.head]
    head = "".join(map(_head, heads, zip(*view.rows, strict=True)))
    rows = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in view.rows)
    return f"{title}\n<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _head(words: str, column: tuple[Cell, ...]) -> str:
    """Above numbers as they stand, on the right."""
    words = escape(words)
    return f"<th>{words}</th>" if all(isinstance(cell, str) for cell in column) else f'<th class="n">{words}</th>'


def _cell(value: Cell) -> str:
    if not isinstance(value, str):
        return f'<td class="n">{value}</td>'
    return f"<td>{escape(''.join(c if c.isprintable() else '�' for c in value))}</td>"
