"""What exactly decides?

Everything a decision rests on, as plain values: the casbin model and rows, where each rule stands, the mask
profiles, the time zone. Its digest names the bundle in every decision; its bytes travel from the process that
read the YAML to the workers, which build the same bundle from them without YAML.

1. The digest is SHA-256 over deterministic JSON: same content, same digest, on every machine.
2. Bytes whose digest does not match are refused: a half-written snapshot never decides.
"""

from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from gateway.facts import Budget, Suppress
from gateway.policy.grants import Grant
from gateway.policy.native.source import Source
from gateway.policy.overlays import Overlay

FORMAT = 3
READS = frozenset((2, FORMAT))
"""2 is 3 without row filters: what was decided by it is still decided, and told, alike."""

Row = tuple[str, ...]


class Damaged(Exception):
    """The bytes are not a bundle, or not the whole of it."""


class Content(Struct, frozen=True):
    """The compiled policy. `rules` are casbin `p` rows; `roles`, `orgs`, `data` its `g`, `g2` and `g3` rows."""

    model: str
    rules: tuple[Row, ...]
    roles: tuple[Row, ...]
    orgs: tuple[Row, ...]
    data: tuple[Row, ...]
    declared: tuple[str, ...]  # the roles that exist; a claim of any other counts for nothing
    offices: tuple[str, ...]  # the offices that exist
    places: dict[str, str]  # rule id -> rules/20-health.yaml:14
    titles: dict[str, tuple[str, str]]  # rule id -> English, Chinese
    profiles: dict[str, dict[str, str]]
    default_mask: str
    observe_mask: str
    timezone: str
    layers: dict[str, str] = {}  # rule id -> base, province, department:ORG, city:ORG, emergency:LEVEL, casbin
    basis: dict[str, tuple[str, str]] = {}  # rule id -> legal basis, English and Chinese
    owners: dict[str, str] = {}  # rule id -> the office that answers for it
    grants: tuple[Grant, ...] = ()
    overlays: dict[str, Overlay] = {}  # by emergency level
    budgets: tuple[Budget, ...] = ()
    suppress: dict[str, Suppress] = {}  # by mask profile
    native: Source | None = None  # a team's own casbin policy: then it allows, and the rules only deny
    format: int = FORMAT


def in_force(content: Content, level: str) -> Content:
    """What decides while this emergency level is on; "" for none. Raises ValueError for a level that is not there."""
    if not level:
        return content
    if level not in content.overlays:
        raise ValueError(f"the policies have no emergency level {level}")
    return Content(**(asdict(content) | {"rules": content.rules + content.overlays[level].rows}))


def takes_back(before: Content, after: Content, level: str) -> bool:
    """Whether this level, which both have, lacks a rule or its mask in the policies to come."""
    old, new = before.overlays[level], after.overlays[level]
    was, now = ((one.profiles.get(old.mask), one.suppress.get(old.mask)) for one in (before, after))
    same_mask = old.mask == new.mask and was == now
    return not set(old.rows) <= set(new.rows) or bool(old.mask and not same_mask)


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Content, strict=True).decode


def digest(content: Content) -> str:
    """SHA-256 over the canonical form, in lower-case hex."""
    return sha256(_encode(content)).hexdigest()


def dump(content: Content) -> bytes:
    """`<digest>\\n<json>`."""
    body = _encode(content)
    return sha256(body).hexdigest().encode() + b"\n" + body


def restore(data: bytes) -> Content:
    """The content of `dump`. Raises Damaged."""
    head, _, body = data.partition(b"\n")
    if sha256(body).hexdigest().encode() != head:
        raise Damaged("the policy snapshot is damaged: its digest does not match")
    try:
        content = _decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Damaged("the policy snapshot is not of a known format") from error
    if content.format not in READS:
        raise Damaged(f"the policy snapshot has format {content.format}, this gateway reads {FORMAT}")
    return content
