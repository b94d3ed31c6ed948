"""Which asset is behind this request?

1. A request that matches no endpoint of its API gets an unlisted asset of the highest grade: policy
   denies it. `locate` never returns nothing.
2. The grade of a request is the highest of what department, API, asset, endpoint and labelled fields say
   (GB/T 43697: 就高从严). A child lowers it only by a recorded override, on the days that it names.
3. HEAD is judged as GET: the head of an answer tells about its body.
4. An API without catalog files may carry `level` and `fields` inline: they list everything under its
   prefix. Beside catalog files the same keys only raise and add.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway.catalog import reveals
from gateway.catalog.aggregation import Rule, accumulated, of_the_day, unknown_categories
from gateway.catalog.bindings import ApiBinding, Bound, bind, covers, free, outside, overlaps, uncarried
from gateway.catalog.declarations import ACTIONS, Action, Declaration, Endpoint, Reading, read_folder
from gateway.catalog.grades import GRADE_WORDS, read_grades
from gateway.catalog.inheritance import below, over, warning
from gateway.catalog.listing import Listing, listing
from gateway.catalog.offices import read_offices
from gateway.catalog.resolution import Surroundings, idle, laxer, states
from gateway.catalog.templates import Branch
from gateway.document import Faulty, FileFault, Node, did_you_mean
from gateway.facts import Ask, Asset, Exposure, Grade


class Raised(Struct, frozen=True):
    """Why a request has a higher grade than its asset: a labelled field, its endpoint, the API, or an aggregation rule."""

    own: Grade
    by: Literal["field", "endpoint", "api", "aggregation"]
    name: str


class _Prepared(Struct, frozen=True):
    """An endpoint ready to answer: the asset, which segments are its parameters, and what follows when an override ends."""

    asset: Asset
    parameters: tuple[tuple[str, int], ...]  # (name, index of the segment)
    ends: float  # seconds since 1970; infinity for the last
    then: "_Prepared | None"


_PERSONAL = re.compile(r"[0-9](?:[^0-9/]{0,2}[0-9]){5}|[@%]", re.ASCII)
"""What may be an identifier in a path nobody has listed: six digits, an address, anything escaped."""

Mode = Literal["observe", "enforce"]
_Roots = dict[tuple[str, str], Branch[_Prepared]]
_ANY_API = ""
_LOOSE = Bound(ApiBinding(_ANY_API), (), None, ())


class Catalog:
    """The ledger, prepared for looking up. Never changes; a reload makes a new one."""

    def __init__(
        self,
        assets: tuple[Listing, ...],
        digest: str,
        faults: tuple[FileFault, ...],
        roots: _Roots,
        bounds: Sequence[Bound],
        names: dict[str, Grade],
        rules: Sequence[Rule],
        now: float,
    ) -> None:
        self.assets = assets
        self.digest = digest
        self.faults = faults  # warnings: nothing that stops the start
        self.names = names  # what the province calls its levels, in the order of grades.yaml
        self.rules = tuple(rules)  # aggregation
        self._now = now
        self._roots = roots
        self._modes: dict[str, Mode] = {bound.api.name: bound.api.mode for bound in bounds}
        self._floors = {bound.api.name: bound.floor for bound in bounds}
        self._prefixes = sorted(((bound.api.prefix, bound.api.name) for bound in bounds), key=lambda one: -len(one[0]))
        self._strangers = {
            (api, action): _strangers(api, action, mode, digest)
            for api, mode in (self._modes | {"": "enforce"}).items()
            for action in get_args(Action)
        }
        self._daily = of_the_day(rules, {listing.category for listing in assets})

    @property
    def apis(self) -> frozenset[str]:
        """The names of the APIs that it was tied to."""
        return frozenset(self._modes)

    def aggregated(self, asset: Asset, exposure: Exposure) -> Asset:
        """The asset as it counts for a caller who was shown this much today; the same object when no rule holds."""
        rules = self._daily.get(asset.category)
        if rules is None or not (exposure.records or exposure.categories or exposure.unread):
            return asset
        return accumulated(asset, exposure, rules)

    def raised(self, asset: Asset) -> Raised | None:
        """What raises the grade of a request above that of its asset, for explanations; None when nothing does."""
        own = next((listing.grade for listing in self.assets if listing.id == asset.id), asset.grade)
        if asset.grade <= own:
            return None
        if asset.raised:
            return Raised(own, "aggregation", asset.raised[0])
        field = next((field.path for field in asset.fields if field.grade == asset.grade), None)
        if field is not None:
            return Raised(own, "field", field)
        if self._floors.get(asset.api) == asset.grade:
            return Raised(own, "api", asset.api)
        return Raised(own, "endpoint", asset.route)

    def locate(self, ask: Ask) -> Asset:
        """The asset behind a request; `listed` is False when the catalog does not know it."""
        if not ask.api:
            return self._unlisted("", ask.method, ask.path)
        return self._look(ask.api, ask.method, ask.path, ask.at)

    def find(self, method: str, path: str, api: str = "", at: float | None = None) -> Asset:
        """The same for explanations and policy tests, which may not know the API.

        "": the API under whose prefix the path lies, as a request would be answered; every asset only where there is none.
        What a test promises of an asset that its API does not carry would not be what a caller gets. Whether the API only
        observes is not asked: what enforce would say is. `at`: seconds since 1970; None is when the catalog was loaded.
        """
        at = self._now if at is None else at
        token = reveals.parted(path)
        if token is not None:
            return self.revealing(*token, at)
        if api:
            return self._look(api, method, path, at)
        return replace(self._look(self._carrier(method, path), method, path, at), mode="enforce")

    def revealing(self, asset: str, label: str, at: float, token: str = "") -> Asset:
        """What opening a token of this asset and label asks for; unlisted where the catalog has no such field."""
        found = (one for root in self._roots.values() for one in root.values() if one.asset.id == asset)
        asked = reveals.revealing([_on(one, at).asset for one in found], label)
        if asked is None:
            asked = replace(self._unlisted("", reveals.METHOD, reveals.PREFIX), action="reveal", mode="enforce")
        return replace(asked, parameters=(("token", token),) if token else ())

    def _carrier(self, method: str, path: str) -> str:
        """The API of a path: the longest prefix; of several hosts' APIs with this prefix the one that lists it."""
        under = [(prefix, name) for prefix, name in self._prefixes if covers(prefix, path)]
        names = [name for prefix, name in under if len(prefix) == len(under[0][0])]
        return next((name for name in names if self._look(name, method, path, 0.0).listed), names[0] if names else "")

    def _look(self, api: str, method: str, path: str, at: float) -> Asset:
        root = self._roots.get((api, "GET" if method == "HEAD" else method))
        if root is None:
            return self._unlisted(api, method, path)
        segments = path.split("/")
        found = root.find(segments, 1)
        if found is None:
            return self._unlisted(api, method, path)
        while at >= found.ends and found.then is not None:  # an override holds on its days and on no other
            found = found.then
        asset = found.asset
        if not found.parameters:
            return asset
        parameters = tuple([(name, segments[index]) for name, index in found.parameters])
        return Asset(
            asset.id,
            asset.api,
            asset.route,
            asset.action,
            asset.grade,
            asset.category,
            asset.owner,
            asset.fields,
            asset.contract,
            asset.opaque,
            parameters,
            asset.revision,
            asset.discreet,
            asset.honey,
            asset.mode,
            True,
            asset.records,
            asset.total,
            asset.key,
            asset.bulk,
            asset.raised,
        )

    def _unlisted(self, api: str, method: str, path: str) -> Asset:
        action = ACTIONS.get("GET" if method == "HEAD" else method, "other")
        known = self._strangers.get((api, action)) or _strangers(api, action, "enforce", self.digest)
        return known[_PERSONAL.search(path) is not None]


def _strangers(api: str, action: Action, mode: Mode, digest: str) -> tuple[Asset, Asset]:
    """What is unlisted: with a path that tells nothing, and with one that may tell who it is about."""
    told = Asset(
        id="",
        api=api,
        route="unlisted",
        action=action,
        grade=Grade.CORE,  # nothing is known about it: the strictest reading
        category="",
        owner="",
        fields=(),
        contract="enforce",
        opaque=False,
        parameters=(),
        revision=digest,
        mode=mode,
        listed=False,
    )
    return told, replace(told, discreet=True)


def _on(found: _Prepared, at: float) -> _Prepared:
    """An endpoint as it is at this time."""
    while at >= found.ends and found.then is not None:
        found = found.then
    return found


def load(
    folder: Path, apis: tuple[ApiBinding, ...] = (), orgs: frozenset[str] | None = None, now: float = 0.0
) -> Catalog:
    """Read the catalog and tie it to the APIs. Raises Faulty with every fault there is.

    `orgs` are the organisations of people.yaml; None leaves owners unchecked. Beside the folder stand `grades.yaml`, which
    names levels, and `people.yaml`, which says what is below a department. `now` (seconds since 1970) is the time of what
    is shown to people; a request is judged by its own time.
    """
    faults: list[FileFault] = []
    names = read_grades(folder.parent / "grades.yaml", faults)
    offices = read_offices(folder.parent / "people.yaml")
    reading = read_folder(folder, orgs, GRADE_WORDS | names, offices.zone)
    faults += reading.faults
    declared = {declaration.id: declaration for declaration in reading.declarations}
    bounds = [
        bind(
            api,
            declared,
            frozenset(reading.places),
            reading.names,
            api.place if isinstance(api.place, Node) else Node(None, f"{folder} (api {api.name})", 1, 1),
            faults,
        )
        for api in apis
    ]
    around = Surroundings(reading.defaults, offices, [rule for _, rule in reading.rules.values()])
    faults.extend(outside(apis, declared))
    faults.extend(uncarried(apis, declared))
    faults.extend(overlaps([*(one.endpoints for one in bounds), free(declared, apis)]))
    carried = _carried(declared, bounds)
    _judge(reading, carried, bounds, around, now, faults)
    if any(not fault.warning for fault in faults):
        raise Faulty(sorted(set(faults)))
    assets = tuple(listing(one, through, around, now) for one, through in sorted(carried, key=lambda each: each[0].id))
    roots, digest = _hang(bounds, carried, around, _said(reading, names, apis))
    return Catalog(assets, digest, tuple(sorted(set(faults))), roots, bounds, names, around.rules, now)


_Carried = list[tuple[Declaration, list[Bound]]]


def _carried(declared: dict[str, Declaration], bounds: list[Bound]) -> _Carried:
    """Every asset with the APIs that carry it; with none, as it would be without any."""
    fragments = [(one.fragment, [one]) for one in bounds if one.fragment is not None]
    by_id = [(one, [bound for bound in bounds if one.id in bound.api.data] or [_LOOSE]) for one in declared.values()]
    return [*by_id, *fragments]


def _judge(
    reading: Reading, carried: _Carried, bounds: list[Bound], around: Surroundings, now: float, faults: list[FileFault]
) -> None:
    """What the labels say against each other."""
    if not reading.faults:  # of an asset with a fault nobody knows the category: one fault would become several
        unknown_categories(reading.rules, frozenset(one.category for one, _ in carried if one.category), faults)
    services = {bound.api.name for bound in bounds}
    for default in reading.defaults if bounds else ():
        if default.service and default.service not in services:
            faults.append(_no_service(default.place, default.service, services))
    complete = bounds or not any(default.service for default in reading.defaults)
    for one, through in carried:
        faults.extend(below(one, around.above(one, [bound.api.name for bound in through])))
        faults.extend(over(one.overrides, now))
        faults.extend(
            chain.from_iterable(laxer(one, each, bound, around) for each in one.endpoints for bound in through)
        )
        if complete:
            faults.extend(idle(one, through, around))


def _no_service(place: Node, name: str, known: set[str]) -> FileFault:
    return warning(
        place.at(["service"]),
        "K039",
        f"gateway.yaml has no API `{name}`: the label holds for nothing",
        f"gateway.yaml 中没有接口 `{name}`：该标注不起作用",
        *did_you_mean(name, known),
    )


def _said(reading: Reading, names: dict[str, Grade], apis: tuple[ApiBinding, ...]) -> bytes:
    """What is written, for the digest: nothing that depends on the day or on the lines of a file."""
    assets = [_without_places(one) for one in sorted(reading.declarations, key=lambda one: one.id)]
    rules = [rule for _, rule in reading.rules.values()]
    return msgspec.json.encode((assets, rules, names, [api.unplaced for api in apis]), order="deterministic")


def _without_places(value: object) -> object:
    """A declaration as plain values, without the nodes that only say where it stands."""
    if isinstance(value, Struct):
        return {name: _without_places(one) for name, one in asdict(value).items() if not isinstance(one, Node)}
    return [_without_places(one) for one in value] if isinstance(value, tuple) else value


def _hang(bounds: list[Bound], carried: _Carried, around: Surroundings, said: bytes) -> tuple[_Roots, str]:
    """Every endpoint at its place in the tree of its API, and the digest of all that they can ever answer."""
    all_of = [(_LOOSE, one, endpoint) for one, _ in carried for endpoint in one.endpoints]
    found = [
        (bound, endpoint, tuple(states(one, endpoint, bound, around)))
        for bound, one, endpoint in (
            *((bound, one, endpoint) for bound in bounds for one, endpoint in bound.endpoints),
            *all_of,
        )
    ]
    hashed = sha256(said)
    for bound, endpoint, over_time in found:
        hashed.update(msgspec.json.encode((bound.api.name, endpoint.identifiers, over_time), order="deterministic"))
    digest = hashed.hexdigest()
    roots: _Roots = {}
    for bound, endpoint, over_time in found:
        branch: Branch[_Prepared] = roots.setdefault((bound.api.name, endpoint.method), Branch())
        branch.add(endpoint.template, _prepared(endpoint, over_time, digest))
    return roots, digest


def _prepared(endpoint: Endpoint, over_time: Sequence[tuple[float, Asset]], digest: str) -> _Prepared:
    places = [index + 1 for index, segment in enumerate(endpoint.template.segments) if segment is None]
    parameters = tuple(zip(endpoint.template.parameters, places, strict=True))
    ends, asset = over_time[0]
    then = _prepared(endpoint, over_time[1:], digest) if len(over_time) > 1 else None
    return _Prepared(replace(asset, revision=digest), parameters, ends, then)
