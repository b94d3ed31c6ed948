"""Which paths of masks and rules meet nothing that the catalog labels?

A path in a mask profile, in its `suppress`, or in the `rows` of an allow. One that is mistyped hides nothing, or lets no record
through, and no decision looks different. Rules:

1. A path meets a label that it covers, or that covers it: `$.address.city` lies in `$..address`.
2. A profile is for every asset, and so are its paths. A row filter is held against the data of its rule, from the record on.
3. Assets without labelled fields say nothing of what their answers hold: where there are no others, nothing is said here either.
"""

import difflib
from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.document import did_you_mean
from gateway.jsonpath import Anywhere, Element, Every, Member, Step, covers, parse, spell
from gateway.policy import Bundle
from gateway.policy.duties import parse as parse_then

EVERYTHING = "*"


class Unmet(Struct, frozen=True):
    """A path that meets no label: of a profile, of what a profile suppresses by, or of the filter of a rule."""

    kind: str  # profile, suppress, rows
    of: str  # the profile or the rule
    path: str
    near: tuple[str, ...]  # labels whose names are like it

    @property
    def remedy(self) -> tuple[str, str]:
        """How to mend it, in English and Chinese."""
        if self.near:
            return did_you_mean(self.path, self.near)
        return "correct the path, or label the field in the catalog", "请更正路径，或在目录中标注该字段"


def unmet(bundle: Bundle, catalog: Catalog) -> Iterator[Unmet]:
    """Every such path, profiles first."""
    labels = sorted({field.path for asset in catalog.assets for field in asset.fields})
    for name, profile in bundle.content.profiles.items() if labels else ():
        yield from _none_meets("profile", name, profile, labels)
    for name, rare in bundle.content.suppress.items() if labels else ():
        yield from _none_meets("suppress", name, rare.fields, labels)
    yield from dict.fromkeys(_filters(bundle, catalog))


def _none_meets(kind: str, of: str, keys: Iterable[str], labels: list[str]) -> Iterator[Unmet]:
    for path in (key for key in keys if key.startswith("$")):
        if not any(_meets(parse(path), parse(label)) for label in labels):
            yield Unmet(kind, of, path, _near(path, labels))


def _filters(bundle: Bundle, catalog: Catalog) -> Iterator[Unmet]:
    """The filters that no record of the data of their rule could have."""
    for row in bundle.content.rules:
        for one in parse_then(row[9]).rows if row[1] == "allow" else ():
            labels = sorted(_labels_of(bundle, catalog, row[4]))
            if labels and not any(_of_a_record(parse(one.field), parse(label)) for label in labels):
                near = dict.fromkeys(map(_from_the_record, _near(one.field, labels)))
                yield Unmet("rows", row[0], one.field, tuple(path for path in near if path != "$"))


def _labels_of(bundle: Bundle, catalog: Catalog, data: str) -> set[str]:
    """The labels of the assets that a rule names."""
    links = bundle.engine.links("g3")
    about = (asset for asset in catalog.assets if data in (EVERYTHING, *links.closure(asset.id)))
    return {field.path for asset in about for field in asset.fields}


def _meets(path: tuple[Step, ...], label: tuple[Step, ...]) -> bool:
    return covers(path, label) or covers(label, path)


def _of_a_record(path: tuple[Step, ...], label: tuple[Step, ...]) -> bool:
    """Whether a label names this member of a record, wherever records begin in the answer."""
    begins = (at for at, step in enumerate(label) if isinstance(step, Member | Anywhere))
    return any(_meets(path, label[at:]) for at in begins)


def _from_the_record(label: str) -> str:
    """A label as a row filter writes it: what follows the last array, through names."""
    steps = parse(label)
    first = 1 + max((at for at, step in enumerate(steps) if isinstance(step, Every | Element)), default=-1)
    return spell(tuple(Member(step.name) for step in steps[first:] if isinstance(step, Member | Anywhere)))


def _near(path: str, labels: Iterable[str]) -> tuple[str, ...]:
    """The labels whose own name is like the last one of the path."""
    name = _name(path)
    return tuple(label for label in labels if difflib.get_close_matches(name, [_name(label)]))


def _name(path: str) -> str:
    names = [step.name for step in parse(path) if isinstance(step, Member | Anywhere)]
    return names[-1] if names else path
