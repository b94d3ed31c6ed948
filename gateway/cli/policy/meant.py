"""Which policy folder is meant: the one that was named, or the configuration's?"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.app.signatures import Signers
    from gateway.catalog import ApiBinding
    from gateway.cli.policy.folder import Read


class Located(NamedTuple):
    """Where the policies are, and what the configuration says about them."""

    folder: Path
    apis: "tuple[ApiBinding, ...]"
    signers: "Signers"


def meant(args: argparse.Namespace, screen: Screen) -> "Read | None":
    """The policies that are meant; None after saying why they cannot be read."""
    from msgspec.structs import replace

    from gateway.cli.policy.folder import read

    place = located(args, screen)
    if place is None:
        return None
    found = read(place.folder, place.apis, place.signers)
    # without the APIs of the configuration the catalog is another one, and so is the name of it all
    return found if place.apis else replace(found, revision="")


def apis_for(folder: Path, config: Path) -> "tuple[ApiBinding, ...]":
    """The APIs of a configuration that reads this policy folder; none when there is no such configuration."""
    from gateway.config import load
    from gateway.document import Faulty

    if not config.is_file():
        return ()
    try:
        found = load(config, os.environ)
    except Faulty:
        return ()
    return found.apis if found.policies.resolve() == folder.resolve() else ()


def located(args: argparse.Namespace, screen: Screen) -> Located | None:
    """The folder that is meant; None after saying why there is none."""
    from gateway.app.signatures import Signers
    from gateway.document import Faulty

    named = getattr(args, "signer", None) or ()
    place = Located(Path(getattr(args, "dir", "")), (), Signers(tuple(named), len(named)))
    if not getattr(args, "dir", ""):
        if not Path(args.config).is_file():
            screen.warn("no_config", "error", path=args.config)
            return None
        try:
            configured = _configured(Path(args.config))
        except Faulty as faulty:
            screen.faults(faulty.faults)
            return None
        place = configured._replace(signers=place.signers) if named else configured
    if not place.folder.is_dir():
        screen.warn("audit.no_folder", "error", path=place.folder)
        return None
    return place


def _configured(path: Path) -> Located:
    """The policy folder of a configuration, its APIs and signers; only the folder when it has faults elsewhere."""
    from gateway.app.releases import signers
    from gateway.app.signatures import NOBODY
    from gateway.config import load, places
    from gateway.document import Faulty

    try:
        config = load(path, os.environ)
    except Faulty:
        return Located(places(path, os.environ).policies, (), NOBODY)
    return Located(config.policies, config.apis, signers(config))
