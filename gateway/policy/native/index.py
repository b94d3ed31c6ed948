"""Which rows can match a request at all?

A matcher that asks `r.sub == p.sub && r.obj == p.obj && …` is false for every row that differs there, and casbin asks
them all. Rows are filed by these columns, so that only those of one drawer are asked. Rules:

1. Only a term of a conjunction counts, and only when nothing that is asked before it can fail: a row that is left out
   would have been false, never an error.
2. Rows keep their order; the effect is casbin's own, over fewer rows. A request without rows is asked about one that
   cannot match, since casbin takes an empty table for a row of empty values.
"""

from collections.abc import Sequence

from gateway.policy.native.model import blanks
from gateway.policy.native.source import Source, columns
from gateway.policy.native.syntax import (
    All,
    Call,
    Compared,
    Foreign,
    Minus,
    Named,
    Reckoned,
    Several,
    Syntax,
    walk,
)

Table = list[list[str]]
Key = tuple[object, ...]


def equalities(tree: Syntax, source: Source) -> tuple[tuple[str, str], ...]:
    """Token and column of each equality that every matching row meets, as far as nothing before it can fail."""
    sure = {key for key, text in source.definitions.items() if key[0] == "g" and _sure(key, text, source)}
    found = []
    for part in tree.parts if isinstance(tree, All) else (tree,):
        pair = _equality(part)
        if pair is not None:
            found.append(pair)
        elif not all(_cannot_fail(one, sure) for one in walk(part)):
            break
    return tuple(found)


def _sure(key: str, text: str, source: Source) -> bool:
    """Whether these roles are looked up by name alone: a function that matches names refuses long ones."""
    shape = blanks(text)
    return shape is not None and not shape.conditions and key not in {*source.matching, *source.domain_matching}


def _equality(part: Syntax) -> tuple[str, str] | None:
    """Token and column of `r.x == p.y`."""
    if not isinstance(part, Compared) or part.operators != ("==",):
        return None
    names = sorted(one.name for one in part.parts if isinstance(one, Named))
    if len(names) == 2 and names[0].startswith("p.") and names[1].startswith("r.") and names[1].count(".") == 1:
        return names[1][2:], names[0][2:]
    return None


def _cannot_fail(part: Syntax, sure: set[str]) -> bool:
    """Whether this part gives an answer whatever the values are, also for one that is not known."""
    match part:
        case Call():
            return part.name in sure
        case Named():
            return part.name.count(".") == 1
        case Compared():
            return all(
                operator in ("==", "!=") or (operator in ("in", "not in") and isinstance(right, Several))
                for operator, right in zip(part.operators, part.parts[1:], strict=True)
            )
        case Minus() | Reckoned() | Foreign():
            return False
    return True


class Index:
    """The rows by the values of their columns `at`; `asked` are the places of the tokens they are compared with."""

    def __init__(self, rows: Table, asked: Sequence[int], at: Sequence[int]) -> None:
        self._asked, self._at, self._none = asked, at, rows[:1]
        self._rows: dict[Key, Table] = {}
        for row in rows:
            self._rows.setdefault(tuple(row[place] for place in at), []).append(row)

    def rows(self, request: Sequence[object]) -> Table:
        """The rows that may match, at least one."""
        return self._rows.get(tuple(request[place] for place in self._asked), self._none)


def indexed(rows: Table, tree: Syntax, source: Source) -> Index | None:
    """The index of rows in the order of `p`, None where every row must be asked."""
    pairs = equalities(tree, source)
    tokens, names = columns(source.definitions["r"]), columns(source.definitions["p"])
    if not pairs or not rows:
        return None
    return Index(rows, [tokens.index(token) for token, _ in pairs], [names.index(column) for _, column in pairs])
