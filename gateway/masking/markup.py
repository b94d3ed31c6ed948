"""What is left of XML?

Read by expat, written anew as it is read. Rules:

1. The local name of an element or attribute decides (`columns`), whatever its prefix; everything inside a masked element
   is masked as strictly at least. Text beside elements in a masked element is redacted: cut into pieces of three
   characters, `partial(1,1)` would show most of it.
2. No DTD: so no entities but the five, nothing from outside, nothing that grows (billion laughs, XXE). Comments and
   processing instructions are left out: nobody labels them.
3. What is shown is the same once it is parsed: names, prefixes, order, white space. CDATA and references become text.
4. It is read in slices, with turns for others. What has to be held to be understood (a tag) is bounded, since expat reads
   it again for every slice.
"""

import re
from collections import Counter
from collections.abc import Iterable
from xml.parsers import expat

from msgspec import Struct

from gateway.facts import Headers, Revealed
from gateway.masking.columns import Columns, shown
from gateway.masking.headers import tells
from gateway.masking.keys import Keys
from gateway.masking.names import MAX_NAME, MAX_UNLABELLED, Trail, spelled
from gateway.masking.plan import Rule
from gateway.masking.techniques import REDACTED
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld, codec_of, declared_charset, from_charset
from gateway.masking.whom import digests

MAX_DEPTH = 100
MAX_TAG = 256 * 1024
STEP = 16 * 1024  # bytes read before others get their turn: some two milliseconds
MAX_ELEMENTS = 500_000
GROWTH = 4
MAX_WAYS = 4096  # kept of one document
_SPACE = " \t\r\n"
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}\?>")
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_VALUE = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "xmlns"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"  # a day of the calendar to `tells`
_HIDDEN = "_"


async def read_as_utf8(body: bytes, headers: Headers, names: Iterable[str] = ()) -> bytes:
    """The document in UTF-8, by the charset of the head or of the document itself. Raises Withheld."""
    said = declared_charset(headers)
    text = body.removeprefix(b"\xef\xbb\xbf")
    found = _DECLARATION.match(text)
    if found is None and text.startswith(b"<?xml"):
        raise Withheld("not XML: its declaration cannot be read")
    named = _ENCODING.search(found[0]) if found else None
    inside = named[1].decode("ascii").lower() if named else ""
    if said and inside and codec_of(said) != codec_of(inside):
        raise Withheld("it declares its charset in several ways")
    return await from_charset(body, said or inside, names)


async def mask_markup(text: bytes, columns: Columns, keys: Keys) -> tuple[bytes, Revealed]:
    """The document with the mask laid over it, and what was done. Raises Withheld."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in text:
        raise Withheld("not XML: a null")  # expat would take it for UTF-16, whatever it was told
    walk = _Walk(columns, keys)
    parser = expat.ParserCreate("utf-8")  # whatever the document says: it was read in its charset before
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = walk.begin
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.text
    parser.XmlDeclHandler = _check_version
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    size = 0
    parts: list[bytes] = [_HEAD] if text.startswith(b"<?xml") else []
    try:
        for at in range(0, len(text) or 1, STEP):
            fed = at + STEP
            parser.Parse(text[at:fed], fed >= len(text))
            if fed - parser.CurrentByteIndex > MAX_TAG and fed < len(text):
                raise Withheld(f"a tag of it is longer than {MAX_TAG} bytes")
            parts.append("".join(walk.out).encode("utf-8"))
            walk.out.clear()
            size += len(parts[-1])
            if size > GROWTH * max(len(text), STEP):  # each `"` of a value in `'` is written as six
                raise Withheld("it is many times longer once it is written")
            await turn()
    except expat.ExpatError as error:
        raise Withheld(f"not XML: {expat.ErrorString(error.code)}, line {error.lineno}") from None
    return b"".join(parts), walk.revealed()


def _check_version(version: str, *_: object) -> None:
    if version != "1.0":
        raise Withheld("not XML 1.0")


def _refuse(*_: object) -> None:
    raise Withheld("it has a DTD")  # entities that grow, files and hosts of ours that it names


class _Way(Struct, frozen=True, eq=False, gc=False):
    """What is known of an element or attribute by its name and by what it stands in."""

    local: str
    shown_as: str
    rule: Rule | None  # of its own text
    inside: Rule | None  # of whatever stands in it
    noted: bool  # no label covers it, and that is to be told


class _Element:
    """An element that is open."""

    __slots__ = ("containers", "gone", "holds", "nests", "texts", "trail", "way")

    def __init__(self, way: "_Way", gone: bool, trail: Trail) -> None:
        self.way = way
        self.gone = gone  # it is dropped, or stands in what is
        self.trail = trail
        self.texts: list[str] = []
        self.nests = False  # elements
        self.holds = False  # elements or attributes
        self.containers = 0  # elements in it that hold elements or attributes


class _Walk:
    """One walk over one document."""

    def __init__(self, columns: Columns, keys: Keys) -> None:
        self._columns = columns
        self._keys = keys
        self._open: list[_Element] = []
        self._ways: dict[tuple[str, Rule | None], _Way] = {}
        self._counts: Counter[str] = Counter()
        self._met: dict[Trail, None] = {}
        self._heard: list[str] = []
        self._labelled: Counter[str] = Counter()  # values by the name that a label has
        self._elements = 0
        self._records = 1
        self.out: list[str] = []

    def begin(self, name: str, attributes: list[str]) -> None:
        """An element begins."""
        parent = self._open[-1] if self._open else None
        self._elements += 1
        if len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Withheld("not inspected: nested too deeply, or of too many elements")
        if parent is not None:
            parent.nests = parent.holds = True
            self._write(parent)
        element = self._element(name, parent)
        self._open.append(element)
        written = "".join(self._attribute(element, *attributes[at : at + 2]) for at in range(0, len(attributes), 2))
        if not element.gone:
            self.out.append(f"<{element.way.shown_as}{written}>")
        element.holds = bool(attributes)

    def _element(self, name: str, parent: _Element | None) -> _Element:
        if parent is None:
            way = self._way(name, None)
            return _Element(way, False, (None, way.local[:MAX_NAME]))
        way = self._way(name, parent.way.inside)
        gone = parent.gone
        if way.rule is not None and way.rule.drop and not gone:
            gone = True
            self._counts[way.rule.label] += 1
        return _Element(way, gone, (parent.trail, way.local[:MAX_NAME]))

    def _way(self, name: str, above: Rule | None) -> _Way:
        found = self._ways.get((name, above))
        if found is None:
            columns = self._columns
            local = name.rpartition(":")[2]
            if name.count(":") > 1:
                raise Withheld("not XML: a name has two prefixes")
            rule, inside = columns.below(above, local), columns.inside(above, local)
            shown_as = _HIDDEN if columns.strange(above, local) else name
            noted = columns.noted and rule is None and above is None and not columns.knows(local)
            found = _Way(local, shown_as, rule, inside, noted)
            if len(self._ways) < MAX_WAYS:
                self._ways[name, above] = found
        return found

    def _attribute(self, element: _Element, name: str, value: str) -> str:
        """What is written of an attribute."""
        if name == _NAMESPACE or name.startswith(_NAMESPACE + ":"):
            if value != _RDF and tells(value.encode()):
                raise Withheld("a namespace of it may hold an identifier")
            return f' {name}="{value.translate(_VALUE)}"'
        way = self._way(name, element.way.inside)
        rule = way.rule
        self._meet(way, value, (element.trail, way.local[:MAX_NAME]))
        if rule is not None and value and not element.gone:
            self._counts[rule.label] += 1
        if way.shown_as != name or (rule is not None and rule.drop):
            return ""
        return f' {name}="{shown(value, rule, self._keys).translate(_VALUE)}"'

    def text(self, text: str) -> None:
        """A piece of the text of the innermost element."""
        self._open[-1].texts.append(text)

    def end(self, _: str) -> None:
        """The innermost element ends."""
        element = self._open[-1]
        self._write(element)
        if not element.gone:
            self.out.append(f"</{element.way.shown_as}>")
        self._open.pop()
        if self._open and element.holds:
            parent = self._open[-1]
            parent.containers += 1
            self._records = max(self._records, parent.containers)

    def _write(self, element: _Element) -> None:
        """Write what is shown of the text so far."""
        text = "".join(element.texts)
        element.texts.clear()
        value = text.strip(_SPACE)
        if not value:
            self._put(element, text)
            return
        rule = element.way.rule
        self._meet(element.way, value, element.trail)
        if rule is None:
            self._put(element, text)
            return
        if not element.gone:
            self._counts[rule.label] += 1
        bare = rule.drop or rule.nulls or not element.nests
        self._put(element, shown(value, rule, self._keys) if bare else REDACTED)

    def _put(self, element: _Element, text: str) -> None:
        if text and not element.gone:
            self.out.append(text.translate(_TEXT))

    def _meet(self, way: _Way, value: str, trail: Trail) -> None:
        """Take note of a value: whom it is about, and that nobody labelled it."""
        if self._columns.tells(way.local):
            self._heard.append(value.strip(_SPACE))
        if value and self._columns.knows(way.local):
            self._labelled[way.local] += 1
        if way.noted and value and len(self._met) < MAX_UNLABELLED:
            self._met[trail] = None

    def revealed(self) -> Revealed:
        """What was done, for the record."""
        seen, unlisted = digests(self._heard, self._keys)
        most = max((self._records, *self._labelled.values()))  # names one after the other are a list of names
        masked, records = tuple(self._counts.items()), self._records if seen else most
        return Revealed(masked, spelled(self._met), records, seen, unlisted, self._columns.clear * most)
