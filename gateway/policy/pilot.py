"""Who is judged by a candidate, and what does it decide otherwise?

While a pilot runs, two bundles are asked about every request and one of them decides. Rules:

1. The choice depends on nothing but the pilot and the caller: the same caller gets the same bundle from every worker
   for as long as the pilot runs, and a larger percentage only adds callers.
2. It is made with a key that nobody outside knows: a caller who could reckon it would pick the name, or the address,
   that falls to the laxer bundle.
3. A department counts only for somebody who signed in, and means the office and what stands below it in the active
   bundle; whoever is anonymous is chosen by network: the address, and of IPv6 the /64, in which one caller has 2**64.
4. A difference is what the rules say, also where an API only observes. Of two permits the masks are compared: to show
   one field more clearly is a difference, whatever else is hidden better.
"""

from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import AddressValueError, IPv6Address
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from gateway.facts import Challenge, Decision, Deny, Mask, Notice, Permit, Reason, Subject
from gateway.masks import parse_technique, strictest
from gateway.policy.bundle import Bundle
from gateway.policy.rows import lets_more

Difference = Literal["would_deny", "would_challenge", "would_permit", "would_show", "would_hide"]
DIFFERENCES: tuple[Difference, ...] = get_args(Difference)
ALL = 2**64
NAMED = 3  # rules that are named with a difference
KINDS = 64  # different differences that one worker tells apart in a second
MASKS = 1024
ORDER = {"pass": 0, "learn": 1, "warn": 2, "redact": 3}
OTHER = "_other"
WORDS: dict[type[Decision], str] = {Permit: "permit", Challenge: "challenge", Deny: "deny"}


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a candidate may do before it is withdrawn.

    `deny`: of the decisions it makes, the share that refuses what the active bundle would permit. `gain`: the share that
    permits what the active bundle would not, or shows more. `errors`: the share that could not be evaluated or that the
    gateway failed to carry out. `p99` (seconds): one answer in a hundred may take longer than this.
    """

    deny: float = 0.02
    errors: float = 0.001
    p99: float = 0.05
    gain: float = 0.02


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """What a pilot runs under; kept as JSON. `beside` is the revision it is compared with, `key` is hexadecimal."""

    beside: str
    key: str
    percent: float = 0.0
    orgs: tuple[str, ...] = ()
    limits: Limits = Limits()
    until: float = 0.0  # seconds since 1970

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()


def read_terms(text: str) -> Terms:
    """Read what was kept. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(text, type=Terms)


class Choice:
    """Which callers a candidate decides about."""

    def __init__(self, terms: Terms, active: Bundle) -> None:
        self._key = bytes.fromhex(terms.key)
        self._below = round(ALL * terms.percent / 100)
        self._orgs = frozenset(terms.orgs)
        self._offices = active.index.offices
        self.nobody = not self._below and not self._orgs
        """Whether it falls on no caller at all: the candidate only looks on."""

    def falls_on(self, subject: Subject, source: str) -> bool:
        """Whether the candidate decides about this caller."""
        if subject.kind == "anonymous":
            name = "from " + _network(source)  # a word before it: nobody who signs in may be called like an address
        elif self._orgs and not self._orgs.isdisjoint(self._offices(subject)):
            return True
        else:
            name = "who " + subject.id
        if not self._below:
            return False
        drawn = blake2b(name.encode(errors="surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(drawn) < self._below


def _network(source: str) -> str:
    """What a caller cannot change: a host picks any address of its IPv6 /64, until one falls to the laxer bundle."""
    if ":" not in source:
        return source
    try:
        address = IPv6Address(source)
    except AddressValueError:
        return source
    return str(address.ipv4_mapped or address.packed[:8].hex())


class Comparison:
    """How two decisions about the same request differ. Remembers masks, which are the same objects again and again."""

    def __init__(self) -> None:
        self._masks: dict[tuple[int, int], tuple[Mask, Mask, Difference | None]] = {}

    def of(self, settled: Decision, tried: Decision) -> Difference | None:
        """What the candidate (`tried`) decides otherwise than the active bundle (`settled`)."""
        if type(settled) is Permit and type(tried) is Permit and settled.would is None and tried.would is None:
            return None if settled.mask is tried.mask else self._shown(settled.mask, tried.mask)
        if type(tried) is Deny and type(settled) is Permit and settled.would is None:
            return "would_deny"
        before, after = judged(settled), judged(tried)
        if type(before) is not type(after):
            return _outcome(after)
        if isinstance(settled, Permit) and isinstance(tried, Permit):
            return self._shown(settled.mask, tried.mask)
        return None

    def _shown(self, before: Mask, after: Mask) -> Difference | None:
        key = (id(before), id(after))
        known = self._masks.get(key)
        if known is None:
            if len(self._masks) >= MASKS:
                self._masks.clear()
            known = self._masks[key] = (before, after, shown(before, after))  # kept with both: ids are not given anew
        return known[2]


def judged(decision: Decision) -> Decision:
    """What the rules said; in observe more may have been let pass."""
    return decision.would if isinstance(decision, Permit) and decision.would is not None else decision


def _outcome(after: Decision) -> Difference:
    if isinstance(after, Permit):
        return "would_permit"
    return "would_deny" if isinstance(after, Deny) else "would_challenge"


def shown(before: Mask, after: Mask) -> Difference | None:
    """Whether another mask shows something more clearly, or else hides something better."""
    if before == after:
        return None
    pairs = [(before.covering(count), after.covering(count)) for count in counts(before, after)]
    if any(_opens(one, two) for one, two in pairs):
        return "would_show"
    return "would_hide" if any(_opens(two, one) for one, two in pairs) else None


def counts(*masks: Mask) -> tuple[int, ...]:
    """Numbers of records, one for each mask that an answer may be shown through."""
    found = {1}
    for mask in masks:
        step: Mask | None = mask
        while step is not None and step.most:
            found.add(step.most + 1)
            step = step.beyond
    return tuple(sorted(found))


def _opens(before: Mask | None, after: Mask | None) -> bool:
    """Whether more is shown; what is withheld shows nothing."""
    if before is None or after is None:
        return after is not None
    if ORDER[before.unlabelled] > ORDER[after.unlabelled] or lets_more(before.rows, after.rows):
        return True
    if before.suppress is not None and (after.suppress is None or not after.suppress.covers(before.suppress)):
        return True
    old, new = _techniques(before), _techniques(after)
    for path in old.keys() | new.keys():
        one = parse_technique(old.get(path, _unnamed(before)))
        two = parse_technique(new.get(path, _unnamed(after)))
        if strictest(one, two) != two:
            return True
    return False


def _techniques(mask: Mask) -> dict[str, str]:
    return {field.path: field.technique for field in mask.fields}


def _unnamed(mask: Mask) -> str:
    return "redact" if mask.unlabelled == "redact" else "keep"


class Seen(Struct, frozen=True, omit_defaults=True):
    """One kind of difference: where, for whom, by which rules, and one request that shows it.

    `decided` says that the candidate's word was the one that counted.
    """

    kind: Difference
    api: str
    rules: tuple[str, ...]
    org: str = ""
    decided: bool = False
    request: str = ""


class _Detail(Struct, frozen=True, omit_defaults=True):
    rules: tuple[str, ...]
    org: str = ""
    decided: bool = False
    request: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode


def notice(seen: Seen, count: int) -> Notice:
    """The difference as a worker tells it."""
    detail = _Detail(seen.rules, seen.org, seen.decided, seen.request)
    return Notice(f"pilot.{seen.kind}", seen.api, _encode(detail).decode(), count)


def seen(name: str, subject: str, detail: str) -> Seen | None:
    """The difference that such a notice tells of; None for any other notice."""
    kind = next((kind for kind in DIFFERENCES if name == f"pilot.{kind}"), None)
    if kind is None:
        return None
    try:
        told = _decode(detail)
    except msgspec.MsgspecError:
        return Seen(kind, subject, ())
    return Seen(kind, subject, told.rules, told.org, told.decided, told.request)


def named(reasons: tuple[Reason, ...]) -> tuple[str, ...]:
    """The rules that speak in a decision, or the codes where none does; the first few."""
    return tuple([reason.rule or reason.code for reason in reasons[:NAMED]])


Key = tuple[Difference, str, str, tuple[Reason, ...], bool]


class Differences:
    """Counts like differences, and tells them together. Bounded: callers choose how many kinds there are."""

    def __init__(self, offices: Iterable[str]) -> None:
        self._offices = frozenset(offices)
        self._counts: dict[Key, int] = {}
        self._requests: dict[Key, str] = {}
        self.asked: dict[type[Decision], int] = {Permit: 0, Challenge: 0, Deny: 0}
        """How often the candidate said what; whoever asks it counts here."""

    def add(
        self, kind: Difference, api: str, org: str, reasons: tuple[Reason, ...], decided: bool, request: str
    ) -> None:
        """Count one, by what the candidate gave as its reasons."""
        key = (kind, api, org if org in self._offices else OTHER, reasons, decided)  # a token may claim any office
        counts = self._counts
        known = counts.get(key)
        if known is None:
            if len(counts) >= KINDS:
                key = (kind, OTHER, OTHER, (), decided)  # a handful more at most
                known = counts.get(key)
            self._requests.setdefault(key, request)
        counts[key] = (known or 0) + 1

    def taken(self) -> tuple[Notice, ...]:
        """What was counted since the last time, as notices."""
        counts, self._counts = self._counts, {}
        requests, self._requests = self._requests, {}
        told = [Notice("pilot.judged", WORDS[said], "", count) for said, count in self.asked.items() if count]
        self.asked.update(dict.fromkeys(self.asked, 0))
        for key, count in counts.items():
            kind, api, org, reasons, decided = key
            told.append(notice(Seen(kind, api, named(reasons), org, decided, requests[key]), count))
        return tuple(told)
