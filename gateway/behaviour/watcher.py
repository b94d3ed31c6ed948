"""How are they behaving, as far as the ledger tells?

`weigh` looks, `learn` remembers, and neither does the other's work. Rules:

1. One way to learn: an entry. Our own, a sibling's from its journal, the ledger's tail after a restart:
   the same entries give the same judgement, in whatever order they arrive.
2. What a verdict recorded as shown by its request (a signal `since` its own time) is what everybody
   remembers of it. So a score can be recomputed from the ledger alone.
3. What is usual is learned only from allowed requests with a score below 40: an attacker does not
   become usual by insisting.
4. A rejected credential counts against the source and nobody else: whoever sends bad tokens in the
   name of another locks nobody out. For someone who proved who they are, a bad source can at most ask
   for a stronger sign-in: neighbours behind one address are not shut out together.
5. A refusal for behaviour is no new evidence: quarantine ends.
6. Until the history is rebuilt the score is None, unless what little is known is already alarming.
"""

from collections.abc import Iterable

from gateway.behaviour.evidence import in_chinese
from gateway.behaviour.hours import Hours
from gateway.behaviour.risk import EDGES, Live, band_of, combine, total
from gateway.behaviour.settings import Settings
from gateway.behaviour.signals import (
    DENIED,
    ENUMERATION,
    FAILED,
    RECORD_WEIGHT,
    SIGNALS,
    SPRAY,
    VOLUME,
    Home,
    points,
)
from gateway.behaviour.sites import Place, Sites
from gateway.behaviour.windows import (
    LATEST,
    OBJECTS,
    PLACES,
    Contributions,
    Heard,
    Machine,
    Session,
    Source,
    Table,
    User,
    Windows,
    keep_latest,
)
from gateway.entries import Entry, OutcomeEntry, VerdictEntry
from gateway.facts import Ask, Asset, Grade, Posture, Reason, Risk, Signal, Subject

CALM = Risk(0.0)
_CORE = Grade.CORE  # looked up on the class it costs ten times as much
UNKNOWN = Risk(None)
USUAL_BELOW = 40.0
FIRST_EVENTS = 5  # before that nothing is new, because nothing is old
NEIGHBOURS = 10.0  # how much more than a person an unidentified source may do: many share it
CAP_LISTED, CAP_SOURCE = 30.0, 50.0  # what a source may put on someone who is identified
CROWD = 64  # people, or different bad credentials, that are told apart at one source
CAP_DEVICE = 60.0  # what a device may put on whoever uses it next
PENDING = 4096

# Slices of the windows: width in seconds, how many.
_DENIED = (10.0, 12)
_VOLUME = (60.0, 10)
_FAILED = (60.0, 15)
_OBJECTS_SPAN = 300.0
_OBJECTS_LEAST = ENUMERATION[0][0]  # fewer are worth nothing, whenever they were seen
_TOKENS_SPAN = 600.0
_MOVED_SPAN = 300.0

# A refusal that says something about the caller: not a signature that expired, not a queue that was full.
_DENIALS = frozenset(("no_rule", "rule_denied", "unlisted", "device_untrusted"))
_FORGED = frozenset(
    (
        "credential_malformed",
        "token_algorithm",
        "token_key_unknown",
        "token_signature",
        "token_type",
        "token_issuer",
        "token_audience",
        "token_claims",
        "token_binding",
        "certificate_untrusted",
    )
)
_NOT_YOURS = (403, 404)  # BOLA guesses end in these (OWASP API1:2023)


class Watcher:
    """The histories of this worker and what they say. Not for threads: one event loop uses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sites = Sites(settings.sites)
        self._hours = Hours(settings.timezone, settings.timezones, settings.office_hours)
        self._most = {name: settings.weights.get(name, meaning.points) for name, meaning in SIGNALS.items()}
        self._hours_count = self._most["off_hours"] > 0 or self._most["off_hours_core"] > 0
        self._scale = {name: self._most[name] / meaning.points for name, meaning in SIGNALS.items()}
        most = settings.identities_max
        self._users: Table[User] = Table(User, most)
        self._sessions: Table[Session] = Table(Session, 2 * most)
        self._devices: Table[Machine] = Table(Machine, most)
        self._sources: Table[Source] = Table(Source, most)
        self._heard = Heard()
        self._pending: dict[str, tuple[Subject, str, str]] = {}
        self._cold = True

    # --- weigh ------------------------------------------------------------------------------

    def weigh(self, ask: Ask, subject: Subject, posture: Posture, asset: Asset) -> Risk:
        """The risk of this request. Changes nothing."""
        at = ask.at
        place = self._sites.place(ask.source)
        source = self._sources.get(place.source)
        scores: list[float] = []
        signals: list[Signal] = []
        machine = self._devices.get(posture.device) if posture.device else None
        shown = self._shown_by_asset(asset, posture) if asset.honey or posture.trust == "compromised" else None
        if machine is not None or shown:
            given = machine.contributions if machine is not None else _NOTHING_GIVEN
            _add(given.signals(shown, at), CAP_DEVICE, scores, signals)
        if _identified(subject):
            previous = self._weigh_user(at, place, subject, posture, asset, scores, signals)
            if source is not None:
                found = source.contributions.signals(self._shown_failures(source, at), at)
                _add(found, CAP_LISTED if place.listed else CAP_SOURCE, scores, signals)
        else:
            previous = self._weigh_source(at, source, asset, scores, signals)
        return self._judged(scores, signals, previous)

    def _weigh_user(
        self,
        at: float,
        place: Place,
        subject: Subject,
        posture: Posture,
        asset: Asset,
        scores: list[float],
        signals: list[Signal],
    ) -> str:
        """Add what the subject and its session show; the band the subject is in."""
        user = self._users.get(subject.id) or _STRANGER
        live = self._shown_by_user(user, at, place, subject, posture, asset)
        _add(user.contributions.signals(live, at), 100.0, scores, signals)
        proof = subject.proof
        session = self._sessions.get(proof.session or proof.token)
        if session is not None:
            moved = None if place.vague else self._shown_by_session(session, at, place)
            _add(session.contributions.signals(moved, at), 100.0, scores, signals)
        return user.band

    def _weigh_source(
        self, at: float, source: Source | None, asset: Asset, scores: list[float], signals: list[Signal]
    ) -> str:
        """Add what a source shows that nobody answers for; the band it is in."""
        live: Live = {"honey": (self._most["honey"], f"decoy {asset.id}")} if asset.honey else {}
        if source is None:
            _add(_NOTHING_GIVEN.signals(live, at), 100.0, scores, signals)
            return "normal"
        live.update(self._shown_failures(source, at) or {})
        self._count(source.windows, at, NEIGHBOURS, live)
        _add(source.contributions.signals(live, at), 100.0, scores, signals)
        return source.band

    def _judged(self, scores: list[float], signals: list[Signal], previous: str) -> Risk:
        """The score and band; while the history is missing only an alarming one is told (rule 6)."""
        if not signals:
            return UNKNOWN if self._cold else CALM
        score = combine(scores)
        if self._cold and score < USUAL_BELOW:
            return UNKNOWN
        if len(signals) == 1:
            return Risk(score, band_of(score, previous), (signals[0],))
        largest: dict[str, Signal] = {}
        for signal in signals:
            if signal.name not in largest or signal.points > largest[signal.name].points:
                largest[signal.name] = signal
        ordered = sorted(largest.values(), key=lambda signal: -signal.points)
        return Risk(score, band_of(score, previous), tuple(ordered))

    # --- what a request shows ---------------------------------------------------------------

    def _shown_by_asset(self, asset: Asset, posture: Posture) -> Live:
        live: Live = {}
        if asset.honey:
            live["honey"] = (self._most["honey"], f"decoy {asset.id}")
        if posture.trust == "compromised":
            live["compromised_device"] = (self._most["compromised_device"], "posture compromised")
        return live

    def _shown_by_user(
        self, user: User, at: float, place: Place, subject: Subject, posture: Posture, asset: Asset
    ) -> Live:
        live: Live = {}
        if asset.honey:
            live["honey"] = (self._most["honey"], f"decoy {asset.id}")
        self._count(user.windows, at, self._factor(subject), live)
        if user.events >= FIRST_EVENTS:
            self._show_novelty(user, place, posture, live)
        if self._hours_count and subject.kind == "person":
            self._show_hours(user, at, subject, live)
        if asset.grade is _CORE and asset.listed and not user.core:
            whole = self._most["first_core"]
            live["first_core"] = (whole if self._settled(user) else whole / 2, f"{asset.id}, no core data before")
            if "off_hours" in live:  # the pair finds what its halves do not (each alone is weak)
                live["off_hours_core"] = (self._most["off_hours_core"], live["off_hours"][1])
        return live

    def _settled(self, user: User) -> bool:
        """Whether there is enough history for the new to be telling."""
        return user.events >= self._settings.history

    def _factor(self, subject: Subject) -> float:
        """How much more than a person at a counter this subject may do."""
        factor = self._settings.service_factor if subject.kind == "service" else 1.0
        # Only a purpose that the issuer vouches for: anyone can write a header.
        return factor * self._settings.bulk_purposes.get(subject.purpose, 1.0)

    def _show_novelty(self, user: User, place: Place, posture: Posture, live: Live) -> None:
        known_site = place.vague or place.site in user.sites
        if known_site and posture.device in user.devices:
            return  # nearly always
        share = 1.0 if self._settled(user) else 0.5
        if posture.device not in user.devices:
            live["new_device"] = (
                self._most["new_device"] * share,
                f"not among {len(user.devices)} devices used lately",
            )
        if not known_site:
            live["new_site"] = (self._most["new_site"] * share, f"{place.site}, not among {len(user.sites)} sites")

    def _show_hours(self, user: User, at: float, subject: Subject, live: Live) -> None:
        hour, office = self._hours.at(subject.org, at)
        if office:
            return
        if user.hours[hour] >= max(3, 0.02 * user.events):
            return  # a night shift is usual for who works at night
        day = "weekend" if hour >= 24 else "weekday"
        live["off_hours"] = (self._most["off_hours"], f"{hour % 24:02d} h on a {day}")

    def _count(self, windows: Windows, at: float, factor: float, live: Live) -> None:
        """What the counts of the windows are worth."""
        objects = windows.objects.count(at, _OBJECTS_SPAN, _OBJECTS_LEAST * factor)
        if objects and (worth := points(ENUMERATION, objects / factor)):
            live["enumeration"] = (worth * self._scale["enumeration"], f"{objects} different records in 5 minutes")
        records = windows.volume.total(at, *_VOLUME)
        if records and (worth := points(VOLUME, records / factor)):
            live["volume"] = (worth * self._scale["volume"], f"{records:.0f} records weighted by grade in 10 minutes")
        denied = windows.denied.total(at, *_DENIED)
        if denied and (worth := points(DENIED, denied / factor)):
            live["denied_burst"] = (worth * self._scale["denied_burst"], f"{denied:.0f} refusals in 2 minutes")

    def _shown_by_session(self, session: Session, at: float, place: Place) -> Live | None:
        for site, seen in session.sites.items():
            if site != place.site and abs(at - seen) < _MOVED_SPAN:
                evidence = f"{place.site} {max(0.0, at - seen):.0f} s after {site}"
                return {"session_moved": (self._most["session_moved"], evidence)}
        return None

    def _shown_failures(self, source: Source, at: float) -> Live | None:
        failed = source.failed.total(at, *_FAILED)
        if not failed:
            return None
        live: Live = {}
        tokens, people = source.tokens.count(at, _TOKENS_SPAN), source.people.count(at, _TOKENS_SPAN)
        # An office on the day of new passwords fails too, but most of its people succeed. Counted are people and
        # different credentials: one good account does not outweigh its owner's guesses by repetition.
        if tokens > people or tokens >= CROWD:
            worth = points(FAILED, failed) * self._scale["failed_credentials"]
            live["failed_credentials"] = (
                worth,
                f"{failed:.0f} bad credentials in 15 minutes, {people} people with good",
            )
            if worth := points(SPRAY, tokens):
                live["spray"] = (worth * self._scale["spray"], f"{tokens} different bad credentials in 10 minutes")
        return live

    # --- learn --------------------------------------------------------------------------------

    def learn(self, entry: Entry) -> None:
        """Take one entry in; a second time it changes nothing."""
        if type(entry) is OutcomeEntry:
            if self._heard.first(entry.journal, entry.seq):
                self._learn_outcome(entry)
        elif type(entry) is VerdictEntry and self._heard.first(entry.journal, entry.seq):
            self._learn_verdict(entry)

    def _learn_verdict(self, entry: VerdictEntry) -> None:
        place = self._sites.place(entry.source)
        self._give(entry, place)
        if entry.subject.rejection is not None:
            self._learn_rejection(entry.subject, entry.subject.rejection, place, entry.at)
            return
        if _identified(entry.subject):
            self._learn_user(entry, place)
        else:
            self._learn_windows(self._sources.touch(place.source).windows, entry)
        if entry.outcome == "permit":
            self._expect_outcome(entry)

    def _give(self, entry: VerdictEntry, place: Place) -> None:
        """Remember what the request showed, on whom it counts (rule 2), and the band it was put in."""
        risk = entry.risk
        for signal in risk.signals:
            meaning = SIGNALS.get(signal.name)
            if meaning is None or signal.since != entry.at:  # of a later version, or decaying already
                continue
            for home in meaning.homes:
                kept = self._home(home, entry, place)
                if kept is not None:
                    kept.give(signal.name, signal.points, entry.at, signal.evidence)
        whom = self._whom(entry, place) if risk.signals else self._whom_if_known(entry, place)
        if whom is not None and risk.score is not None and entry.at >= whom.band_at:
            whom.band, whom.band_at = risk.band, entry.at

    def _home(self, home: Home, entry: VerdictEntry, place: Place) -> Contributions | None:
        subject = entry.subject
        if home == "device":
            return self._devices.touch(entry.posture.device).contributions if entry.posture.device else None
        if home == "source" or not _identified(subject):
            return self._sources.touch(place.source).contributions
        if home == "session":
            return self._sessions.touch(subject.proof.session or subject.proof.token).contributions
        return self._users.touch(subject.id).contributions

    def _whom(self, entry: VerdictEntry, place: Place) -> User | Source:
        """Whose band the entry tells."""
        return self._users.touch(entry.subject.id) if _identified(entry.subject) else self._sources.touch(place.source)

    def _whom_if_known(self, entry: VerdictEntry, place: Place) -> User | Source | None:
        """As `_whom`, but a calm request makes no new row."""
        return self._users.get(entry.subject.id) if _identified(entry.subject) else self._sources.get(place.source)

    def _learn_rejection(self, subject: Subject, rejection: Reason, place: Place, at: float) -> None:
        """A bad credential counts against its source only (rule 4)."""
        if rejection.code not in _FORGED:
            return
        source = self._sources.touch(place.source)
        source.failed.add(at, 1.0, *_FAILED)
        source.tokens.add(subject.proof.token, at, _TOKENS_SPAN, CROWD)

    def _learn_user(self, entry: VerdictEntry, place: Place) -> None:
        subject, at = entry.subject, entry.at
        user = self._users.touch(subject.id)
        self._learn_windows(user.windows, entry)
        self._sources.touch(place.source).people.add(subject.id, at, _TOKENS_SPAN, CROWD)
        if not place.vague and (key := subject.proof.session or subject.proof.token):
            keep_latest(self._sessions.touch(key).sites, place.site, at, PLACES)
        score = entry.risk.score
        if entry.outcome == "permit" and not entry.would and score is not None and score < USUAL_BELOW:
            self._learn_usual(user, entry, place)

    def _learn_usual(self, user: User, entry: VerdictEntry, place: Place) -> None:
        """What is usual, from a request that was allowed and calm (rule 3)."""
        user.events += 1
        keep_latest(user.devices, entry.posture.device, entry.at, LATEST)
        keep_latest(user.sites, place.site, entry.at, LATEST)
        hour = self._hours.at(entry.subject.org, entry.at)[0]
        if user.hours[hour] < 65_535:
            user.hours[hour] += 1
        if entry.grade == "core":
            user.core = True

    def _learn_windows(self, windows: Windows, entry: VerdictEntry) -> None:
        if entry.object:
            most = OBJECTS * int(self._factor(entry.subject) if _identified(entry.subject) else NEIGHBOURS)
            windows.objects.add(entry.object, entry.at, _OBJECTS_SPAN, most)
        if entry.outcome != "deny":  # what observe let pass was no refusal, and is no evidence when it ends
            return
        for reason in entry.reasons:
            if reason.code in _DENIALS:
                windows.denied.add(entry.at, 1.0, *_DENIED)
                return

    def _expect_outcome(self, entry: VerdictEntry) -> None:
        if len(self._pending) >= PENDING:  # outcomes that never came: interrupted by a kill
            del self._pending[next(iter(self._pending))]
        self._pending[f"{entry.journal}.{entry.seq}"] = (entry.subject, entry.source, entry.grade)

    def _learn_outcome(self, entry: OutcomeEntry) -> None:
        expected = self._pending.pop(entry.verdict, None)
        if expected is None:
            return
        subject, address, grade = expected
        if _identified(subject):
            windows = self._users.touch(subject.id).windows
        else:
            windows = self._sources.touch(self._sites.place(address).source).windows
        if entry.status in _NOT_YOURS:
            windows.denied.add(entry.at, 1.0, *_DENIED)
        elif weight := RECORD_WEIGHT.get(grade, 1.0) * entry.records:
            windows.volume.add(entry.at, weight, *_VOLUME)

    # --- the whole of it ------------------------------------------------------------------------

    def load(self, tail: Iterable[Entry]) -> None:
        """Learn the ledger's tail, all there is of it; from now on the history counts as known.

        Each journal in its own order: sorted by time, a request whose body took a minute would stand among
        entries written long before it, and those after it would be taken for heard.
        """
        for entry in sorted(tail, key=lambda entry: (entry.journal, entry.seq)):
            self.learn(entry)
        self._cold = False

    def forget(self) -> None:
        """Forget everything; until `load` the history is unknown."""
        for table in (self._users, self._sessions, self._devices, self._sources):
            table.clear()
        self._heard.clear()
        self._pending.clear()
        self._cold = True

    def size(self) -> int:
        """How many identities are remembered, of all kinds."""
        return len(self._users) + len(self._sessions) + len(self._devices) + len(self._sources)

    def view(self, subject: str, at: float) -> dict[str, object] | None:
        """What is on record about a subject, explained; None when nothing is."""
        user = self._users.get(subject)
        if user is None:
            return None
        signals = user.contributions.signals(None, at)
        score = min(100.0, round(sum(signal.points for signal in signals), 2))
        return {
            "subject": subject,
            "score": score,
            "band": band_of(score, user.band),
            "known": not self._cold,
            "events": user.events,
            "edges": dict(EDGES),
            "contributions": [
                {
                    "signal": signal.name,
                    "title": {"en": SIGNALS[signal.name].en, "zh": SIGNALS[signal.name].zh},
                    "points": signal.points,
                    "since": signal.since,
                    "half_life": SIGNALS[signal.name].half_life,
                    "evidence": signal.evidence,
                    "evidence_zh": in_chinese(signal.evidence),
                }
                for signal in signals
            ],
        }


def _identified(subject: Subject) -> bool:
    """Whether somebody proved who they are."""
    return subject.rejection is None and subject.kind != "anonymous"


def _add(found: list[Signal], cap: float, scores: list[float], signals: list[Signal]) -> None:
    """Put one entity's score and signals to the others'."""
    if found:
        scores.append(min(cap, total(found)))
        signals.extend(found)


_NOTHING_GIVEN = Contributions()
_STRANGER = User()  # what is known of somebody who was never heard of; nothing is ever put on it
