"""What is left of an answer that is read whole, and is no JSON: a form, markup, a text?

Each kind has a module of its own; here is what they have in common. Their records cannot be told apart as those of JSON
can: where a row filter is laid over the answer, or rare combinations are suppressed, they are withheld.
"""

from msgspec import Struct

from gateway.facts import Headers, Revealed
from gateway.masking.about import TooMany
from gateway.masking.form import mask_form
from gateway.masking.headers import tells
from gateway.masking.keys import Keys
from gateway.masking.markup import mask_markup, read_as_utf8
from gateway.masking.media import Form, media_type
from gateway.masking.prepared import Prepared
from gateway.masking.prose import mask_prose
from gateway.masking.second_look import look_long
from gateway.masking.suppress import UNCOUNTED
from gateway.masking.unpack import Withheld, declared_charset, in_utf8
from gateway.masking.whom import told_apart


class Written(Struct, frozen=True, eq=False):
    """What may be sent, and what was done; `read` is what a reader of it reads, without escapes."""

    shown: bytes
    read: bytes
    revealed: Revealed
    content_type: bytes


async def mask_whole(form: Form, body: bytes, headers: Headers, prepared: Prepared, keys: Keys) -> Written:
    """The answer with the mask laid over it, looked at twice. Raises Withheld, TooMany, Residual."""
    _check(prepared)
    written = await _written(form, body, headers, prepared, keys)
    records = max(written.revealed.records, told_apart(written.revealed))
    if prepared.mask.covering(records) is None:
        raise TooMany("more records than may be shown at once")
    covering = prepared.covering(records)
    if covering is not prepared:
        _check(covering)
        written = await _written(form, body, headers, covering, keys)
    await look_long(written.read, covering.gate)
    return written


def _check(prepared: Prepared) -> None:
    if prepared.mask.rows:
        raise Withheld("its records cannot be told apart in this form")
    if prepared.rarest is not None:
        raise Withheld(UNCOUNTED)


async def _written(form: Form, body: bytes, headers: Headers, prepared: Prepared, keys: Keys) -> Written:
    kind = media_type(headers)
    if form == "form":
        shown, read, revealed = await mask_form(body, declared_charset(headers), prepared.columns, keys)
        return Written(shown, read, revealed, kind)
    if form == "markup":
        shown, revealed = await mask_markup(
            await read_as_utf8(body, headers, prepared.plan.names), prepared.columns, keys
        )
        kind = b"application/xml" if tells(kind) else kind
    else:
        shown, revealed = await mask_prose(await in_utf8(body, headers), prepared.by_value, keys)
    return Written(shown, shown, revealed, kind + b"; charset=utf-8")
