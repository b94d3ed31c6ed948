"""`gateway audit`: what happened, and is the record whole?"""

import argparse
import errno
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.cli import seen
from gateway.cli.columns import head, told
from gateway.cli.parser import with_config, with_door
from gateway.cli.screen import Screen

WORDS = seen.WORDS
BRIEF = (
    "time", "id", "subject", "name", "target", "api", "method", "path", "action", "asset", "level", "outcome", "reason",
    "layer", "status", "code", "records", "detail",
)  # fmt: skip
"""What of an entry fits a screen, where any row has it; `-o json` gives the rest."""

WHOLE = ("time", "id")
LEDGER = ("entries", "leaves", "checkpoints", "checkpoint")

MOST_ROWS = 10_000
RULE_ID = re.compile(r"(?:rule|规则|依据)[:：]\s*[\"“]?[\w*-]+[\"”]?(?![\w/.*-])")
"""A rule asked for by its id; the record names file and line, as they were."""

LOOKS, LOOK_SECONDS = 10, 0.2
LONGEST_NOTE = 1024 * 1024
EXIT = {"intact": 0, "altered": 4, "incomplete": 5}


def register(subparsers: Any) -> None:
    """Add the commands."""
    group = subparsers.add_parser("audit", help="audit.help", description="audit.help")
    commands = group.add_subparsers(dest="audit_command", metavar="COMMAND", required=True)
    query = commands.add_parser("query", help="audit.query.help", description="audit.query.help")
    query.add_argument("query", metavar="QUERY", help="audit.expression")
    query.add_argument("--limit", type=int, default=100, help="audit.limit")
    query.add_argument("--csv", action="store_true", help="audit.csv")
    query.add_argument("--offline", action="store_true", help="audit.offline")
    with_door(query)
    query.set_defaults(run=run, audit_run=_query)
    seen.add(commands, run)
    verify = commands.add_parser("verify", help="audit.verify.help", description="audit.verify.help")
    verify.add_argument("ledger", nargs="?", default="", metavar="DIR", help="audit.ledger")
    verify.add_argument("--public-key", action="append", default=[], metavar="KEY", help="audit.public_key")
    verify.add_argument("--checkpoint", default="", metavar="FILE", help="audit.checkpoint")
    with_config(verify)
    verify.set_defaults(run=run, audit_run=_verify)
    prove = commands.add_parser("prove", help="audit.prove.help", description="audit.prove.help")
    prove.add_argument("entry", metavar="NUMBER", help="audit.entry")
    prove.add_argument("ledger", nargs="?", default="", metavar="DIR", help="audit.ledger")
    with_config(prove)
    prove.set_defaults(run=run, audit_run=_prove)


def run(args: argparse.Namespace) -> int:
    """Run one of the commands."""
    code: int = args.audit_run(args, Screen(args))
    return code


# --- query ------------------------------------------------------------------------------------


def _query(args: argparse.Namespace, screen: Screen) -> int:
    """0 with the rows, 2 for a question that cannot be read, 3 when nobody and nothing answers."""
    from gateway.cli.door import NoAnswer, ask, complaint, socket_of

    if args.csv and screen.json:
        screen.warn("audit.one_form", "error")
        return 2
    if args.offline:
        return _from_index(args, screen)
    path = socket_of(args, screen)
    if path is None:
        return 3
    try:
        status, answer = ask(path, "POST", "/v1/audit/query", {"query": args.query, "limit": args.limit}, args.lang)
    except NoAnswer as silence:
        if args.socket:
            screen.warn("no_answer", "error", socket=silence.socket, why=screen.choose(silence.why, silence.zh))
            return 3
        return _from_index(args, screen)
    if status != 200:
        screen.warn("refused", "error", status=status, why=complaint(answer))
        return {400: 2, 401: 1, 403: 1}.get(status, 3)
    return _show(answer["rows"], args, screen)


def _from_index(args: argparse.Namespace, screen: Screen) -> int:
    """Ask the index itself: the operating system decides who may read it."""
    from gateway.audit.query import Unanswerable, query
    from gateway.config import places
    from gateway.document import Faulty

    if not Path(args.config).exists():
        screen.warn("no_config", "error", path=args.config)
        return 3
    try:
        index = places(Path(args.config), os.environ).state / "index.db"
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return 3
    if not index.is_file():
        screen.warn("audit.no_index", "error", path=index.parent)
        return 3
    screen.warn("audit.offline_said", "warning")
    try:
        rows = query(index, args.query, args.limit)
    except Unanswerable as odd:
        screen.warn("plain", "error", text=screen.choose(odd.en, odd.zh))
        return 2
    return _show(rows, args, screen)


def _show(rows: list[dict[str, Any]], args: argparse.Namespace, screen: Screen) -> int:
    names = list(rows[0]) if rows else []
    if rows and not args.csv and "kind" in rows[0]:
        names = [name for name in BRIEF if any(row[name] not in (None, "", []) for row in rows)]
    heads = [head(name, screen.language) for name in names]
    cells = [[told(name, row[name], screen.language) for name in names] for row in rows]
    if args.csv:
        screen.csv(heads, cells)
    elif rows:
        screen.table(heads, cells, [head(name, screen.language) for name in WHOLE])
    if not args.csv:
        screen.say("audit.rows", "dim", count=len(rows))
    if len(rows) >= min(args.limit, MOST_ROWS):  # a list that was cut must not pass for the whole
        screen.warn("audit.cut", "warning", count=len(rows), most=MOST_ROWS)
    if not rows and RULE_ID.search(args.query):
        screen.warn("audit.rule_id", "warning")
    screen.result(rows)
    return 0


# --- prove ------------------------------------------------------------------------------------


def _prove(args: argparse.Namespace, screen: Screen) -> int:
    """0 with the proof that an entry is in the ledger, 1 not covered yet, 2 no number, 3 cannot be read."""
    from gateway.audit import Malformed, prove
    from gateway.config import places
    from gateway.document import Faulty

    if not (args.entry.isascii() and args.entry.isdigit() and len(args.entry) < 19):
        screen.warn("audit.entry_odd", "error", value=args.entry)
        return 2
    try:
        ledger = Path(args.ledger) if args.ledger else places(Path(args.config), os.environ).state / "ledger"
        if not ledger.is_dir():
            screen.warn("audit.no_folder", "error", path=ledger)
            return 3
        proof = prove(ledger, int(args.entry))
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return 3
    except ValueError:
        screen.warn("audit.uncovered", "error", value=args.entry)
        return 1
    except (OSError, Malformed) as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    screen.line(proof.removesuffix("\n"))
    screen.result({"number": int(args.entry), "proof": proof})
    return 0


# --- verify -----------------------------------------------------------------------------------


def _verify(args: argparse.Namespace, screen: Screen) -> int:
    """0 intact, 4 altered, 5 incomplete, 2 no usable key, folder or checkpoint named, 3 cannot be read, or nothing yet."""
    from gateway.audit.verify import verify

    if not args.ledger and args.public_key and not Path(args.config).is_file():
        screen.warn("audit.no_folder_named", "error")
        return 2
    found = _ledger(args, screen)
    if found is None:
        return 3
    ledger, keys, own = found
    if not args.ledger and not args.checkpoint and _untouched(ledger):
        screen.warn("audit.nothing_yet", "error", path=ledger)
        return 3
    if not keys:
        screen.warn("audit.no_key", "error")
        return 2
    if own:
        screen.warn("audit.own_key", "warning")
    try:
        checkpoint = _note(args.checkpoint)
        code = _odd_input(args, ledger, keys, checkpoint, screen)
        if code:
            return code
        verdict = _settled(ledger, lambda: verify(ledger, keys[0], checkpoint, beside=keys[1:]))
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    _judge(verdict, screen)
    if verdict.status == "altered" and _national(keys[0]):
        screen.warn("audit.sm2_alone", "warning")
    screen.result(verdict)
    return EXIT[verdict.status]


def _untouched(ledger: Path) -> bool:
    """Whether no gateway has run on this state yet. With a trace of one, a ledger that is gone was taken away."""
    state = ledger.parent
    traces = [*((ledger / name) for name in LEDGER), state / "index.db", state / "board"]
    return not any(path.exists() for path in traces) and not any((state / "journal").glob("*.log"))


def _odd_input(args: argparse.Namespace, ledger: Path, keys: list[str], checkpoint: str | None, screen: Screen) -> int:
    """The exit code for what the auditor named wrongly, or 0: it must not be held against the ledger."""
    from gateway.audit.checkpoint import Verifier, read_checkpoint
    from gateway.audit.entry import Malformed
    from gateway.crypto.sm2 import Sm2Missing

    for key in keys:
        try:
            Verifier(key)
        except Malformed as odd:
            if key in args.public_key and key.count("+") < 2:
                screen.warn("audit.no_key_file", "error", path=key)
            else:
                screen.warn("audit.key_odd", "error", why=odd)
            return 2
        except Sm2Missing as missing:
            screen.warn("audit.no_sm2", "error", why=missing)
            return 3
    if checkpoint is not None:
        try:
            read_checkpoint(checkpoint, Verifier(keys[0]))
        except Malformed as odd:
            screen.warn("audit.checkpoint_odd", "error", path=args.checkpoint, why=odd)
            return 2
    if not ledger.is_dir():
        screen.warn("audit.no_folder", "error", path=ledger)
        return 3
    if args.ledger and not any((ledger / name).exists() for name in LEDGER):
        screen.warn("audit.no_ledger", "error", path=ledger)
        return 3
    return 0


def _note(path: str) -> str | None:
    if not path:
        return None
    with Path(path).open("rb") as file:
        note = file.read(LONGEST_NOTE + 1)
    if len(note) > LONGEST_NOTE:  # or without end, as /dev/zero
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return note.decode("utf-8", "replace").replace("\r\n", "\n")


def _settled(ledger: Path, look: Callable[[], Any]) -> Any:
    """The verdict; while a gateway is sealing this ledger, its last entries are given time to be signed."""
    from gateway.audit.sealer import at_work

    for _ in range(LOOKS):
        verdict = look()
        if verdict.status != "incomplete" or not at_work(ledger):
            return verdict
        time.sleep(LOOK_SECONDS)
    return look()


def _judge(verdict: Any, screen: Screen) -> None:
    why = screen.choose(verdict.en, verdict.zh)
    if verdict.status == "intact":
        screen.say("audit.intact", "good", size=verdict.size, checkpoints=verdict.checkpoints)
    elif verdict.status == "altered":
        at = screen.text("audit.altered_at", at=verdict.at) if verdict.at is not None else ""
        screen.say("audit.altered", "error", at=at, why=why)
        screen.warn("audit.altered_next", "warning")
    else:
        screen.say("audit.incomplete", "warning", size=verdict.size, why=why)
        screen.warn("audit.incomplete_next", "warning")
    for one in verdict.keys:
        screen.say("audit.signed_by", name=one.name, algorithm=one.algorithm, count=one.checkpoints)
    for key, count in (("audit.open", verdict.open), ("audit.interrupted", verdict.interrupted)):
        if count:
            screen.say(key, count=count)
    for gap in verdict.gaps:
        screen.say("audit.gap", what=gap)


def _ledger(args: argparse.Namespace, screen: Screen) -> tuple[Path, list[str], bool] | None:
    """The ledger's folder, the keys with one of Ed25519 first, and whether it is the gateway's own copy; the auditor needs no configuration."""
    if args.ledger and args.public_key:
        return Path(args.ledger), _keys(args.public_key), False
    from gateway.config import places
    from gateway.config.state import verifiers
    from gateway.document import Faulty

    if args.ledger:
        state = Path(args.ledger).parent
    else:
        if not Path(args.config).exists():
            screen.warn("no_config", "error", path=args.config)
            return None
        try:
            state = places(Path(args.config), os.environ).state
        except Faulty as faulty:
            screen.faults(faulty.faults)
            return None
    ledger = Path(args.ledger) if args.ledger else state / "ledger"
    if args.public_key:
        return ledger, _keys(args.public_key), False
    own = list(verifiers(state))
    return ledger, own, bool(own)


def _keys(given: list[str]) -> list[str]:
    """The keys that were named, those of SM2 last: every checkpoint carries the other kind, in every profile."""
    return sorted(dict.fromkeys(map(_key, given)), key=_national)


def _national(key: str) -> bool:
    from gateway.crypto.keys import KeyFault, read_verifier

    try:
        return read_verifier(key).algorithm == "SM2"
    except KeyFault:
        return False


def _key(given: str) -> str:
    """A key as it was given, or the content of the file that was named."""
    path = Path(given)
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else given
    except OSError:
        return given
