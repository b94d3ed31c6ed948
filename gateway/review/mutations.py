"""Which slips could the author of one rule have made?

Small changes of compiled rows, one at a time: what a tired hand writes, or a hostile one hopes that nobody notices.
Rules:

1. Of two slips the smaller one is tried: a role becomes `signed-in` (not `*`), an office becomes the one above it. A
   test that notices the smaller notices the larger.
2. A condition is changed in its text and compiled like any other; what the reader would refuse is no slip.
3. Nothing is changed that the rows do not say: titles, owners and notes decide nothing.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_network
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import GRADES
from gateway.masks import IDENTIFIERS, TECHNIQUES, parse_technique
from gateway.policy.content import Content, Row
from gateway.policy.duties import ASSURANCES, Then, parse, written
from gateway.policy.levels import ANY, span
from gateway.policy.names import WEEKDAYS
from gateway.policy.people import KINDS

EFFECT, WHO, ORG, DATA, ACTION, LEVEL, EXPIRES, WHEN, THEN = range(1, 10)
EVERYTHING = "*"
SIGNED_IN = KINDS[0]

_COMPLEMENT: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.In: "not in",
    ast.NotIn: "in",
}  # fmt: skip
_BOUNDARY: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_SPELLED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in",
}  # fmt: skip


class Mutation(Struct, frozen=True):
    """One slip in one rule: the word of the rule, what it said, what it says now ("" for nothing), and the rows."""

    rule: str
    key: str
    before: str
    after: str
    rows: tuple[Row, ...]

    @property
    def en(self) -> str:
        """What was changed, in English."""
        if self.key == "rule":
            return "the rule is left out"
        if not self.after:
            return f"`{self.key}: {self.before}` is left out"
        return f"`{self.key}: {self.before}` becomes `{self.after}`"

    @property
    def zh(self) -> str:
        """What was changed, in Chinese."""
        if self.key == "rule":
            return "删去整条规则"
        if not self.after:
            return f"删去 `{self.key}: {self.before}`"
        return f"`{self.key}: {self.before}` 改为 `{self.after}`"


class _Changed(Struct, frozen=True):
    """A change before it has the name of its rule."""

    key: str
    before: str
    after: str
    rows: tuple[Row, ...]


def mutations(rule: str, rows: tuple[Row, ...], content: Content) -> Iterator[Mutation]:
    """Every slip in one rule, given as its rows; `content` knows offices, profiles and the time zone."""
    seen = {rows}
    for made in _all(rows, content):
        if made.rows not in seen:  # the same rows once more are no other slip
            seen.add(made.rows)
            yield Mutation(rule, made.key, made.before, made.after, made.rows)


def _all(rows: tuple[Row, ...], content: Content) -> Iterator[_Changed]:
    first = rows[0]
    yield _Changed("rule", first[0], "", ())
    flipped = "deny" if first[EFFECT] == "allow" else "allow"
    yield _Changed("effect", first[EFFECT], flipped, _with(rows, EFFECT, flipped))
    yield from _words(rows, content)
    yield from _actions(rows)
    for level in _levels(first[LEVEL]):
        yield _Changed("level", first[LEVEL], level, _with(rows, LEVEL, level))
    if first[EXPIRES]:
        yield _Changed("expires", last_day(first[EXPIRES], content.timezone), "", _with(rows, EXPIRES, ""))
    for before, after, when in conditions(first[WHEN]) if first[WHEN] else ():
        yield _Changed("when", before, after, _with(rows, WHEN, when))
    yield from _duties(rows, content)


def _with(rows: tuple[Row, ...], column: int, value: str) -> tuple[Row, ...]:
    return _once((*row[:column], value, *row[column + 1 :]) for row in rows)


def _once(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(dict.fromkeys(rows))


# --- who, org, data, action, level ----------------------------------------------------------------


def _words(rows: tuple[Row, ...], content: Content) -> Iterator[_Changed]:
    """Each of several words left out, and all of them widened by a step."""
    parents = {row[0]: row[1] for row in content.orgs}
    for column, key in ((WHO, "who"), (ORG, "org"), (DATA, "data")):
        found = list(dict.fromkeys(row[column] for row in rows))
        for word in found if len(found) > 1 else ():
            yield _Changed(key, word, "", tuple(row for row in rows if row[column] != word))
        wider = list(dict.fromkeys(_wider(key, word, parents) for word in found))
        grown = _once((*row[:column], word, *row[column + 1 :]) for word in wider for row in rows)
        yield _Changed(key, ", ".join(found), ", ".join(wider), grown)


def _wider(key: str, word: str, parents: Mapping[str, str]) -> str:
    if key == "who" and word not in (SIGNED_IN, EVERYTHING):
        return SIGNED_IN
    if key == "org":
        return parents.get(word, EVERYTHING)
    return EVERYTHING


def _actions(rows: tuple[Row, ...]) -> Iterator[_Changed]:
    before = rows[0][ACTION]
    if before == EVERYTHING:
        return
    words = before.split("|")
    for word in words if len(words) > 1 else ():
        rest = "|".join(one for one in words if one != word)
        yield _Changed("action", word, "", _with(rows, ACTION, rest))
    yield _Changed("action", ", ".join(words), EVERYTHING, _with(rows, ACTION, EVERYTHING))


def _levels(level: str) -> Iterator[str]:
    """The levels a step beside this one, as far as one comparator can say them."""
    reach = span(level)
    if reach is None:
        return
    low, high = reach
    wanted = {(low - 1, high), (low + 1, high), (low, high - 1), (low, high + 1)}
    if low == high:
        wanted |= {(1, high), (low, len(GRADES))}
    for word in (ANY, *(f"{comparator} {grade}" for comparator in ("<=", ">=", "==") for grade in GRADES)):
        if span(word) in wanted:
            wanted.discard(span(word) or (0, 0))
            yield word


def last_day(until: str, timezone: str) -> str:
    """The last day on which a rule or a grant applies, from the second at which it ends."""
    return datetime.fromtimestamp(int(until) - 1, ZoneInfo(timezone)).date().isoformat()


# --- then -----------------------------------------------------------------------------------------


def _duties(rows: tuple[Row, ...], content: Content) -> Iterator[_Changed]:
    then = parse(rows[0][THEN])
    for key, before, after, changed in _weaker(rows[0][EFFECT] == "allow", then, content):
        yield _Changed(key, before, after, _with(rows, THEN, written(changed)))


def _weaker(allow: bool, then: Then, content: Content) -> Iterator[tuple[str, str, str, Then]]:
    if allow:
        shown = then.mask or content.default_mask
        weakest = weakest_profile(content)
        if weakest and shown != weakest:
            yield "mask", shown, weakest, replace(then, mask=weakest)
        for row in then.rows:
            yield "rows", row.text, "", replace(then, rows=tuple(one for one in then.rows if one is not row))
            for value in row.values if len(row.values) > 1 else ():
                less = replace(row, values=tuple(one for one in row.values if one != value))
                yield (
                    "rows",
                    row.text,
                    less.text,
                    replace(then, rows=tuple(less if one is row else one for one in then.rows)),
                )
        if then.request:
            yield "request", then.request, "", replace(then, request="")
        if then.watermark:
            yield "watermark", "true", "", replace(then, watermark=False)
        if then.log != "written":
            yield "log", then.log, "", replace(then, log="written")
        for topic in then.notify:
            yield "notify", topic, "", replace(then, notify=tuple(one for one in then.notify if one != topic))
        return
    if then.reason != "rule_denied":
        yield "reason", then.reason, "", replace(then, reason="rule_denied")
    if then.step_up:
        yield "step_up", then.step_up, "", replace(then, step_up="", max_age=None)
        for level, number in ASSURANCES.items():
            if number == ASSURANCES[then.step_up] - 1:
                yield "step_up", then.step_up, level, replace(then, step_up=level)
    if then.max_age is not None:
        yield "max_age", str(then.max_age), "", replace(then, max_age=None)


def weakest_profile(content: Content) -> str:
    """The mask profile that hides least, "" when there is none."""
    keys = (*sorted(IDENTIFIERS), *GRADES)
    return min(
        content.profiles,
        key=lambda name: (_hides(content.profiles[name], keys), name in content.suppress, name),
        default="",
    )


def _hides(profile: Mapping[str, str], keys: Iterable[str]) -> int:
    """How much a profile hides, as a sum over what a field may be; what it does not name is redacted."""
    rest = profile.get(EVERYTHING, "redact")
    return sum(TECHNIQUES[parse_technique(profile.get(key, rest)).name].strictness for key in keys)


# --- when -----------------------------------------------------------------------------------------


def conditions(text: str) -> Iterator[tuple[str, str, str]]:
    """Every slip in a condition: the part that was changed, what it became ("" for left out), and the whole text."""
    source = text.replace("\n", " ").strip()
    parts = _Parts(source)
    root = ast.parse(source, mode="eval").body
    yield source, "", ""
    for node, neutral, negate in _operands(root):
        before = parts.of(node)
        if neutral:
            yield before, "", parts.spliced(node, neutral)
        if negate:
            after = parts.negated(node)
            yield before, after, parts.spliced(node, after)
        for after in parts.nudged(node):
            yield before, after, parts.spliced(node, after)


def _operands(root: ast.expr) -> Iterator[tuple[ast.expr, str, bool]]:
    """Every part that is true or false: with the word that stands for leaving it out, and whether to negate it."""
    if isinstance(root, ast.BoolOp) and isinstance(root.op, ast.And):
        queue = [(value, "true", True) for value in root.values]
    else:
        queue = [(root, "", True)]
    while queue:
        node, neutral, negate = queue.pop(0)
        yield node, neutral, negate
        if isinstance(node, ast.BoolOp):
            word = "true" if isinstance(node.op, ast.And) else "false"
            queue.extend((value, word, True) for value in node.values)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            queue.append((node.operand, "", False))  # negated it would be what its parent negated is


class _Parts:
    """The text of a condition, part by part. The parser counts UTF-8 bytes, so bytes are cut."""

    def __init__(self, source: str) -> None:
        self.raw = source.encode()

    def of(self, node: ast.expr) -> str:
        return self.raw[node.col_offset : node.end_col_offset].decode()

    def spliced(self, node: ast.expr, after: str) -> str:
        return (self.raw[: node.col_offset] + after.encode() + self.raw[node.end_col_offset :]).decode()

    def negated(self, node: ast.expr) -> str:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.of(node.operand)
            return f"({inner})" if isinstance(node.operand, ast.BoolOp) else inner
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPLEMENT:
            return self.compared(node, [_COMPLEMENT[type(node.ops[0])]])
        return f"not ({self.of(node)})"

    def compared(self, node: ast.Compare, operators: list[str], operands: dict[int, str] | None = None) -> str:
        """The comparison with other operators, or with other operands at these places."""
        every = [self.of(one) for one in (node.left, *node.comparators)]
        for place, text in (operands or {}).items():
            every[place] = text
        return " ".join([every[0], *(f"{o} {text}" for o, text in zip(operators, every[1:], strict=True))])

    def nudged(self, node: ast.expr) -> Iterator[str]:
        """The same part with a boundary moved, or with one of its words left out."""
        if isinstance(node, ast.Compare):
            yield from self.moved(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = [word.value for word in node.args[1:] if isinstance(word, ast.Constant)]
            for others in _other_words(node.func.id, [str(word) for word in words]):
                yield f"{node.func.id}({self.of(node.args[0])}, {', '.join(map(_quoted, others))})"

    def moved(self, node: ast.Compare) -> Iterator[str]:
        operators = [_SPELLED.get(type(op), "") for op in node.ops]
        for place, op in enumerate(node.ops):
            if type(op) in _BOUNDARY:
                yield self.compared(node, [*operators[:place], _BOUNDARY[type(op)], *operators[place + 1 :]])
        for place, operand in enumerate((node.left, *node.comparators)):
            for text in self.others(operand):
                yield self.compared(node, operators, {place: text})

    def others(self, operand: ast.expr) -> Iterator[str]:
        """A number one more and one less; a list without one of its words."""
        text = self.of(operand)
        if isinstance(operand, ast.List | ast.Tuple) and len(operand.elts) > 1:
            for left_out in operand.elts:
                yield f"[{', '.join(self.of(word) for word in operand.elts if word is not left_out)}]"
        elif text.lstrip("-").replace(".", "", 1).isdigit():
            number = float(text) if "." in text else int(text)
            yield str(number + 1)
            yield str(number - 1)


def _quoted(word: str) -> str:
    return f"'{word}'" if '"' in word else f'"{word}"'


def _other_words(function: str, words: list[str]) -> Iterator[list[str]]:
    for place in range(len(words)):
        if len(words) > 1 and function != "between":
            yield words[:place] + words[place + 1 :]
        for word in _NEIGHBOURS.get(function, _nothing)(words[place]):
            yield [*words[:place], word, *words[place + 1 :]]


def _nothing(word: str) -> Iterator[str]:
    yield from ()


def _networks(word: str) -> Iterator[str]:
    """The network with one bit less: twice as many addresses."""
    network = ip_network(word)
    if network.prefixlen:
        yield str(network.supernet())


def _times(word: str) -> Iterator[str]:
    """A minute later and a minute earlier."""
    minute = int(word[:2]) * 60 + int(word[3:])
    for other in ((minute + 1) % 1440, (minute - 1) % 1440):
        yield f"{other // 60:02}:{other % 60:02}"


def _weekdays(word: str) -> Iterator[str]:
    """A day more at the end, and a day less."""
    first, _, last = word.partition("-")
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    if (end + 1 - start) % 7:
        yield f"{first}-{WEEKDAYS[(end + 1) % 7]}"
    if end != start:
        shorter = WEEKDAYS[(end - 1) % 7]
        yield first if shorter == first else f"{first}-{shorter}"


_NEIGHBOURS = {"ip_in": _networks, "between": _times, "weekday": _weekdays}
