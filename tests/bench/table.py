"""Is the figure what it should be? Figures beside their targets, as a table and as JSON."""

import math
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

MARKS = {True: "yes", False: "NO", None: ""}


class Row(Struct):
    """One figure; `target` None when there is none to reach."""

    section: str
    name: str
    figure: float
    unit: str
    target: float | None = None
    better: Literal["less", "more"] = "less"
    beside: str = ""  # what else belongs to it

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None or math.isnan(self.figure):
            return None
        return self.figure <= self.target if self.better == "less" else self.figure >= self.target

    @property
    def wanted(self) -> str:
        """The target as text."""
        if self.target is None:
            return ""
        return f"{'≤' if self.better == 'less' else '≥'} {short(self.target)}"


class Said(Struct):
    """What a section found: rows for the table, everything for the JSON, and what it could not measure."""

    rows: list[Row]
    data: object
    notes: list[str] = []


def short(figure: float) -> str:
    """Three digits that count."""
    if math.isnan(figure):
        return "-"
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3g}"


def show(rows: Iterable[Row]) -> str:
    """The table."""
    lines, section = [], ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", section]
        figures = f"  {row.name:<44} {short(row.figure):>9} {row.unit:<9} {row.wanted:>9} {MARKS[row.met]:>4}"
        lines.append(f"{figures}  {row.beside}".rstrip())
    return "\n".join(lines)
