"""How much has this caller, or this department, been shown today?

`spent` looks, `learn` remembers, and neither does the other's work. Rules:

1. One way to learn: an entry. Our own, a sibling's from its journal, the day's journals after a start. A record that is
   heard of twice is one record.
2. The day is that of the policies' time zone; no clock here: its midnight is told by the entries and by the request.
   A clock that jumps frees nothing: days are kept apart, and the one that a clock comes back to goes on.
3. A record counts once its answer had a labelled value, masked or not: else nobody whom a soft limit masks would
   ever come to the hard one, and who collects what masks leave would spend nothing. Fields count in clear only.
4. Records that no digest tells apart (the catalog names no key, or there were more than fit into an entry) count each
   time they are shown.
5. Nothing is forgotten before midnight, or else a budget could be washed away by making many subjects: when there is no
   room for one more caller, or for one more asset of a caller, what comes is counted together, and held against
   everybody who has no row of their own. Too much then, never too little.
6. Until the day's journals are read after a start, every budget counts as softly spent; as spent, where it has no mask.
   Nobody knows then how much was shown (`unread`): conditions that ask for it fail, and so deny; rules of the catalog hold.
   It is told from the first request on that is judged by policies which ask.
7. An answer that is being sent counts as far as it came (`under_way`), for the worker that sends it; for the others when it
   ends. Two requests at once may overshoot a budget by what they carry.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.entries import Brief, Entry, OutcomeBrief, OutcomeEntry, VerdictBrief, VerdictEntry
from gateway.exposure.distinct import Distinct
from gateway.exposure.settings import Settings
from gateway.exposure.under_way import Flow, Told, UnderWay, counts, labelled
from gateway.facts import NOTHING_EXPOSED, Ask, Asset, Budget, Exposure, Spent, Subject, exposed

PENDING = 65_536  # permits whose outcome is to come: a worker has 256 at once, so only dead workers' are left over
LATE = 3600.0  # seconds: what comes later than that belongs to no day that is over, but to a clock that was set back
DAYS = 3  # the present one, and one on either side
FEW = 8  # open answers of which it is looked whether they show the same
ASSETS_OF_ONE = 64  # assets of one caller that are counted apart
_REFUSED = 400  # what a service refuses with shows no record, unless a digest says otherwise
_OTHERS = ""  # no asset is called so

Kept = TypeVar("Kept")


class Tally:
    """Which records were shown, and how many labelled values in clear."""

    __slots__ = ("distinct", "fields", "more")

    def __init__(self) -> None:
        self.distinct = Distinct()
        self.more = 0  # records that no digest tells apart
        self.fields = 0

    @property
    def records(self) -> int:
        """How many records."""
        return self.distinct.count + self.more

    def add(self, told: Told) -> None:
        """Add one answer."""
        if told.digests:
            self.distinct.add(told.digests)
        self.more += told.more
        self.fields += told.fields

    def absorb(self, other: "Tally") -> None:
        """Add what another counted."""
        self.distinct.absorb(other.distinct)
        self.more += other.more
        self.fields += other.fields

    def copy(self) -> "Tally":
        """The same counts, to go on by themselves."""
        other = Tally()
        other.distinct, other.more, other.fields = self.distinct.copy(), self.more, self.fields
        return other


class Shown:
    """One asset, as far as it was shown to one caller: for all purposes together, and for those that budgets name."""

    __slots__ = ("category", "purposes", "whole")

    def __init__(self, category: str, purposes: Iterable[str]) -> None:
        self.category = category
        self.whole = Tally()
        self.purposes = {purpose: Tally() for purpose in purposes}

    def copy(self) -> "Shown":
        """The same, to go on by itself."""
        other = Shown(self.category, ())
        other.whole = self.whole.copy()
        other.purposes = {purpose: tally.copy() for purpose, tally in self.purposes.items()}
        return other

    def of(self, purpose: str) -> Tally:
        """What was shown for this purpose, "" for any; all of it, where the purpose was not counted from the start."""
        return self.purposes.get(purpose, self.whole)

    def absorb(self, other: "Shown") -> None:
        """Add what was shown beside it."""
        self.whole.absorb(other.whole)
        for purpose, tally in self.purposes.items():
            tally.absorb(other.of(purpose))

    def follow(self, purposes: Iterable[str]) -> None:
        """Count these purposes too; whatever was shown before might have been for them."""
        for purpose in purposes:
            if purpose not in self.purposes:
                self.purposes[purpose] = self.whole.copy()


class Today:
    """What one caller, or one department, was shown today."""

    __slots__ = ("_told", "assets", "categories")

    def __init__(self) -> None:
        self.categories: tuple[str, ...] = ()
        self.assets: dict[str, Shown] = {}
        self._told: dict[str, Exposure] = {}  # by asset, until something more is shown

    def told(self, asset: str) -> Exposure:
        """What was shown of an asset: its own count, and what found no room for one."""
        known = self._told.get(asset)
        if known is None:
            shown = [self.assets[id].whole for id in (asset, _OTHERS) if id in self.assets]
            records, fields = sum(one.records for one in shown), sum(one.fields for one in shown)
            if len(self._told) >= ASSETS_OF_ONE:
                self._told.clear()
            known = self._told[asset] = Exposure(records, fields, self.categories)
        return known

    def absorb(self, other: "Today") -> None:
        """Add what was shown on another day, which a clock showed for this one."""
        for category in other.categories:
            self.saw(category)
        for asset, shown in other.assets.items():
            if asset in self.assets:
                self.assets[asset].absorb(shown)
            else:
                self.assets[asset] = shown.copy()
        self._told.clear()

    def saw(self, category: str) -> None:
        """Note the category of records that were shown, masked or not."""
        self._told.clear()
        if category and category not in self.categories:
            self.categories = tuple(sorted((*self.categories, category)))


class Rows:
    """Those who were shown something today, at most so many; the rest stand in one row."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[str, Today] = {}
        self._rest: Today | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, whom: str) -> Today | None:
        """Their row; where it may have found no room, the row of all such."""
        return self._rows.get(whom, self._rest)

    def touch(self, whom: str) -> Today:
        """Their row, to be added to."""
        row = self._rows.get(whom)
        if row is not None:
            return row
        if len(self._rows) < self._most:
            row = self._rows[whom] = Today()
            return row
        if self._rest is None:
            self._rest = Today()
        return self._rest

    def absorb(self, other: "Rows") -> None:
        """Add what those of another day were shown."""
        for whom, row in other._rows.items():
            self.touch(whom).absorb(row)
        if other._rest is not None:
            self._rest = self._rest or Today()
            self._rest.absorb(other._rest)

    def every(self) -> Iterable[Today]:
        """All rows."""
        yield from self._rows.values()
        if self._rest is not None:
            yield self._rest


class Day:
    """What was shown between two midnights."""

    __slots__ = ("assets", "departments", "people")

    def __init__(self, settings: Settings) -> None:
        self.people, self.departments = Rows(settings.people), Rows(settings.departments)
        self.assets = 0

    def absorb(self, other: "Day") -> None:
        """Add what was shown on another day."""
        self.people.absorb(other.people)
        self.departments.absorb(other.departments)
        self.assets += other.assets

    def rows(self) -> Iterable[Today]:
        """Everybody who has one."""
        yield from self.people.every()
        yield from self.departments.every()


class Exposures:
    """The counts of this worker. Not for threads: one event loop uses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        self._purposes = settings.purposes
        self._first = self._begins = self._ends = 0.0
        self._day = Day(settings)
        self._days: dict[float, Day] = {}  # by their midnight: the present one, and those beside it that a clock showed
        self._waiting: dict[str, tuple[str, str, str, str, str]] = {}  # subject, org, purpose, asset, category
        self._early: dict[str, OutcomeEntry | OutcomeBrief] = {}  # outcomes that were heard of before their verdict
        self._unread = True
        self._under_way = UnderWay()
        self.begin, self.end = self._under_way.begin, self._under_way.end

    # --- spent ----------------------------------------------------------------------------------

    def spent(
        self, ask: Ask, subject: Subject, asset: Asset, budgets: tuple[Budget, ...] = (), *, asked: bool
    ) -> Exposure:
        """What this caller was shown today, and which of these budgets it spends; `asked`: something turns on it.

        Changes nothing.
        """
        day = self._day if self._begins <= ask.at < self._ends else self._day_of(ask.at)
        if day is None and not self._under_way:
            return NOTHING_EXPOSED
        mine = None if day is None else day.people.get(subject.id)
        known = NOTHING_EXPOSED if mine is None else mine.told(asset.id)
        if self._under_way:
            known = self._with_open(known, subject, asset, mine)
        unread = asked and self._unread
        if not (budgets or unread):
            return known
        states = [(budget, self._state(budget, subject, day)) for budget in budgets]
        return exposed(known.records, known.fields, known.categories, states, unread)

    def _with_open(self, known: Exposure, subject: Subject, asset: Asset, mine: Today | None) -> Exposure:
        """What was shown, with what open answers show: of this asset so much, of others their categories."""
        flows = list(self._under_way.of("subject", subject.id))
        if not flows:
            return known
        records, fields = _beyond([flow for flow in flows if flow.asset.id == asset.id], mine, "")
        more = {flow.asset.category for flow in flows if flow.shows} - {""}
        categories = tuple(sorted({*known.categories, *more}))
        return Exposure(known.records + records, known.fields + fields, categories)

    def _state(self, budget: Budget, subject: Subject, day: Day | None) -> Spent:
        whom = subject.id if budget.by == "subject" else subject.org
        row = None
        if day is not None:
            row = (day.people if budget.by == "subject" else day.departments).get(whom)
        records = fields = 0
        for id, shown in row.assets.items() if row is not None else ():
            if id == _OTHERS or id in budget.data or shown.category in budget.data:
                tally = shown.of(budget.purpose)
                records, fields = records + tally.records, fields + tally.fields
        open_now = [flow for flow in self._under_way.of(budget.by, whom) if flow.concerns(budget)]
        if open_now:
            more, clear = _beyond(open_now, row, budget.purpose)
            records, fields = records + more, fields + clear
        state = budget.spent(records, fields)
        if self._unread and state != "hard":
            return "soft" if budget.mask else "hard"
        return state

    # --- learn ----------------------------------------------------------------------------------

    def learn(self, entry: Entry | Brief) -> None:
        """Take one entry in."""
        if isinstance(entry, VerdictEntry | VerdictBrief):
            if entry.outcome == "permit":
                self._permitted(entry)
        elif isinstance(entry, OutcomeEntry | OutcomeBrief):
            whose = self._waiting.pop(entry.verdict, None)
            if whose is not None:
                self._count(whose, entry)
            elif entry.records or entry.clear:
                _keep(self._early, entry.verdict, entry)

    def _permitted(self, entry: VerdictEntry | VerdictBrief) -> None:
        identity = f"{entry.journal}.{entry.seq}"
        whose = (entry.subject.id, entry.subject.org, entry.purpose, entry.asset, entry.category)
        ended = self._early.pop(identity, None)
        if ended is None:
            _keep(self._waiting, identity, whose)
        else:
            self._count(whose, ended)

    def _count(self, whose: tuple[str, str, str, str, str], entry: OutcomeEntry | OutcomeBrief) -> None:
        subject, org, purpose, asset, category = whose
        records = entry.records if entry.status < _REFUSED else 0
        if not (records or entry.seen or entry.clear):
            return
        told = counts(entry.seen, entry.unlisted, records, entry.clear)
        named = entry.seen or entry.clear or labelled(entry.masked)  # not so `{"ok": true}`
        for day in self._days_at(entry.at):
            for row in (day.people.touch(subject), day.departments.touch(org)):
                row.saw(category)
                if named:
                    shown = self._asset(day, row, asset, category)
                    shown.whole.add(told)
                    if purpose in shown.purposes:
                        shown.purposes[purpose].add(told)

    def _asset(self, day: Day, row: Today, asset: str, category: str) -> Shown:
        shown = row.assets.get(asset)
        if shown is not None:
            return shown
        if len(row.assets) >= ASSETS_OF_ONE or day.assets >= self._settings.assets:
            asset, category = _OTHERS, ""  # held against every budget: a caller must not hide one asset behind others
            if _OTHERS in row.assets:
                return row.assets[_OTHERS]
        day.assets += 1
        shown = row.assets[asset] = Shown(category, self._purposes)
        return shown

    # --- the day --------------------------------------------------------------------------------

    def midnight(self, at: float) -> float:
        """When the day of this moment began, in seconds since 1970."""
        return _midnight(datetime.fromtimestamp(at, self._zone), 0)

    def opens(self, at: float) -> float:
        """Begin with the day of this moment; when it began, in seconds since 1970. What is read back is of this day."""
        if not self._ends:
            self._turn(at)
        return self._first

    def _day_of(self, at: float) -> Day | None:
        """The day of a moment that is not in the present one; None where nothing is known of it. Changes nothing."""
        known = self._days.get(self.midnight(at))
        return known or (self._day if self._unread or at < self._begins else None)

    def _days_at(self, at: float) -> list[Day]:
        """The days that this moment counts for, the newest that was heard of among them; a newer one begins.

        A clock that was ahead, or behind at a start, makes nothing free (nobody vouches for the time that it is set by): the
        day that it comes back to goes on with what was counted meanwhile, and a day to come that was seen already counts along.
        """
        if at < self._first:
            return []
        if at < self._begins - LATE or (at >= self._ends and not (self._unread and self._ends)):
            self._turn(at)
        within = self._begins <= at < self._ends
        own = self._day if within else self._beside(self.midnight(at))
        if len(self._days) == 1:
            return [self._day]
        along = (day for begins, day in self._days.items() if begins > self._begins or day is own)
        return [self._day, *(day for day in along if day is not self._day)]

    def _turn(self, at: float) -> None:
        """Go by the day of this moment: anew, or as it was when a clock left it."""
        day, before, was = datetime.fromtimestamp(at, self._zone), self._begins, self._day
        self._begins, self._ends = _midnight(day, 0), _midnight(day, 1)
        self._first = self._first or self._begins
        self._day = self._beside(self._begins)
        if self._begins < before:
            self._day.absorb(was)
        elif self._begins > before:  # a clock may come back to the day before, and to none that was over by then
            self._days = {begins: kept for begins, kept in self._days.items() if begins >= before}

    def _beside(self, begins: float) -> Day:
        """The day that began then; of others, those nearest to the present one are kept."""
        if begins not in self._days:
            self._days[begins] = Day(self._settings)
            if len(self._days) > DAYS:
                del self._days[max(self._days, key=lambda other: abs(other - self._begins))]
        return self._days.get(begins, self._day)

    def follow(self, timezone: str, purposes: frozenset[str]) -> None:
        """Go by another revision: its time zone, and the purposes that its budgets name."""
        self._purposes |= purposes
        for day in self._days.values():
            for row in day.rows():
                for shown in row.assets.values():
                    shown.follow(purposes)
        if timezone != self._zone.key:
            self._zone = ZoneInfo(timezone)
            if self._ends:  # the day that runs ends at the other midnight; what was counted stays
                self._ends = _midnight(datetime.fromtimestamp(self._ends - 1, self._zone), 1)

    def settled(self) -> None:
        """The day is read, from here on every answer is heard of (rule 6)."""
        self._unread = False

    def size(self) -> int:
        """How many people and departments have a row of their own."""
        return len(self._day.people) + len(self._day.departments)


def _beyond(flows: Iterable[Flow], row: Today | None, purpose: str) -> tuple[int, int]:
    """How many records and values more these open answers show than what was counted.

    A record that is shown again is no new one, as far as a few open answers go: of a crowd each counts by itself.
    """
    tallies: dict[str, Tally] = {}
    counted = clear = more = 0
    for number, flow in enumerate(flows):
        if number >= FEW:
            told = flow.told()
            more, clear = more + len(told.digests) + told.more, clear - told.fields
            continue
        id = flow.asset.id
        if id not in tallies:
            shown = None if row is None else row.assets.get(id)
            tallies[id] = Tally() if shown is None else shown.of(purpose).copy()
            counted, clear = counted + tallies[id].records, clear + tallies[id].fields
        tallies[id].add(flow.told())
    known = tallies.values()
    return sum(one.records for one in known) - counted + more, sum(one.fields for one in known) - clear


def _keep(kept: dict[str, Kept], identity: str, value: Kept) -> None:
    if len(kept) >= PENDING:
        del kept[next(iter(kept))]
    kept[identity] = value


def _midnight(day: datetime, later: int) -> float:
    return datetime.combine(day.date() + timedelta(days=later), time(), day.tzinfo).timestamp()
