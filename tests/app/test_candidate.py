"""Only rules may differ between a candidate and what is in force."""

import shutil
from pathlib import Path

from gateway.app import revisions
from gateway.app.candidate import compared
from gateway.app.revisions import Compiled, raised
from tests.app.test_pilot import stored
from tests.app.test_revisions import APIS, NOW

__all__ = ["stored"]


def test_only_rules_may_differ(stored: tuple[Path, Compiled, Compiled], tmp_path: Path) -> None:
    place, active, candidate = stored
    assert compared(place, active, candidate) is None

    def other(name: str, text: str) -> Compiled:
        shutil.rmtree(tmp_path, ignore_errors=True)
        shutil.copytree(place / "next", tmp_path)
        (tmp_path / name).write_text(text)
        return revisions.compile_folder(tmp_path, APIS, NOW)

    def code(active: Compiled, candidate: Compiled) -> tuple[str, str]:
        fault = compared(place, active, candidate)
        assert fault is not None
        return fault.code, Path(fault.file).name

    assert code(active, active) == ("P11B", place.name)
    assert code(raised(active, "II"), candidate) == ("P11A", place.name)
    assert code(active, other("devices.yaml", "devices: []\n")) == ("P11C", "devices.yaml")
    site = "sites: [{name: vpn, networks: [198.51.100.0/24], kind: vpn}]\n"
    assert code(active, other("sites.yaml", site)) == ("P11C", "sites.yaml")
    market = (place / "next" / "catalog" / "market.yaml").read_text()
    assert code(active, other("catalog/market.yaml", market.replace("en: register", "en: new register"))) == (
        "P11C",
        "catalog",
    )
