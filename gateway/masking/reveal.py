"""How is an answer turned into what may be sent?

1. Without an obligation to inspect, the answer streams through: never held, never changed.
2. Otherwise it is read whole, unpacked, checked and walked. Whatever stops that withholds it:
   `cannot_inspect` for what the service sent, `masking_failed` for what we could not do.
3. The stream of the service is closed on every way out.
4. No detail of a fault holds a byte of the answer.
5. A few long answers are walked at a time. A walk holds five times the bytes of its answer, and twenty
   at once would be done no sooner.
"""

from collections.abc import AsyncIterator, Callable

from msgspec.json import encode

from gateway.crypto.suite import INTL, SM, Suite
from gateway.facts import Ask, Asset, BodyFailed, Concealed, Fault, Headers, Mask, RawReply, Reply, Revealed, Warrant
from gateway.masking.about import Looked, TooMany, look_slowly, looked_into
from gateway.masking.conceal import CODE, concealed
from gateway.masking.events import masked_events, readable
from gateway.masking.headers import countless, inspected, plain
from gateway.masking.json_body import NotJson, mask_json, mask_long_json, mask_raw, turn
from gateway.masking.json_tree import mask_tree
from gateway.masking.keys import Keys
from gateway.masking.lines import masked_lines
from gateway.masking.media import STREAMED, Form, form_of, media_type, named
from gateway.masking.plan import Plan, TooManyStates
from gateway.masking.prepared import Prepared, Shape, shape
from gateway.masking.prose import like_json
from gateway.masking.second_look import Residual, look, look_long
from gateway.masking.settings import Settings
from gateway.masking.streaming import begun, closed, going_on
from gateway.masking.suppress import UNCOUNTED, held, suppressed, suppressed_long, told
from gateway.masking.table import masked_table
from gateway.masking.tally import Tally
from gateway.masking.tokens import Opened, Origin, opened
from gateway.masking.unpack import Withheld, arriving, declared_charset, gather, in_utf8, unpacked
from gateway.masking.watermark import Mark, Marks, marked, marked_lines, marked_long
from gateway.masking.whole import mask_whole
from gateway.masking.whom import same

MASKS = 2048
DEPARTMENTS = 4096
LONG_WALKS = 4
_REVEALED: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
_BODILESS = frozenset({204, 205, 304})
_PARTIAL = 206
_OBSERVED = frozenset({200, 201})  # what a route answers when all is well: an error page has another shape
_WHOLE = frozenset({200, 201, 400, 404, 409, 422})  # answers that come often, with a body and in one piece


class Masking:
    """The masks of this worker, compiled as they are first needed."""

    def __init__(self, settings: Settings, observe: Callable[[Asset, bytes], None] | None = None) -> None:
        """`observe` sees what services send, before anything is hidden. It must be quick and may not raise."""
        self._settings = settings
        self._observe = observe
        self._masks: dict[int, Prepared] = {}  # by identity: hashing a mask costs more than a small walk
        self._shapes: dict[tuple[str, str, str, Shape], Prepared] = {}
        self._departments: dict[str, Keys] = {}
        self._marks = Marks(settings.first_key, settings.suite)
        self._walking = 0  # long answers at this moment
        self._short = min(settings.offload_over, settings.max_inspect)

    async def apply(self, raw: RawReply, warrant: Warrant) -> Reply | Fault:
        """What may be sent of this answer under this warrant, or why nothing may."""
        mask = warrant.permit.mask
        if not mask.inspects:
            if type(raw.body) is bytes and not warrant.facts.asset.opaque:  # a stream is not held for this
                self._show(raw, raw.body, warrant)
            return Reply(raw.status, raw.headers, raw.body, raw.length, waited=raw.waited)
        streams = False
        try:
            fields = self._common(raw, warrant.facts.ask)
            reply = None if fields is None else self._at_once(raw, fields, warrant, mask)
            if reply is None:
                reply = await self._reveal(raw, warrant, mask, fields is not None)
                streams = reply.revealing is not None
            return _uncounted(reply) if mask.filters else reply
        except (Withheld, NotJson) as error:
            kind = named(raw.headers)
            return Fault("cannot_inspect", f"{error} (`{kind}`)" if kind else str(error))
        except TooMany as error:
            return Fault("too_many_records", str(error))
        except Residual as error:
            return Fault("residual_identifier", str(error), Revealed(residual=error.identifiers))
        except BodyFailed as error:
            return Fault(error.code, error.detail)
        except TooManyStates as error:
            return Fault("masking_failed", str(error))
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            return Fault("masking_failed", type(error).__name__)  # its text may quote the answer
        finally:
            if not streams:
                await closed(raw.body)

    def conceal(self, warrant: Warrant, content: bytes | None) -> Concealed | Fault:
        """What of a request may be forwarded under this warrant; `content` is its whole body, None when it is too long."""
        mask, ask = warrant.permit.forwarding, warrant.facts.ask
        if mask is None:
            return Concealed(ask.query, content) if content is not None else Fault(CODE, "the body is not held")
        try:
            prepared = self._prepared(mask, warrant)
        except ValueError as error:
            return Fault("masking_failed", type(error).__name__)
        return concealed(ask, content, prepared.plan, prepared.columns, self._keys(warrant.facts.subject.org))

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
        return plain(raw.headers) if size <= self._short else None

    def _at_once(self, raw: RawReply, fields: Headers, warrant: Warrant, mask: Mask) -> Reply | None:
        """The reply to the common answer, without a wait. None when it has to be looked at closely."""
        prepared, keys = self._prepared(mask, warrant), self._keys(warrant.facts.subject.org)
        body: bytes = raw.body  # type: ignore[assignment]  # as `_common` saw
        self._show(raw, body, warrant)
        looked = looked_into(body, mask, prepared.asset) if prepared.concerned else None
        if looked is not None:
            body, prepared = looked.body, prepared.covering(looked.records)
        found = mask_tree(body, prepared.plan, keys)
        if found is None:
            return None
        shown, revealed = found
        if prepared.rare is not None:
            shown, lost = suppressed(shown, prepared.rare)
            revealed = told(revealed, lost)
        if mask.watermark:
            shown = marked(shown, self._mark(warrant))
        look(shown, prepared.gate)
        if looked is not None:
            revealed = looked.told(revealed)
        size = len(shown)
        return Reply(raw.status, (*fields, (b"content-length", b"%d" % size)), shown, size, revealed, raw.waited)

    async def _reveal(self, raw: RawReply, warrant: Warrant, mask: Mask, tried: bool) -> Reply:
        _check_head(raw)
        if warrant.facts.ask.method == "HEAD" or raw.status in _BODILESS:
            return Reply(raw.status, inspected(raw.headers, None), b"", None, waited=raw.waited)
        prepared, keys = self._prepared(mask, warrant), self._keys(warrant.facts.subject.org)
        form = form_of(raw.headers)
        if form in STREAMED:
            return await self._streamed(raw, form, prepared, keys, self._mark(warrant) if mask.watermark else None)
        limit = self._settings.max_inspect
        body = await gather(raw.body, raw.length, limit)
        if not body:
            return Reply(raw.status, inspected(raw.headers, 0), b"", 0, waited=raw.waited)
        body = await unpacked(body, raw.headers, limit)
        if form != "json" and not (form == "prose" and like_json(body)):
            return await self._otherwise(raw, form, body, prepared, keys)
        body = await in_utf8(body, raw.headers)
        if not tried:
            self._show(raw, body, warrant)
        looked = await _looked(body, mask, prepared.asset) if prepared.concerned else None
        if looked is not None:
            body, prepared = looked.body, prepared.covering(looked.records)
        shown, revealed = await self._masked(body, prepared.plan, keys, tried)
        if prepared.rare is not None:
            shown, lost = await suppressed_long(shown, prepared.rare)
            revealed = told(revealed, lost)
        if mask.watermark:
            shown = await marked_long(shown, self._mark(warrant))
        await look_long(shown, prepared.gate)
        if looked is not None:
            revealed = looked.told(revealed)
        headers = inspected(raw.headers, len(shown), _content_type(raw.headers))
        return Reply(raw.status, headers, shown, len(shown), revealed, raw.waited)

    async def _otherwise(self, raw: RawReply, form: Form, body: bytes, prepared: Prepared, keys: Keys) -> Reply:
        """The reply to an answer that is read whole, and is no JSON."""
        written = await mask_whole(form, body, raw.headers, prepared, keys)
        headers = inspected(raw.headers, len(written.shown), written.content_type)
        return Reply(raw.status, headers, written.shown, len(written.shown), written.revealed, raw.waited)

    async def _streamed(self, raw: RawReply, form: Form, prepared: Prepared, keys: Keys, mark: Mark | None) -> Reply:
        """The reply to an answer that is masked as it arrives."""
        if form == "events":
            readable(raw.headers)
        tally = Tally()
        pieces = arriving(raw.body, raw.headers, self._settings.max_inspect)
        if prepared.rarest is not None:
            if form != "table":
                raise Withheld(UNCOUNTED)
            pieces = held(pieces, self._settings.max_inspect)
        units = _units(form, pieces, prepared, keys, tally)
        if mark is not None and form == "lines":
            units = marked_lines(units, mark)
        first = b"" if form == "events" else await begun(units)  # the first event may be minutes away
        headers = inspected(raw.headers, None, media_type(raw.headers) + b"; charset=utf-8")
        body = going_on(first, units, raw.body, tally)
        return Reply(raw.status, headers, body, None, waited=raw.waited, revealing=tally.revealed)

    async def _masked(self, body: bytes, plan: Plan, keys: Keys, tried: bool) -> tuple[bytes, Revealed]:
        if len(body) <= self._settings.offload_over:
            return mask_raw(body, plan, keys) if tried else mask_json(body, plan, keys)
        while self._walking >= LONG_WALKS:
            await turn()  # those that walk keep the loop busy anyhow
        self._walking += 1
        try:
            return await mask_long_json(body, plan, keys)
        finally:
            self._walking -= 1

    def _prepared(self, mask: Mask, warrant: Warrant) -> Prepared:
        if mask.filters:
            return self._own(mask, warrant.facts.asset)
        found = self._masks.get(id(mask))
        if found is not None:
            return found
        prepared = Prepared(mask, warrant.facts.asset)
        if len(self._masks) >= MASKS:
            self._masks.clear()
        self._masks[id(mask)] = prepared  # holding the mask keeps its id its own
        return prepared

    def _own(self, mask: Mask, asset: Asset) -> Prepared:
        """Of a mask that was made for one request: what it shares with others is known by its shape."""
        key = (asset.api, asset.route, asset.revision, shape(mask))
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= MASKS:
                self._shapes.clear()
            found = self._shapes[key] = Prepared(mask, asset)
        return found.whose(mask)

    def origin(self, token: str, department: str) -> Origin | None:
        """Where the value behind a token came from; None when it cannot be opened for this department, whatever the cause."""
        found = self._opened(token, department)
        return None if found is None else found.origin

    def reveal(self, warrant: Warrant) -> Reply | Fault:
        """The value behind the token that this warrant is for."""
        facts = warrant.facts
        asset, token = facts.asset, dict(facts.asset.parameters).get("token", "")
        found = self._opened(token, facts.subject.org) if asset.action == "reveal" else None
        if found is None or found.origin.asset != asset.id:  # a warrant for something else opens nothing
            return Fault("not_a_token")
        body = encode({"value": found.value})
        about = self._keys(facts.subject.org).about(same(found.value)) if asset.key else b""
        revealed = Revealed(records=1, seen=about, clear=1)
        return Reply(200, (*_REVEALED, (b"content-length", b"%d" % len(body))), body, len(body), revealed)

    def _opened(self, token: str, department: str) -> Opened | None:
        one = self._settings

        def keys(suite: Suite) -> Callable[[int], Keys | None]:
            def numbered(number: int) -> Keys | None:
                secret = one.secret(number)
                return None if secret is None else Keys(secret, department, suite, number, one.first_key)

            return numbered

        # a token says its key, not its suite: one from before the profile was changed opens under the other
        return opened(token, keys(INTL)) or opened(token, keys(SM))

    def _mark(self, warrant: Warrant) -> Mark:
        """The mark of the caller: who is given a marked answer can be told from its copy."""
        return self._marks.of(warrant.facts.subject.id)

    def _keys(self, department: str) -> Keys:
        found = self._departments.get(department)
        if found is None:
            if len(self._departments) >= DEPARTMENTS:
                self._departments.clear()
            one = self._settings
            found = Keys(one.hash_key, department, one.suite, one.key_number, one.first_key)
            self._departments[department] = found
        return found


async def _looked(body: bytes, mask: Mask, asset: Asset) -> Looked:
    """The records of an answer of any length, with turns for others in between. Raises Withheld, TooMany."""
    looking = look_slowly(body, mask, asset)
    while True:
        try:
            next(looking)
        except StopIteration as end:
            found: Looked = end.value
            return found
        await turn()


def _uncounted(reply: Reply) -> Reply:
    """The same reply without the fields that could tell how many records there were before some were taken out."""
    headers, shown = countless(reply.headers), reply.revealed
    return Reply(reply.status, headers, reply.body, reply.length, shown, reply.waited, revealing=reply.revealing)


def _check_head(raw: RawReply) -> None:
    """Parts of an answer cannot be walked: what is cut off on the left could be anything."""
    if raw.status == _PARTIAL or any(name == b"content-range" for name, _ in raw.headers):
        raise Withheld("only a part of the answer was sent")


def _content_type(headers: Headers) -> bytes | None:
    """The Content-Type to send when the one of the service is missing, is not the truth, or names another charset.

    The walk has shown that it is JSON: shown as `text/html`, a value of it could run as a script here.
    """
    charset = declared_charset(headers)
    for name, value in headers:
        if name == b"content-type":
            kind = value.partition(b";")[0].strip()
            if not kind.lower().endswith((b"/json", b"+json")):
                return b"application/json"
            return None if charset in ("", "utf-8") else kind + b"; charset=utf-8"
    return b"application/json"


def _units(
    form: Form, pieces: AsyncIterator[bytes], prepared: Prepared, keys: Keys, tally: Tally
) -> AsyncIterator[bytes]:
    if form == "events":
        return masked_events(pieces, prepared, keys, tally)
    if form == "table":
        return masked_table(pieces, prepared, keys, tally)
    return masked_lines(pieces, prepared, keys, tally)
