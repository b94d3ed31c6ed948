"""How does what a person accepted come into the ledger?

Rules:

1. All or nothing: every line is read and the whole catalog judged with them before the first file is written.
2. Each field carries who accepted it, and when. Nobody accepts without a name.
3. What the ledger labels already is left as it is: a proposal adds, it never lowers.
"""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.cli.asset.ledger import Asset, Kept, Ledger
    from gateway.document import Node, Plain

_NAME = re.compile(r"[\w.@-]{1,64}\Z")
_KEYS = ("asset", "path", "identifier", "grade", "note", "confidence", "evidence")


def accept(args: argparse.Namespace, found: "Ledger", screen: Screen) -> int:
    """Enter the lines of the reviewed file: 0, 1 for faults in it, 2 for no name, 3 when it cannot be read or written."""
    from gateway.cli.asset.ledger import judged, put, refused, tell_raised, with_assets
    from gateway.document import Faulty, Unsafe, read

    if not _NAME.match(args.accept):
        screen.warn("asset.propose.name_odd", "error", value=args.accept)
        return refused(screen, 2)
    try:
        root = read(Path(args.source))
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return refused(screen, 3, faulty.faults)
    lines = _lines(root, args, screen)
    files = _files(lines, found, args, screen) if lines is not None else None
    if files is None:
        return refused(screen, 1)
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
        for path, (file, text, count) in texts.items():
            if not put(file, text, screen):
                return refused(screen, 3)
            screen.say("asset.propose.accepted", "good", path=path, count=count, name=args.accept)
        screen.warn("asset.next", "dim")
    screen.result({"ok": not errors, "accepted": sum(count for _, _, count in texts.values()) if not errors else 0})
    return 1 if errors else 0


def _lines(root: "Node", args: argparse.Namespace, screen: Screen) -> "list[Node] | None":
    """The proposals of a file; None after saying which of them have another form."""
    place = root.at(["proposals"])
    lines = place.value if place is not root and isinstance(place.value, list) else None
    if lines is None:
        screen.warn("asset.propose.form", "error", file=args.source, line=str(root.line))
        return None
    good = True
    for line in lines:
        said = line.value if isinstance(line.value, dict) else {}
        whole = all(isinstance(said[key].value, str) if key in said else False for key in ("asset", "path", "grade"))
        faults = tuple(line.unknown_keys(_KEYS, "K001"))
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
            screen.warn("asset.propose.known", "dim", asset=str(asset["id"]), path=str(proposal["path"]))
        else:
            changed[file.path] = file, assets | {file.at: after}, count + 1
    return list(changed.values())


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


def _spelled(path: str) -> str:
    """The one spelling of a path, or what stands there instead."""
    from gateway.jsonpath import BadPath, parse, spell

    try:
        return spell(parse(path))
    except BadPath:
        return path
