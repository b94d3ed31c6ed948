"""A catalog from text, for the tests of this room."""

from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import ApiBinding, Catalog, load
from gateway.document import Faulty, FileFault
from gateway.facts import Asset
from tests.literals import an_ask

A = (ApiBinding("a", "/a", ("a",)),)
CIVIL = ApiBinding("civil", "/civil", ("household",))
HOUSEHOLD = """\
assets:
  - id: household
    title: {zh: 户籍信息, en: household register}
    owner: prov/civil
    category: population
    grade: important
    endpoints:
      - GET /civil/households
      - POST /civil/households
      - {path: "GET /civil/households/{id}", identifier: {id: resident-id}}
      - {path: "GET /civil/households/{id}/history", grade: core, action: other}
      - {path: "GET /civil/households/export", honey: true}
      - {path: "GET /civil/photos/**", opaque: true}
      - DELETE /civil/households/{id}
    fields:
      - {path: $..id_number, identifier: resident-id}
      - {path: $.name, identifier: name, grade: general-3}
"""


def catalog(tmp_path: Path, *files: str, apis: Any = (CIVIL,), orgs: frozenset[str] | None = None) -> Catalog:
    for number, text in enumerate(files):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    return load(tmp_path, apis, orgs)


def faults(tmp_path: Path, *files: str, apis: Any = (), orgs: frozenset[str] | None = None) -> tuple[FileFault, ...]:
    with pytest.raises(Faulty) as faulty:
        catalog(tmp_path, *files, apis=apis, orgs=orgs)
    assert all(fault.en and fault.zh for fault in faulty.value.faults)
    return faulty.value.faults


def located(one: Catalog, method: str, path: str, api: str = "civil") -> Asset:
    return one.locate(an_ask(method=method, path=path, api=api))
