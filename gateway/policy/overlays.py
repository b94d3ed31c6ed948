"""What changes while an emergency level is in force?

Reads `emergency/{I,II,III,IV}.yaml`: levels that were thought through, tested and signed before anybody needed them.
Rules:

1. A level only takes away: its rules deny, its mask is added to those of every permit (the strictest wins), and it
   may freeze all sharing grants. Freezing is a deny of whoever asks under a grant, never the end of the grant: a rule
   that no longer applied would take its mask with it, and another rule could then show more. An opaque answer, which
   no mask reaches, is refused where the level's mask might hide something of it.
2. All levels are part of the bundle and of its digest; switching one on changes no file.
3. I is the gravest. One level is in force at a time: IV is not part of I unless its author wrote it there.
"""

from typing import Literal, get_args

from msgspec import Struct

from gateway.document import FileFault, Node
from gateway.policy.shapes import Faults, flag, mapping, one_of, plain, title

Level = Literal["I", "II", "III", "IV"]
LEVELS: tuple[Level, ...] = get_args(Level)

Row = tuple[str, ...]
FROZEN = "grant.held"
"""What a level denies that freezes sharing grants."""

EMERGENCY = "emergency:"
"""Before the level, the name of its layer."""


class Overlay(Struct, frozen=True):
    """One level: its casbin rows, the mask profile that every permit is shown through as well, its title."""

    rows: tuple[Row, ...] = ()
    mask: str = ""
    freezes: bool = False
    title: tuple[str, str] = ("", "")


def read_overlay(root: Node, stem: str, profiles: frozenset[str], faults: Faults) -> Overlay:
    """Read all but the rules of `emergency/<stem>.yaml`; every fault goes to `faults`."""
    parts = mapping(root, [])
    if "level" not in parts or parts["level"].value != stem or stem not in LEVELS:
        faults.append(_misnamed(parts.get("level", root), stem))
    freezes = flag(parts.get("freeze_grants"), faults)
    mask = one_of(parts["mask"], faults, profiles, "P014", "mask profile", "脱敏方案") if "mask" in parts else ""
    return Overlay(mask=mask, freezes=freezes, title=title(parts.get("title"), faults))


def _misnamed(node: Node, stem: str) -> FileFault:
    if stem not in LEVELS:
        return node.fault(
            "P054", f"no emergency level `{stem}`", f"没有 `{stem}` 级应急响应",
            "name the file I.yaml, II.yaml, III.yaml or IV.yaml", "文件名应为 I.yaml、II.yaml、III.yaml 或 IV.yaml",
        )  # fmt: skip
    shown = plain(node) if not isinstance(node.value, dict) else ""
    return node.fault(
        "P054", f"the file is `{stem}.yaml` and its level `{shown}`", f"文件名为 `{stem}.yaml`，级别却为 `{shown}`",
        f"write `level: {stem}`", f"请写 `level: {stem}`",
    )  # fmt: skip
