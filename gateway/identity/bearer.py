"""Is this access token good, here and now?

What must hold of a token that reads well, before and after its signature is looked at (RFC 9068
section 4, RFC 8725). Rules:

1. Cheap checks come first: a flood of bad tokens must not buy a signature each.
2. `typ`, `iss`, `aud`, `exp` and `sub` are always required; nothing is assumed for what is missing.
3. Only types that access tokens have are read, by allow-list: an identity, logout or security event
   token is never one (RFC 8725 section 3.12).
4. A token that is bound to a key (`cnf`) is never a plain bearer token. The binding we can check is the
   certificate's thumbprint (RFC 8705); every other one is refused, never ignored.
"""

from collections.abc import Mapping
from typing import Final

from gateway.crypto.jws import Parsed
from gateway.crypto.strict import Json
from gateway.facts import Reason
from gateway.identity.settings import Issuer

_TYPES: Final[dict[str, frozenset[str]]] = {
    "at+jwt": frozenset(("at+jwt",)),
    "any": frozenset(("at+jwt", "jwt", "")),  # Keycloak and Entra say JWT, PingFederate says nothing
}
_OTHER_TOKENS: Final = ("nonce", "at_hash", "c_hash", "s_hash", "events", "htm", "htu", "sub_id")
_ACCESS: Final = ("bearer", "dpop", "at+jwt")  # what Keycloak puts into the claim `typ` of an access token
_ALLOWED_BINDINGS: Final = frozenset(("x5t#S256",))


def claims_fault(parsed: Parsed, issuer: Issuer, now: float, leeway: float) -> Reason | None:
    """Why this token would be refused even with a perfect signature."""
    return (
        _type_fault(parsed, issuer)
        or _audience_fault(parsed.claims, issuer)
        or _time_fault(parsed.claims, now, leeway)
        or _algorithm_fault(parsed, issuer)
    )


def _type_fault(parsed: Parsed, issuer: Issuer) -> Reason | None:
    if parsed.typ not in _TYPES[issuer.typ]:
        return Reason("token_type", detail=f"the type is `{parsed.typ[:40]}`")
    inner = parsed.claims.get("typ")
    if "typ" in parsed.claims and not (isinstance(inner, str) and inner.lower() in _ACCESS):
        return Reason("token_type", detail=f"the claim `typ` is `{inner}`"[:80])  # ID, Refresh, Offline, Logout
    if inner is None and parsed.typ != "at+jwt":  # nobody says what it is: what it carries tells
        for name in _OTHER_TOKENS:
            if name in parsed.claims:
                return Reason("token_type", detail=f"an access token has no `{name}`")
    return None


def _audience_fault(claims: Mapping[str, Json], issuer: Issuer) -> Reason | None:
    audience = claims.get("aud")
    if audience is None:
        return Reason("token_claims", detail="`aud` is missing")
    named = audience if isinstance(audience, list) else [audience]
    if not any(ours in named for ours in issuer.audiences):  # whole strings: `gateway2` is not `gateway`
        return Reason("token_audience", detail=f"`{audience}`"[:200])
    return None


def _time_fault(claims: Mapping[str, Json], now: float, leeway: float) -> Reason | None:
    expires = seconds(claims, "exp")
    # a sign-in that is yet to come would stay fresh for as long as that takes
    begins = max(seconds(claims, name) for name in ("nbf", "iat", "auth_time"))
    if "exp" not in claims:
        return Reason("token_claims", detail="`exp` is missing")
    if now >= expires + leeway:
        return Reason("token_expired", detail=f"since {now - expires:.0f} s")
    if begins > now + leeway:
        return Reason("token_not_yet_valid", detail=f"for another {begins - now:.0f} s")
    return None


def _algorithm_fault(parsed: Parsed, issuer: Issuer) -> Reason | None:
    if parsed.alg not in issuer.algorithms:
        return Reason("token_algorithm", detail=f"`{parsed.alg}` is not accepted from this issuer")
    return None


def binding(claims: Mapping[str, Json]) -> str | Reason:
    """The thumbprint to which the token is bound, or an empty text for none (RFC 7800 section 3.1)."""
    if "cnf" not in claims:
        return ""
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict) or set(confirmation) != _ALLOWED_BINDINGS:
        return Reason("token_binding", detail="bound in a way that cannot be checked here")
    thumbprint = confirmation["x5t#S256"]
    if not isinstance(thumbprint, str) or len(thumbprint) != 43 or not thumbprint.isascii():
        return Reason("token_binding", detail="`x5t#S256` is not a thumbprint")
    return thumbprint


def seconds(claims: Mapping[str, Json], name: str) -> float:
    """A time that `jws.parse` has checked, or 0 when it is absent."""
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
