"""A catalog from text, for the tests of this room."""

from datetime import datetime
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


def catalog(
    tmp_path: Path,
    *files: str,
    apis: Any = (CIVIL,),
    orgs: frozenset[str] | None = None,
    beside: dict[str, str] | None = None,
    now: float = 0.0,
) -> Catalog:
    """The catalog in these files; `beside` are files of the policy folder around it."""
    folder = tmp_path / "catalog"
    folder.mkdir(exist_ok=True, parents=True)
    for number, text in enumerate(files):
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    for name, text in (beside or {}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load(folder, apis, orgs, now)


def faults(tmp_path: Path, *files: str, **how: Any) -> tuple[FileFault, ...]:
    """What is wrong with these files; no API carries them unless said otherwise."""
    with pytest.raises(Faulty) as faulty:
        catalog(tmp_path, *files, **({"apis": ()} | how))
    assert all(fault.en and fault.zh for fault in faulty.value.faults)
    return faulty.value.faults


def time(day: str) -> float:
    """Noon of this day in China."""
    return datetime.fromisoformat(f"{day}T12:00+08:00").timestamp()


def asset(*lines: str, endpoints: str = "[GET /a]", id: str = "a", owner: str = "o") -> str:
    """A catalog file with one asset that says these lines."""
    return f"assets:\n  - id: {id}\n    owner: {owner}\n    endpoints: {endpoints}\n" + "".join(
        f"    {line}\n" for line in lines
    )


def override(grade: str = "general-2", on: str = "2026-01-10", until: str = "2026-06-30") -> str:
    """An override as a file says it."""
    said = f"grade: {grade}, " if grade else ""
    return f"override: {{{said}ticket: T-17, approver: li.min, on: {on}, until: {until}}}"


def located(one: Catalog, method: str, path: str, api: str = "civil", **ask: Any) -> Asset:
    return one.locate(an_ask(method=method, path=path, api=api, **ask))
