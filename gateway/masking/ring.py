"""Which key opens this?

What was sealed says its key (`e2.…`), not its suite: of an installation that changed its profile both are tried, and the
seal tells which it was. Sealed for another department, changed, or under a key that is gone: not opened.
"""

import re

from gateway.crypto.digest import unb64url
from gateway.crypto.suite import INTL, SM
from gateway.masking.keys import SEALED, TOKEN, Keys
from gateway.masking.settings import Settings

_FORM = re.compile(rf"([{SEALED}{TOKEN}])([1-9][0-9]{{0,5}})\.([A-Za-z0-9_-]+)", re.ASCII)


def opened(text: str, department: str, settings: Settings) -> str | None:
    """The value behind what `encrypt` or `tokenise` made for this department, under whichever key; None: not to be opened."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    form, number, sealed = found[1], int(found[2]), unb64url(found[3])
    secret = settings.secret(number)
    if secret is None or sealed is None:
        return None
    for suite in (INTL, SM):
        value = Keys(secret, department, suite, number).opened(sealed, form)
        if value is not None:
            return value
    return None
