"""A control process's part of releases, in this process: a real store, board and folder, a clock that is handed in."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gateway.app.emergency import Switch
from gateway.app.releases import Releases
from gateway.app.start import first
from gateway.control import Act, Confirmed, DoorFault, Rejected
from gateway.facts import Notice
from gateway.stores import Board, Instant, State
from tests.app.test_revisions import APIS, NOW
from tests.test_layout import ROOT


class Released:
    """Releases and the emergency switch over a folder of policies. No worker runs: everything is prepared at once."""

    def __init__(self, folder: Path, signers: tuple[str, ...] = (), state: State | None = None) -> None:
        self.folder = folder / "policies"
        if not self.folder.exists():
            shutil.copytree(ROOT / "policies", self.folder)
            shutil.rmtree(self.folder / "tests")
        self.config: Any = SimpleNamespace(
            state=folder, policies=self.folder, apis=APIS, policy_signers=signers, policy_signatures=1
        )
        self.now = NOW
        self.stepped = 0.0  # how far somebody set the wall clock forward
        self.boot = "boot-1"
        self.recording = True
        self.recorded: list[int] = []  # confirmations that were put on record before they were tried
        self.told: list[Notice] = []
        self.acts: list[Act] = []
        self.state = state or State(folder / "state.db")
        self.board = Board.create(folder / "board", 2)
        self.start = first(self.config, self.state, self.instant())
        self.again()

    def again(self) -> None:
        """A control process that replaces a dead one: forked with what was active when the gateway started."""
        self.releases = Releases(self.config, self.start, self.board, self.state, self.told.append)
        self.switch = Switch(
            self.releases, self.state, 72 * 3600.0, self.instant, self.told.append, self.acts.append, lambda: 2
        )

    def instant(self) -> Instant:
        return Instant(self.now, self.boot, self.now - self.stepped)

    def set_clock(self, seconds: float) -> None:
        """Somebody sets the wall clock forward, or back."""
        self.now += seconds
        self.stepped += seconds

    def device(self, name: str) -> None:
        """Change something that makes another revision."""
        path = self.folder / "devices.yaml"
        path.write_text(path.read_text() + f"  - {{id: {name}, org: prov, managed: true}}\n")

    async def confirm(self, id: int, by: str) -> Confirmed | Rejected:
        """As the door does."""

        async def on_record() -> None:
            if not self.recording:
                raise DoorFault("audit_unavailable")
            self.recorded.append(id)

        return await self.switch.confirm(id, by, on_record)

    def notices(self) -> list[tuple[str, str]]:
        return [(one.name, one.subject) for one in self.told]
