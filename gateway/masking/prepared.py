"""What of a mask is worked out once, and kept?

The plan for JSON, the one for records that come singly, the rules by column, and the gate for the second look; each is
made when the first answer needs it.
"""

from functools import cached_property

from gateway.detect import Gate
from gateway.facts import Field, Mask
from gateway.masking.columns import Columns
from gateway.masking.lines import records
from gateway.masking.plan import Plan
from gateway.masks import parse_technique

_STAYS = frozenset({"keep", "fpe"})
"""Techniques after which a value still looks like what it was."""


class Prepared:
    """One mask, for the answers of one asset whose labelled fields are these."""

    def __init__(self, mask: Mask, fields: tuple[Field, ...] = ()) -> None:
        """Raises ValueError when a path or a technique cannot be read."""
        self.mask = mask
        self.plan = Plan(mask)
        self._fields = fields

    @cached_property
    def record(self) -> Plan:
        """The plan for one record of a list."""
        return Plan(records(self.mask))

    @cached_property
    def columns(self) -> Columns:
        """The rules by name."""
        return Columns(self.mask, self.plan)

    @cached_property
    def gate(self) -> Gate:
        """The look for the identifiers that this mask promises to hide: those that it hides somewhere and shows nowhere."""
        stays = {field.path: parse_technique(field.technique).name in _STAYS for field in self.mask.fields}
        labelled = [(field.identifier, stays[field.path]) for field in self._fields if field.path in stays]
        return Gate({identifier for identifier, _ in labelled} - {identifier for identifier, stay in labelled if stay})
