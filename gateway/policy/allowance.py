"""Which budgets count this request, and when do they begin anew?

For explanations. The counts are those of the decision; what a budget counted of other assets is not known to it. No day
is named: a request that is only supposed has none.
"""

from msgspec import Struct

from gateway.facts import Facts, Limit, Spent
from gateway.policy.budgets import place_of
from gateway.policy.bundle import Bundle

_STATES: dict[Spent, tuple[str, str]] = {
    "": ("not spent", "未用尽"),
    "soft": ("softly spent: shown through {mask} as well", "软上限已用尽：再经 {mask} 脱敏"),
    "hard": ("spent: nothing more is shown", "已用尽：不再展示"),
}


class Allowance(Struct, frozen=True):
    """A budget as it bears on one request; `anew` is the time of day, in the policies' time zone."""

    id: str
    place: str
    spent: Spent
    records: int  # of the asset asked for, shown today
    fields: int  # of it, in clear
    soft: Limit
    hard: Limit
    mask: str
    anew: str

    def text(self, zh: bool) -> str:
        """In one line."""
        state = _STATES[self.spent][zh].format(mask=self.mask)
        limits = "/".join(_limit(limit, zh) for limit in (self.soft, self.hard) if limit != Limit())
        if zh:
            shown = f"当日已展示该资产 {self.records} 条记录，其中明文 {self.fields} 个值，上限 {limits}"
            return f"预算  {self.id}  {self.place}  {state}；{shown}；每日 {self.anew} 重新计数"
        shown = f"{self.records} records of this asset shown today, and {self.fields} values in clear, of {limits}"
        return f"budget  {self.id}  {self.place}  {state}; {shown}; begins anew each day at {self.anew}"


def allowances(bundle: Bundle, facts: Facts) -> tuple[Allowance, ...]:
    """The budgets that count this request; none while nothing was shown."""
    exposure, content = facts.exposure, bundle.content
    if not (exposure.records or exposure.fields or exposure.spent):
        return ()
    return tuple(
        Allowance(
            one.id, content.places[place_of(one.id)],
            exposure.spent if one.id in exposure.budgets else one.spent(exposure.records, exposure.fields),
            exposure.records, exposure.fields, one.soft, one.hard, one.mask,
            f"00:00 {content.timezone}",
        )
        for one in bundle.budgets(facts.ask, facts.subject, facts.asset)
    )  # fmt: skip


def _limit(limit: Limit, zh: bool) -> str:
    words = (("records", "条记录"), ("values", "个值"))
    counts = ((limit.records, words[0]), (limit.fields, words[1]))
    return (" 或 " if zh else " or ").join(f"{count} {word[zh]}" for count, word in counts if count)
