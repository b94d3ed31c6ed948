"""May this candidate be tried beside what is in force?

A pilot compares rules. Who asks for what, from which machine, is found out once for both bundles, so everything else
must be the same; and while an emergency level is in force nobody tries anything.
"""

from pathlib import Path

from gateway.app.revisions import Compiled
from gateway.document import FileFault


def compared(folder: Path, active: Compiled, candidate: Compiled) -> FileFault | None:
    """Why these two cannot be compared by a pilot; None when they can."""
    if active.bundle.level:
        return _fault(
            folder, "P11A", "an emergency level is in force", "紧急级别正在生效",
            "start the pilot when it has ended", "请在其结束后再开始试点",
        )  # fmt: skip
    if candidate.digest == active.digest:
        return _fault(
            folder, "P11B", "is what is in force already", "与现行策略相同",
            "edit the rules of the candidate first", "请先修改候选策略的规则",
        )  # fmt: skip
    same = (
        ("catalog", active.catalog.digest == candidate.catalog.digest),
        ("devices.yaml", active.register == candidate.register),
        ("sites.yaml", active.sites == candidate.sites),
    )
    for name, alike in same:
        if not alike:
            return _fault(
                folder / name, "P11C", "differs from what is in force; a pilot compares rules",
                "与现行内容不同；试点只比较规则", "bring this change into force first: `gateway reload`",
                "请先用 `gateway reload` 使该改动生效",
            )  # fmt: skip
    return None


def _fault(place: Path, code: str, en: str, zh: str, remedy_en: str, remedy_zh: str) -> FileFault:
    return FileFault(str(place), 1, 1, code, en, zh, remedy_en, remedy_zh)
