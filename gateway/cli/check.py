"""`gateway check`: would the gateway start with these files, and would it do what they say?

Reads everything that `serve` would read, runs the tests of the policies, and never starts anything.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.cli.policy.folder import Read
    from gateway.config import Config
    from gateway.document import FileFault


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("check", help="check.help", description="check.help")
    with_config(parser)
    parser.add_argument("--write-schema", metavar="FILE", default="", help="check.schema")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when it would start and every policy test passes, 1 when not, 3 when the file cannot be read."""
    screen = Screen(args)
    if args.write_schema:
        return _write_schema(Path(args.write_schema), screen)
    path = Path(args.config)
    if not path.is_file():
        screen.warn("no_config", "error", path=path)
        return 3
    return _check(path, screen)


def _check(path: Path, screen: Screen) -> int:
    from gateway.app.releases import signers
    from gateway.app.signatures import NOBODY
    from gateway.cli.policy.folder import read
    from gateway.config import load, places
    from gateway.config.state import faults as key_faults
    from gateway.document import Faulty

    config: Config | None = None
    found: list[FileFault] = []
    try:
        config = load(path, os.environ)
        found += config.warnings
    except Faulty as faulty:
        found += faulty.faults
    try:
        where = places(path, os.environ)
    except Faulty:
        screen.faults(found)
        screen.result({"ok": False, "faults": fault_values(found)})
        return 1
    policies = read(where.policies, config.apis if config else (), signers(config) if config else NOBODY)
    found += policies.faults if where.policies.is_dir() else ()  # a folder that is not there is one fault, said above
    keys = key_faults(where.state, where.origin, where.crypto)
    failed = policies.failed
    good = not failed and not keys and all(one.warning for one in found)
    screen.faults(found)
    for fault in keys:
        screen.warn("check.key", "error", why=fault)
    screen.failures(failed)
    _summary(screen, config, policies)
    errors = sum(not one.warning for one in found)
    if good:
        screen.say("check.good", "good", warnings=len(found))
    else:
        screen.say("check.bad", "error", errors=errors + len(keys), tests=len(failed))
    screen.result(
        {
            "ok": good,
            "faults": fault_values(found),
            "keys": [one.en for one in keys],
            "tests": policies.ran,
            "observing": list(config.observing) if config else None,
            "insecure": list(config.insecure) if config else None,
            "bundle": policies.bundle.digest if policies.bundle else None,
            "revision": (policies.revision if config else "") or None,
        }
    )
    return 0 if good else 1


def _summary(screen: Screen, config: "Config | None", policies: "Read") -> None:
    """What the gateway would do, in a few lines."""
    if config is not None:
        screen.say("check.listens", addresses=", ".join(map(str, config.listen)), url=config.public_url)
        screen.say("check.apis", count=len(config.apis), names=", ".join(api.name for api in config.apis))
        if config.observing:
            screen.say("check.observing", "warning", names=", ".join(config.observing))
        if config.insecure:
            screen.say("check.insecure", "warning", names=", ".join(config.insecure))
    if policies.bundle is not None:
        digest = policies.bundle.digest[:12]
        screen.say("check.policies", rules=policies.rules, assets=policies.assets, digest=digest)
        if policies.revision and config is not None:
            screen.say("check.revision", revision=policies.revision[:12])
    if policies.tests:
        screen.say("check.tests", count=len(policies.tests), passed=sum(test.passed for test in policies.tests))
    elif policies.bundle is not None:
        screen.say("check.no_tests", "warning")


def _write_schema(path: Path, screen: Screen) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        screen.warn("cannot_write", "error", why=error)
        return 3
    screen.say("init.made", path=path)
    screen.result({"made": [str(path)]})
    return 0


def schema_text() -> str:
    """The JSON Schema of the configuration as it is kept in `deploy/schema`."""
    import json

    from gateway.config import schema

    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
