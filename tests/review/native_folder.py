"""A policy folder whose casbin/ allows, with a catalog and tests beside it."""

from pathlib import Path

from tests.policy.native.pairs import BOTH, model
from tests.policy.native.world import write
from tests.review.small import CATALOG

MODEL = model(
    "sub, obj, act", "sub, obj, act, eft", BOTH, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", "g = _, _"
)
ROWS = """\
p, reader, /households, GET, allow
p, bob, /households, GET, deny
p, dave, /visits/1, GET, allow
g, alice, reader
g, bob, reader
"""
TESTS = """\
tests:
  - {name: a reader reads, given: {as: alice}, request: GET /households, expect: permit}
  - {name: not bob, given: {as: bob}, request: GET /households, expect: deny}
  - {name: nobody else, given: {as: carol}, request: GET /households, expect: deny}
"""


def native_folder(path: Path, rows: str = ROWS, tests: str = TESTS) -> Path:
    """The folder, read like any other."""
    (path / "catalog").mkdir(parents=True)
    (path / "catalog" / "all.yaml").write_text(CATALOG, encoding="utf-8")
    (path / "tests").mkdir()
    (path / "tests" / "10.yaml").write_text(tests, encoding="utf-8")
    (path / "devices.yaml").write_text("devices: []\n", encoding="utf-8")
    return write(path, MODEL, rows)
