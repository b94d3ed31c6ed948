"""Whose answer was this?

Records that turned up outside are held against the marks (`watermark`) of all who were given such data. Rules:

1. What is weighed is a likelihood ratio: how much better the orders that were found are explained by "this recipient
   was given a share of these records" than by chance. Several shares are tried and averaged, so that part of a leak,
   or a leak mixed from several people, names each of them.
2. For somebody who had no part in it the ratio is 1 on average, whatever was leaked and however it was mixed. It
   exceeds t with a probability of at most 1/t (Markov's inequality). So a person is named only where it exceeds the
   number of candidates divided by `FALSE`: in one question out of `1 / FALSE` somebody innocent is named, at most.
3. Objects found twice count once; orders that carry too little to name anybody are told as that, never as a no.
4. A leak does not say under which suite its marks were made: each is tried, and counts as so many candidates more.
"""

from collections import Counter
from collections.abc import Iterable
from math import log2

from msgspec import Struct

from gateway.masking.watermark import ORDERS, Marks, Seen, Value, seen

FALSE = 0.001
"""The chance that a question names anybody who is innocent."""
SHARES = (0.98, 0.5, 0.2, 0.05)
"""Of the records that turned up, the share that a recipient may have been given."""
MOST_WEIGHED = 2_000_000
"""Marks that one question may cost: four seconds."""
FEWEST = 100
"""Objects that are weighed however many candidates there are."""


class Weight(Struct, frozen=True):
    """What speaks for one recipient: objects in their order, the ratio as its logarithm to base 2, whether it names them."""

    recipient: str
    matches: int
    bits: float
    named: bool
    probability: float  # that it was them, if all candidates were equally likely before


class Trace(Struct, frozen=True):
    """What was found: objects that can carry a mark, those that were weighed, the bits that name somebody."""

    objects: int
    weighed: int
    needed: float
    possible: float  # bits for a recipient who was given every one of them
    sorted: bool  # all names stand in alphabetical order: whoever handed it on has wiped the mark away
    weights: tuple[Weight, ...]

    @property
    def enough(self) -> bool:
        """Whether it could name somebody at all."""
        return self.possible >= self.needed

    @property
    def named(self) -> tuple[Weight, ...]:
        """Those whom it names, the surest first."""
        return tuple(weight for weight in self.weights if weight.named)


def trace(leak: Value, recipients: Iterable[str], *marks: Marks) -> Trace:
    """Hold what turned up against the marks of these recipients, under each of the keys of marks."""
    whom = sorted(set(recipients))
    among = max(1, len(whom) * len(marks))
    needed = log2(among / FALSE)
    best: dict[str, Weight] = {}
    for own in marks:
        found = sorted(set(seen(leak, own.digest)), key=_tells)
        weighed = found[: max(FEWEST, MOST_WEIGHED // among)]
        counts = Counter(one.count for one in weighed)
        for recipient in whom:
            weight = _weight(recipient, weighed, counts, own, needed, among)
            best[recipient] = max(weight, best.get(recipient, weight), key=lambda one: one.bits)
    return Trace(
        len(found),
        len(weighed),
        needed,
        _bits(counts, counts),
        bool(found) and all(one.order == 0 for one in found),
        tuple(sorted(best.values(), key=lambda weight: (-weight.bits, weight.recipient))),
    )


def _tells(seen: Seen) -> tuple[int, bytes, int]:
    """What tells most comes first."""
    return -seen.count, seen.content, seen.order


def _weight(recipient: str, weighed: list[Seen], counts: Counter[int], marks: Marks, needed: float, of: int) -> Weight:
    order = marks.of(recipient).order
    matches = Counter(seen.count for seen in weighed if order(seen.content, seen.count) == seen.order)
    bits = _bits(matches, counts)
    odds = 2.0 ** min(bits - log2(of), 1000.0)
    return Weight(recipient, matches.total(), bits, bits >= needed, odds / (1.0 + odds))


def _bits(matches: Counter[int], counts: Counter[int]) -> float:
    """The logarithm of the mean ratio over all shares."""
    tried = [_ratio(share, matches, counts) for share in SHARES]
    most = max(tried)
    return most + log2(sum(2.0 ** (bits - most) for bits in tried) / len(tried))


def _ratio(share: float, matches: Counter[int], counts: Counter[int]) -> float:
    """The logarithm of the ratio for one share: chance gives an object of n members its order once in n! times."""
    rest = 1.0 - share
    alike = sum(number * log2(share * ORDERS[count] + rest) for count, number in matches.items())
    return alike + (counts.total() - matches.total()) * log2(rest)
