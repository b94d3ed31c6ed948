"""Which policy folder is meant: the one that was named, or the configuration's?"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.app.signatures import Signers
    from gateway.catalog import ApiBinding
    from gateway.cli.policy.folder import Read


def meant(args: argparse.Namespace, screen: Screen) -> "Read | None":
    """The policies that are meant; None after saying why they cannot be read."""
    from gateway.app.signatures import Signers
    from gateway.cli.policy.folder import read
    from gateway.document import Faulty

    apis: tuple[ApiBinding, ...] = ()
    named = getattr(args, "signer", None) or ()
    signers = Signers(tuple(named), len(named))
    if args.dir:
        folder = Path(args.dir)
    else:
        if not Path(args.config).is_file():
            screen.warn("no_config", "error", path=args.config)
            return None
        try:
            folder, apis, said = _configured(Path(args.config))
            signers = signers if named else said
        except Faulty as faulty:
            screen.faults(faulty.faults)
            return None
    if not folder.is_dir():
        screen.warn("audit.no_folder", "error", path=folder)
        return None
    return read(folder, apis, signers)


def _configured(path: Path) -> "tuple[Path, tuple[ApiBinding, ...], Signers]":
    """The policy folder of a configuration, its APIs and signers; only the folder when it has faults elsewhere."""
    from gateway.app.releases import signers
    from gateway.app.signatures import NOBODY
    from gateway.config import load, places
    from gateway.document import Faulty

    try:
        config = load(path, os.environ)
    except Faulty:
        return places(path, os.environ).policies, (), NOBODY
    return config.policies, config.apis, signers(config)
