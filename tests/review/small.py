"""A policy folder small enough to see through: one register, one record, a few rules, and the tests that are given."""

from pathlib import Path
from textwrap import dedent, indent

from gateway.catalog import Catalog
from gateway.catalog import load as load_catalog
from gateway.policy import Bundle, load
from tests.policy.world import CLERK_READS, write

CATALOG = """\
assets:
  - id: household
    owner: prov/civil
    category: population
    grade: important
    endpoints:
      - GET /households
      - PUT /households/{id}
    fields:
      - {path: $..id_number, identifier: resident-id, grade: important}
  - id: visit
    owner: prov/health
    category: health
    grade: core
    endpoints:
      - GET /visits/{id}
      - GET /visits/1
      - GET /records/**
"""


def folder(path: Path, tests: str = "", rules: str = CLERK_READS) -> Path:
    """The folder, with these tests (list items, as YAML)."""
    write(path, rules)
    (path / "catalog").mkdir(exist_ok=True)
    (path / "catalog" / "all.yaml").write_text(CATALOG, encoding="utf-8")
    (path / "tests").mkdir(exist_ok=True)
    (path / "tests" / "10.yaml").write_text("tests:\n" + indent(dedent(tests), "  "), encoding="utf-8")
    (path / "devices.yaml").write_text("devices: []\n", encoding="utf-8")
    return path


def made(path: Path, tests: str = "", rules: str = CLERK_READS) -> tuple[Bundle, Catalog]:
    """What the folder says."""
    catalog = load_catalog(folder(path, tests, rules) / "catalog")
    return load(path, catalog.assets), catalog
