"""Who holds which role, in which domain, at this time?

The role managers of native mode, in the place where casbin keeps its own. Rules:

1. Links are walked to their end: casbin stops at depth 10, where a deny on the role above is no longer reached.
2. Links of one domain say nothing in another, unless a matching function says that the domains match.
3. With a matching function a name of the request stands for every name of the rows whose pattern it matches, and a
   role that is a pattern is held as every name that matches it. Casbin also takes names of earlier requests for
   patterns, and keeps them for ever; here nothing of a request is kept.
4. A link with conditions holds while its function says so, at the time of the request.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from gateway.policy.native.patterns import TooLong

Match = Callable[[str, str], bool]
Condition = Callable[..., bool]
Link = tuple[str, tuple[str, ...]]
"""The role, and what its condition is asked about."""

FAILURES = (TypeError, ValueError, LookupError, ArithmeticError)


class Links:
    """casbin's role manager interface (`clear`, `add_link`, `has_link`, `print_roles`) over plain graphs.

    `blanks` is how many of a row's columns name user, role and domain; the rest belongs to the condition.
    """

    def __init__(
        self,
        blanks: int,
        match: Match | None = None,
        domain_match: Match | None = None,
        condition: Condition | None = None,
    ) -> None:
        self.blanks, self.match, self.domain_match, self.condition = blanks, match, domain_match, condition
        self._domains: dict[str, dict[str, list[Link]]] = {}
        self._reached: dict[tuple[str, str], frozenset[str]] = {}

    def clear(self) -> None:
        """Forget all links."""
        self._domains.clear()
        self._reached.clear()

    def add_link(self, name1: str, name2: str, *rest: str) -> None:
        """`name1` has the role `name2`; then its domain and what the condition is asked about."""
        domain = rest[0] if self.blanks > 2 else ""
        links = self._domains.setdefault(domain, {}).setdefault(name1, [])
        links.append((name2, rest[self.blanks - 2 :]))
        self._reached.clear()

    def has_link(self, name1: str, name2: str, domain: str = "", now: datetime = datetime.min) -> bool:
        """Whether `name1` is `name2` or reaches it."""
        if name1 == name2:
            return True
        if self.match is None and self.domain_match is None and self.condition is None:
            return name2 in self._closure(name1, domain)
        graphs = [graph for known, graph in self._domains.items() if known == domain or self._same(domain, known)]
        return self._walk(name1, name2, graphs, now)

    def print_roles(self) -> None:
        """Say nothing: casbin calls this after loading."""

    def circle(self) -> tuple[str, ...]:
        """Roles that include each other, the first again at the end; () when there are none."""
        for graph in self._domains.values():
            done: set[str] = set()
            for start in graph:
                found = _circle(graph, start, done)
                if found:
                    return found
        return ()

    def _closure(self, name: str, domain: str) -> frozenset[str]:
        """Only names of the rows are remembered: callers cannot fill the memory."""
        graph = self._domains.get(domain)
        if graph is None or name not in graph:
            return frozenset((name,))
        known = self._reached.get((domain, name))
        if known is None:
            known = self._reached[domain, name] = frozenset(_reach(graph, name))
        return known

    def _same(self, domain: str, known: str) -> bool:
        return self.domain_match is not None and _matches(self.domain_match, domain, known)

    def _walk(self, name1: str, name2: str, graphs: list[dict[str, list[Link]]], now: datetime) -> bool:
        found, queue = {name1}, deque((name1,))
        while queue:
            for role in self._roles(queue.popleft(), graphs, now):
                if role == name2 or (self.match is not None and _matches(self.match, name2, role)):
                    return True
                fresh = {role, *self._held_as(role, graphs)} - found
                found |= fresh
                queue.extend(fresh)
        return False

    def _roles(self, name: str, graphs: list[dict[str, list[Link]]], now: datetime) -> Iterator[str]:
        for graph in graphs:
            users = [name] if name in graph else []
            if self.match is not None:
                users += [user for user in graph if user != name and _matches(self.match, name, user)]
            for user in users:
                yield from (
                    role for role, asked in graph[user] if self.condition is None or self.condition(now, *asked)
                )

    def _held_as(self, role: str, graphs: list[dict[str, list[Link]]]) -> set[str]:
        """The names of the rows that a role stands for when it is a pattern."""
        if self.match is None:
            return set()
        return {user for graph in graphs for user in graph if _matches(self.match, user, role)}


def _matches(match: Match, text: str, pattern: str) -> bool:
    """What cannot be compared does not match, as in casbin; but a long name must not slip past a deny."""
    try:
        return match(text, pattern)
    except TooLong:
        raise
    except FAILURES:
        return False


def _reach(graph: dict[str, list[Link]], name: str) -> set[str]:
    found, queue = {name}, deque((name,))
    while queue:
        fresh = [role for role, _ in graph.get(queue.popleft(), ()) if role not in found]
        found.update(fresh)
        queue.extend(fresh)
    return found


def _circle(graph: dict[str, list[Link]], start: str, done: set[str]) -> tuple[str, ...]:
    """Depth first without recursion: a chain of ten thousand roles is read to its end."""
    path: list[str] = []
    on_path: set[str] = set()
    stack: list[tuple[str, bool]] = [(start, False)]
    while stack:
        name, leaving = stack.pop()
        if leaving:
            path.pop()
            on_path.discard(name)
            done.add(name)
        elif name in on_path:
            return (*path[path.index(name) :], name)
        elif name not in done:
            path.append(name)
            on_path.add(name)
            stack.append((name, True))
            stack.extend((role, False) for role, _ in graph.get(name, ()))
    return ()
