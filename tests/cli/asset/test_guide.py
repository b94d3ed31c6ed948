"""Does the guide to the data still work, word for word?"""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.asset.project import record
from tests.cli.shell import ROOT, Run
from tests.inventory.records import a_day


@pytest.mark.parametrize("page", ["data.md", "data.zh-CN.md"])
def test_the_commands_of_the_guide(run: Run, policies: Path, tmp_path: Path, page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (document,) = re.findall(r"^```yaml\n# parcels\.yaml.*?\n(.*?)^```$", text, re.M | re.S)
    (tmp_path / "parcels.yaml").write_text(document, encoding="utf-8")
    source = record(tmp_path, a_day())
    commands = re.findall(r"^gateway (asset [^#\n]*?)\s*(?:#.*)?$", text, re.M)
    codes = []
    for command in commands:
        words = shlex.split(command)
        if words[1] in ("scan", "propose", "report", "contract") and "--accept" not in words:
            words = [word for word in words if word not in ("7d", "30d", "--since")] + ["--since", str(source)]
        done = run(*words)
        codes.append((words[1], done.code))
        assert done.code < 2, (command, done.err)
    assert codes == [
        ("import", 0), ("import", 0), ("diff", 1), ("scan", 1), ("propose", 1), ("propose", 1), ("propose", 0),
        ("list", 0), ("report", 0), ("report", 0), ("report", 0), ("contract", 0), ("contract", 0),
    ]  # fmt: skip
    assert "$.contact_phone" in (policies / "catalog" / "civil.yaml").read_text()
    assert (tmp_path / "ledger.html").is_file() and (tmp_path / "identifiers.csv").is_file()
