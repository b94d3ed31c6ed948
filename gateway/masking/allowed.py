"""May the next record of a stream go, and through which mask?

An answer that is masked as it arrives is not counted before it is sent. Rules:

1. A text is one record, and stands in no list: what it wraps must pass the filters too (`about`).
2. The records that the grade covers are shown through its mask. Those beyond are shown through the mask for the higher
   grade, or the answer ends there with `too_many_records`: the caller sees a truncation, never a list that looks whole.
"""

from collections.abc import Generator
from functools import lru_cache

import msgspec

from gateway.facts import Revealed, RowFilter
from gateway.jsonpath import Member, parse
from gateway.masking.about import TooMany, alone
from gateway.masking.json_body import SLICE, NotJson, check_values, mask_json, mask_long_json
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from gateway.masking.prepared import Prepared
from gateway.masking.records import NoRecords, counted
from gateway.masking.turns import with_turns
from gateway.masking.unpack import Withheld
from gateway.masking.whom import told_apart


class Allowed:
    """What is known of a stream across its records."""

    __slots__ = ("_records", "prepared")

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._records = 0

    def plan(self, record: bytes) -> Generator[None, None, Plan | None]:
        """The plan for a record in JSON; None when it is not for this caller. Raises NotJson, Withheld, TooMany."""
        mask = self.prepared.mask
        if not mask.rows and not mask.most:
            return self.prepared.record
        check_values(record)
        try:
            if mask.rows and not (yield from alone(record, mask.rows)):
                return None
            more = (yield from counted(record)) if mask.most else 1
        except NoRecords as error:
            raise Withheld(str(error)) from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise NotJson("not JSON") from None
        self.count(more)
        rows = self.prepared.mask.rows
        if rows != mask.rows and not (yield from alone(record, rows)):
            return None
        return self.prepared.record

    async def record(self, record: bytes, keys: Keys) -> tuple[bytes, Revealed]:
        """What is shown of a record in JSON, and what was done; nothing when it is not for this caller."""
        before = self._records
        plan = await with_turns(self.plan(record))
        if plan is None:
            return b"", Revealed(removed=1)
        shown, revealed = await _masked(record, plan, keys)
        more = told_apart(revealed) - (self._records - before)
        if not self.prepared.mask.most or more <= 0:
            return shown, revealed
        self.count(more)
        rows = self.prepared.mask.rows
        if rows and not await with_turns(alone(record, rows)):
            return b"", Revealed(removed=1)
        return await _masked(record, self.prepared.record, keys)

    def row(self, names: list[str], row: list[str]) -> bool:
        """Whether a row of a table is for this caller. Raises TooMany."""
        mask = self.prepared.mask
        if not mask.rows and not mask.most:
            return True
        if not _passes(names, row, mask.rows):
            return False
        self.count(1)
        return _passes(names, row, self.prepared.mask.rows)

    def count(self, records: int) -> None:
        """So many records more. Raises TooMany."""
        self._records += records
        if self.prepared.mask.covering(self._records) is None:
            raise TooMany("more records than may be shown at once")
        self.prepared = self.prepared.covering(self._records)


async def _masked(record: bytes, plan: Plan, keys: Keys) -> tuple[bytes, Revealed]:
    return await mask_long_json(record, plan, keys) if len(record) > SLICE else mask_json(record, plan, keys)


def _passes(names: list[str], row: list[str], rows: tuple[RowFilter, ...]) -> bool:
    if not rows:
        return True
    cells = dict(zip(names, row, strict=False))
    return all(cells.get(_column(one.field)) in one.values for one in rows)


@lru_cache(maxsize=1024)
def _column(path: str) -> str:
    """The column that a member of a record has in a table."""
    return ".".join(step.name for step in parse(path) if isinstance(step, Member))
