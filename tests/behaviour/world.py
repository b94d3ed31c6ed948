"""A small world around a Watcher: requests are weighed, decided by band, recorded and learned, as on the journey."""

from typing import Any

from gateway.behaviour import Settings, Site, Watcher
from gateway.entries import Entry, OutcomeEntry, VerdictEntry
from gateway.facts import GRADE_TEXT, Grade, Reason, Risk
from tests.literals import a_posture, a_proof, a_subject, an_ask, an_asset

MONDAY = 1_789_952_400.0  # 2026-09-21 09:00 in Shanghai
DAY = 86_400.0
HOUR = 3600.0
OFFICE, BRANCH, VPN, HOME = "10.23.4.5", "10.24.1.1", "10.99.0.7", "203.0.113.9"
SITES = (
    Site("hq", ("10.23.0.0/16",)),
    Site("branch", ("10.24.0.0/16",)),
    Site("vpn", ("10.99.0.0/16",), "vpn"),
)


class World:
    """One worker's watcher and the journal it writes."""

    def __init__(self, journal: str = "w0", history: bool = True, **settings: Any) -> None:
        self.watcher = Watcher(Settings(**({"sites": SITES} | settings)))
        self.journal = journal
        self.entries: list[Entry] = []
        if history:
            self.watcher.load(())

    def weigh(self, at: float, user: str = "li.na", **about: Any) -> Risk:
        """The risk of a request that is not made."""
        return self.watcher.weigh(*self._facts(at, user, **about)[:4])

    def ask(
        self,
        at: float,
        user: str = "li.na",
        object: str = "",
        records: int = 1,
        status: int = 200,
        denied: str = "",
        learn: bool = True,
        would: str = "",
        **about: Any,
    ) -> Risk:
        """One request: quarantine and step-up are refused by policy, `denied` by a rule of that code; `would`: observed."""
        ask, subject, posture, asset = self._facts(at, user, **about)
        risk = self.watcher.weigh(ask, subject, posture, asset)
        refused = subject.rejection is not None or denied or risk.band != "normal"
        reason = denied or ("risk_too_high" if risk.band != "normal" else "rule_allowed")
        verdict = VerdictEntry(
            v=1,
            journal=self.journal,
            seq=len(self.entries),
            at=at,
            request=f"r{len(self.entries)}",
            trace="",
            source=ask.source,
            method="GET",
            host="h",
            path="/p",
            digest="",
            query=(),
            api="a",
            route=asset.route,
            asset=asset.id,
            action="read",
            grade=GRADE_TEXT[asset.grade],
            category="c",
            owner="o",
            object=object,
            revision="r",
            subject=subject,
            posture=posture,
            risk=risk,
            outcome="deny" if refused else "permit",
            reasons=(subject.rejection or Reason(reason),),
            bundle="b",
            would="deny" if would else "",
            would_reasons=(Reason(would),) if would else (),
            honey=asset.honey,
        )
        self._record(verdict, learn)
        if not refused:
            outcome = OutcomeEntry(
                1,
                self.journal,
                len(self.entries),
                at + 0.05,
                f"{verdict.journal}.{verdict.seq}",
                status,
                100,
                0,
                True,
                0.01,
                0.02,
                records=records,
            )
            self._record(outcome, learn)
        return risk

    def _record(self, entry: Entry, learn: bool) -> None:
        self.entries.append(entry)
        if learn:
            self.watcher.learn(entry)

    def _facts(
        self,
        at: float,
        user: str,
        source: str = OFFICE,
        device: str = "laptop-1",
        trust: str = "managed",
        session: str = "",
        grade: Grade = Grade.IMPORTANT,
        honey: bool = False,
        rejected: str = "",
        token: str = "",
        kind: str = "person",
        purpose: str = "",
        org: str = "prov/civil",
    ) -> Any:
        subject = a_subject(
            id="" if kind == "anonymous" else user,
            kind=kind,
            org=org,
            purpose=purpose,
            device=device,
            proof=a_proof(session=session or f"s-{user}", token=token or f"t-{user}"),
        )
        if rejected:
            proof = a_proof(session="", token=token or "bad")
            subject = a_subject(id="", kind="anonymous", proof=proof, rejection=Reason(rejected))
        return (
            an_ask(at=at, source=source),
            subject,
            a_posture(device=device, trust=trust),
            an_asset(grade=grade, honey=honey),
        )

    def settle(self, user: str = "li.na", days: int = 5, a_day: int = 20, **about: Any) -> float:
        """Ordinary working days; the moment after them, a Monday at nine."""
        for day in range(days):
            for n in range(a_day):
                self.ask(MONDAY - 7 * DAY + day * DAY + n * 1200, user, object=f"{user}-{day}-{n}", **about)
        return MONDAY


def names(risk: Risk) -> set[str]:
    return {signal.name for signal in risk.signals}
