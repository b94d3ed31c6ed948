"""What exactly is remembered of one request?

Builds the entries of format v1 (docs/design/contracts.md, section 8) and reads them back. Rules:

1. Nothing of a token, no query value, no body value, no header value is ever in an entry; of a media type that could not
   be inspected its name, where it is a plain one.
2. The path of a discreet asset is its template, and so is a path in which the number of a person, a company, a phone or a
   card stands: what is sealed once stays for ever. The record asked for is a keyed digest.
3. An entry always fits (65 535 bytes, the bound of C2SP tlog-tiles): a hostile token or service
   can make it long, but can neither make it vanish nor make it fail.
4. The bytes that are written are the bytes that are hashed; nothing is ever encoded again.
5. A version that is not known is refused by name, never guessed at.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal

from msgspec import DecodeError, Struct, ValidationError, to_builtins
from msgspec.json import Decoder, Encoder

from gateway.detect import Gate
from gateway.entries import Entry, OutcomeEntry, VerdictEntry
from gateway.facts import GRADE_TEXT, Challenge, Decision, Deny, Facts, Mask, Outcome, Permit, Reason

FORMAT: Final = 1
MAX_ENTRY: Final = 65_535
"""Bytes of one entry: the length prefix of an entry in the ledger has sixteen bits."""

MAX_DETAIL: Final = 200
"""Characters of an outcome's detail: longer than any of our own sentences, too short for an answer."""

_REMEMBERED = 1024  # digests: people ask for the same page again and again
_NAMES_MAX = 64
_DIGEST = 8  # bytes
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.\-\[\]$]{0,63}\Z")
_FIVE_DIGITS = re.compile(r"(?:\d\D*){5}")
_SHORTER = ((1024, 64), (256, 16), (64, 4))  # (characters of a text, items of a list): each try is stricter
_LONG_NUMBER = re.compile("[0-9]{6}")  # without one there is none of those
_PEOPLE = Gate(("resident-id", "credit-code", "phone", "bank-card"))
_ESCAPED = re.compile(r"[\ud800-\udfff]")

_NO_REASONS: tuple[Reason, ...] = ()
_NO_TOPICS: tuple[str, ...] = ()

_encode = Encoder().encode
_decoder = Decoder(Entry)


class Malformed(Exception):
    """A line or an entry that cannot be read; the text says what is wrong with it."""


class Digests:
    """Keyed digests (HMAC-SHA-256, RFC 2104, the first 16 bytes in hex) under the key of this gateway.

    Without the key a digest tells nothing, not even to somebody who tries all citizens' numbers.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the object key is shorter than 16 bytes")
        block = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        # The two inner states are made once; hmac.digest would set them up anew each time (2.2 µs, this 0.9 µs).
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block)).copy
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block)).copy
        self.of: Callable[..., str] = lru_cache(_REMEMBERED)(self._of)
        """The digest of these texts."""

    def _of(self, *parts: str) -> str:
        """Joined by a byte that none of them can hold, so that no two lists look alike."""
        inner, outer = self._inner(), self._outer()
        inner.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    def object(self, values: tuple[str, ...]) -> str:
        """The digest of a record: of the values of its path parameters, whatever they are called."""
        return self.of("object", *values) if values else ""


def verdict_entry(journal: str, seq: int, facts: Facts, decision: Decision, digests: Digests) -> VerdictEntry:
    """The entry of a decision and the facts it rests on."""
    ask, asset = facts.ask, facts.asset
    path = ask.path
    if asset.discreet or (_LONG_NUMBER.search(path) is not None and _PEOPLE.found(path.encode())):
        path = asset.route.partition(" ")[2] or asset.route
    outcome: Literal["permit", "challenge", "deny"]
    mask: Mask | None = None
    forwarding: Mask | None = None
    would, would_reasons, notify = "", _NO_REASONS, _NO_TOPICS
    if isinstance(decision, Permit):
        outcome, mask, forwarding = "permit", decision.mask, decision.forwarding
        if decision.would is not None:
            would = "deny" if isinstance(decision.would, Deny) else "challenge"
            would_reasons = decision.would.reasons
        if decision.obligations:
            notify = tuple([obligation.topic for obligation in decision.obligations])
    else:
        outcome = "challenge" if isinstance(decision, Challenge) else "deny"
    parameters = asset.parameters
    return VerdictEntry(
        FORMAT,
        journal,
        seq,
        ask.at,
        ask.id,
        ask.trace,
        ask.source,
        ask.method,
        ask.host,
        path,
        digests.of(ask.method, ask.host, ask.path, ask.query),
        query_names(ask.query) if ask.query else (),
        ask.api,
        asset.route,
        asset.id,
        asset.action,
        GRADE_TEXT[asset.grade],
        asset.category,
        asset.owner,
        digests.of("object", *[value for _, value in parameters]) if parameters else "",
        asset.revision,
        facts.subject,
        facts.posture,
        facts.risk,
        outcome,
        decision.reasons,
        decision.bundle,
        facts.subject.purpose or ask.purpose,
        decision.stage,
        mask,
        would,
        would_reasons,
        asset.honey,
        notify,
        facts.grant,
        facts.exposure,
        asset.raised,
        forwarding,
    )


def outcome_entry(journal: str, seq: int, at: float, verdict: str, outcome: Outcome) -> OutcomeEntry:
    """The entry of how a forwarded request ended; `at` is the wall clock now."""
    revealed = outcome.revealed
    return OutcomeEntry(
        FORMAT,
        journal,
        seq,
        at,
        verdict,
        outcome.status,
        outcome.sent,
        outcome.received,
        outcome.complete,
        outcome.waited,
        outcome.took,
        outcome.code,
        revealed.masked,
        revealed.unlabelled,
        revealed.records,
        revealed.seen,
        revealed.unlisted + revealed.keyless,
        revealed.clear,
        revealed.removed,
        revealed.residual,
        outcome.detail and outcome.detail[:MAX_DETAIL],
    )


def query_names(query: str) -> tuple[str, ...]:
    """The names of the query parameters, once each, at most 64.

    What does not look like a name stands as `*`, and so does what has no value: `?110105199003070134` and `?E12345678` would
    otherwise put a citizen's number on record as the name of a parameter.
    """
    names: dict[str, None] = {}
    for pair in query.split("&", _NAMES_MAX)[:_NAMES_MAX]:
        name, equals, _ = pair.partition("=")
        if pair:
            names[name if equals and _NAME.match(name) and not _FIVE_DIGITS.search(name) else "*"] = None
    return tuple(names)


def encode(entry: Entry) -> bytes:
    """The bytes of an entry, at most MAX_ENTRY of them."""
    try:
        raw = _encode(entry)
    except UnicodeEncodeError:  # half a surrogate pair, from a token's claim or from a service's JSON key
        return _shortened(entry)
    return raw if len(raw) <= MAX_ENTRY else _shortened(entry)


def decode(raw: bytes) -> Entry:
    """The entry of these bytes. Raises Malformed, also for a version that is not known."""
    try:
        entry: Entry = _decoder.decode(raw)
    except (DecodeError, ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(_complaint(raw)) from error
    if entry.v != FORMAT:
        raise Malformed(_unknown(entry.v))
    return entry


class _Version(Struct):
    v: int


_version = Decoder(_Version)


def _complaint(raw: bytes) -> str:
    try:
        version = _version.decode(raw).v
    except (DecodeError, ValidationError, UnicodeDecodeError, RecursionError):
        return "not an entry"
    return "not an entry of format version 1" if version == FORMAT else _unknown(version)


def _unknown(version: int) -> str:
    return f"entry format version `{version}` is not known; this gateway reads version {FORMAT}"


def _shortened(entry: Entry) -> bytes:
    for text, items in _SHORTER:
        raw = _encode(_cut(_less_seen(entry, items), text, items))
        if len(raw) <= MAX_ENTRY:
            return raw
    raise Malformed("an entry cannot be made short enough")  # 64 characters and 4 items of everything always fit


def _less_seen(entry: Entry, items: int) -> dict[str, Any]:
    """The entry as plain values, with fewer digests: whole ones, and those that are left out count as unlisted."""
    plain: dict[str, Any] = to_builtins(entry)
    if isinstance(entry, OutcomeEntry) and entry.seen:
        most = items * _DIGEST
        plain["seen"] = to_builtins(entry.seen[:most])
        plain["unlisted"] = entry.unlisted + max(0, len(entry.seen) - most) // _DIGEST
    return plain


def _cut(value: Any, text: int, items: int) -> Any:
    if isinstance(value, str):
        whole = _ESCAPED.sub("\ufffd", value)
        return whole if len(whole) <= text else whole[:text] + "…"
    if isinstance(value, dict):
        return {key: _cut(item, text, items) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(item, text, items) for item in value[:items]]
    return value
