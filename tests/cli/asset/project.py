"""A project of one's own, and the interface of a register of parcels."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from gateway.audit import encode
from gateway.entries import Entry

SPEC = """\
openapi: 3.0.3
info: {title: 不动产登记, version: "1"}
servers: [{url: https://api.example.gov/estate}]
paths:
  /parcels:
    get:
      responses:
        "200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Parcel"}}}}}
  /parcels/{personId}:
    get:
      x-data-classification: important
      parameters: [{name: personId, in: path, x-data-classification: {identifier: resident-id}}]
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Parcel"}}}}
components:
  schemas:
    Parcel:
      properties:
        owner_name: {type: string, x-data-classification: {level: general-4, identifier: name}}
        area: {type: number, x-data-classification: general-2}
"""


CATALOG = {
    "civil.yaml": """\
# The household register.
assets:
  - id: household
    title: {zh: 户籍信息, en: household register}
    owner: prov/civil
    category: population
    grade: important
    contract: enforce
    endpoints:
      - GET /civil/households
      - {path: "GET /civil/households/{id}", identifier: {id: resident-id}}  # may be one: the path is not recorded
      - {path: GET /civil/households/export, grade: core, honey: true}  # a decoy
    fields:
      - {path: $..name, identifier: name, grade: general-4}
      - {path: $..phone, identifier: phone, grade: general-4}
""",
    "health.yaml": """\
assets:
  - id: health-visit
    title: {zh: 就诊记录, en: visits}
    owner: prov/health
    category: health
    grade: core
    endpoints:
      - GET /health/visits
    fields:
      - {path: $..diagnosis, identifier: secret}
""",
    "market.yaml": """\
assets:
  - id: enterprise
    title: {zh: 市场主体, en: enterprises}
    owner: prov/market
    category: open-data
    grade: general-2
    endpoints:
      - GET /market/enterprises
    fields:
      - {path: $..credit_code, identifier: credit-code, grade: general-1}
""",
}


def project(folder: Path, made: Path) -> Path:
    """Copy a project into the folder; its policies."""
    shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    shutil.rmtree(folder / "policies" / "catalog")
    (folder / "policies" / "catalog").mkdir()
    (folder / "policies" / "grades.yaml").unlink(missing_ok=True)
    for name, text in CATALOG.items():
        (folder / "policies" / "catalog" / name).write_text(text, encoding="utf-8")
    (folder / "parcels.yaml").write_text(SPEC, encoding="utf-8")
    return folder / "policies"


def record(folder: Path, entries: Iterable[Entry]) -> Path:
    """A file of entries, a line each."""
    path = folder / "record.jsonl"
    path.write_bytes(b"".join(encode(entry) + b"\n" for entry in entries))
    return path
