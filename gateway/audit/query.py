"""What does the auditor ask, and what may be asked?

A small language in the shape of KQL, turned into SQL with parameters:

    subject:zhang.wei level:>=important time:7d
    outcome:deny and not org:prov/civil* | count by org, reason
    数据:household 结果:deny | top 20 subject

1. `field:value`, `field:(a or b)`, `field:>=value`; `not`, `and` (also by standing side by side), `or`,
   parentheses; `*` at the end of a value; quotes around anything; a bare word is a person, an API, a
   rule, a decision or a name.
2. `| count by FIELD, …`, `| sum FIELD by FIELD, …`, `| top N FIELD, …`.
3. A field that is not known, or a value that its field never has, is an error with a suggestion, never an
   empty answer.
4. Nothing that was typed becomes SQL text: fields come from the table here, values are parameters.
5. A question is bounded: its length, its nesting, the rows of its answer, and its time.
"""

import re
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from gateway.audit.fields import ALIASES, BARE, CLOSED, FIELDS, SHOWN, TAIL, VALUES, WORDS, shown
from gateway.audit.index import find
from gateway.document import did_you_mean
from gateway.facts import GRADES
from gateway.reasons import AFTERWARDS

MAX_ROWS: Final = 10_000
_MAX_LENGTH: Final = 4000
_MAX_DEPTH: Final = 30
_MAX_TERMS: Final = 200
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TOKEN = re.compile(
    r"""\s+|(?P<string>"(?:[^"\\]|\\.)*")|(?P<mark>>=|<=|>|<|=|:|：|\(|\)|（|）|\||,|，)|(?P<word>[^\s"()（）|,，:：<>=]+)"""
)
_SPAN = re.compile(r"([0-9]{1,6})([smhdw])\Z")


class Unanswerable(Exception):
    """The question cannot be answered. `en` and `zh` say why, `at` is the place in the text (from 0)."""

    def __init__(self, en: str, zh: str, at: int = 0) -> None:
        super().__init__(en)
        self.en, self.zh, self.at = en, zh, at


class _Tok(NamedTuple):
    text: str
    at: int
    quoted: bool = False


class _Sql(NamedTuple):
    text: str
    values: tuple[Any, ...] = ()


def query(
    path: Path,
    text: str,
    limit: int = 100,
    *,
    now: float | None = None,
    zone: str = "Asia/Shanghai",
    seconds: float = 10.0,
) -> list[dict[str, Any]]:
    """The rows of the index in `path` that answer the question, newest first.

    `now` is the wall clock and `zone` the time zone in which days and hours are meant. Raises
    Unanswerable for a question that cannot be read, or that takes more than `seconds`.
    """
    asked = _Question(text, time.time() if now is None else now, ZoneInfo(zone), max(1, min(limit, MAX_ROWS)))
    statement, values, names = asked.read()
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA query_only = 1")
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        rows = connection.execute(statement, values).fetchall()
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            _fail("the question takes too long; narrow its time", "查询耗时过长，请缩小时间范围", 0)
        if str(error).startswith("no such "):  # fields come from our own table: the index has another format
            _fail(
                "the index is one of another version; the gateway makes it anew when it starts",
                "索引属于其他版本，网关启动时会重新生成",
                0,
            )
        raise
    finally:
        connection.close()
    return [{name: shown(name, value) for name, value in zip(names, row, strict=True)} for row in rows]


def lookup(path: Path, decision_id: str) -> int | None:
    """The number in the ledger of the decision with this id, or None."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return find(connection, decision_id)
    finally:
        connection.close()


class _Question:
    """Reads one question from left to right."""

    def __init__(self, text: str, now: float, zone: ZoneInfo, limit: int) -> None:
        if len(text) > _MAX_LENGTH:
            _fail(
                f"the question is longer than {_MAX_LENGTH} characters", f"查询超过 {_MAX_LENGTH} 个字符", _MAX_LENGTH
            )
        self._tokens = _tokens(text.encode("utf-8", "replace").decode())  # half a character cannot be a value
        self._at, self._end, self._terms = 0, len(text), 0
        self._now, self._zone, self._limit = now, zone, limit
        # One offset for the whole answer: an index cannot follow a zone through its summers.
        offset = datetime.fromtimestamp(now, zone).utcoffset() or timedelta()
        self._offset = int(offset.total_seconds())

    def read(self) -> tuple[str, tuple[Any, ...], list[str]]:
        """The statement, its parameters, and the names of its columns."""
        where = self._either(0) if self._peek() not in ("", "|") else _Sql("1")
        if self._peek() == "|":
            self._next()
            return self._tail(where)
        if self._peek():
            self._stop(f"`{self._peek()}` is not expected here", f"此处不应出现 `{self._peek()}`")
        names = list(SHOWN)
        columns = ", ".join(self._expression(name) for name in names)
        return (
            f"SELECT {columns} FROM entries LEFT JOIN journals USING (j) WHERE {where.text} ORDER BY n DESC LIMIT ?",  # noqa: S608  # fields come from FIELDS, values are parameters
            (*where.values, self._limit),
            names,
        )

    # --- conditions ---------------------------------------------------------------------------

    def _either(self, depth: int) -> _Sql:
        left = self._both(depth)
        while self._word() == "or":
            self._next()
            left = _join("OR", left, self._both(depth))
        return left

    def _both(self, depth: int) -> _Sql:
        left = self._negated(depth)
        while self._peek() not in ("", "|", ")") and self._word() != "or":
            if self._word() == "and":
                self._next()
            left = _join("AND", left, self._negated(depth))
        return left

    def _negated(self, depth: int) -> _Sql:
        if depth > _MAX_DEPTH:
            self._stop("the question is nested too deeply", "查询嵌套过深")
        if self._word() == "not":
            self._next()
            inner = self._negated(depth + 1)
            return _Sql(f"NOT coalesce({inner.text}, 0)", inner.values)
        if self._peek() == "(":
            self._next()
            inner = self._either(depth + 1)
            self._expect(")")
            return _Sql(f"({inner.text})", inner.values)
        return self._term(depth)

    def _term(self, depth: int) -> _Sql:
        token = self._next()
        if token.text == "" or (not token.quoted and token.text in _MARKS):
            self._at -= token.text != ""
            self._stop("a condition is missing here", "此处缺少条件")
        if self._peek() != ":" or token.quoted:
            return self._bare(token)
        name = self._field(token)
        self._next()
        if self._peek() == "(":
            self._next()
            inner = self._values(name, depth + 1)
            self._expect(")")
            return inner
        return self._value(name)

    def _values(self, name: str, depth: int) -> _Sql:
        """`(a or b and not c)` behind a field: conditions that all ask for the same field."""
        if depth > _MAX_DEPTH:
            self._stop("the question is nested too deeply", "查询嵌套过深")
        left = self._one(name, depth)
        while self._peek() not in ("", "|", ")"):
            word = self._word()
            if word in ("or", "and") or self._peek() == ",":
                self._next()
            left = _join("AND" if word == "and" else "OR", left, self._one(name, depth))
        return _Sql(f"({left.text})", left.values)

    def _one(self, name: str, depth: int) -> _Sql:
        if self._word() == "not":
            self._next()
            inner = self._one(name, depth + 1)
            return _Sql(f"NOT coalesce({inner.text}, 0)", inner.values)
        if self._peek() == "(":
            self._next()
            inner = self._values(name, depth + 1)
            self._expect(")")
            return inner
        return self._value(name)

    def _value(self, name: str) -> _Sql:
        mark = "="
        if self._peek() in (">=", "<=", ">", "<", "="):
            mark = self._next().text
        token = self._next()
        if token.text == "" or (not token.quoted and token.text in _MARKS):
            self._at -= token.text != ""
            self._stop(f"`{name}:` needs a value", f"`{name}:` 缺少值")
        while self._peek() == ":" and not token.quoted:  # a time, an IPv6 address: colons within a value
            self._next()
            token = _Tok(f"{token.text}:{self._next().text}", token.at)
        return self._compare(name, mark, token)

    def _bare(self, token: _Tok) -> _Sql:
        meant = None if token.quoted else TAIL.get(token.text.lower())
        if meant:
            self._stop(
                f"`{token.text}` stands after `|`: write `| {meant}`, or put the word in quotes",
                f"`{token.text}` 应位于 `|` 之后：请写 `| {meant}`；若查询该词本身，请加引号",
                token.at,
            )
        found = [self._compare(name, "=", token) for name in BARE]
        return _Sql(
            "(" + " OR ".join(each.text for each in found) + ")", tuple(v for each in found for v in each.values)
        )

    def _compare(self, name: str, mark: str, token: _Tok) -> _Sql:
        field = FIELDS[name]
        self._terms += 1
        if self._terms > _MAX_TERMS:
            self._stop(f"the question has more than {_MAX_TERMS} conditions", f"查询条件超过 {_MAX_TERMS} 个", token.at)
        sql = self._expression(name)
        value = token.text if token.quoted else VALUES.get(token.text, token.text)
        if value == "*" and not token.quoted:
            return _Sql(f"({sql} IS NOT NULL AND {sql} <> '')")
        if (
            value == "none"
            and not token.quoted
            and field.kind == "text"
            and name in ("mask", "would", "purpose", "org")
        ):
            return _Sql(f"({sql} = '' OR {sql} = 'none')")
        if field.kind == "time":
            return self._time(sql, mark, value, token)
        if field.kind == "grade":
            return self._grade(sql, mark, value, token)
        if field.kind in ("number", "hour"):
            return _Sql(f"{sql} {mark} ?", (self._number(name, value, token),))
        if field.kind == "flag":
            return _Sql(f"{sql} = ?", (self._flag(name, value, token),))
        if mark != "=":
            self._stop(f"`{name}` cannot be compared with `{mark}`", f"`{name}` 不支持 `{mark}` 比较", token.at)
        if name in CLOSED and value and (token.quoted or not value.endswith("*")):
            value = self._known(name, value, token)
        return _text(field.kind, sql, value, token.quoted)

    def _known(self, name: str, value: str, token: _Tok) -> str:
        """The value as this field has it, whatever its case."""
        spelt = {each.lower(): each for each in CLOSED[name]}
        if name == "reason" and value.lower() in AFTERWARDS:
            self._stop(
                f"`{value}` is told once the request was allowed; ask `code:{value}`",
                f"`{value}` 在放行之后才会出现，请查询 `code:{value}`",
                token.at,
            )
        if value.lower() not in spelt:
            en, zh = did_you_mean(value, list(CLOSED[name]))
            self._stop(
                f"`{name}` is never `{value}`; {en}".rstrip("; "),
                f"`{name}` 没有值 `{value}`；{zh}".rstrip("；"),
                token.at,
            )
        return spelt[value.lower()]

    def _time(self, sql: str, mark: str, value: str, token: _Tok) -> _Sql:
        span = _SPAN.match(value)
        if span:
            since = self._now - int(span[1]) * _UNITS[span[2]]
            return _Sql(f"{sql} {'<' if mark in ('<', '<=') else '>='} ?", (since,))
        first, last = self._period(value, token)
        if mark == "=":
            return _Sql(f"({sql} >= ? AND {sql} < ?)", (first, last))
        edge, second = {">=": (">=", first), ">": (">=", last), "<": ("<", first), "<=": ("<", last)}[mark]
        return _Sql(f"{sql} {edge} ?", (second,))

    def _period(self, value: str, token: _Tok) -> tuple[float, float]:
        """`2026`, `2026-09`, `2026-09-21`, `2026-09-21T08` … as the seconds they begin and end."""
        parts = re.split(r"[-T: ]", value)
        try:
            numbers = [int(part) for part in parts]
            filled = numbers + [0, 1, 1, 0, 0, 0][len(numbers) :]
            begin = datetime(*filled[:6], tzinfo=self._zone)  # type: ignore[misc,arg-type]  # six numbers
            width = len(numbers)
            if width == 1:
                end = begin.replace(year=begin.year + 1)
            elif width == 2:
                end = (begin.replace(day=28) + timedelta(days=4)).replace(day=1)
            else:
                end = (
                    begin
                    + (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))[width - 3]
                )
            return begin.timestamp(), end.timestamp()
        except (ValueError, IndexError, OverflowError, TypeError):
            self._stop(
                f"`{value}` is not a time; write 24h, 7d or 2026-09-21T08:30",
                f"`{value}` 不是时间，可写 24h、7d 或 2026-09-21T08:30",
                token.at,
            )

    def _grade(self, sql: str, mark: str, value: str, token: _Tok) -> _Sql:
        if value == "general":
            low, high = 1, 4
        elif value in GRADES:
            low = high = int(GRADES[value])
        else:
            en, zh = did_you_mean(value, [*GRADES, "general"])
            self._stop(f"`{value}` is not a level; {en}", f"`{value}` 不是级别；{zh}", token.at)
        if mark == "=":
            return _Sql(f"{sql} BETWEEN ? AND ?", (low, high))
        return _Sql(f"({sql} > 0 AND {sql} {mark} ?)", (low if mark in (">=", "<") else high,))

    def _number(self, name: str, value: str, token: _Tok) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if number != number or abs(number) == float("inf"):
            self._stop(f"`{name}` needs a number, not `{value}`", f"`{name}` 需要数字，而不是 `{value}`", token.at)
        return number

    def _flag(self, name: str, value: str, token: _Tok) -> int:
        if value not in ("true", "false", "yes", "no", "1", "0"):
            self._stop(
                f"`{name}` is true or false, not `{value}`",
                f"`{name}` 只能是 true 或 false，而不是 `{value}`",
                token.at,
            )
        return int(value in ("true", "yes", "1"))

    def _expression(self, name: str) -> str:
        field = FIELDS[name]
        if field.kind == "id":
            return "(id || '.' || seq)"
        if field.kind == "hour":
            return f"(CAST(at + {self._offset} AS INTEGER) / 3600 % 24)"
        return field.sql

    # --- the tail: count, sum, top ---------------------------------------------------------------

    def _tail(self, where: _Sql) -> tuple[str, tuple[Any, ...], list[str]]:
        token = self._next()
        value, title, limit = "count(*)", "count", self._limit
        if token.text == "top":
            if self._peek().isascii() and self._peek().isdigit():
                limit = max(1, min(int(self._next().text[:6]), MAX_ROWS))
        elif token.text in ("count", "sum"):
            if token.text == "sum":
                name = self._field(self._next())
                if FIELDS[name].kind != "number":
                    self._stop(f"`{name}` cannot be summed", f"`{name}` 不能求和", token.at)
                value, title = f"coalesce(sum({self._expression(name)}), 0)", f"sum {name}"
            if self._word() == "by":
                self._next()
            elif not self._peek():
                return self._grouped(where, value, title, [], 1)
            else:
                self._stop("`by` and the fields to group by are missing", "缺少 `by` 和分组字段")
        else:
            en, zh = did_you_mean(token.text, ("count", "sum", "top"))
            self._stop(
                f"after `|` stands count, sum or top, not `{token.text}`; {en}",
                f"`|` 之后应为 count、sum 或 top，而不是 `{token.text}`；{zh}",
                token.at,
            )
        return self._grouped(where, value, title, self._names(), limit)

    def _names(self) -> list[str]:
        names = [self._field(self._next())]
        while self._peek() == ",":
            self._next()
            names.append(self._field(self._next()))
        if self._peek():
            self._stop(f"`{self._peek()}` is not expected here", f"此处不应出现 `{self._peek()}`")
        if len(names) > 6:
            self._stop("at most six fields can be grouped by", "最多按六个字段分组")
        return list(dict.fromkeys(names))

    def _grouped(
        self, where: _Sql, value: str, title: str, names: list[str], limit: int
    ) -> tuple[str, tuple[Any, ...], list[str]]:
        keys = [self._expression(name) for name in names]
        places = ", ".join(str(number) for number in range(1, len(keys) + 1))
        group = f" GROUP BY {places} ORDER BY {len(keys) + 1} DESC, {places} LIMIT ?" if keys else " LIMIT ?"
        columns = ", ".join([*keys, value])
        statement = f"SELECT {columns} FROM entries LEFT JOIN journals USING (j) WHERE {where.text}{group}"  # noqa: S608  # as in `read`
        return statement, (*where.values, limit), [*names, title]

    # --- words -------------------------------------------------------------------------------------

    def _field(self, token: _Tok) -> str:
        name = ALIASES.get(token.text, token.text.lower())
        if name not in FIELDS or token.quoted:
            en, zh = did_you_mean(name, [*FIELDS, *ALIASES])
            self._stop(
                f"there is no field `{token.text}`; {en}".rstrip("; "),
                f"没有字段 `{token.text}`；{zh}".rstrip("；"),
                token.at,
            )
        return name

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return '"' if token.quoted else token.text

    def _word(self) -> str:
        text = self._peek()
        return WORDS.get(text, text.lower())

    def _next(self) -> _Tok:
        if self._at >= len(self._tokens):
            return _Tok("", self._end)
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        if self._peek() == mark:
            self._next()
        else:
            self._stop(f"`{mark}` is missing here", f"此处缺少 `{mark}`")

    def _stop(self, en: str, zh: str, at: int | None = None) -> NoReturn:
        if at is None:
            at = self._tokens[self._at].at if self._at < len(self._tokens) else self._end
        _fail(en, zh, at)


_MARKS = frozenset((":", "(", ")", "|", ",", ">=", "<=", ">", "<", "="))
_WIDE = str.maketrans("：（），", ":(),")


def _tokens(text: str) -> list[_Tok]:
    found: list[_Tok] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _fail("a quote is not closed", "引号没有闭合", at)
        if match["string"] is not None:
            found.append(_Tok(re.sub(r"\\(.)", r"\1", match["string"][1:-1]), at, True))
        elif match["mark"] is not None:
            found.append(_Tok(match["mark"].translate(_WIDE), at))
        elif match["word"] is not None:
            found.append(_Tok(match["word"], at))
        at = match.end()
    return found


def _text(kind: str, sql: str, value: str, quoted: bool) -> _Sql:
    prefix = value.endswith("*") and not quoted
    if kind == "id" and not prefix:
        journal, _, seq = value.rpartition(".")
        number = int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 16 else -1
        return _Sql("(j = (SELECT j FROM journals WHERE id = ?) AND seq = ?)", (journal, number))
    if kind == "list":
        wanted = _like(value[:-1] if prefix else value)
        return _Sql(f"{sql} LIKE ? ESCAPE '\\'", (f"%\n{wanted}{'' if prefix else chr(10)}%",))
    if prefix:
        return _Sql(f"{sql} LIKE ? ESCAPE '\\'", (_like(value[:-1]) + "%",))
    return _Sql(f"{sql} = ?", (value,))


def _like(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _join(word: str, left: _Sql, right: _Sql) -> _Sql:
    return _Sql(f"({left.text} {word} {right.text})", left.values + right.values)


def _fail(en: str, zh: str, at: int) -> NoReturn:
    raise Unanswerable(en, zh, at)
