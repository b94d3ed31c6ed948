"""A small province to lint: one folder made of a few lines."""

from pathlib import Path
from textwrap import dedent

from gateway.catalog import Catalog, load
from gateway.policy import Bundle
from gateway.policy import load as load_policy
from tests.policy.world import MASKS, PEOPLE, write

CATALOG = """\
assets:
  - id: household
    owner: prov/civil
    category: population
    grade: important
    endpoints: [GET /households, POST /households]
  - id: market
    owner: prov
    category: open-data
    grade: general-1
    endpoints: [GET /market]
"""
ALLOW = """\
- {id: reads, title: reads, owner: prov, effect: allow, who: clerk, data: population, action: read, level: any}
"""


def policies(
    folder: Path, rules: str, catalog: str = CATALOG, masks: str = MASKS, people: str = PEOPLE
) -> tuple[Bundle, Catalog]:
    """The bundle and the catalog of these rules (list items, as YAML)."""
    write(folder, dedent(rules), people=people, masks=masks)
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog" / "c.yaml").write_text(catalog, encoding="utf-8")
    made = load(folder / "catalog")
    return load_policy(folder, made.assets), made
