"""`gateway reload`: are the edited policies in force?"""

import re
from pathlib import Path

from tests.cli.conftest import Run
from tests.running import running


def test_good_policies_come_into_force_and_bad_ones_are_named(tmp_path: Path, run: Run) -> None:
    with running(tmp_path) as gateway:
        config = ("-c", str(gateway.config))
        same = run("reload", *config)
        assert (same.code, "nothing changed" in same.out, same.err) == (0, True, "")
        gateway.config.write_text(gateway.config.read_text() + "# a remark, or a copy that was put back\n")
        assert run("reload", *config).err == ""
        gateway.config.write_text(gateway.config.read_text().replace("mode: enforce", "mode: observe"))
        late = run("reload", *config)
        assert (late.code, "this needs a restart" in late.err) == (0, True)
        before = gateway.door("GET", "/v1/policy").json["active"]
        devices = gateway.folder / "policies" / "devices.yaml"
        devices.write_text(devices.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
        done = run("reload", *config, "-o", "json")
        assert done.code == 0
        assert done.json["bundle"] != before
        again = run("reload", *config)  # as where the gateway has noticed first that the file was saved
        assert re.match(r"nothing changed: .* in force since \d{4}-\d\d-\d\d \d\d:.*saved\)", again.out)
        (gateway.folder / "policies" / "rules" / "99-bad.yaml").write_text("rules:\n  - id: x\n    effect: Deny\n")
        bad = run("reload", *config, "--lang", "zh-CN")
        assert bad.code == 1
        assert "99-bad.yaml:3:" in bad.err
        assert "沿用" in bad.err
        assert gateway.door("GET", "/v1/policy").json["active"] == done.json["bundle"]


def test_nobody_answers_is_3(spawn: Run) -> None:
    assert spawn("reload", "--socket", "nowhere.sock").code == 3
