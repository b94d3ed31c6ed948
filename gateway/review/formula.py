"""What can a rule still say while only part of a request is known?

Rules as formulas over atoms (a comparison, a role, an office, a day), with three answers: yes, no, and failed.
An answer is a set of bits, because under partial knowledge several may be possible. Rules:

1. `and` and `or` stop early, from left to right, exactly as closures do: what stands behind a `false` cannot fail.
2. What `look` gives is never too small: an answer that some request can still get is in it. It may be too large.
3. Equal formulas are one object: two policies that say the same are seen to say the same, without any search.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Literal

from msgspec import Struct

YES, NO, FAILS = 1, 2, 4
ANY = YES | NO | FAILS

Value = str | float | bool | None | tuple[str, str]
Point = dict[str, Value]
"""What is known of a request: a value for each variable that is settled."""

Look = Callable[["Atom"], int]
"""The answers that an atom can still give."""


class Atom(Struct, frozen=True, eq=False):
    """What is not taken apart further: the variables it looks at, and its test once all of them are known.

    `among` is given instead of a test when it asks for one of several roles; `written` is what a comparison is in the
    text of its condition.
    """

    key: Hashable
    reads: tuple[str, ...]
    test: Callable[[Point], bool] | None = None
    among: frozenset[str] = frozenset()
    written: str = ""


class Formula(Struct, frozen=True, eq=False):
    """An atom, its opposite, or several parts of which all or some must hold. No part: `ALWAYS`, `NEVER`."""

    op: Literal["atom", "not", "all", "some"]
    parts: tuple["Formula", ...] = ()
    atom: Atom | None = None


ALWAYS, NEVER = Formula("all"), Formula("some")


class Pool:
    """Makes formulas; the same one again for the same parts."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Formula] = {}
        self.atoms: dict[Hashable, Atom] = {}

    def atom(self, key: Hashable, make: Callable[[], Atom]) -> Formula:
        """The formula of one atom; `make` is asked only for a key that is new."""
        found = self._known.get(("atom", key))
        if found is None:
            atom = self.atoms[key] = make()
            found = self._known["atom", key] = Formula("atom", (), atom)
        return found

    def all(self, parts: Iterable[Formula]) -> Formula:
        """All of these, asked from left to right."""
        return self._join("all", parts)

    def some(self, parts: Iterable[Formula]) -> Formula:
        """One of these, asked from left to right."""
        return self._join("some", parts)

    def opposite(self, one: Formula) -> Formula:
        """True where this is false, and failing where this fails."""
        if one.op == "not":
            return one.parts[0]
        if one.op == "atom":
            return self._known.setdefault(("not", id(one)), Formula("not", (one,)))
        turned = (self.opposite(part) for part in one.parts)
        return self.some(turned) if one.op == "all" else self.all(turned)

    def _join(self, op: Literal["all", "some"], parts: Iterable[Formula]) -> Formula:
        flat: dict[int, Formula] = {}  # one that stands twice was asked before
        for part in parts:
            for inner in part.parts if part.op == op else (part,):
                flat[id(inner)] = flat.get(id(inner), inner)
        if not flat:
            return ALWAYS if op == "all" else NEVER
        if len(flat) == 1:
            return next(iter(flat.values()))
        return self._known.setdefault((op, *flat), Formula(op, tuple(flat.values())))


def look(one: Formula, atoms: Look) -> int:
    """The answers that a formula can still give."""
    if one.op == "atom":
        return atoms(one.atom) if one.atom is not None else ANY
    if one.op == "not":
        return swapped(look(one.parts[0], atoms))
    ends, goes_on = (NO, YES) if one.op == "all" else (YES, NO)
    answers = 0
    for part in one.parts:
        seen = look(part, atoms)
        answers |= seen & (ends | FAILS)
        if not seen & goes_on:
            return answers
    return answers | goes_on


def swapped(answers: int) -> int:
    """Yes for no and no for yes."""
    return (answers & FAILS) | (YES if answers & NO else 0) | (NO if answers & YES else 0)


def asked(one: Formula, wanted: int) -> list[tuple[Formula, int]]:
    """The same wish in smaller parts, where it falls into parts."""
    if one.op == "not":
        return asked(one.parts[0], swapped(wanted))
    if (one.op, wanted) in (("all", YES), ("some", NO)):
        return [wish for part in one.parts for wish in asked(part, wanted)]
    return [(one, wanted)]


def atoms_of(one: Formula) -> Iterable[Atom]:
    """Its atoms, from left to right."""
    if one.atom is not None:
        yield one.atom
    for part in one.parts:
        yield from atoms_of(part)
