"""OpenAPI documents, small."""

from gateway.document import parse
from gateway.facts import GRADES
from gateway.inventory.openapi import Described, described

HEAD = "openapi: 3.0.3\ninfo: {title: Estates, version: '1'}\n"


def of_schema(schema: str, components: str = "{}") -> Described:
    """What a document describes whose only answer has this schema."""
    return described(
        parse(
            f"{HEAD}paths: {{/a: {{get: {{responses: {{'200': {{content: {{application/json: {{schema: {schema}}}}}}}}}}}}}}}\n"
            f"components: {{schemas: {components}}}\n",
            "spec.yaml",
        ),
        "",
        GRADES,
    )


def told(found: Described) -> dict[str, str]:
    """Each path with its label as text."""
    return {
        one.path: " ".join(filter(None, (one.label.grade and one.label.grade.text, one.label.identifier)))
        if one.label
        else ""
        for one in found.properties
    }
