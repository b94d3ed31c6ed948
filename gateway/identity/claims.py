"""Whom does a proven token speak of?

From the issuer's claims to a Subject. Rules:

1. A subject belongs to its issuer: its id is `realm/sub`. Without a realm a `sub` may not have a
   slash, or it could name itself into another realm.
2. A person and a service are never mixed up (RFC 9700 section 4.15): a token whose `sub` is its client's
   id is a service's, unless it tells of a person signing in.
3. A claim of the wrong form refuses the token; a clearance that is not known counts as the lowest.
4. Two subjects never look the same for want of a letter that is seen, or by two spellings of one: who reads the
   record, or withdraws an account, has only the look of it.
5. An address with two `@` names nobody: which half is the domain depends on the reader (CVE-2026-40574).
"""

from collections.abc import Mapping
from re import compile as pattern
from typing import Final, Literal
from unicodedata import normalize

from gateway.crypto.jws import Parsed
from gateway.crypto.strict import Json
from gateway.facts import GRADES, Grade, Proof, Reason, Subject
from gateway.identity.bearer import seconds
from gateway.identity.settings import Issuer

_KINDS: Final[dict[str, Literal["person", "service"]]] = {
    "person": "person",
    "human": "person",
    "user": "person",
    "service": "service",
    "app": "service",
    "client": "service",
    "machine": "service",
}
_SIGNED_IN: Final = ("auth_time", "amr")  # only a person has signed in
_ADDRESSES: Final = ("sub", "email", "upn", "preferred_username")
_LEVEL: Final = pattern(r"(?:^|[:/_-])(?:aal|loa)[:/_-]?([0-4])\Z")
_CLEARANCES: Final[dict[str, Grade]] = {
    **GRADES,
    "general": Grade.GENERAL_3,  # as in a catalog
    "一般": Grade.GENERAL_3,
    "重要": Grade.IMPORTANT,
    "核心": Grade.CORE,
}
# Printable by their category, and yet nothing is seen of them (Default_Ignorable_Code_Point), or only a blank.
_UNSEEN: Final = pattern(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_MAX_SUB: Final = 256


class _Misformed(ValueError):
    """A claim that cannot be read as what it should be; becomes a Reason at the door of this module."""


def subject(parsed: Parsed, issuer: Issuer, token: str, bound: bool) -> Subject | Reason:
    """The subject of a token whose signature holds; `token` is the digest that identifies it."""
    claims, names = parsed.claims, issuer.claims
    try:
        return Subject(
            id=_id(claims, issuer),
            kind=_kind(claims, names.kind),
            name=_shown(_at(claims, names.name)),
            org=_text(claims, names.org),
            roles=_words(claims, names.roles),
            clearance=_clearance(_at(claims, names.clearance)),
            assurance=_assurance(claims, issuer.acr),
            device=_text(claims, names.device),
            purpose=_text(claims, names.purpose),
            proof=_proof(claims, issuer, token, bound),
        )
    except _Misformed as why:
        return Reason("token_claims", detail=str(why))


def _proof(claims: Mapping[str, Json], issuer: Issuer, token: str, bound: bool) -> Proof:
    return Proof(
        method="bearer",
        issuer=issuer.url,
        token=token,
        jti=_text(claims, "jti"),
        session=_text(claims, issuer.claims.session),
        issued_at=seconds(claims, "iat"),
        expires_at=seconds(claims, "exp"),
        authenticated_at=seconds(claims, "auth_time"),
        bound=bound,
    )


def _id(claims: Mapping[str, Json], issuer: Issuer) -> str:
    sub = claims.get("sub")
    if not isinstance(sub, str):
        raise _Misformed("`sub` is missing")
    if len(sub) > _MAX_SUB or sub != sub.strip():
        raise _Misformed("`sub` is too long or begins or ends with a space")
    if not sub.isascii() and (_UNSEEN.search(sub) or normalize("NFC", sub) != sub):
        raise _Misformed("`sub` has letters that are not seen, or another spelling of one that is")
    for name in _ADDRESSES:
        address = claims.get(name)
        if isinstance(address, str) and normalize("NFKC", address).count("@") > 1:  # also `＠`
            raise _Misformed(f"`{name}` has two `@`")
    if issuer.realm:
        return f"{issuer.realm}/{sub}"
    if "/" in sub:
        raise _Misformed("`sub` has a slash and its issuer has no realm: give the issuer a realm")
    return sub


def _kind(claims: Mapping[str, Json], path: str) -> Literal["person", "service"]:
    if path:
        said = _text(claims, path).lower()
        if said not in _KINDS:
            raise _Misformed(f"`{path}` is neither `person` nor `service`")
        return _KINDS[said]
    if claims.get("idtyp") == "app" or claims.get("gty") == "client-credentials":  # Entra, Auth0
        return "service"
    clients = (claims.get("client_id"), claims.get("azp"))
    if claims.get("sub") in clients and not any(name in claims for name in _SIGNED_IN):
        return "service"
    username = claims.get("preferred_username")  # Keycloak: `sub` of a service account is a random id
    if any(client is not None and username == f"service-account-{client}" for client in clients):
        return "service"
    return "person"


def _at(claims: Mapping[str, Json], path: str) -> Json:
    """The value at a claim's name or dotted path; a claim whose name has dots wins over a path."""
    if path == "" or path in claims:
        return claims.get(path) if path else None
    value: Json = dict(claims)
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(claims: Mapping[str, Json], path: str) -> str:
    value = _at(claims, path)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable() or len(value) > 512:
        raise _Misformed(f"`{path}` is not a short text")  # a line break would forge a header or a log line
    return value


def _words(claims: Mapping[str, Json], path: str) -> tuple[str, ...]:
    """Roles: a list of texts, a list of `{"value": …}` (RFC 7643 section 4.1.2), or words in one text."""
    value = _at(claims, path)
    if value is None:
        return ()
    items = value.split() if isinstance(value, str) else value
    if not isinstance(items, list):
        raise _Misformed(f"`{path}` is not a list of texts")
    words = [item.get("value") if isinstance(item, dict) else item for item in items]
    texts = [word for word in words if isinstance(word, str) and word.isprintable()]
    if len(texts) != len(words):
        raise _Misformed(f"`{path}` is not a list of texts")
    return tuple(dict.fromkeys(texts))


def _shown(value: Json) -> str:
    """A name as it may be shown: display only, so that nothing that steers a terminal remains."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:256]).strip()


def _clearance(value: Json) -> Grade:
    if isinstance(value, str):
        return _CLEARANCES.get(value.lower(), Grade.GENERAL_1)
    return Grade.GENERAL_1


def _assurance(claims: Mapping[str, Json], table: Mapping[str, int]) -> int:
    """Assurance 0–3 (NIST SP 800-63B) from `acr`, else from `amr`; a valid token alone is worth 1."""
    acr = claims.get("acr")
    if isinstance(acr, str) and table:
        return table.get(acr, 1)
    if isinstance(acr, str) and acr in ("0", "1", "2", "3"):  # Keycloak's levels of authentication
        return int(acr)
    found = _LEVEL.search(acr.lower()) if isinstance(acr, str) else None
    if found is not None:
        return min(int(found[1]), 3)
    amr = claims.get("amr")
    return 2 if isinstance(amr, list) and "mfa" in amr else 1  # RFC 8176
