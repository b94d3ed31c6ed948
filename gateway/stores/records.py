"""What does an operator decide that every worker must obey?

The rows of the state store, whichever engine keeps them, and the checks each row passes
before it is kept. `change` numbers every change of the store upwards without reuse, so that a
reader asks for what is new since the last number it saw.
"""

from typing import Literal, get_args

from msgspec import Struct

from gateway.stores.instant import Instant

Kind = Literal["token", "session", "subject", "device"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY_MAX = 512
TEXT_MAX = 2048
LEVELS = ("I", "II", "III", "IV")
CONFIRM_SECONDS = 600.0
"""How long an emergency level waits for its second operator."""


class Revocation(Struct, frozen=True):
    """One revocation. It holds for all credentials of its key, old and new, until lifted or `until`.

    `key` is a token's identifier (`Proof.token` or its `jti`), a session id, a subject id or a device id.
    """

    id: int
    change: int
    kind: Kind
    key: str
    reason: str
    by: str
    at: float
    until: float | None = None
    lifted_at: float | None = None
    lifted_by: str = ""

    def holds(self, now: float) -> bool:
        """Whether it is neither lifted nor over."""
        return self.lifted_at is None and (self.until is None or self.until > now)


Way = Literal["", "start", "reload", "rollback", "promotion", "emergency"]
"""How a revision came into force; "" is not known (it was kept by an earlier version)."""


class Activation(Struct, frozen=True):
    """A policy revision became the active one: `<64 hex>`, or `<64 hex>+II` with an emergency level.

    `pinned` says that somebody chose it (a rollback, a promotion): the policy folder does not replace it.
    """

    id: int
    digest: str
    by: str
    at: float
    pinned: bool = False
    way: Way = ""


class Emergency(Struct, frozen=True):
    """An emergency level that somebody asked for, or asked to end (`level` ""); times in seconds since 1970.

    It counts from `confirmed_at` to `until`, unless `ended_at` came before. Of one that asks for an end, `until`
    is when it can no longer be confirmed. `boot` and `clock` are those of the `Instant` at which it was confirmed.
    """

    id: int
    level: str
    reason: str
    by: str
    asked_at: float
    until: float
    confirmed_by: str = ""
    confirmed_at: float | None = None
    ended_at: float | None = None
    boot: str = ""
    clock: float = 0.0

    def left(self, now: Instant) -> float:
        """Seconds until its time is over.

        As long as the machine runs it lasts as long as was agreed: a wall clock that is set forward (NTP is not
        authenticated) does not end it, one that is set back does not prolong it. After another start the wall clock
        is all there is.
        """
        if self.confirmed_at is not None and self.boot and self.boot == now.boot:
            return self.until - self.confirmed_at - (now.clock - self.clock)
        return self.until - now.at

    def holds(self, now: Instant) -> bool:
        """Whether this level is in force."""
        counts = bool(self.level) and self.confirmed_at is not None and self.ended_at is None
        return counts and self.left(now) > 0

    def waits(self, now: float) -> bool:
        """Whether it can still be confirmed."""
        open_ = self.confirmed_at is None and self.ended_at is None
        return open_ and self.asked_at <= now < self.asked_at + CONFIRM_SECONDS and now < self.until


class Pilot(Struct, frozen=True):
    """A candidate revision that ran beside the active one. `terms` is JSON that the pilot itself reads."""

    id: int
    digest: str
    terms: str
    by: str
    at: float
    ended_at: float | None = None
    ended_by: str = ""
    why: str = ""


class StateFault(Exception):
    """The state cannot be used or a change cannot be kept; the text says what and how to mend it."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


def check_revocation(kind: str, key: str, reason: str, by: str, at: float, until: float | None) -> None:
    """Refuse a revocation that could never hold, or that names nobody. Raises StateFault."""
    if kind not in KINDS:
        raise StateFault(
            f"`{kind}` cannot be revoked; possible: {', '.join(KINDS)}",
            f"不能吊销 `{kind}`；可用值：{'、'.join(KINDS)}",
        )
    # An empty key would revoke every credential that lacks the claim.
    if not key.strip() or len(key) > KEY_MAX:
        raise StateFault(
            f"the id to revoke needs 1 to {KEY_MAX} characters", f"吊销对象的标识须为 1 至 {KEY_MAX} 个字符"
        )
    if len(reason) > TEXT_MAX or len(by) > TEXT_MAX:
        raise StateFault(f"the reason is longer than {TEXT_MAX} characters", f"原因超过 {TEXT_MAX} 个字符")
    if until is not None and until <= at:
        raise StateFault("the end of the revocation is in the past", "吊销的截止时间已经过去")


def check_emergency(level: str, reason: str, by: str, at: float, until: float) -> None:
    """Refuse an emergency level that does not exist, says no reason, or is over before it begins. Raises StateFault."""
    if level and level not in LEVELS:
        raise StateFault(
            f"there is no emergency level `{level[:20]}`; possible: {', '.join(LEVELS)}",
            f"不存在应急级别 `{level[:20]}`；可用值：{'、'.join(LEVELS)}",
        )
    if not reason.strip() or len(reason) > TEXT_MAX or len(by) > TEXT_MAX:
        raise StateFault(
            f"say why, in at most {TEXT_MAX} characters: it goes on record",
            f"请说明原因（最多 {TEXT_MAX} 个字符）：原因会被记录",
        )
    if until <= at:
        raise StateFault("the end of the emergency is in the past", "应急状态的截止时间已经过去")
