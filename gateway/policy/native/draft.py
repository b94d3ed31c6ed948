"""What has been read of a native policy, before anybody knows whether it is good?"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.document import FileFault
from gateway.policy.native.expression import Expression
from gateway.policy.native.model import Blanks, Definition, blanks, effect
from gateway.policy.native.source import Source, columns
from gateway.policy.native.table import Line, Value

NO_HINT = ("", "")


class Draft(Struct, frozen=True):
    """Model and rows with their places, the source made of them, and the expressions that could be compiled."""

    model_file: str
    table_file: str
    model: dict[str, Definition]
    rows: tuple[Line, ...]
    source: Source
    matcher: Expression
    rules: tuple[Expression, ...] = ()  # those that stand in columns

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the values of `p`."""
        return columns(self.model["p"].text)

    @property
    def effect(self) -> str:
        """The effect in casbin's spelling."""
        return effect(self.model["e"].text)

    def of(self, kind: str) -> tuple[Line, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.kind.text == kind)

    def whole(self) -> Iterator[Expression]:
        """Every expression."""
        yield self.matcher
        yield from self.rules

    def defined(self, key: str, code: str, en: str, zh: str, hint: tuple[str, str] = NO_HINT, at: int = 0) -> FileFault:
        """A fault at a character of a definition."""
        return self.model[key].fault(self.model_file, at, code, en, zh, hint)

    def told(
        self, row: Line, value: Value, code: str, en: str, zh: str, hint: tuple[str, str] = NO_HINT, at: int = 0
    ) -> FileFault:
        """A fault at a character of a value."""
        return row.fault(self.table_file, value, code, en, zh, hint, at)


def shapes(model: dict[str, Definition]) -> dict[str, Blanks]:
    """The role definitions by key."""
    return {key: shape for key, one in model.items() if key[0] == "g" and (shape := blanks(one.text)) is not None}


def warning(fault: FileFault) -> FileFault:
    """The same, said without stopping a load."""
    return replace(fault, warning=True)
