"""What does an operator decide about devices?

Who may issue device certificates, who may report on devices, how old a report may be, and which
checks a machine must pass to count as healthy.
"""

from msgspec import Struct

from gateway.crypto.jws import VerificationKey
from gateway.device.certificates import Certificates

CHECKS: dict[str, str] = {
    "integrity": "not jailbroken or rooted",
    "disk_encrypted": "the disk is encrypted",
    "screen_lock": "the screen locks itself",
    "firewall": "the firewall is on",
    "antivirus": "a scanner is on and its definitions are recent",
    "patches": "the system is patched",
    "enrolled": "the reporter manages the device",
    "binding": "the token is used from the device it was issued to",
}
"""Every check there is; a name is written into entries and never changes its meaning."""


class Reporter(Struct, frozen=True, eq=False):
    """Who may report postures: an MDM, an EDR. Two of one id are two keys of it, for a change of keys.

    `orgs` limits it to devices of these orgs; empty means all.
    """

    id: str
    key: VerificationKey
    orgs: tuple[str, ...] = ()


class Settings(Struct, frozen=True, eq=False):
    """Settings of the room. Times in seconds, ages of patches and definitions in days."""

    authorities: tuple[bytes, ...] = ()  # issuing device CAs, DER
    freshness: float = 86_400.0
    stale: float = 259_200.0
    reporters: tuple[Reporter, ...] = ()
    trusted_issuers: tuple[str, ...] = ()  # issuers whose device claim counts as proof
    required: tuple[str, ...] = ("integrity", "disk_encrypted", "screen_lock", "firewall", "antivirus", "patches")
    patch_days: float = 35.0
    antivirus_days: float = 7.0
    audience: str = "gateway"
    window: float = 300.0  # how old a report's `iat` may be when it arrives
    leeway: float = 60.0  # how far a clock may run ahead of ours

    def __post_init__(self) -> None:
        Certificates(self.authorities)  # raises ValueError
        if not 0 < self.freshness <= self.stale:
            raise ValueError(f"freshness `{self.freshness}` must be positive and not above stale `{self.stale}`")
        for name in self.required:
            if name not in CHECKS:
                raise ValueError(f"`{name}` is not a check; possible: {', '.join(CHECKS)}")
        if not 0 <= self.leeway <= self.window:
            raise ValueError(f"leeway `{self.leeway}` must lie between 0 and the window `{self.window}`")
