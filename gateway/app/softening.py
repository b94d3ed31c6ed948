"""Would an emergency level that is in force stop less?

It took two operators to begin. So no edit of one of them may soften it: not of its rules, not of its mask, and not of what
decides whom and what its rules meet.
"""

from gateway.app.revisions import Compiled
from gateway.document import FileFault
from gateway.policy.content import takes_back


def softened(before: Compiled, after: Compiled, level: str) -> str:
    """Which file would make this level, which is in force in `before`, stop less in `after`; "" for none.

    Rules may be added. What they meet must be the very same: one that says `not has(subject.roles, …)` is softened also
    by what is added. Rules outside of the level may change, they take no denial away; so may devices: a lost one must go.
    """
    old, new = before.bundle.content, after.bundle.content
    if level not in new.overlays or takes_back(old, new, level):
        return f"emergency/{level}.yaml"
    same = (
        ("people.yaml", (old.roles, old.orgs, old.declared, old.offices, old.timezone)
                        == (new.roles, new.orgs, new.declared, new.offices, new.timezone)),
        ("catalog", before.catalog.digest == after.catalog.digest),
        ("sites.yaml", before.sites == after.sites),
    )  # fmt: skip
    return next((name for name, alike in same if not alike), "")


def refused(level: str, place: str) -> FileFault:
    """What is said of the file."""
    if place.startswith("emergency/"):
        return FileFault(
            place, 1, 1, "P168", f"lacks a rule or the mask of the level {level} that is in force",
            f"缺少生效中的 {level} 级的规则或脱敏方案", "keep them (more may be added), or let two operators end the level first",
            "请予保留（可以增加），或先由两名操作员结束该级别",
        )  # fmt: skip
    return FileFault(
        place, 1, 1, "P168", f"differs, and decides what the rules of the level {level} meet that is in force",
        f"内容不同，而它决定生效中的 {level} 级规则所及的范围", "wait until the level is over, or let two operators end it first",
        "请等待该级别到期，或先由两名操作员结束该级别",
    )  # fmt: skip
