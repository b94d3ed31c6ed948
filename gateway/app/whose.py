"""Who saw this citizen's data?

The identifier comes in, its keyed digest goes on: nothing that was asked for is kept. Asked with the key and the spelling
that masking makes its digests with, under each national or international algorithm that this state may have used.
"""

from pathlib import Path

from msgspec import Struct

from gateway.audit import Looks, TooSlow, seen
from gateway.control import DoorFault
from gateway.crypto.keys import read_private
from gateway.crypto.suite import offered
from gateway.masking.keys import about
from gateway.masking.whom import same


class Asked(Struct, frozen=True):
    """What the record knows about somebody; `digest` names who was asked about, for those with the key."""

    digest: str
    found: Looks


def digests(key: bytes, value: str) -> tuple[bytes, ...]:
    """The digests of an identifier, that of the international algorithm first."""
    return tuple(about(key, suite)(same(value)) for suite in offered())


def asked(state: Path, value: str, since: float) -> Asked:
    """Who saw what about the citizen with this identifier since then (seconds since 1970). Raises DoorFault. Reads files."""
    known = digests(read_private(state / "keys" / "mask.key"), value)
    try:
        return Asked(known[0].hex(), seen(state / "index.db", known, since))
    except TooSlow:
        raise DoorFault(
            "bad_request", "the question takes too long; ask about a shorter time", zh="查询耗时过长，请缩短时间范围"
        ) from None
