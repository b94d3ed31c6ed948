"""How does what a person accepted come into the ledger?

Rules:

1. All or nothing: every line is read and the whole catalog judged with them before the first file is written.
2. Each field carries who accepted it, and when. Nobody accepts without a name.
3. What the ledger labels already is left as it is: a proposal adds, it never lowers. One that says more, or otherwise, is refused:
   whoever corrected a label is not left to believe that it was.
4. A path that no answer on record held is entered, and told: most often it is mistyped. So is an asset none of whose answers is
   on record: nothing speaks for its paths.
"""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.cli.asset.ledger import Asset, Kept, Ledger
    from gateway.document import Node, Plain
    from gateway.facts import Grade

_NAME = re.compile(r"[\w.@-]{1,64}\Z")
_KEYS = ("asset", "path", "identifier", "grade", "note", "confidence", "evidence")


def accept(args: argparse.Namespace, found: "Ledger", screen: Screen) -> int:
    """Enter the lines of the reviewed file: 0, 1 for faults in it, 2 for no name, 3 when it cannot be read or written."""
    from gateway.cli.asset.ledger import judged, put, refused, tell_raised, with_assets
    from gateway.cli.policy.rewrite import Refused, take
    from gateway.document import Faulty, Unsafe, parse

    if not _NAME.match(args.accept):
        screen.warn("asset.propose.name_odd", "error", value=args.accept)
        return refused(screen, 2)
    try:
        root = parse(take(Path(args.source)).data.decode("utf-8-sig"), args.source)
    except (Refused, UnicodeDecodeError) as why:
        said = (
            screen.choose(why.en, why.zh)
            if isinstance(why, Refused)
            else screen.choose("is not UTF-8", "不是 UTF-8 编码")
        )
        screen.warn("asset.propose.unreadable", "error", path=args.source, why=said)
        return refused(screen, 3)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return refused(screen, 3, faulty.faults)
    lines = _lines(root, found, args, screen)
    files = _files(lines, found, args, screen) if lines is not None else None
    if lines is None or files is None:
        return refused(screen, 1)
    if not files:
        screen.say("asset.propose.nothing", "good")
        screen.result({"ok": True, "accepted": 0})
        return 0
    try:
        texts = {file.path: (file, with_assets(file, assets), count) for file, assets, count in files}
    except Unsafe as unsafe:
        screen.warn("asset.import.unsafe", "error", path=args.source, why=screen.choose(unsafe.en, unsafe.zh))
        return refused(screen, 3)
    drafts = {path: text for path, (_, text, _) in texts.items()}
    errors, before, after = judged(found, drafts)
    screen.faults([*errors, *before])
    if errors:
        screen.warn("asset.propose.bad", "error", count=len(errors))
    else:
        tell_raised(found, after, screen)
        _tell_unmet(lines, found, args, screen)
        for path, (file, text, count) in texts.items():
            if not put(file, text, screen):
                return refused(screen, 3)
            screen.say("asset.propose.accepted", "good", path=path, count=count, name=args.accept)
        screen.warn("asset.next", "dim")
    screen.result({"ok": not errors, "accepted": sum(count for _, _, count in texts.values()) if not errors else 0})
    return 1 if errors else 0


def _lines(root: "Node", found: "Ledger", args: argparse.Namespace, screen: Screen) -> "list[Node] | None":
    """The proposals of a file; None after saying which of them have another form."""
    from gateway.catalog import shapes

    place = root.at(["proposals"])
    lines = place.value if place is not root and isinstance(place.value, list) else None
    if lines is None:
        screen.warn("asset.propose.no_list", "error", file=args.source, line=str(root.line))
        return None
    good = True
    for line in lines:
        said = line.value if isinstance(line.value, dict) else {}
        whole = all(isinstance(said[key].value, str) if key in said else False for key in ("asset", "path", "grade"))
        faults = list(line.unknown_keys(_KEYS, "K001"))
        if whole:
            shapes.path(said["path"], str(said["path"].value), faults)
            shapes.identifier(line, "identifier", faults)
            shapes.grade(line, "grade", found.words, faults)
        screen.faults(faults)
        if not whole:
            screen.warn("asset.propose.form", "error", file=args.source, line=str(line.line))
        good &= whole and not faults
    return lines if good else None


def _files(
    lines: "list[Node]", found: "Ledger", args: argparse.Namespace, screen: Screen
) -> "list[tuple[Kept, dict[int, Asset], int]] | None":
    """The files that change, their new assets by place, and how many fields are new; None after saying what is wrong."""
    from gateway.cli.asset.ledger import kept

    changed: dict[Path, tuple[Kept, dict[int, Asset], int]] = {}
    good = True
    for line in lines:
        said = line.plain()
        proposal = said if isinstance(said, dict) else {}
        file = kept(found.place.folder, str(proposal["asset"]))
        if file is None:
            screen.warn(
                "asset.propose.no_asset", "error", file=args.source, line=str(line.line), asset=str(proposal["asset"])
            )
            return None
        _, assets, count = changed.get(file.path, (file, {}, 0))
        asset = assets.get(file.at, file.asset)
        after = _with_field(asset, proposal, {"by": args.accept, "on": found.today})
        if after is asset:
            label = _labelled_otherwise(asset, proposal, found.words)
            where = {"file": args.source, "line": str(line.line), "kept": file.path, "label": label}
            key, colour = ("asset.propose.otherwise", "error") if label else ("asset.propose.known", "dim")
            screen.warn(key, colour, asset=str(asset["id"]), path=str(proposal["path"]), **where)
            good &= not label
        else:
            changed[file.path] = file, assets | {file.at: after}, count + 1
    return list(changed.values()) if good else None


def _with_field(asset: "Asset", proposal: "dict[str, Plain]", reviewed: "dict[str, Plain]") -> "Asset":
    """The asset with one more field; itself where it has this one, or a path that the catalog's reader will refuse."""
    from gateway.inventory.drift import items

    path = _spelled(str(proposal["path"]))
    if path in {_spelled(str(one.get("path"))) for one in items(asset, "fields")}:
        return asset
    field: dict[str, Plain] = {"path": path}
    field |= {key: proposal[key] for key in ("identifier", "grade", "note") if key in proposal}
    field["reviewed"] = reviewed
    fields = asset.get("fields")
    return asset | {"fields": [*(fields if isinstance(fields, list) else []), field]}


def _labelled_otherwise(asset: "Asset", proposal: "dict[str, Plain]", words: "Mapping[str, Grade]") -> str:
    """The label that the ledger has for this path, where the proposal says another identifier or a higher grade."""
    from gateway.catalog.inheritance import UNLABELLED
    from gateway.inventory.drift import fields_of

    path, identifier = _spelled(str(proposal["path"])), proposal.get("identifier")
    one = next(field for field in fields_of(asset, words) if field.name == path)
    grade = one.grade or UNLABELLED.grade
    differs = (identifier and identifier not in one.identifiers) or words[str(proposal["grade"])] > grade
    return " ".join((*one.identifiers, grade.text)) if differs else ""


def _tell_unmet(lines: "list[Node]", found: "Ledger", args: argparse.Namespace, screen: Screen) -> None:
    """Say which paths no answer held. The record tells only what nobody had labelled, discovery what its samples held."""
    from difflib import get_close_matches

    from gateway.cli.asset.past import recorded
    from gateway.cli.asset.propose import discovered, learnt
    from gateway.inventory.known import Known

    learnt(args, screen)  # says why discovery cannot be read
    labels, usage, sampled = Known(found.catalog.assets), recorded(args, (), screen), discovered(args)
    unseen: dict[str, None] = {}
    for line in lines:
        asset, path = (str(line.at([key]).value) for key in ("asset", "path"))
        met = set(sampled.get(asset, ()))
        routes = usage.of_asset(asset) if usage is not None and not isinstance(usage, int) else []
        met.update(each for route in routes for each in route.unlabelled)
        if not met and not any(route.answers for route in routes):
            unseen[asset] = None
            continue
        if _is_held(path, met) or (not sampled.get(asset) and labels.labels(asset, path)):
            continue
        near = get_close_matches(path, met, n=1)
        hint = screen.text("asset.propose.near", path=near[0]) if near else ""
        screen.warn(
            "asset.propose.unmet", "warning", file=args.source, line=str(line.line), asset=asset, path=path, near=hint
        )
    for asset in unseen:
        screen.warn("asset.propose.unseen", "warning", asset=asset)


def _is_held(path: str, met: "Iterable[str]") -> bool:
    """Whether a value was met on this path, or below it; any element stands for all."""
    from gateway.jsonpath import Element, Every, covers, parse

    steps = tuple(Every() if isinstance(step, Element) else step for step in parse(path))
    return any(covers(steps, parse(one)) for one in _readable(met))


def _readable(paths: "Iterable[str]") -> "Iterator[str]":
    """Those of the record that can be read: one may have been cut short."""
    from gateway.jsonpath import BadPath, parse

    for path in paths:
        try:
            parse(path)
        except BadPath:
            continue
        yield path


def _spelled(path: str) -> str:
    """The one spelling of a path, or what stands there instead."""
    from gateway.jsonpath import BadPath, parse, spell

    try:
        return spell(parse(path))
    except BadPath:
        return path
