"""How is an answer turned into what may be sent?

1. Without an obligation to inspect, the answer streams through: never held, never changed.
2. Otherwise it is read whole, unpacked, checked and walked. Whatever stops that withholds it:
   `cannot_inspect` for what the service sent, `masking_failed` for what we could not do.
3. The stream of the service is closed on every way out.
4. No detail of a fault holds a byte of the answer.
5. Where a row filter lies over the answer, nobody learns whether a record of others is there: an answer that is one, a
   missing one and an answer without a body (`HEAD`, 204) are the same refusal. Its time may still tell.
6. Those that are read whole share the room for them (`room`), and a few of the long ones are walked at a time: a walk
   holds five times the bytes of its answer, and twenty at once would be done no sooner.
"""

from collections.abc import AsyncIterator, Callable

from gateway.facts import Ask, Asset, BodyFailed, Concealed, Fault, Headers, Mask, RawReply, Reply, Revealed, Warrant
from gateway.masking.about import Looked, NotFound, TooMany, looked_into, looked_into_long
from gateway.masking.conceal import CODE, concealed
from gateway.masking.events import masked_events, readable
from gateway.masking.headers import countless, inspected, plain
from gateway.masking.json_body import NotJson, mask_json, mask_long_json, mask_raw
from gateway.masking.json_tree import mask_tree
from gateway.masking.kept import Kept
from gateway.masking.keys import Keys
from gateway.masking.lines import masked_lines
from gateway.masking.media import STREAMED, Form, form_of, json_type, media_type, named
from gateway.masking.opening import first_token, origin, reveal
from gateway.masking.plan import Plan, TooManyStates
from gateway.masking.prepared import Prepared
from gateway.masking.prose import like_json
from gateway.masking.room import Crowded, Room, Seat
from gateway.masking.second_look import Residual, look, look_long
from gateway.masking.settings import Settings
from gateway.masking.streaming import begun, closed, going_on
from gateway.masking.suppress import UNCOUNTED, held, suppressed, suppressed_long
from gateway.masking.table import masked_table
from gateway.masking.tally import Tally
from gateway.masking.tokens import Origin
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld, arriving, gather, in_utf8, unpacked
from gateway.masking.watermark import Mark, marked, marked_lines, marked_long
from gateway.masking.whole import mask_whole
from gateway.masking.whom import told_apart

LONG_WALKS = 4
_BODILESS = frozenset({204, 205, 304})
_READING = frozenset({"GET", "HEAD"})
_PARTIAL = 206
_ABSENT = frozenset({403, 404, 410})  # what a service says of a record that is not there, or not for everybody
_OBSERVED = frozenset({200, 201})  # what a route answers when all is well: an error page has another shape
_WHOLE = frozenset({200, 201, 400, 404, 409, 422})  # answers that come often, with a body and in one piece


class Masking:
    """The way of an answer, with what this worker keeps for it."""

    def __init__(self, settings: Settings, observe: Callable[[Asset, bytes], None] | None = None) -> None:
        """`observe` sees what services send, before anything is hidden. It must be quick and may not raise."""
        self._settings = settings
        self._observe = observe
        self._kept = Kept(settings)
        self._room = Room(settings.held_bytes)
        self._walking = 0  # long answers at this moment

    async def apply(self, raw: RawReply, warrant: Warrant) -> Reply | Fault:
        """What may be sent of this answer under this warrant, or why nothing may."""
        mask = warrant.permit.mask
        if not mask.inspects:
            if type(raw.body) is bytes and not warrant.facts.asset.opaque:  # a stream is not held for this
                self._show(raw, raw.body, warrant)
            return Reply(raw.status, raw.headers, raw.body, raw.length, waited=raw.waited)
        streams, seat = False, None
        try:
            if mask.rows and raw.status in _ABSENT:
                raise NotFound
            fields = self._common(raw, warrant.facts.ask)
            reply = None if fields is None else self._at_once(raw, fields, warrant, mask)
            if reply is None:
                seat = self._room.seat(warrant.facts.ask.api)
                reply = await self._reveal(raw, warrant, mask, seat, fields is not None)
                streams = reply.revealing is not None
            return _uncounted(reply) if mask.filters else reply
        except (Withheld, NotJson) as error:
            return Fault("cannot_inspect", _why(str(error), named(raw.headers)))
        except NotFound as error:
            if error.removed and raw.status >= 400:  # some other error, told in JSON
                return Fault("cannot_inspect", "its records cannot be told apart")
            return Fault("no_record", str(error), Revealed(removed=error.removed))
        except TooMany as error:
            return Fault("too_many_records", str(error))
        except Residual as error:
            return Fault("residual_identifier", str(error), Revealed(residual=error.identifiers))
        except Crowded:
            return Fault("overloaded", "no room for one more long answer")
        except BodyFailed as error:
            return Fault(error.code, error.detail)
        except TooManyStates as error:
            return Fault("masking_failed", str(error))
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            return Fault("masking_failed", type(error).__name__)  # its text may quote the answer
        finally:
            if not streams:
                if seat is not None:
                    seat.leave()
                await closed(raw.body)

    def conceal(self, warrant: Warrant, content: bytes | None) -> Concealed | Fault:
        """What of a request may be forwarded under this warrant; `content` is its whole body, None when it is too long."""
        mask, ask = warrant.permit.forwarding, warrant.facts.ask
        if mask is None:
            return Concealed(ask.query, content) if content is not None else Fault(CODE, "the body is not held")
        try:
            prepared = self._kept.prepared(mask, warrant.facts.asset)
        except ValueError as error:
            return Fault("masking_failed", type(error).__name__)
        return concealed(ask, content, prepared, self._kept.keys(warrant.facts.subject.org))

    def _show(self, raw: RawReply, body: bytes, warrant: Warrant) -> None:
        """Let the observer see an answer."""
        if self._observe is not None and raw.status in _OBSERVED:
            self._observe(warrant.facts.asset, body)

    def _common(self, raw: RawReply, ask: Ask) -> Headers | None:
        """The fields of the common answer: complete, short, JSON under a plain head. None for all others."""
        body = raw.body
        if type(body) is not bytes or raw.status not in _WHOLE or ask.method == "HEAD":
            return None
        size = len(body) if raw.length is None else max(len(body), raw.length)
        short = min(self._settings.offload_over, self._settings.inspected(ask.api))
        return plain(raw.headers) if 0 < size <= short else None

    def _at_once(self, raw: RawReply, fields: Headers, warrant: Warrant, mask: Mask) -> Reply | None:
        """The reply to the common answer, without a wait. None when it has to be looked at closely."""
        kept, facts = self._kept, warrant.facts
        prepared, keys = kept.prepared(mask, facts.asset), kept.keys(facts.subject.org)
        body: bytes = raw.body  # type: ignore[assignment]  # as `_common` saw
        self._show(raw, body, warrant)
        looked = looked_into(body, mask, prepared.asset) if prepared.concerned else None
        if looked is not None:
            body, prepared = looked.body, prepared.covering(looked.records)
        found = mask_tree(body, prepared.plan, keys)
        if found is None:
            return None
        shown, revealed = found
        if 0 < prepared.mask.most < told_apart(revealed):
            return None
        if prepared.rare is not None:
            shown, lost = suppressed(shown, prepared.rare, body)
            revealed = revealed.beside(suppressed=lost)
        if mask.watermark:
            shown = marked(shown, kept.mark(facts.subject.id))
        look(shown, prepared.gate)
        if looked is not None:
            revealed = revealed.beside(looked.removed)
        size = len(shown)
        return Reply(raw.status, (*fields, (b"content-length", b"%d" % size)), shown, size, revealed, raw.waited)

    async def _reveal(self, raw: RawReply, warrant: Warrant, mask: Mask, seat: Seat, tried: bool) -> Reply:
        _check_head(raw)
        kept, facts = self._kept, warrant.facts
        if facts.ask.method == "HEAD" or raw.status in _BODILESS:
            return _without_body(raw, facts.ask, mask, None)
        prepared, keys = kept.prepared(mask, facts.asset), kept.keys(facts.subject.org)
        form, limit = form_of(raw.headers), self._settings.inspected(facts.ask.api)
        if form in STREAMED:
            if form == "lines" and type(raw.body) is bytes:  # what arrives in pieces is not held for this
                self._show(raw, raw.body, warrant)
            mark = kept.mark(facts.subject.id) if mask.watermark else None
            return await self._streamed(raw, form, prepared, keys, mark, limit, seat)
        body = await gather(raw.body, raw.length, limit, seat)
        if not body:
            return _without_body(raw, facts.ask, mask, 0)
        body = await unpacked(body, raw.headers, limit, seat)
        if len(body) <= self._settings.offload_over:
            return await self._whole(raw, warrant, prepared, keys, body, tried)
        while self._walking >= LONG_WALKS:
            await turn()  # those that walk keep the loop busy anyhow
        self._walking += 1
        try:
            return await self._whole(raw, warrant, prepared, keys, body, tried)
        finally:
            self._walking -= 1

    async def _whole(
        self, raw: RawReply, warrant: Warrant, prepared: Prepared, keys: Keys, body: bytes, tried: bool
    ) -> Reply:
        """The reply to an answer that is read whole."""
        form = form_of(raw.headers)
        if form != "json" and not (form == "prose" and like_json(body)):
            return await self._otherwise(raw, form, body, prepared, keys)
        body = await in_utf8(body, raw.headers, prepared.plan.names)
        if not tried:
            self._show(raw, body, warrant)
        shown, revealed, looked = await self._laid(body, prepared, keys, tried)
        prepared = prepared.covering(looked.records)
        if prepared.rare is not None:
            shown, lost = await suppressed_long(shown, prepared.rare, looked.body)
            revealed = revealed.beside(suppressed=lost)
        if warrant.permit.mask.watermark:
            shown = await marked_long(shown, self._kept.mark(warrant.facts.subject.id))
        await look_long(shown, prepared.gate)
        headers = inspected(raw.headers, len(shown), json_type(raw.headers))
        return Reply(raw.status, headers, shown, len(shown), revealed.beside(looked.removed), raw.waited)

    async def _laid(
        self, body: bytes, prepared: Prepared, keys: Keys, tried: bool, people: int = 1
    ) -> tuple[bytes, Revealed, Looked]:
        """The body with the mask laid over it that covers its records, and the people that it is about."""
        looked = Looked(body)
        if prepared.concerned:
            looked = await looked_into_long(body, prepared.mask, prepared.asset, people)
        through = prepared.covering(looked.records)
        shown, revealed = await self._masked(looked.body, through.plan, keys, tried)
        if 0 < through.mask.most < told_apart(revealed):
            return await self._laid(body, prepared, keys, tried, told_apart(revealed))
        return shown, revealed, looked

    async def _otherwise(self, raw: RawReply, form: Form, body: bytes, prepared: Prepared, keys: Keys) -> Reply:
        """The reply to an answer that is read whole, and is no JSON."""
        written = await mask_whole(form, body, raw.headers, prepared, keys)
        headers = inspected(raw.headers, len(written.shown), written.content_type)
        return Reply(raw.status, headers, written.shown, len(written.shown), written.revealed, raw.waited)

    async def _streamed(
        self, raw: RawReply, form: Form, prepared: Prepared, keys: Keys, mark: Mark | None, limit: int, seat: Seat
    ) -> Reply:
        """The reply to an answer that is masked as it arrives."""
        if form == "events":
            readable(raw.headers)
        tally = Tally()
        pieces = arriving(raw.body, raw.headers, limit, seat, prepared.plan.names)
        if prepared.rarest is not None:
            if form != "table":
                raise Withheld(UNCOUNTED)
            pieces = held(pieces, limit, seat)
        units = _units(form, pieces, prepared, keys, tally)
        if mark is not None and form == "lines":
            units = marked_lines(units, mark)
        first = b"" if form == "events" else await begun(units)  # the first event may be minutes away
        headers = inspected(raw.headers, None, media_type(raw.headers) + b"; charset=utf-8")
        body = going_on(first, units, raw.body, tally, seat)
        return Reply(raw.status, headers, body, None, waited=raw.waited, revealing=tally.revealed)

    async def _masked(self, body: bytes, plan: Plan, keys: Keys, tried: bool) -> tuple[bytes, Revealed]:
        if len(body) > self._settings.offload_over:
            return await mask_long_json(body, plan, keys)
        return mask_raw(body, plan, keys) if tried else mask_json(body, plan, keys)

    def origin(self, token: str, department: str) -> Origin | None:
        """Where the value behind a token came from; None when it cannot be opened for this department, whatever the cause."""
        return origin(token, department, self._settings)

    def first_token(self, token: str, department: str) -> str:
        """What a token is known by for ever: keys and algorithms that come later give the same value others."""
        return first_token(token, department, self._settings)

    def reveal(self, warrant: Warrant) -> Reply | Fault:
        """The value behind the token that this warrant is for."""
        return reveal(warrant, self._settings, self._kept.keys(warrant.facts.subject.org))


def _why(why: str, kind: str) -> str:
    """Why an answer cannot be inspected; `kind` is its media type, "" where it is JSON."""
    if not kind:
        return why
    if why.startswith("not JSON"):  # what no form is known for is tried as JSON
        why = "a form that is not read, and no JSON"
    return f"{why} (`{kind}`)"


def _without_body(raw: RawReply, ask: Ask, mask: Mask, length: int | None) -> Reply:
    """The reply to an answer without a body. Raises NotFound where its head alone would tell that a record is there."""
    if mask.rows and ask.method in _READING and (raw.status < 300 or raw.status in _BODILESS):
        raise NotFound
    return Reply(raw.status, inspected(raw.headers, length), b"", length, waited=raw.waited)


def _uncounted(reply: Reply) -> Reply:
    """The same reply without the fields that could tell how many records there were before some were taken out."""
    headers, shown = countless(reply.headers), reply.revealed
    return Reply(reply.status, headers, reply.body, reply.length, shown, reply.waited, revealing=reply.revealing)


def _check_head(raw: RawReply) -> None:
    """Parts of an answer cannot be walked: what is cut off on the left could be anything."""
    if raw.status == _PARTIAL or any(name == b"content-range" for name, _ in raw.headers):
        raise Withheld("only a part of the answer was sent")


def _units(
    form: Form, pieces: AsyncIterator[bytes], prepared: Prepared, keys: Keys, tally: Tally
) -> AsyncIterator[bytes]:
    if form == "events":
        return masked_events(pieces, prepared, keys, tally)
    if form == "table":
        return masked_table(pieces, prepared, keys, tally)
    return masked_lines(pieces, prepared, keys, tally)
