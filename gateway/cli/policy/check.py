"""`gateway policy check`: are the rules good?"""

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import meant
from gateway.cli.policy.reports import of_faults, of_tests, with_reports, write_reports
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.folder import Read
    from gateway.document import FileFault

WORDS: dict[str, tuple[str, str]] = {
    "check.signer": (
        "verifier key of somebody who must have signed them; may be repeated (default: the configuration's)",
        "必须签名的签名人公钥，可重复（默认取自配置）",
    ),
    "check.no_key": ("`{value}` is not a verifier key", "`{value}` 不是验签公钥"),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="policy.check.help", description="policy.check.help")
    with_folder(parser)
    parser.add_argument("--signer", action="append", metavar="KEY", help="check.signer")
    with_reports(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read everything, check signatures and run the tests: 0 good, 1 not, 2 what is no key, 3 there is no folder."""
    from gateway.crypto.keys import KeyFault, read_verifier
    from gateway.policy import failure

    screen = Screen(args)
    for value in args.signer or ():
        try:
            read_verifier(value)
        except KeyFault:
            screen.warn("check.no_key", "error", value=value)
            return 2
    found = meant(args, screen)
    if found is None:
        return 3
    faults = (*found.faults, *_slips(found))
    screen.faults(faults)
    screen.failures(found.failed)
    good = not found.errors and not found.failed  # a reload refuses both
    if found.bundle is not None and good:
        screen.say("policy.good", "good", rules=found.rules, assets=found.assets, digest=found.bundle.digest[:12])
        if found.tests:
            screen.say("policy.tests", passed=len(found.tests), count=len(found.tests))
        if found.revision:
            screen.say("check.revision", revision=found.revision[:12])
    else:
        screen.say("policy.bad", "error", count=found.errors, tests=len(found.failed))
    digest = found.bundle.digest if found.bundle else None
    told = {"ok": good, "faults": fault_values(faults), "tests": found.ran, "bundle": digest}
    screen.result(told | {"revision": found.revision or None})
    suites = (of_faults(faults, screen, "policy files"), of_tests(found.tests, found.folder, screen))
    failures = (failure(found.folder, test) for test in found.failed)
    return write_reports(args, screen, suites, (*faults, *failures), good)


def _slips(found: "Read") -> "tuple[FileFault, ...]":
    """Paths that meet no label: the one finding of `lint` that is told here too, for what they should hide is shown."""
    from gateway.review.lint import sources, unnamed

    if found.bundle is None or found.catalog is None:
        return ()
    return tuple(unnamed(found.bundle, found.catalog, sources(found.folder)))
