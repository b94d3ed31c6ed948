"""Which policies are meant: those of the folder that was named, or the configuration's?"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.app.signatures import Signers
    from gateway.catalog import ApiBinding, Catalog
    from gateway.cli.policy.folder import Read
    from gateway.policy import Bundle


class Located(NamedTuple):
    """Where the policies are, and what the configuration says about them."""

    folder: Path
    apis: "tuple[ApiBinding, ...]"
    signers: "Signers"


class Judging(NamedTuple):
    """Policies that can judge: their catalog and their rules have no faults."""

    read: "Read"
    bundle: "Bundle"
    catalog: "Catalog"


def judging(args: argparse.Namespace, screen: Screen) -> Judging | int:
    """The policies that are meant; the exit code after saying why they cannot judge."""
    from gateway.cli.policy.reports import of_faults, write_reports

    found = meant(args, screen)
    if found is None:
        return 3
    if found.bundle is not None and found.catalog is not None:
        return Judging(found, found.bundle, found.catalog)
    screen.faults(found.faults)
    screen.result({"ok": False, "faults": fault_values(found.faults)})
    suite = of_faults(found.faults, screen, "policy files")
    return write_reports(args, screen, (suite,), found.faults) if "sarif" in args else 1


def meant(args: argparse.Namespace, screen: Screen) -> "Read | None":
    """What there is of the policies that are meant; None after saying that there is no folder."""
    place = located(args, screen)
    if place is None:
        return None
    return read_at(place)


def read_at(place: Located) -> "Read":
    """What there is of the policies at a place."""
    from msgspec.structs import replace

    from gateway.cli.policy.folder import read

    found = read(place.folder, place.apis, place.signers)
    # without the APIs of the configuration the catalog is another one, and so is the name of it all
    return found if place.apis else replace(found, revision="")


def located(args: argparse.Namespace, screen: Screen) -> Located | None:
    """The folder that is meant; None after saying why there is none."""
    from gateway.app.signatures import Signers
    from gateway.document import Faulty

    signers = tuple(getattr(args, "signer", None) or ())
    named = Signers(signers, len(signers))
    dir, config = getattr(args, "dir", ""), Path(args.config)
    if dir:
        place = Located(Path(dir), _apis_for(Path(dir), config), named)
    elif not config.is_file():
        screen.warn("no_config", "error", path=config)
        return None
    else:
        try:
            place = _configured(config)
        except Faulty as faulty:
            screen.faults(faulty.faults)
            return None
        if signers:
            place = place._replace(signers=named)
    if not place.folder.is_dir():
        screen.warn("init.in_the_way" if place.folder.exists() else "audit.no_folder", "error", path=place.folder)
        return None
    return place


def _apis_for(folder: Path, config: Path) -> "tuple[ApiBinding, ...]":
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
