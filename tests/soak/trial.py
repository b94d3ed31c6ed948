"""What was promised, and was it kept?"""

from collections.abc import Callable


class Trial:
    """Collects promises. A broken one is printed at once and makes the run fail at its end."""

    def __init__(self, name: str, say: Callable[[str], None] = lambda line: None) -> None:
        self.name = name
        self.broken: list[str] = []
        self.skipped = ""
        self._say = say

    def note(self, text: str) -> None:
        """Something that was done or measured."""
        self._say(f"  {self.name}: {text}")

    def must(self, kept: bool, promise: str, seen: object = "") -> bool:
        """A promise and whether it was kept; `seen` says what was there instead."""
        if kept:
            self._say(f"  {self.name}: held    {promise}")
        else:
            self.broken.append(f"{promise}: {str(seen)[-900:]}" if seen != "" else promise)
            self._say(f"  {self.name}: BROKEN  {self.broken[-1]}")
        return kept

    def skip(self, why: str) -> None:
        """This machine cannot run it."""
        self.skipped = why
        self._say(f"  {self.name}: skipped, {why}")
