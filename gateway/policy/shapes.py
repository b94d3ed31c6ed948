"""How is a value of an expected shape taken from a YAML node?

Each function returns the value, or reports a fault (P001–P004) to `faults` and returns an empty one,
so that a reader can go on and report everything that is wrong with a file at once.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from gateway.document import FileFault, Node, did_you_mean

Faults = list[FileFault]

MAX_TEXT = 2000
DECLARED = {"P010": "people.yaml", "P011": "people.yaml", "P012": "catalog/"}
"""Where roles, offices and assets are declared: an unknown one may be new."""
_WIDE_COMMA = re.compile("[，、；]")
NO_WORDS: Mapping[str, str] = {}


def text(node: Node, faults: Faults) -> str:
    """A non-empty text."""
    if isinstance(node.value, str) and 0 < len(node.value) <= MAX_TEXT:
        return node.value
    faults.append(
        node.fault(
            "P004",
            "expected a text of 1 to 2000 characters",
            "此处应为 1 至 2000 个字符的文本",
            "put the value in quotes",
            "请将值放入引号中",
        )
    )
    return ""


def texts(node: Node, faults: Faults) -> list[tuple[str, Node]]:
    """One text or a list of texts, each with the node it stands at; an empty list is a fault."""
    if isinstance(node.value, list):
        found = [(text(item, faults), item) for item in node.value]
        if not found:
            faults.append(
                node.fault("P004", "the list is empty", "列表为空", "name at least one", "请至少写一项")
            )  # an empty `who:` must not come to mean everyone, nor a deny that never applies
        return [(value, item) for value, item in found if value]
    value = text(node, faults)
    return [(value, node)] if value else []


def mapping(node: Node, faults: Faults, allowed: Collection[str] | None = None) -> dict[str, Node]:
    """A mapping; with `allowed`, any other key is a fault with a suggestion."""
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        faults.append(
            node.fault("P004", "expected keys with values", "此处应为键值对", "write `key: value`", "请写成 `键: 值`")
        )
        return {}
    if allowed is not None:
        faults.extend(node.unknown_keys(allowed, "P001"))
    return node.value


def required(node: Node, parts: Collection[str], keys: Iterable[str], faults: Faults) -> None:
    """Keys that a mapping cannot do without; each that is missing from its `parts` is a fault."""
    for key in keys:
        if key not in parts:
            faults.append(
                node.fault("P003", f"`{key}` is missing", f"缺少 `{key}`", f"add `{key}:`", f"请添加 `{key}:`")
            )


def items(node: Node, faults: Faults) -> list[Node]:
    """A list; nothing at all counts as an empty one."""
    if node.value is None:
        return []
    if isinstance(node.value, list):
        return node.value
    faults.append(
        node.fault("P004", "expected a list", "此处应为列表", "begin each item with `- `", "每一项以 `- ` 开头")
    )
    return []


def whole_number(node: Node, faults: Faults, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    faults.append(
        node.fault(
            "P004",
            f"expected a whole number from {low} to {high}",
            f"此处应为 {low} 至 {high} 的整数",
            "write it in digits, without quotes or unit",
            "请写数字，不加引号和单位",
        )
    )
    return low


def flag(node: Node | None, faults: Faults) -> bool:
    """True or false; false where nothing stands."""
    if node is None or isinstance(node.value, bool):
        return node is not None and node.value is True
    faults.append(
        node.fault(
            "P004", "expected true or false", "此处应为 true 或 false",
            "write `true` or `false`, without quotes", "请写 `true` 或 `false`，不加引号",
        )
    )  # fmt: skip
    return False


def one_of(
    node: Node,
    faults: Faults,
    allowed: Collection[str],
    code: str,
    en: str,
    zh: str,
    meant: Mapping[str, str] = NO_WORDS,
) -> str:
    """One of the allowed words; `en` and `zh` name what kind of word it is, `meant` has those for which it is mistaken."""
    value = node.value
    if isinstance(value, str) and value in allowed:
        return value
    shown = plain(node)
    hint = remedy(meant.get(shown.lower(), shown), allowed, code)
    faults.append(node.fault(code, f"no {en} `{shown}`", f"没有名为 `{shown}` 的{zh}", *hint))
    return ""


def remedy(word: str, known: Collection[str], code: str) -> tuple[str, str]:
    """How to mend an unknown word: the one that was meant, a list instead of a wide comma, or a declaration."""
    mark = _WIDE_COMMA.search(word)
    if mark:
        names = ", ".join(part.strip() for part in _WIDE_COMMA.split(word) if part.strip())
        return (
            f"full-width `{mark[0]}` does not part names: write [{names}]",
            f"全角 `{mark[0]}` 不能分隔名称：请写 [{names}]",
        )
    en, zh = did_you_mean(word, known)
    if code not in DECLARED:
        return en, zh
    declare = (
        (f"or declare it in {DECLARED[code]}", f"或在 {DECLARED[code]} 中声明")
        if en
        else (f"declare it in {DECLARED[code]}", f"请在 {DECLARED[code]} 中声明")
    )
    between = (" ", "") if en.endswith("?") else ("; ", "；") if en else ("", "")
    return f"{en}{between[0]}{declare[0]}", f"{zh}{between[1]}{declare[1]}"


def title(node: Node | None, faults: Faults) -> tuple[str, str]:
    """A title in English and Chinese: one text for both, or `{en: …, zh: …}`."""
    if node is None:
        return "", ""
    if isinstance(node.value, dict):
        both = mapping(node, faults, ("en", "zh"))
        words = {key: text(value, faults) for key, value in both.items() if key in ("en", "zh")}
        fallback = next(iter(words.values()), "")
        return words.get("en", fallback), words.get("zh", fallback)
    word = text(node, faults)
    return word, word


def plain(node: Node) -> str:
    """What stands at the node, short enough for a message."""
    value = node.value
    if isinstance(value, dict | list):
        return "…"
    return "null" if value is None else str(value).splitlines()[0][:60] if str(value) else ""
