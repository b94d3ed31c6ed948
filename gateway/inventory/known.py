"""Which paths of the record does the ledger label today?

A field that somebody labelled since it was met is no longer news, however long the record still speaks of it. A path that was cut
short, or cannot be read, is labelled by nothing: it may be another one.
"""

from collections.abc import Iterable

from gateway.catalog import Listing
from gateway.inventory.paths import covers
from gateway.jsonpath import BadPath, parse
from gateway.masking.names import MAX_PATH


class Known:
    """The labels of a ledger, looked up by paths of the record; without one nothing is labelled."""

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        self._labels = {one.id: [parse(field.path) for field in one.fields] for one in listings}
        self._found: dict[tuple[str, str], bool] = {}

    def labels(self, asset: str, path: str) -> bool:
        """Whether a label of the asset covers all that the path names."""
        key = asset, path
        if key not in self._found:
            self._found[key] = self._covers(asset, path)
        return self._found[key]

    def _covers(self, asset: str, path: str) -> bool:
        if len(path) >= MAX_PATH:
            return False
        try:
            steps = parse(path)
        except BadPath:
            return False
        return any(covers(label, steps) for label in self._labels.get(asset, ()))
