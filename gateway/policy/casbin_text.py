"""How do the rows that casbin has loaded look as a file of its own?

1. A row is a line: `p, id, eft, …`. A cell with a comma, a quote or a space at an end stands in quotes (RFC 4180), as
   casbin's readers for Go, Java, Node and .NET expect; pycasbin's file adapter takes quotes for a part of the value, so
   its users load the same rows as JSON (`add_policies`).
2. A line break of a condition is written as a space: that is how conditions are read. No other cell may hold one, for
   the rest of the row would be a row of its own.
"""

from collections.abc import Iterable, Mapping

from gateway.document import FileFault
from gateway.policy.content import Row

CONDITION = 8
"""The place of `when` in a `p` row."""


def lines(rows: Mapping[str, Iterable[Row]]) -> tuple[list[str], list[FileFault]]:
    """The lines of all rows by kind (`p`, `g`, `g2`, `g3`), and a fault for each row that no line can carry."""
    found, faults = [], []
    for kind, some in rows.items():
        for row in some:
            cells = [
                cell.replace("\n", " ") if kind == "p" and place == CONDITION else cell
                for place, cell in enumerate(row)
            ]
            if any(c in cell for cell in cells for c in "\n\r\0"):
                faults.append(_not_a_line(kind, row))
            else:
                found.append(", ".join((kind, *map(_quoted, cells))))
    return found, faults


def _quoted(cell: str) -> str:
    if cell == cell.strip() and not any(c in cell for c in ',"') and not cell.startswith("#"):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _not_a_line(kind: str, row: Row) -> FileFault:
    shown = row[0].replace("\n", " ").replace("\r", " ").replace("\0", " ")
    return FileFault(
        "policy.csv", 1, 1, "P123", f"a `{kind}` row of `{shown}` holds a line break", f"`{shown}` 的 `{kind}` 行中有换行",
        "ask for -o json, or remove it from the rule", "请使用 -o json，或从规则中删除",
    )  # fmt: skip
