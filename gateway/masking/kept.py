"""What is worked out once for many answers, and kept?

Masks, by identity: hashing one costs more than a small walk. Those that were made for one request, by their shape: what
they share is kept, whose records they let through is not. The keys of each department, the marks of each caller.
"""

from gateway.facts import Asset, Mask
from gateway.masking.keys import Keys
from gateway.masking.prepared import Prepared, Shape, shape
from gateway.masking.settings import Settings
from gateway.masking.watermark import Mark, Marks

MASKS = 2048
DEPARTMENTS = 4096


class Kept:
    """What this worker has worked out so far; each store begins anew when it is full."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._masks: dict[int, Prepared] = {}
        self._shapes: dict[tuple[str, str, str, Shape], Prepared] = {}
        self._departments: dict[str, Keys] = {}
        self._marks = Marks(settings.first_key, settings.suite)

    def prepared(self, mask: Mask, asset: Asset) -> Prepared:
        """The mask, ready to be laid over answers of this asset. Raises ValueError when it cannot be read."""
        found = self._masks.get(id(mask))
        if found is not None:
            return found
        if mask.filters:
            return self._of_shape(mask, asset).whose(mask)
        if len(self._masks) >= MASKS:
            self._masks.clear()
        prepared = self._masks[id(mask)] = Prepared(mask, asset)  # holding the mask keeps its id its own
        return prepared

    def _of_shape(self, mask: Mask, asset: Asset) -> Prepared:
        key = (asset.api, asset.route, asset.revision, shape(mask))
        found = self._shapes.get(key)
        if found is None:
            found = Prepared(mask, asset)
            if len(self._shapes) >= MASKS:
                self._shapes.clear()
            self._shapes[key] = found
        return found

    def keys(self, department: str) -> Keys:
        """The keys of a department."""
        found = self._departments.get(department)
        if found is None:
            if len(self._departments) >= DEPARTMENTS:
                self._departments.clear()
            one = self._settings
            found = Keys(one.hash_key, department, one.suite, one.key_number, one.first_key)
            self._departments[department] = found
        return found

    def mark(self, caller: str) -> Mark:
        """The mark of a caller: who is given a marked answer can be told from its copy."""
        return self._marks.of(caller)
