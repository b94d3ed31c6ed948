"""What is left of a table?

CSV (RFC 4180) and tab-separated values, row by row as they arrive. Rules:

1. The first row names the columns. A table whose first row does not look like names is not shown: nobody could say
   what stands in its columns. The same for a row that is longer than the first.
2. Comma, semicolon or tab: whichever of them stands in the first row, outside quotation marks, and no other does.
3. What two readers would cut into different cells is not shown: `\\"`, which some read as a quotation mark; a quotation
   mark in a value that does not begin with one, since some begin the value there (`a, "b,c"`); and a tab or line end inside
   a value of a table with tabs, where most know no quotation marks.
4. A row is left out when a row filter does not let it through: `$.district` is the column `district`, `$.address.city`
   the column `address.city`. Where more rows come than the grade covers, see `allowed`.
   Where rare combinations are suppressed all rows are held until they are counted (`suppress`).
5. Values that are shown stay what they are; quotation marks stand where they are needed.
"""

import csv
import io
import re
from collections.abc import AsyncIterator

from gateway.facts import SUPPRESSED, Revealed
from gateway.masking.allowed import Allowed
from gateway.masking.columns import Columns, shown
from gateway.masking.keys import Keys
from gateway.masking.lines import MAX_UNIT, lines
from gateway.masking.names import spell_trail
from gateway.masking.prepared import Prepared
from gateway.masking.second_look import look_long
from gateway.masking.suppress import Crowd
from gateway.masking.tally import Tally
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld
from gateway.masking.whom import digests

_DELIMITERS = ",;\t"
_QUOTE = b'"'
_PARTS = re.compile("[\t\r\n]")
_VALUE = '(?:"(?:[^"]|"")*+"|[^"{0}]*+)'
_ONE_WAY = {sign: re.compile(f"(?:{_VALUE}{{0}})*+{_VALUE}".format(sign)) for sign in _DELIMITERS}
"""Rows whose quotation marks stand around a value, or doubled inside of them."""
ROW = 16  # bytes whose masking costs as much as one row more
MAX_COLUMNS = 4096
_MARK = "\ufeff"
BATCH = 16 * 1024


async def masked_table(
    pieces: AsyncIterator[bytes], prepared: Prepared, keys: Keys, tally: Tally
) -> AsyncIterator[bytes]:
    """The rows with the mask laid over them, some of them at a time. Raises Withheld, TooMany, Residual."""
    records = _records(pieces)
    first = await anext(records, None)
    if first is None:
        return
    mark, delimiter, names = _header(first, prepared.columns)
    out = io.StringIO(mark)
    out.seek(len(mark))
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(prepared.columns.header(names))
    crowd = None if prepared.rarest is None else Crowd(prepared.rarest, names)
    allowed, size = Allowed(prepared), 0
    async for record in records:
        size += len(record) + ROW  # blank ones too: eight megabytes of them are eight million rows
        if size >= BATCH:
            size = 0
            if crowd is None:
                yield await _looked_at(out, allowed.prepared)
            else:
                await turn()  # nothing of it goes before all is known: it may still be refused as a whole
        row = _row(record, delimiter) if record.strip("\r") else []
        if not row:
            continue
        if len(row) > len(names):
            raise Withheld("a row has more values than there are columns")
        through = allowed.prepared
        passes = allowed.row(names, row)
        if allowed.prepared is not through and out.tell() and crowd is None:
            yield await _looked_at(out, through)  # what went through the mask before is held to what that one hides
        if not passes:
            tally.add(Revealed(removed=1))
        elif crowd is not None:
            crowd.add(_masked(row, names, allowed.prepared.columns, keys, tally), row)
        else:
            writer.writerow(_masked(row, names, allowed.prepared.columns, keys, tally))
    if crowd is not None:
        async for row, lost in crowd.rows():
            writer.writerow(row)
            if lost:
                tally.add(Revealed(((SUPPRESSED, lost),)))
            if out.tell() >= BATCH:
                yield await _looked_at(out, prepared)  # of rows that were held, through either mask
    yield await _looked_at(out, allowed.prepared if crowd is None else prepared)


def _header(record: str, columns: Columns) -> tuple[str, str, list[str]]:
    """The mark in front of a table, what parts its values, and the names of its columns. Raises Withheld."""
    mark = _MARK if record.startswith(_MARK) else ""
    record = record.removeprefix(_MARK)
    delimiter = _delimiter(record)
    names = _row(record, delimiter)
    if len(names) > MAX_COLUMNS or not columns.is_header(names):
        raise Withheld("its first row does not name the columns")
    return mark, delimiter, names


def _masked(row: list[str], names: list[str], columns: Columns, keys: Keys, tally: Tally) -> list[str]:
    counts: dict[str, int] = {}
    unlabelled: list[str] = []
    values: list[str] = []
    heard = [value for name, value in zip(names, row, strict=False) if columns.tells(name)]
    for name, value in zip(names, row, strict=False):
        rule = columns.rule(name)
        values.append(shown(value, rule, keys))
        if value and rule is not None:
            counts[rule.label] = counts.get(rule.label, 0) + 1
        if columns.noted and not columns.knows(name):
            unlabelled.append(spell_trail(((None, None), name)))
    seen, unlisted = digests(heard, keys)
    tally.add(Revealed(tuple(counts.items()), tuple(unlabelled), 1, seen, unlisted, columns.clear))
    return values


async def _records(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Rows as text; a line end inside quotation marks belongs to the value."""
    held: list[bytes] = []
    size, open_ = 0, False
    async for line in lines(pieces):
        held.append(line)
        size += len(line) + 1
        if size > MAX_UNIT:
            raise Withheld(f"a row is longer than {MAX_UNIT} bytes")
        open_ ^= bool(line.count(_QUOTE) % 2)
        if not open_:
            yield b"\n".join(held).decode("utf-8")
            held.clear()
            size = 0
    if held:
        raise Withheld("a quotation mark is not closed")


def _delimiter(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    used = [char for char in _DELIMITERS if char in outside]
    if len(used) > 1:
        raise Withheld("its columns are not separated by one sign")
    return used[0] if used else ","


def _row(record: str, delimiter: str) -> list[str]:
    record = record.removesuffix("\r")
    try:
        rows = list(csv.reader([record], delimiter=delimiter, strict=True))
    except csv.Error:
        raise Withheld("a row cannot be read") from None
    if len(rows) > 1:
        raise Withheld("a row cannot be read")
    row = rows[0] if rows else []
    parted = delimiter == "\t" and any(_PARTS.search(value) for value in row)
    if parted or ('"' in record and ('\\"' in record or _ONE_WAY[delimiter].fullmatch(record) is None)):
        raise Withheld("a row can be read in two ways")  # in the other one a hidden value stands in another column
    return row


async def _looked_at(out: io.StringIO, through: Prepared) -> bytes:
    """What was written so far, once nothing is left in it that this mask hides. Raises Residual."""
    text = out.getvalue().encode("utf-8")
    out.seek(0)
    out.truncate()
    await look_long(text, through.gate)
    return text
