"""What is behind a token, and who may hear it?

A token says its key and not its suite: one from before the profile was changed opens under the other. Where it came from
is told so that a warrant can be asked for; the value is told to a warrant for just that.
"""

from msgspec.json import encode

from gateway.crypto.suite import offered
from gateway.facts import Fault, Headers, Reply, Revealed, Warrant
from gateway.masking.keys import Keys, ring
from gateway.masking.settings import Settings
from gateway.masking.tokens import Opened, Origin, opened, tokens
from gateway.masking.whom import same

_HEADERS: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


def origin(token: str, department: str, settings: Settings) -> Origin | None:
    """Where the value behind a token came from; None when it cannot be opened for this department, whatever the cause."""
    found = _opened(token, department, settings)
    return None if found is None else found.origin


def first_token(token: str, department: str, settings: Settings) -> str:
    """The token that key 1 makes of the same value, whichever key and algorithm sealed this one; "" for no token."""
    found = _opened(token, department, settings)
    return "" if found is None else tokens(found.origin)(found.value, Keys(settings.first_key, department))


def reveal(warrant: Warrant, settings: Settings, keys: Keys) -> Reply | Fault:
    """The value behind the token that this warrant is for; `keys` are those of the caller's department."""
    facts = warrant.facts
    asset, token = facts.asset, dict(facts.asset.parameters).get("token", "")
    found = _opened(token, facts.subject.org, settings) if asset.action == "reveal" else None
    if found is None or found.origin.asset != asset.id:  # a warrant for something else opens nothing
        return Fault("not_a_token")
    body = encode({"value": found.value})
    about = keys.about(same(found.value)) if asset.key else b""
    revealed = Revealed(records=1, seen=about, clear=1)
    return Reply(200, (*_HEADERS, (b"content-length", b"%d" % len(body))), body, len(body), revealed)


def _opened(token: str, department: str, settings: Settings) -> Opened | None:
    found = (opened(token, ring(settings.secrets, department, suite)) for suite in offered())
    return next(filter(None, found), None)
