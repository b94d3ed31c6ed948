"""What may be shown of a text that people wrote: a page, a message, a stack trace?

Nothing in it has a name, so no label applies. Rules:

1. It is shown only where that is enough: all that the mask hides can be told by its value (`gateway.detect.prose`), the
   contract is not `enforce`, and no records are to be told apart. A name or an address cannot be told from other words.
2. What is found is masked where it stands. Then the text is read once more as its readers may: without tags, with
   character references, escapes and full-width letters resolved, without characters that nobody sees; each reading as the
   second look reads (`330106 19900307 2319`). What is found there cannot be masked in place, and the text is withheld.
3. What begins like JSON is JSON, and is not looked at here. A script around JSON (JSONP, `)]}'`) is withheld: it has
   fields, and nobody could say which.
"""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote_plus

from msgspec import Struct

from gateway.detect import Gate, Span, masked, spans
from gateway.detect.prose import FOUND_IN_PROSE
from gateway.detect.spelling import UNSEEN, compatible, dereferenced
from gateway.facts import Asset, Mask, Revealed
from gateway.masking.columns import shown
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan, Rule
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld
from gateway.masking.whom import digests
from gateway.masks import Technique, parse_technique, strictest

MAX_PROSE = 256 * 1024
MAX_TAGS = 20_000
RUN = 16 * 1024
OVERLAP = 512  # longer than any identifier that is looked for
_LIKE_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*[{\[]")
_SCRIPT = re.compile(
    r"[\ufeff\s]*(?:\)\]\}'|while\s*\(|for\s*\(|(?:/\*\*/)?[\w$.]{1,80}\s*\(\s*[\[{]|[\w$. ]{1,80}=\s*[\[{])"
)
_ESCAPE = re.compile(r"\\(?:u\{?([0-9A-Fa-f]{1,6})\}?|x([0-9A-Fa-f]{2})|([0-7]{3}))")
_ALIKE = frozenset({"fpe"})
"""Techniques after which a value cannot be told from one that was missed."""
_EMBEDDED = re.compile(r";\s*base64\s*,", re.IGNORECASE)
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a]")
_IN_TAG = re.compile("[>\"']")


def like_json(body: bytes) -> bool:
    """Whether a body that is called text begins like JSON."""
    return _LIKE_JSON.match(body) is not None


class ByValue(Struct, frozen=True, eq=False):
    """What is looked for in a text: what becomes of each identifier (None: it is shown), and which tells whom it is about."""

    rules: dict[str, Rule | None]
    about: str
    gate: Gate

    @property
    def hidden(self) -> frozenset[str]:
        """The identifiers that may not be left."""
        return frozenset(identifier for identifier, rule in self.rules.items() if rule is not None)


def by_value(mask: Mask, asset: Asset, plan: Plan) -> ByValue | None:
    """What becomes of each identifier in a text; None where to look for values is not enough."""
    if mask.unlabelled == "redact" or asset.contract == "enforce" or mask.rows or mask.most:
        return None
    identifiers = {field.path: field.identifier for field in asset.fields}
    covers: dict[str, tuple[Technique, str]] = {}
    for field in mask.fields:
        how, identifier = parse_technique(field.technique), identifiers.get(field.path, "")
        if how.name == "keep":
            continue
        if identifier not in FOUND_IN_PROSE or how.name in _ALIKE:
            return None
        known = covers.get(identifier)
        covers[identifier] = (how, field.path) if known is None else (strictest(known[0], how), known[1])
    rules: dict[str, Rule | None] = dict.fromkeys(FOUND_IN_PROSE.intersection(identifiers.values()))
    rules |= {identifier: plan.rule(cover) for identifier, cover in covers.items()}
    return ByValue(rules, identifiers.get(asset.key, ""), Gate(covers))


async def mask_prose(body: bytes, wanted: ByValue | None, keys: Keys) -> tuple[bytes, Revealed]:
    """The text with its identifiers masked, and what was done. Raises Withheld."""
    if wanted is None:
        raise Withheld("it has no fields, and what is to be hidden cannot be told by its value")
    if len(body) > MAX_PROSE or body.count(b"<") > MAX_TAGS:
        raise Withheld(f"longer than {MAX_PROSE} bytes or {MAX_TAGS} tags, as a text")
    text = body.decode("utf-8")
    if _SCRIPT.match(text) is not None:
        raise Withheld("a script with data in it")
    if "<!ENTITY" in text:
        raise Withheld("it makes entities of its own")  # `&a;&b;` can be any identifier
    counts: Counter[str] = Counter()
    heard: list[str] = []
    clear = 0

    def shown_as(span: Span, value: str) -> str:
        nonlocal clear
        rule = wanted.rules[span.identifier]
        if span.identifier == wanted.about:
            heard.append(value)
        if rule is None:
            clear += 1
        else:
            counts[rule.label] += 1
        return shown(value, rule, keys)

    parts: list[str] = []
    for run in _runs(text):
        parts.append(masked(run, shown_as, wanted.rules))
        await turn()
    after = "".join(parts)
    for reading in _readings(after):
        if _EMBEDDED.search(reading) is not None:
            raise Withheld("it holds data that is not a text")
        for window in _windows(reading):
            if spans(window, wanted.hidden) or wanted.gate.found(window.encode("utf-8", "replace")):
                raise Withheld("an identifier in it is spelled so that it cannot be masked in place")
            await turn()
    seen, unlisted = digests(heard, keys)
    return after.encode("utf-8"), Revealed(tuple(counts.items()), (), 1, seen, unlisted, clear)


def _runs(text: str) -> Iterator[str]:
    """The text in runs of whole lines: no identifier that is looked for goes on in the next line."""
    run: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        run.append(line)
        size += len(line)
        if size >= RUN:
            yield "".join(run)
            run.clear()
            size = 0
    yield "".join(run)


def _windows(text: str) -> Iterator[str]:
    for at in range(0, len(text), RUN):
        yield text[max(0, at - OVERLAP) : at + RUN]


def _readings(text: str) -> Iterator[str]:
    """What readers may read in a text, each reading once."""
    seen: set[str] = {text}  # as it stands it has been masked
    yield _WIDE.sub(" ", text)  # nor may a full-width digit beside it make another number of it
    for bare in (text, _outside(text), _outside(_uncommented(text)), _outside_quoted(text)):
        for reading in (bare, dereferenced(bare), unquote_plus(_unescaped(dereferenced(bare)))):
            flat = UNSEEN.sub("", compatible(reading))
            if len(flat) > 2 * MAX_PROSE:
                raise Withheld("it is many times longer once it is read")  # one character may stand for eighteen
            if flat not in seen:
                seen.add(flat)
                yield flat


def _outside(text: str) -> str:
    """What stands outside of tags, if a tag ends at the first `>`."""
    first, *parts = text.split("<")
    return first + "".join(part.partition(">")[2] for part in parts)


def _uncommented(text: str) -> str:
    first, *parts = text.split("<!--")
    return first + "".join(part.partition("-->")[2] for part in parts)


def _outside_quoted(text: str) -> str:
    """What stands outside of tags, if a `>` inside quotation marks does not end one."""
    kept: list[str] = []
    at = 0
    while (begin := text.find("<", at)) >= 0:
        kept.append(text[at:begin])
        at = begin
        while (sign := _IN_TAG.search(text, at)) is not None and sign[0] != ">":
            at = text.find(sign[0], sign.end()) + 1
            if not at:
                return "".join(kept)
        if sign is None:
            return "".join(kept)
        at = sign.end()
    return "".join(kept) + text[at:]


def _unescaped(text: str) -> str:
    """The text with the escapes of scripts and JSON resolved."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[3], 8) if match[3] else int(match[1] or match[2], 16)
    return chr(code) if code <= 0x10FFFF else ""
