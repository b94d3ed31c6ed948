"""What is asked for by whoever wants to know what a token stands for?

A token says which asset and label it came from. It is judged as that asset, under the catalog of today, with the action
`reveal` and nothing but that one field. Rules:

1. The grade is the highest under which the asset is served anywhere, or its field is labelled: the token does not
   say by which endpoint it left. By a decoy none does.
2. A field that no label of the asset names any more is not known any more: doubt denies. A label that moved (another
   path to the same name) is the same field.
3. Nothing is only observed here: what is denied stays hidden.
"""

from collections.abc import Iterable

from gateway.facts import Asset, Field
from gateway.jsonpath import BadPath, parse

PREFIX = "/.gateway/reveal"
METHOD = "POST"


def spelled(asset: str, path: str) -> str:
    """The path under which tests and explanations ask for it: `/.gateway/reveal/household/$.id_number`."""
    return f"{PREFIX}/{asset}/{path}"


def parted(path: str) -> tuple[str, str] | None:
    """Asset and label of such a path; None for any other."""
    if not path.startswith(PREFIX + "/"):
        return None
    asset, _, label = path.removeprefix(PREFIX + "/").partition("/")
    return asset, label


def revealing(served: Iterable[Asset], label: str) -> Asset | None:
    """The asset of these endpoints' answers, asked for the field that this label names; None when none does."""
    assets = sorted((asset for asset in served if not asset.honey), key=lambda asset: asset.grade)
    fields = [field for asset in assets for field in asset.fields if _same(field.path, label)]
    if not fields:
        return None
    highest, field = assets[-1], max(fields, key=lambda field: field.grade)
    return Asset(
        id=highest.id,
        api=highest.api,
        route=f"{METHOD} {spelled(highest.id, field.path)}",
        action="reveal",
        grade=max(highest.grade, field.grade),
        category=highest.category,
        owner=highest.owner,
        fields=(Field(field.path, field.identifier, field.grade),),
        contract="enforce",
        opaque=False,
        parameters=(),
        revision=highest.revision,
        key=field.path if any(_same(key, field.path) for asset in assets for key in asset.keys) else "",
    )


def _same(one: str, other: str) -> bool:
    name = _name(one)
    return one == other or (name != "" and name == _name(other))


def _name(path: str) -> str:
    """The name that a path ends with, "" when it has none."""
    try:
        steps = parse(path)
    except BadPath:
        return ""
    return getattr(steps[-1], "name", "") if steps else ""
