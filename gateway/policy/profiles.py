"""Through which mask is an answer shown?

Reads `masks.yaml` and makes a `Mask` for an asset from the profiles of all allows that matched. Rules:

1. A profile finds a field by its path, then its identifier, then its grade (`general` for all four general
   grades), then `*`. What no entry covers is redacted. A path that hides stands in the mask itself as well: it hides what
   it names in a labelled answer, however the catalog spells its labels.
2. Several profiles: the strictest technique wins, field by field (`gateway.masks.strictest`, a join: order and
   repetition never matter).
3. A field graded above the caller's clearance is never kept in clear, whatever the profile says.
4. Fields the catalog does not know follow the asset's contract; an asset without labelled fields is not inspected
   unless its contract is enforced.
5. Of several profiles that suppress rare combinations (`suppress`), the larger k and the fields of all: a value that one
   of them takes away is taken away.
6. An opaque answer passes unread. Whatever `hides` something of it therefore refuses the request (`index`).
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import reduce

from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.facts import GRADES, Asset, Field, FieldMask, Grade, Mask, Suppress
from gateway.jsonpath import Anywhere, BadPath, Member, covers, parse, spell
from gateway.masks import IDENTIFIERS, TECHNIQUES, BadTechnique, Technique, parse_technique, strictest
from gateway.policy.shapes import Faults, mapping, one_of, text, texts, whole_number

KEEP = Technique("keep")
REDACT = Technique("redact")
ANYTHING = "*"
NONE = "none"
STRICT = "pii-strict"
SUPPRESS = "suppress"
LEAST, MOST = 2, 100
"""Of k: one record is nobody's crowd, and a page rarely holds more than a hundred."""

Profile = dict[str, Technique]
NOTHING: Mapping[str, Suppress] = {}


class Profiles(Struct, frozen=True):
    """All profiles by name, the one for an allow that names none, and the one for observation."""

    by_name: dict[str, Profile] = {}
    default: str = ""
    observe: str = ""
    suppress: dict[str, Suppress] = {}  # of those profiles that have it

    def written(self) -> dict[str, dict[str, str]]:
        """The profiles as plain text, for the bundle."""
        return {name: {key: how.text for key, how in profile.items()} for name, profile in self.by_name.items()}


def read_profiles(root: Node, faults: Faults) -> Profiles:
    """Read the root of `masks.yaml`; every fault goes to `faults`."""
    parts = mapping(root, faults, ("profiles", "default", "observe"))
    declared = mapping(parts["profiles"], faults) if "profiles" in parts else {}
    by_name = {name: _profile(node, faults) for name, node in declared.items()}
    suppress = {
        name: _suppress(node.value[SUPPRESS], faults)
        for name, node in declared.items()
        if isinstance(node.value, dict) and SUPPRESS in node.value
    }
    default = (
        one_of(parts["default"], faults, by_name, "P014", "mask profile", "脱敏方案") if "default" in parts else ""
    )
    strict = STRICT if STRICT in by_name else ""
    observe = (
        one_of(parts["observe"], faults, by_name, "P014", "mask profile", "脱敏方案") if "observe" in parts else strict
    )
    return Profiles(by_name, default, observe, suppress)


def _suppress(node: Node, faults: Faults) -> Suppress:
    """`{k: 5, by: [birth-date, $..gender]}`."""
    parts = mapping(node, faults, ("k", "by"))
    for key in ("k", "by"):
        if key not in parts:  # also where the value is none at all: it would look as if rare records were taken care of
            faults.append(
                node.fault(
                    "P003", f"`{key}` is missing", f"缺少 `{key}`",
                    "write `suppress: {k: 5, by: [birth-date]}`", "请写 `suppress: {k: 5, by: [birth-date]}`",
                )
            )  # fmt: skip
    k = whole_number(parts["k"], faults, LEAST, MOST) if "k" in parts else LEAST
    named = [_named(word, one, faults) for word, one in texts(parts["by"], faults)] if "by" in parts else []
    return Suppress(k, tuple(sorted(set(named))))


def _named(word: str, node: Node, faults: Faults) -> str:
    """An identifier, or a path to a member in its one spelling."""
    if word in IDENTIFIERS:
        return word
    try:
        steps = parse(word) if word.startswith("$") else ()
    except BadPath as error:
        faults.append(node.fault("P062", error.en, error.zh))
        return word
    if not steps or not isinstance(steps[-1], Member | Anywhere):
        hint = did_you_mean(word, IDENTIFIERS)
        faults.append(
            node.fault(
                "P062", f"`{word}` is neither an identifier nor a path to a member",
                f"`{word}` 不是标识类型，也不是指向字段的路径", *hint,
            )
        )  # fmt: skip
    return spell(steps)


def _profile(node: Node, faults: Faults) -> Profile:
    profile: Profile = {}
    for key, value in mapping(node, faults).items():
        if key == SUPPRESS:
            continue
        if not _is_key(key):
            known = [*IDENTIFIERS, *GRADES, "general", ANYTHING, SUPPRESS]
            hint = did_you_mean(key, known) if get_close_matches(key, known, n=1) else did_you_mean(key, IDENTIFIERS)
            faults.append(
                node.key_fault(
                    key,
                    "P061",
                    f"`{key}` is neither a path, an identifier nor a grade",
                    f"`{key}` 不是路径、标识符类型或数据级别",
                    hint[0],
                    hint[1],
                )
            )
        spec = text(value, faults)
        try:
            how = parse_technique(spec) if spec else REDACT
            spelled = spell(parse(key)) if key.startswith("$") else key
            profile[spelled] = strictest(how, profile.get(spelled, how))
        except BadTechnique as error:
            close = get_close_matches(spec.partition("(")[0], TECHNIQUES, n=1)
            hint = did_you_mean(close[0], close) if close and close[0] not in spec else ("", "")
            faults.append(value.fault("P060", error.en, error.zh, *hint))
        except BadPath as error:
            faults.append(node.key_fault(key, "P063", f"`{key}`: {error.en}", f"`{key}`：{error.zh}"))
    return profile


def _is_key(key: str) -> bool:
    return key.startswith("$") or key in IDENTIFIERS or key in GRADES or key in ("general", ANYTHING)


def restore(
    written: Mapping[str, Mapping[str, str]], default: str, observe: str, suppress: Mapping[str, Suppress] = NOTHING
) -> Profiles:
    """The profiles of a bundle."""
    by_name = {name: {key: parse_technique(how) for key, how in profile.items()} for name, profile in written.items()}
    return Profiles(by_name, default, observe, dict(suppress))


def technique(profile: Profile, field: Field, clearance: Grade) -> Technique:
    """What a profile does to one field, for a caller with this clearance."""
    how = _by_path(profile, field.path)
    for key in (field.identifier, field.grade.text, field.grade.national, ANYTHING):
        how = how or profile.get(key)
    # before merging, not after: else a second allow with `partial` would show more than the first with `keep`
    return REDACT if how is None or (how == KEEP and field.grade > clearance) else how


def _by_path(profile: Profile, path: str) -> Technique | None:
    """What the paths of a profile say of a label; of several the strictest. What is kept is named, and not only what it is in."""
    paths = _paths(profile) if path else []
    found = [how for key, how in paths if covers(parse(key), parse(path), exactly=how == KEEP)]
    return reduce(strictest, found) if found else None


def _paths(profile: Profile) -> list[tuple[str, Technique]]:
    return [(key, how) for key, how in profile.items() if key.startswith("$")]


def _beside(chosen: Iterable[Profile], asset: Asset, labelled: bool) -> Iterator[FieldMask]:
    """What paths of profiles hide of a labelled answer, besides its labels: the catalog may name the same in another way.

    `labelled`: only of what a label names. A token has nothing else, and what nobody labelled is hidden altogether under
    `enforce`, also below a label that keeps a plain value: a path that hides a part of it would show the rest.
    """
    labels = [parse(field.path) for field in asset.fields]
    for profile in chosen if labels else ():
        for key, how in _paths(profile):
            named = any(covers(label, parse(key), exactly=strictest(how, REDACT) != how) for label in labels)
            if how != KEEP and (not labelled or named):
                yield FieldMask(key, how.text)


def _laid_over(chosen: list[Profile], asset: Asset, clearance: Grade, labelled: bool) -> tuple[FieldMask, ...]:
    """The techniques of these profiles for an asset, by path."""
    fields = {field.path: merged(chosen, field, clearance).text for field in asset.fields}
    for one in _beside(chosen, asset, labelled):
        known = fields.get(one.path, one.technique)
        fields[one.path] = strictest(parse_technique(known), parse_technique(one.technique)).text
    more = sorted(fields.keys() - {field.path for field in asset.fields})  # in one order, in all processes
    return tuple(FieldMask(path, fields[path]) for path in (*(field.path for field in asset.fields), *more))


def merged(profiles: Iterable[Profile], field: Field, clearance: Grade) -> Technique:
    """What all profiles together do to one field."""
    return reduce(strictest, (technique(profile, field, clearance) for profile in profiles), KEEP)


def hides(profile: Profile, grade: Grade) -> bool:
    """Whether a profile may hide something of an answer that nobody reads; no data in it is above this grade.

    Any path and any identifier may be in it. The clearance has no part in this: who may have the whole answer is what
    the level of an allow says.
    """
    anywhere = (how for key, how in profile.items() if key.startswith("$") or key in IDENTIFIERS)
    graded = (technique(profile, Field("", "", each), Grade.CORE) for each in Grade if each <= grade)
    return any(how != KEEP for how in (*anywhere, *graded))


def suppressing(profiles: Profiles, names: Iterable[str], asset: Asset) -> Suppress | None:
    """What all profiles together suppress in the answers of an asset; identifiers become the paths of its labels."""
    found = [profiles.suppress[name] for name in names if name in profiles.suppress]
    wanted = {field for one in found for field in one.fields}
    labelled = {field.path for field in asset.fields if field.identifier in wanted}
    paths = labelled | {field for field in wanted if field.startswith("$")}
    return Suppress(max(one.k for one in found), tuple(sorted(paths))) if paths else None


def forwarding(profiles: Profiles, names: frozenset[str], asset: Asset) -> Mask:
    """The mask through which a request is forwarded: what keeps a value from the service, whoever sends it."""
    chosen = [profiles.by_name.get(name, {}) for name in names]
    fields = _laid_over(chosen, asset, Grade.CORE, labelled=False)
    return Mask("+".join(sorted(names)), fields, "pass")


def plan(profiles: Profiles, names: frozenset[str], asset: Asset, clearance: Grade) -> Mask:
    """The mask of one asset. An unknown or unnamed profile redacts everything that is labelled."""
    shown = "+".join(sorted(name or profiles.default or "default" for name in names)) or NONE
    if asset.opaque:
        return Mask(shown, (), "pass")
    chosen = [profiles.by_name.get(name or profiles.default, {}) for name in names] or [{}]
    fields = _laid_over(chosen, asset, clearance, labelled=asset.contract == "enforce")
    rare = suppressing(profiles, (name or profiles.default for name in names), asset) if profiles.suppress else None
    if asset.contract == "enforce":
        return Mask(shown, fields, "redact", suppress=rare)
    return Mask(shown, fields, asset.contract if fields else "pass", suppress=rare)
