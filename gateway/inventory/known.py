"""Which paths of the record does the ledger label today?

A field that somebody labelled since it was met is no longer news, however long the record still speaks of it. A path that was cut
short, or cannot be read, is labelled by nothing: it may be another one. Nor does a label on an object label what turned up in it:
masking takes that for unlabelled, and so would a contract that hides it.
"""

from collections.abc import Iterable

from gateway.catalog import Listing
from gateway.inventory import paths
from gateway.jsonpath import BadPath, Step, covers, parse
from gateway.masking.names import MAX_PATH

_DATA = ".*"  # on record in the place of a name that looked like data


class Known:
    """The labels of a ledger, looked up by paths of the record; without one nothing is labelled."""

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        self._labels = {one.id: [parse(field.path) for field in one.fields] for one in listings}
        self._found: dict[tuple[str, str], bool] = {}

    def labels(self, asset: str, path: str) -> bool:
        """Whether a label of the asset names all that the path names."""
        key = asset, path
        if key not in self._found:
            self._found[key] = self._covers(asset, path)
        return self._found[key]

    def _covers(self, asset: str, path: str) -> bool:
        if len(path) >= MAX_PATH:
            return False
        data = _DATA in path
        try:
            steps = parse(path.replace(_DATA, "['*']"))  # read as it stands it would be an element
        except BadPath:
            return False
        return any(_names(label, steps, data) for label in self._labels.get(asset, ()))


def _names(label: tuple[Step, ...], steps: tuple[Step, ...], data: bool) -> bool:
    """Whether a label names this as masking does: arrays are seen through, and `[*]` is any member but one whose name may be data."""
    return covers(label, steps, exactly=True) or (not data and paths.covers(label, steps, exactly=True))
