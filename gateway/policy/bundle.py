"""Which rules are in force, and under which digest?

`load` reads the policy folder into a `Bundle`: frozen content, the enforcer that holds it, and the index made from
that enforcer. Rules:

1. All faults of all files are reported at once; a bundle exists only when there are none. Warnings stay on it.
2. No rules means that everything is denied.
3. A file in a folder of rules that is not read is a fault: a deny in `20-health.yml` must not vanish in silence.
4. A worker makes the same bundle from `dump()`, without YAML; damaged bytes are refused.
5. An emergency level is part of the bundle and of its name: `<digest>+II`. One digest, one way to decide.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import MsgspecError, Struct
from msgspec.structs import replace

from gateway.document import Faulty, FileFault, Node, read
from gateway.facts import NOTHING_GRANTED, Ask, Asset, Budget, Exposure, Facts, Grade, Granted, Mask, Subject
from gateway.policy import content as contents
from gateway.policy.budgets import EVERYBODY, FILE, by_asset, holding, read_budgets, reckoned
from gateway.policy.closures import Test
from gateway.policy.condition import Condition, Refused, compile_condition
from gateway.policy.content import Content, Damaged
from gateway.policy.duties import Then, written
from gateway.policy.engine import MODEL, Engine, Judgement
from gateway.policy.grants import Grant, Lapsed, held, lapsed, read_grants
from gateway.policy.index import REMEMBERED, Index
from gateway.policy.levels import ANY
from gateway.policy.names import Vocabulary, names
from gateway.policy.native.folder import check_rules, read_native
from gateway.policy.native.source import LAYER, Source
from gateway.policy.native.verdict import Native
from gateway.policy.overlays import EMERGENCY, FROZEN, Overlay, read_overlay
from gateway.policy.people import PERSON, People, read_people
from gateway.policy.profiles import Profiles, forwarding, hides, plan, read_profiles, restore
from gateway.policy.rules import Kind, Reading, Rule, add_rule, read_rules
from gateway.policy.shapes import Faults

PLANS = 4096
NO_OVERLAY = Overlay()
NOTHING = Node(None, "", 1, 1)
NO_FILES: Mapping[str, Node] = {}
NOWHERE: Mapping[str, str] = {}
NO_CONDITIONS: Mapping[str, Condition] = {}
DECLARES = {
    "people.yaml": (
        frozenset(("P010", "P011", "P017", "P051")), "the rules name roles and offices that it should declare",
        "规则使用的角色与机构应在其中声明",
    ),
    "masks.yaml": (
        frozenset(("P014",)), "the rules name mask profiles that it should declare", "规则使用的脱敏方案应在其中声明",
    ),
}  # fmt: skip
"""What a file declares: the faults that every use of it would repeat, and what is missing when it is empty."""

_RESTORE = (
    "restore it; `gateway init` writes a starter into an empty folder",
    "请恢复该文件；`gateway init` 会在空目录中生成初始文件",
)


class AssetName(Protocol):
    """What policy needs to know of an asset of the catalog; `gateway.facts.Asset` has it."""

    @property
    def id(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def owner(self) -> str: ...


class Planned(Struct, frozen=True, eq=False):
    """A mask, and what it was made from."""

    mask: Mask
    asset: Asset


class Joined(Struct, frozen=True, eq=False):
    """Two masks, held so that their identity stays theirs, and what was made of them."""

    mask: Mask
    beyond: Mask | None
    both: Mask


class Bundle:
    """A policy ready to decide. Equal digests mean equal decisions."""

    def __init__(
        self,
        content: Content,
        warnings: tuple[FileFault, ...] = (),
        level: str = "",
        conditions: Mapping[str, Condition] = NO_CONDITIONS,
    ) -> None:
        """`conditions`: those that were compiled for the same names already; none that asks this bundle for roles."""
        self._whole = content
        self.content = content = contents.in_force(content, level)
        self.level = level
        self.digest = contents.digest(self._whole) + (f"+{level}" if level else "")
        self.warnings = warnings
        overlay = content.overlays[level] if level else NO_OVERLAY
        self._always = frozenset((overlay.mask,)) if overlay.mask else frozenset()
        self.profiles = restore(content.profiles, content.default_mask, content.observe_mask, content.suppress)
        self.names = names(self._vocabulary())
        self._offices = frozenset(content.offices)
        self.budgeted = {budget.id: budget for budget in content.budgets}
        self._budgets_about = by_asset(content.budgets, content.data)
        self._budgeted_people = frozenset(who for one in content.budgets for who in one.who if who.startswith(PERSON))
        self._budgets_of: dict[tuple[str, str, str, tuple[str, ...], str], tuple[Budget, ...]] = {}
        self._conditions = dict(conditions)
        self.engine = Engine(content, self._test)
        self.index = Index(self.engine, content, self.condition, self.hides, level)
        self.asks_for_grants = self.index.asks_for_grants
        self.denies = {row[0]: row[1] != "allow" for row in self.engine.rules}
        self.native = Native(content.native, self.names, content.timezone) if content.native is not None else None
        if self.native is not None:
            self.denies.update(self.native.denies)
        self._plans: tuple[dict[tuple[str, str, frozenset[str], bool], Planned], ...] = tuple(
            {} for _ in range(max(Grade) + 1)
        )
        self._joined: dict[tuple[int, int, int], Joined] = {}
        self._requests: dict[tuple[str, str, frozenset[str]], Planned] = {}

    @classmethod
    def from_bytes(cls, data: bytes, level: str = "") -> "Bundle":
        """The bundle that `dump` wrote, with an emergency level in force. Raises `Damaged`."""
        content = contents.restore(data)
        try:
            return cls(content, level=level)
        except (Refused, ValueError, MsgspecError) as error:  # written by a gateway with another language
            raise Damaged(f"the policy snapshot cannot be used: {error}") from error

    def dump(self) -> bytes:
        """The compiled content with all its levels, for the workers."""
        return contents.dump(self._whole)

    def raised(self, level: str) -> "Bundle":
        """The same policies with this emergency level in force, "" for none. Raises ValueError."""
        return Bundle(self._whole, self.warnings, level)

    def granted(self, ask: Ask, subject: Subject, asset: Asset) -> Granted:
        """Which sharing grants cover this request."""
        grants = self.content.grants
        purpose = subject.purpose or ask.purpose
        if not grants or not purpose or subject.kind == "anonymous" or subject.rejection is not None:
            return NOTHING_GRANTED
        return held(grants, self._holder(subject), (asset.id, asset.category), asset.action, purpose, ask.at)

    def budgets(self, ask: Ask, subject: Subject, asset: Asset) -> tuple[Budget, ...]:
        """Which budgets count what this caller is shown of this asset."""
        about = self._budgets_about.get(asset.id)
        if about is None or subject.rejection is not None:
            return ()
        key = (asset.id, subject.kind, subject.org, subject.roles, subject.id if self._budgets_name(subject) else "")
        mine = self._budgets_of.get(key)
        if mine is None:
            if len(self._budgets_of) >= REMEMBERED:
                self._budgets_of.clear()
            names = self.index.roles(subject) | self.index.sub(subject).roles | EVERYBODY
            mine = self._budgets_of[key] = holding(about, names, self.index.offices(subject))
        purpose = subject.purpose or ask.purpose
        return tuple([one for one in mine if not one.purpose or one.purpose == purpose])

    def _budgets_name(self, subject: Subject) -> bool:
        return PERSON + subject.id in self._budgeted_people

    def exposed(self, ask: Ask, subject: Subject, asset: Asset, known: Exposure) -> Exposure:
        """What was shown of this asset today, by the budgets of this bundle."""
        return reckoned(self.budgets(ask, subject, asset), known)

    def lapsed(
        self, subject: Subject, data: tuple[str, str], action: str, purpose: str, at: float
    ) -> tuple[Lapsed, ...]:
        """Which sharing grants would cover this on another day; `data` are the asset and its category. Slow."""
        purpose = subject.purpose or purpose
        if not purpose or subject.kind == "anonymous" or subject.rejection is not None:
            return ()
        return lapsed(self.content.grants, self._holder(subject), data, action, purpose, at, self.content.timezone)

    def _holder(self, subject: Subject) -> frozenset[str]:
        """All names under which somebody may hold a grant."""
        offices = self.index.offices(subject) & self._offices  # an office `user:x` in a token is nobody
        return self.index.roles(subject) | offices | self.index.sub(subject).roles

    def reference(self, facts: Facts) -> Judgement:
        """What casbin says about the rules: effect and every rule that matched. Slow; off the request path."""
        said = self.engine.judge(self.index.sub(facts.subject), facts)
        return said if self.native is None else self.native.joined(said, facts)

    def condition(self, text: str) -> Condition:
        """The compiled condition of a row."""
        known = self._conditions.get(text)
        if known is None:
            known = self._conditions[text] = compile_condition(text, self.names)
        return known

    def mask(self, profiles: frozenset[str], asset: Asset, clearance: Grade, watermark: bool = False) -> Mask:
        """The mask for these profiles; the same object again while the asset stays the same."""
        if self._always:
            profiles |= self._always
        memory = self._plans[clearance]
        key = (asset.api, asset.route, profiles, watermark)
        planned = memory.get(key)
        if planned is not None and (planned.asset is asset or _same(planned.asset, asset)):
            return planned.mask
        if len(memory) >= PLANS:
            memory.clear()
        mask = plan(self.profiles, profiles, asset, clearance)
        if watermark and not asset.opaque:  # what passes unread carries none
            mask = replace(mask, watermark=True)
        memory[key] = Planned(mask, asset)
        return mask

    def up_to(self, mask: Mask, most: int, beyond: Mask | None) -> Mask:
        """The mask for at most so many records, with the one for more; the same object again for the same two."""
        if beyond is mask or beyond == mask:
            return mask
        if mask.filters or (beyond is not None and beyond.filters):  # made for this caller, and not met again
            return replace(mask, most=most, beyond=beyond)
        key = (id(mask), most, id(beyond))
        joined = self._joined.get(key)
        if joined is None:
            if len(self._joined) >= PLANS:
                self._joined.clear()
            joined = self._joined[key] = Joined(mask, beyond, replace(mask, most=most, beyond=beyond))
        return joined.both

    def forwarding(self, profiles: frozenset[str], asset: Asset) -> Mask:
        """The mask of a request for these profiles; the same object again while the asset stays the same."""
        key = (asset.api, asset.route, profiles)
        planned = self._requests.get(key)
        if planned is not None and (planned.asset is asset or _same(planned.asset, asset)):
            return planned.mask
        if len(self._requests) >= PLANS:
            self._requests.clear()
        mask = forwarding(self.profiles, profiles, asset)
        self._requests[key] = Planned(mask, asset)
        return mask

    def hides(self, profile: str, grade: Grade) -> bool:
        """Whether a profile that is named may hide something of an opaque answer up to this grade."""
        if profile in self.profiles.suppress:  # which records are rare cannot be seen in what passes unread
            return True
        return bool(profile) and hides(self.profiles.by_name.get(profile, {}), grade)

    def _test(self, text: str) -> Test:
        return self.condition(text).test

    def _vocabulary(self) -> Vocabulary:
        content = self.content
        return Vocabulary(
            roles=frozenset(content.declared),
            orgs=frozenset(content.offices),
            assets=frozenset(row[0] for row in content.data),
            categories=frozenset(row[1] for row in content.data if row[1]),
            grants=frozenset(grant.id for grant in content.grants),
            timezone=content.timezone,
            closure=lambda facts: self.index.roles(facts.subject),
        )


def _same(planned: Asset, asset: Asset) -> bool:
    """Whether a mask made for one still holds for the other; never trusted by id alone."""
    return (
        planned.revision == asset.revision
        and planned.id == asset.id
        and planned.contract == asset.contract
        and planned.opaque is asset.opaque
        and (planned.fields is asset.fields or planned.fields == asset.fields)
    )


def offices(folder: Path) -> frozenset[str]:
    """The offices of `people.yaml`, for the catalog to hold its owners against. Raises Faulty."""
    faults: Faults = []
    people = read_people(_root(folder / "people.yaml", faults), faults)
    if faults:
        raise Faulty(sorted(faults))
    return frozenset(people.orgs)


def load(folder: Path, assets: Iterable[AssetName], now: float = 0.0, instead: Mapping[str, Node] = NO_FILES) -> Bundle:
    """Read a policy folder. `now` (seconds since 1970) only serves to report expired rules. Raises Faulty.

    `instead` has rule files (`rules/20-civil.yaml` and its root) to be read in place of those in the folder, or with them.
    """
    faults: Faults = []
    named = list(assets)
    roots = {name: _root(folder / name, faults) for name in DECLARES}
    people, profiles = read_people(roots["people.yaml"], faults), read_profiles(roots["masks.yaml"], faults)
    data = {asset.id: asset.category for asset in named}
    _check_names(folder, named, people, data, faults)
    _check_model(folder / "model.conf", faults)
    _check_strays(folder, faults)
    categories = frozenset(data.values()) - {""}
    owners = {asset.id: (asset.category, asset.owner) for asset in sorted(named, key=lambda asset: asset.id)}
    grants = read_grants(_optional(folder / "grants.yaml", faults), people, owners, faults)
    budgets, standing = read_budgets(_optional(folder / FILE, faults), people, owners, profiles.by_name, faults)
    vocabulary = Vocabulary(
        frozenset(people.roles),
        frozenset(people.orgs),
        frozenset(data),
        categories,
        frozenset(grant.id for grant in grants),
        people.timezone,
    )
    reading = Reading(people, vocabulary, frozenset(profiles.by_name), now, faults, owners)
    for kind in ("rules", "departments", "cities"):
        more = {folder / name for name in instead if name.startswith(f"{kind}/")}
        for path in sorted({*_files(folder / kind, faults), *more}):
            _read_file(path, kind, reading, instead.get(f"{kind}/{path.name}"))
    overlays = {path.stem: _overlay(path, reading) for path in _files(folder / "emergency", faults)}
    native = read_native(folder, reading.table, faults)
    check_rules(folder, reading.rules, faults)
    if (
        native is None
        and not any(rule.effect == "allow" for rule in reading.rules)
        and all(fault.warning for fault in faults)
    ):
        faults.append(_nothing_allowed(folder))
    if any(not fault.warning for fault in faults):
        raise Faulty(sorted(_told_once(faults, roots)))
    content = compiled(people, profiles, data, reading.rules, grants, overlays, native, budgets, standing)
    return Bundle(content, tuple(sorted(faults)), conditions=_lasting(reading))


def _lasting(reading: Reading) -> dict[str, Condition]:
    """The conditions that a bundle would compile alike: roles are what the enforcer has loaded, all else is facts."""
    known = reading.conditions.items()
    return {text: one for text, one in known if not any("subject.roles" in clause.reads for clause in one.clauses)}


def _read_file(path: Path, kind: Kind, reading: Reading, instead: Node | None = None) -> Node:
    """Read the rules of one file."""
    faults = reading.faults
    if instead is not None:
        read_rules(instead, instead.file, [], reading, kind)
        return instead
    root, before = _root(path, faults), len(faults)
    read_rules(root, f"{kind}/{path.name}", _text(path).splitlines(), reading, kind)
    if kind != "emergency" and root is not NOTHING and len(faults) == before and _bare(root):
        faults.append(_empty(root))
    return root


def _overlay(path: Path, reading: Reading) -> Overlay:
    """Read one emergency level; its rules are rows of their own, which only decide while it is in force."""
    before = len(reading.rules)
    root = _read_file(path, "emergency", reading)
    overlay = read_overlay(root, path.stem, reading.profiles, reading.faults)
    if overlay.freezes:
        add_rule(root.at(["freeze_grants"]), _frozen(path.stem, root), reading)
    rows = tuple(row for rule in reading.rules[before:] for row in rule.rows())
    return Overlay(rows, overlay.mask, overlay.freezes, overlay.title)


def _frozen(level: str, root: Node) -> Rule:
    """`freeze_grants: true` as the rule that it stands for."""
    any_ = ("*",)
    place = f"emergency/{level}.yaml:{root.at(['freeze_grants']).line}"
    title = (f"level {level}: sharing grants are frozen", f"{level} 级响应：共享授权冻结")
    return Rule(
        f"emergency-{level}-grants", "deny", any_, any_, any_, any_, ANY, "", FROZEN, written(Then()), place, title,
        f"{EMERGENCY}{level}",
    )  # fmt: skip


def _told_once(faults: Faults, roots: dict[str, Node]) -> Faults:
    """Without the file that declares them every name is unknown: one fault says it, not one for each use."""
    for name, (codes, en, zh) in DECLARES.items():
        rest = [fault for fault in faults if fault.code not in codes]
        if len(rest) == len(faults) or roots[name].value is not None:
            continue
        if roots[name] is not NOTHING:  # there, and emptied
            rest.append(roots[name].fault("P003", f"the file is empty; {en}", f"文件为空；{zh}", *_RESTORE))
        faults = rest
    return faults


def compiled(
    people: People,
    profiles: Profiles,
    data: dict[str, str],
    rules: list[Rule],
    grants: tuple[Grant, ...] = (),
    overlays: dict[str, Overlay] | None = None,
    native: Source | None = None,
    budgets: tuple[Budget, ...] = (),
    standing: Mapping[str, str] = NOWHERE,
) -> Content:
    """The content of a bundle, from what was read."""
    return Content(
        model=MODEL,
        rules=tuple(row for rule in rules if not rule.layer.startswith(EMERGENCY) for row in rule.rows()),
        roles=tuple((name, included) for name, includes in people.roles.items() for included in includes),
        orgs=tuple((name, parent) for name, parent in people.orgs.items() if parent),
        data=tuple(sorted(data.items())),
        declared=tuple(sorted(people.roles)),
        offices=tuple(sorted(people.orgs)),
        places={rule.id: rule.place for rule in rules} | (native.named() if native else {}) | dict(standing),
        titles={rule.id: rule.title for rule in rules if any(rule.title)},
        profiles=profiles.written(),
        default_mask=profiles.default,
        observe_mask=profiles.observe,
        timezone=people.timezone,
        layers={rule.id: rule.layer for rule in rules} | dict.fromkeys(native.named() if native else (), LAYER),
        basis={rule.id: rule.basis for rule in rules if any(rule.basis)},
        owners={rule.id: rule.owner for rule in rules if rule.owner},
        grants=grants,
        overlays=overlays or {},
        budgets=budgets,
        suppress=profiles.suppress,
        native=native,
    )


def _root(path: Path, faults: Faults) -> Node:
    try:
        return read(path)
    except Faulty as faulty:
        faults.extend(faulty.faults)
        return NOTHING


def _optional(path: Path, faults: Faults) -> Node:
    return _root(path, faults) if path.exists() else NOTHING


def _text(path: Path) -> str:
    """The text of a file for carets; what cannot be read has been reported already."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _files(folder: Path, faults: Faults) -> list[Path]:
    if not folder.is_dir():
        return []
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in entries:
        if path.suffix != ".yaml":
            faults.append(
                FileFault(
                    str(path), 1, 1, "P088", "is not read: rule files end in .yaml", "不会被读取：规则文件须以 .yaml 结尾",
                    "rename or remove it", "请改名或移走",
                )
            )  # fmt: skip
    return [path for path in entries if path.suffix == ".yaml"]


_READ = frozenset({"people.yaml", "masks.yaml", "devices.yaml", "sites.yaml", "grants.yaml", "grades.yaml", FILE})
_FOLDERS = frozenset({"rules", "departments", "cities", "emergency", "catalog", "tests", "casbin"})


def _check_strays(folder: Path, faults: Faults) -> None:
    """A rule file beside the folder of rules, or in a folder `city/`, looks as if it were in force, and is not."""
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.name.startswith(".") or entry.name in _READ or (entry.is_dir() and entry.name in _FOLDERS):
            continue
        found = sorted(entry.rglob("[!.]*")) if entry.is_dir() else [entry]
        for path in [path for path in found if path.suffix in {".yaml", ".yml"}][:1]:
            faults.append(
                FileFault(
                    str(path), 1, 1, "P088", "is not read: rules stand in rules/, departments/, cities/ or emergency/, assets in catalog/",
                    "不会被读取：规则应放在 rules/、departments/、cities/ 或 emergency/，资产应放在 catalog/", "move or remove it", "请移动或移走",
                )
            )  # fmt: skip


def _check_model(path: Path, faults: Faults) -> None:
    """Another model would mean that index and enforcer understand the rows differently."""
    if path.exists() and _text(path) != MODEL:
        faults.append(
            FileFault(
                str(path), 1, 1, "P087", "differs from the model of this gateway", "与本网关的模型不一致",
                "restore the shipped file, or remove it", "请恢复随附文件，或将其删除",
            )
        )  # fmt: skip


def _check_names(folder: Path, assets: list[AssetName], people: People, data: dict[str, str], faults: Faults) -> None:
    catalog = str(folder / "catalog")
    for name in sorted(set(data) & set(data.values())):
        faults.append(
            FileFault(
                catalog, 1, 1, "P016", f"`{name}` is both an asset and a category", f"`{name}` 既是资产又是类别",
                "a rule about one would also mean the other: rename one", "规则会同时指向两者：请改名",
            )
        )  # fmt: skip
    for owner in sorted({asset.owner for asset in assets} - set(people.orgs) - {""}):
        faults.append(
            FileFault(
                catalog, 1, 1, "P017", f"the owner `{owner}` is not an org of people.yaml",
                f"数据所有者 `{owner}` 不在 people.yaml 的机构中", "add the org", "请添加该机构", True,
            )
        )  # fmt: skip


def _bare(root: Node) -> bool:
    rules = root.value.get("rules") if isinstance(root.value, dict) else None
    return rules is None or rules.value in (None, [])


def _empty(root: Node) -> FileFault:
    return FileFault(
        root.file, 1, 1, "P089", "there are no rules in this file", "该文件中没有规则",
        "write them under `rules:`, or remove the file", "请在 `rules:` 下写规则，或删除该文件", True,
    )  # fmt: skip


def _nothing_allowed(folder: Path) -> FileFault:
    return FileFault(
        str(folder / "rules"), 1, 1, "P086", "no rule allows anything: every request is denied", "没有任何允许规则：所有请求都会被拒绝",
        "write one with `effect: allow` into rules/NAME.yaml", "请在 rules/名称.yaml 中写 `effect: allow` 的规则", True,
    )  # fmt: skip
