"""What does one worker learn from the answers that pass through it?

Beside each answer one counter; of one answer in so many a reference is put aside, and what it holds is counted later, off
the loop. Rules:

1. Nothing here stops or changes an answer: `observe` only appends, `learn` passes over what it cannot read.
2. Values are looked at and forgotten with the answer. What remains are counts (`records`).
3. What stood in fewer than `SEEN_IN` sampled answers is neither told nor written: a name that is really data (an account, a
   surname in Latin letters) seldom comes back, and the name of a field always does.
4. Memory is bounded whatever a service makes up: `MAX_PATHS` of a route, `MAX_API_PATHS` of an API (2 MB), so that one service
   takes no other's room. Where a route is full, what was seen too seldom to be told makes room.
"""

import zlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import orjson

from gateway.discovery.counters import Counters
from gateway.discovery.paths import label
from gateway.discovery.places import Value
from gateway.discovery.records import EMPTY, PathRecord, Record, RouteRecord
from gateway.discovery.walk import leaves, spread
from gateway.facts import Asset

FIRST: Final = 8
"""So many answers of a route are looked at before sampling begins: routes that are seldom asked are learnt too."""
SEEN_IN: Final = 3
SWEEP: Final = 16  # answers of a full route until room is made again
MAX_BODY: Final = 256 * 1024  # bytes; to read more would hold the interpreter for more than a millisecond
WAITING: Final = 16  # answers put aside until the next learning, the first ones of routes among them
SAMPLED: Final = 8  # all others: a busy route must not keep out one that is asked for the first time
MAX_ROUTES: Final = 4096
MAX_PATHS: Final = 256
MAX_API_PATHS: Final = 2048

_read: Callable[[bytes], Value] = orjson.loads
_BOM = b"\xef\xbb\xbf"
_BETWEEN = b" \t\r\x1e"  # around the texts of a sequence (RFC 7464)
_PACKED = b"\x1f\x8b"  # gzip (RFC 1952); no JSON begins like this
_GZIP = 31  # its window and header, as zlib counts them
_Key = tuple[str, str]


def _texts(text: bytes) -> list[Value]:
    """What an answer holds: a value, or those of some of its lines (NDJSON, JSON text sequences). Raises ValueError."""
    try:
        return [_read(text.removeprefix(_BOM))]
    except ValueError:
        lines = [bare for line in text.split(b"\n") if (bare := line.strip(_BETWEEN))]
        if len(lines) < 2:
            raise
        return [_read(line) for line in spread(lines)]


def _unpacked(body: bytes) -> bytes:
    """The text of an answer, at most a byte more than is read. What passes unmasked may be packed. Raises zlib.error."""
    return zlib.decompressobj(_GZIP).decompress(body, MAX_BODY + 1) if body.startswith(_PACKED) else body


class _Route:
    """What is known of one route."""

    __slots__ = ("answers", "asset", "long", "paths", "revision", "swept")

    def __init__(self, kept: RouteRecord) -> None:
        self.asset = kept.asset
        self.answers, self.long = kept.answers, kept.long
        self.revision = ""
        self.swept = 0  # the answer that room was last made for
        self.paths = {path.path: Counters(path) for path in kept.paths}

    def relabel(self, asset: Asset) -> None:
        """Take in what the catalog says by now."""
        self.asset, self.revision = asset.id, asset.revision
        for counters in self.paths.values():
            counters.label = label(asset.fields, counters.path)

    def record(self, key: _Key) -> RouteRecord:
        """The counts of all paths that may be told."""
        paths = tuple(path.record() for path in self.paths.values() if path.answers >= SEEN_IN)
        return RouteRecord(key[0], self.asset, key[1], self.answers, self.long, paths)


class Learner:
    """The counters of one worker. `key` (at most 64 bytes) must be drawn at its start and written nowhere (`distinct`)."""

    def __init__(self, every: int, key: bytes, kept: Record = EMPTY) -> None:
        self._every = every
        self._key = key
        self._passed: dict[_Key, int] = {}
        self._waiting: deque[tuple[Asset, bytes]] = deque()
        self._routes = {(route.api, route.route): _Route(route) for route in kept.routes[:MAX_ROUTES]}
        self._paths = Counter[str]()  # by API
        for (api, _), route in self._routes.items():
            self._paths[api] += len(route.paths)

    @property
    def waits(self) -> bool:
        """Whether there is something to learn from."""
        return bool(self._waiting)

    def observe(self, asset: Asset, body: bytes) -> None:
        """An answer passes, as the service gave it: JSON in UTF-8, whole or in lines, or packed with gzip. One in so many is
        put aside.
        """
        key = asset.api, asset.route
        passed = self._passed.get(key, 0)
        if passed < FIRST or not passed % self._every:
            if len(self._waiting) >= (WAITING if passed < FIRST else SAMPLED):
                return  # its turn comes with the next answer
            self._waiting.append((asset, body[: MAX_BODY + 1]))  # what is too long is told so, and not held until then
        self._passed[key] = passed + 1

    def learn(self, day: str) -> None:
        """Count what was put aside; `day` is today (`2026-01-10`). For a thread: it may take milliseconds."""
        while self._waiting:
            asset, body = self._waiting.popleft()
            self._learn(asset, body, day)

    def _learn(self, asset: Asset, body: bytes, day: str) -> None:
        route = self._route(asset)
        if route is None:
            return
        try:
            text = _unpacked(body)
            if len(text) > MAX_BODY:
                route.long += 1
                return
            roots = _texts(text)
        except (ValueError, RecursionError, zlib.error):  # masking says what it thinks of it
            return
        route.answers += 1
        if route.revision != asset.revision:
            route.relabel(asset)
        met: set[str] = set()
        for path, value in leaves(*roots):
            counters = route.paths.get(path) or self._new(route, asset, path, day)
            if counters is None:
                continue
            if path not in met:
                met.add(path)
                counters.met(day)
            counters.add(value, self._key)

    def _route(self, asset: Asset) -> _Route | None:
        key = asset.api, asset.route
        found = self._routes.get(key)
        if found is None and len(self._routes) < MAX_ROUTES:
            found = self._routes[key] = _Route(RouteRecord(asset.api, asset.id, asset.route))
        return found

    def _new(self, route: _Route, asset: Asset, path: str, day: str) -> Counters | None:
        """The counters of a path seen for the first time; None where there is no room for it."""
        if self._is_full(route, asset.api):
            self._make_room(route, asset.api)
        if self._is_full(route, asset.api):
            return None
        self._paths[asset.api] += 1
        counters = Counters(PathRecord(path, day, day, label=label(asset.fields, path)))
        route.paths[path] = counters
        return counters

    def _is_full(self, route: _Route, api: str) -> bool:
        return len(route.paths) >= MAX_PATHS or self._paths[api] >= MAX_API_PATHS

    def _make_room(self, route: _Route, api: str) -> None:
        """Forget what the route showed too seldom; now and then, for what is new needs time to come back."""
        if route.answers < route.swept + SWEEP:
            return
        route.swept = route.answers
        kept = {path: counters for path, counters in route.paths.items() if counters.answers >= SEEN_IN}
        self._paths[api] -= len(route.paths) - len(kept)
        route.paths = kept

    def record(self) -> Record:
        """What may be told and written of what was learnt so far."""
        return Record(1, tuple(route.record(key) for key, route in self._routes.items()))
