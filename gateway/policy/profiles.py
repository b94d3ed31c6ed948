"""Through which mask is an answer shown?

Reads `masks.yaml` and makes a `Mask` for an asset from the profiles of all allows that matched. Rules:

1. A profile finds a field by its path, then its identifier, then its grade (`general` for all four general
   grades), then `*`. What no entry covers is redacted.
2. Several profiles: the strictest technique wins, field by field (`gateway.masks.strictest`, a join: order and
   repetition never matter).
3. A field graded above the caller's clearance is never kept in clear, whatever the profile says.
4. Fields the catalog does not know follow the asset's contract; an asset without labelled fields is not inspected
   unless its contract is enforced.
5. An opaque answer passes unread. Whatever `hides` something of it therefore refuses the request (`index`).
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.facts import GRADES, Asset, Field, FieldMask, Grade, Mask
from gateway.masks import IDENTIFIERS, BadTechnique, Technique, parse_technique, strictest
from gateway.policy.shapes import Faults, mapping, one_of, text

KEEP = Technique("keep")
REDACT = Technique("redact")
ANYTHING = "*"
NONE = "none"
STRICT = "pii-strict"

Profile = dict[str, Technique]


class Profiles(Struct, frozen=True):
    """All profiles by name, the one for an allow that names none, and the one for observation."""

    by_name: dict[str, Profile] = {}
    default: str = ""
    observe: str = ""

    def written(self) -> dict[str, dict[str, str]]:
        """The profiles as plain text, for the bundle."""
        return {name: {key: how.text for key, how in profile.items()} for name, profile in self.by_name.items()}


def read_profiles(root: Node, faults: Faults) -> Profiles:
    """Read the root of `masks.yaml`; every fault goes to `faults`."""
    parts = mapping(root, faults, ("profiles", "default", "observe"))
    declared = mapping(parts["profiles"], faults) if "profiles" in parts else {}
    by_name = {name: _profile(node, faults) for name, node in declared.items()}
    default = (
        one_of(parts["default"], faults, by_name, "P014", "mask profile", "脱敏方案") if "default" in parts else ""
    )
    strict = STRICT if STRICT in by_name else ""
    observe = (
        one_of(parts["observe"], faults, by_name, "P014", "mask profile", "脱敏方案") if "observe" in parts else strict
    )
    return Profiles(by_name, default, observe)


def _profile(node: Node, faults: Faults) -> Profile:
    profile: Profile = {}
    for key, value in mapping(node, faults).items():
        if not _is_key(key):
            known = [*IDENTIFIERS, *GRADES, "general", ANYTHING]
            hint = did_you_mean(key, known)
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
            profile[key] = parse_technique(spec) if spec else REDACT
        except BadTechnique as error:
            faults.append(value.fault("P060", error.en, error.zh))
    return profile


def _is_key(key: str) -> bool:
    return key.startswith("$") or key in IDENTIFIERS or key in GRADES or key in ("general", ANYTHING)


def restore(written: Mapping[str, Mapping[str, str]], default: str, observe: str) -> Profiles:
    """The profiles of a bundle."""
    by_name = {name: {key: parse_technique(how) for key, how in profile.items()} for name, profile in written.items()}
    return Profiles(by_name, default, observe)


def technique(profile: Profile, field: Field, clearance: Grade) -> Technique:
    """What a profile does to one field, for a caller with this clearance."""
    for key in (field.path, field.identifier, field.grade.text, field.grade.national, ANYTHING):
        how = profile.get(key)
        if how is not None:
            # before merging, not after: else a second allow with `partial` would show more than the first with `keep`
            return REDACT if how == KEEP and field.grade > clearance else how
    return REDACT


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


def forwarding(profiles: Profiles, names: frozenset[str], asset: Asset) -> Mask:
    """The mask through which a request is forwarded: what keeps a value from the service, whoever sends it."""
    chosen = [profiles.by_name.get(name, {}) for name in names]
    fields = tuple(FieldMask(field.path, merged(chosen, field, Grade.CORE).text) for field in asset.fields)
    return Mask("+".join(sorted(names)), fields, "pass")


def plan(profiles: Profiles, names: frozenset[str], asset: Asset, clearance: Grade) -> Mask:
    """The mask of one asset. An unknown or unnamed profile redacts everything that is labelled."""
    shown = "+".join(sorted(name or profiles.default or "default" for name in names)) or NONE
    if asset.opaque:
        return Mask(shown, (), "pass")
    chosen = [profiles.by_name.get(name or profiles.default, {}) for name in names] or [{}]
    fields = tuple(FieldMask(field.path, merged(chosen, field, clearance).text) for field in asset.fields)
    if asset.contract == "enforce":
        return Mask(shown, fields, "redact")
    return Mask(shown, fields, asset.contract if fields else "pass")
