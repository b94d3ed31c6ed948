"""What does a province call the levels of its data?

Reads `grades.yaml`. Rules:

1. A name stands for one grade and may be written wherever the catalog, or `level` of an API, takes a grade.
2. The gateway's own words (`general-1` … `core`, `general`) mean what they mean everywhere: a file that turns `core` into
   `general-1` would lower what other files say without touching them.
3. Names are told back to people in the order of the file; entries and rules keep the gateway's own words.
"""

from collections.abc import Mapping
from pathlib import Path

from gateway.document import Faulty, FileFault, Node, did_you_mean, read
from gateway.facts import GRADES, Grade

GRADE_WORDS: dict[str, Grade] = GRADES | {"general": Grade.GENERAL_3}
"""`general` alone is general-3: data nobody has looked at closely counts as restricted."""

MAX_NAME = 32
Names = Mapping[str, Grade]
"""Every word that stands for a grade here: the gateway's own and the province's."""


def read_grades(path: Path, faults: list[FileFault]) -> dict[str, Grade]:
    """The names that a province gives its levels, in the order of the file; none where there is no such file."""
    if not path.exists():
        return {}
    try:
        root = read(path)
    except Faulty as faulty:
        faults.extend(faulty.faults)
        return {}
    faults.extend(root.unknown_keys(("names",), "K001"))
    place = root.at(["names"])
    if place.value is None:
        return {}
    if place is root or not isinstance(place.value, dict):
        faults.append(
            place.fault(
                "K003",
                "names of levels stand under `names:`, `L4: general-4`",
                "级别名称写在 `names:` 下，如 `L4: general-4`",
            )
        )
        return {}
    found = {name: _meant(place, name, node, faults) for name, node in place.value.items()}
    return {name: grade for name, grade in found.items() if grade is not None}


def _meant(place: Node, name: str, node: Node, faults: list[FileFault]) -> Grade | None:
    if name in GRADE_WORDS:
        faults.append(
            place.key_fault(
                name,
                "K038",
                f"`{name}` is a word of the gateway and keeps its meaning",
                f"`{name}` 是网关自有的级别词，含义不可更改",
                "choose another name",
                "请改用其他名称",
            )
        )
        return None
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        faults.append(
            place.key_fault(
                name,
                "K038",
                f"a name has 1 to {MAX_NAME} characters that can be seen",
                f"名称应为 1 至 {MAX_NAME} 个可见字符",
            )
        )
        return None
    if isinstance(node.value, str) and node.value in GRADE_WORDS:
        return GRADE_WORDS[node.value]
    said = node.value if isinstance(node.value, str) else ""
    hint_en, hint_zh = did_you_mean(said, GRADES)
    faults.append(node.fault("K004", f"`{name}`: no grade `{said}`", f"`{name}`：没有级别 `{said}`", hint_en, hint_zh))
    return None
