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


class Written(Struct, frozen=True, eq=False):
    """What may be sent, and what was done."""

    shown: bytes
    revealed: Revealed
    content_type: bytes


async def mask_whole(form: Form, body: bytes, headers: Headers, prepared: Prepared, keys: Keys) -> Written:
    """The answer with the mask laid over it, looked at twice. Raises Withheld, TooMany, Residual."""
    if prepared.mask.rows:
        raise Withheld("its records cannot be told apart in this form")
    if prepared.rarest is not None:
        raise Withheld(UNCOUNTED)
    kind = media_type(headers)
    if form == "form":
        shown, reads, revealed = await mask_form(body, declared_charset(headers), prepared.columns, keys)
        await look_long(reads, prepared.gate)  # without escapes
        return Written(shown, revealed, kind)
    if form == "markup":
        shown, revealed = await _markup(await read_as_utf8(body, headers), prepared, keys)
        return Written(shown, revealed, (b"application/xml" if tells(kind) else kind) + b"; charset=utf-8")
    shown, revealed = await mask_prose(await in_utf8(body, headers), prepared.by_value, keys)
    await look_long(shown, prepared.gate)
    return Written(shown, revealed, kind + b"; charset=utf-8")


async def _markup(text: bytes, prepared: Prepared, keys: Keys) -> tuple[bytes, Revealed]:
    shown, revealed = await mask_markup(text, prepared.columns, keys)
    if prepared.mask.covering(revealed.records) is None:
        raise TooMany(f"more than {prepared.mask.most} records")
    covering = prepared.covering(revealed.records)
    if covering is not prepared:
        if covering.mask.rows:
            raise Withheld("its records cannot be told apart in this form")
        shown, revealed = await mask_markup(text, covering.columns, keys)
    await look_long(shown, covering.gate)
    return shown, revealed
