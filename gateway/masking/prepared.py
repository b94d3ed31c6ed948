"""What of a mask is worked out once, and kept?

The plan for JSON, the one for records that come singly, the rules by column, and the gate for the second look; each is
made when the first answer needs it.
"""

from functools import cached_property

from gateway.detect import Gate
from gateway.facts import Asset, FieldMask, Mask, Suppress
from gateway.masking.about import concerned
from gateway.masking.columns import Columns
from gateway.masking.plan import Plan
from gateway.masking.prose import ByValue, by_value
from gateway.masking.records import as_record, records
from gateway.masking.suppress import Rare, strictest
from gateway.masks import parse_technique

_KEPT = ("record", "columns", "by_value", "gate", "rare", "rarest")
_STAYS = frozenset({"keep", "fpe"})
"""Techniques after which a value still looks like what it was."""


Shape = tuple[tuple[FieldMask, ...], str, int, Suppress | None, "Shape | None"]


def shape(mask: Mask) -> Shape:
    """What of a mask is prepared: all but whose records it lets through, which may be as many as there are callers."""
    beyond = None if mask.beyond is None else shape(mask.beyond)
    return mask.fields, mask.unlabelled, mask.most, mask.suppress, beyond


class Prepared:
    """One mask, for the answers of one asset whose labelled fields are these."""

    def __init__(self, mask: Mask, asset: Asset, alike: "Prepared | None" = None) -> None:
        """`alike` is one of the same shape, whose work is used. Raises ValueError when a path or a technique cannot be read."""
        if alike is not None:
            self.__dict__ |= alike.__dict__
            self.mask = mask
            return
        self.mask = mask
        self.asset = asset
        self.plan = Plan(_walked(mask), asset.keys, self.clear, asset.id)
        self.concerned = concerned(mask)

    def whose(self, mask: Mask) -> "Prepared":
        """The same for a mask of this shape that lets other records through."""
        for name in _KEPT:  # what is made when it is first needed is made here, where it is kept
            getattr(self, name)
        own = Prepared(mask, self.asset, self)
        if mask.beyond is not None:
            own.__dict__["beyond"] = self.beyond.whose(mask.beyond)
        return own

    def covering(self, records: int) -> "Prepared":
        """The one for so many records; an answer that is withheld does not get this far."""
        found = self
        while 0 < found.mask.most < records:
            found = found.beyond
        return found

    @cached_property
    def beyond(self) -> "Prepared":
        """The mask for more records than this one is for; a mask without one does not get this far."""
        return Prepared(self.mask.beyond or self.mask, self.asset)

    @cached_property
    def clear(self) -> int:
        """How many labelled fields of a record are shown in clear."""
        shown = {field.path for field in self.mask.fields if parse_technique(field.technique).name == "keep"}
        return sum(field.path in shown and bool(field.identifier) for field in self.asset.fields)

    @cached_property
    def record(self) -> Plan:
        """The plan for one record of a list."""
        keys = frozenset(path for key in self.asset.keys for path in as_record(key))
        return Plan(records(self.mask), keys, self.clear, self.asset.id)

    @cached_property
    def columns(self) -> Columns:
        """The rules by name."""
        return Columns(self.mask, self.plan, self.asset.keys)

    @cached_property
    def by_value(self) -> ByValue | None:
        """What is looked for in a text without fields; None where that is not enough."""
        return by_value(self.mask, self.asset, self.plan)

    @cached_property
    def rare(self) -> Rare | None:
        """What is suppressed of a whole answer."""
        rare = self.mask.suppress
        return None if rare is None else Rare(rare, self.asset.records, self.asset.keys)

    @cached_property
    def rarest(self) -> Rare | None:
        """What is suppressed of an answer that may change its mask on the way."""
        strict = strictest(self.mask)
        return None if strict is None else Rare(strict, self.asset.records, self.asset.keys)

    @cached_property
    def gate(self) -> Gate:
        """The look for the identifiers that this mask promises to hide: those that it hides somewhere and shows nowhere."""
        stays = {field.path: parse_technique(field.technique).name in _STAYS for field in self.mask.fields}
        labelled = [(field.identifier, stays[field.path]) for field in self.asset.fields if field.path in stays]
        return Gate({identifier for identifier, _ in labelled} - {identifier for identifier, stay in labelled if stay})


def _walked(mask: Mask) -> Mask:
    """The mask under which the walk comes by every value that is counted, also where it hides nothing.

    Else a member that stands twice would be counted as one reader reads it, and shown as another does.
    """
    if mask.suppress is None or mask.unlabelled != "pass":
        return mask
    counted = (FieldMask(path, "keep") for path in mask.suppress.fields)
    return Mask(mask.profile, (*mask.fields, *counted), "pass")
