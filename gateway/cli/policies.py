"""What is in this policy folder: catalog, rules, tests, and everything wrong with them?

Shared by the commands that read policies; a fault in one file hides none in another.
"""

import time
from pathlib import Path

from msgspec import Struct

from gateway.catalog import ApiBinding, Catalog
from gateway.catalog import load as load_catalog
from gateway.document import Faulty, FileFault
from gateway.policy import Bundle, TestResult, offices, run_tests
from gateway.policy import load as load_policy


class Read(Struct, frozen=True):
    """What could be read. `catalog` and `bundle` are None when they have faults."""

    catalog: Catalog | None
    bundle: Bundle | None
    tests: tuple[TestResult, ...]
    faults: tuple[FileFault, ...]

    @property
    def assets(self) -> int:
        """How many assets the catalog lists."""
        return len(self.catalog.assets) if self.catalog else 0


UNKNOWN_ASSET = "P012"


def _orgs(folder: Path) -> frozenset[str] | None:
    """The orgs that may own assets; None when people.yaml has faults, which the policy's own reading tells."""
    try:
        return offices(folder)
    except Faulty:
        return None


def read(folder: Path, apis: tuple[ApiBinding, ...] = ()) -> Read:
    """Read a policy folder and run its tests."""
    faults: list[FileFault] = []
    catalog = bundle = None
    try:
        catalog = load_catalog(folder / "catalog", apis, _orgs(folder))
        faults += catalog.faults
    except Faulty as faulty:
        faults += faulty.faults
    try:
        bundle = load_policy(folder, catalog.assets if catalog else (), time.time())
        faults += bundle.warnings
    except Faulty as faulty:
        # without a catalog every asset is unknown: those faults would only repeat the catalog's
        faults += faulty.faults if catalog else [one for one in faulty.faults if one.code != UNKNOWN_ASSET]
    tests = run_tests(folder, bundle, catalog.find) if catalog and bundle else ()
    return Read(catalog, bundle, tests, tuple(faults))
