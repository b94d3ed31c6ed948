"""A project of one's own, and the interface of a register of parcels."""

import shutil
from pathlib import Path

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


def project(folder: Path, made: Path) -> Path:
    """Copy a project into the folder; its policies."""
    shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    (folder / "parcels.yaml").write_text(SPEC, encoding="utf-8")
    return folder / "policies"
