"""What does an operator decide that every worker must obey?

The rows of the state store, whichever engine keeps them, and the checks each row passes
before it is kept. `change` numbers every change of the store upwards without reuse, so that a
reader asks for what is new since the last number it saw.
"""

from typing import Literal, get_args

from msgspec import Struct

Kind = Literal["token", "session", "subject", "device"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY_MAX = 512
TEXT_MAX = 2048


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


class Activation(Struct, frozen=True):
    """A policy bundle became the active one."""

    id: int
    digest: str
    by: str
    at: float


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
