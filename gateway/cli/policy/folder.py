"""What is in this policy folder: catalog, rules, devices, sites, tests, and everything wrong with them?

Shared by the commands that read policies; a fault in one file hides none in another.
"""

import time
from pathlib import Path

from msgspec import Struct

from gateway.app.revisions import digest
from gateway.app.signatures import NOBODY, Signers
from gateway.behaviour import Site, load_sites
from gateway.catalog import ApiBinding, Catalog
from gateway.catalog import load as load_catalog
from gateway.device import Device, load_register
from gateway.document import Faulty, FileFault
from gateway.document import read as read_file
from gateway.policy import Bundle, TestResult, no_tests, offices, run_tests
from gateway.policy import load as load_policy


class Read(Struct, frozen=True):
    """What could be read. `catalog` and `bundle` are None when they have faults."""

    catalog: Catalog | None
    bundle: Bundle | None
    tests: tuple[TestResult, ...]
    faults: tuple[FileFault, ...]
    folder: Path = Path()
    revision: str = ""  # what a reload would call all of it together; "" when something cannot be read

    @property
    def errors(self) -> int:
        """How many faults stop a start or a reload; the rest are warnings."""
        return sum(not fault.warning for fault in self.faults)

    @property
    def failed(self) -> tuple[TestResult, ...]:
        """The tests that were run and came out otherwise; one that cannot be read is among the faults."""
        return tuple(test for test in self.tests if not test.passed and not test.faults)

    @property
    def rules(self) -> int:
        """How many rules there are; a row of a native policy is one."""
        if self.bundle is None:
            return 0
        native = self.bundle.content.native
        rows = sum(row[1] == "p" for row in native.rows) if native is not None else 0
        return len({row[0] for row in self.bundle.content.rules}) + rows

    @property
    def ran(self) -> dict[str, object]:
        """How the tests came out, as a value of JSON."""
        return {"run": len(self.tests), "failed": [test.name for test in self.failed]}

    @property
    def assets(self) -> int:
        """How many assets the catalog lists."""
        return len(self.catalog.assets) if self.catalog else 0


NEED_THE_CATALOG = ("P012", "P052")  # an unknown asset, and data that nobody owns


def _orgs(folder: Path) -> frozenset[str] | None:
    """The orgs that may own assets; None when people.yaml has faults or is empty, which the policy's own reading tells."""
    try:
        return offices(folder) if read_file(folder / "people.yaml").value is not None else None
    except Faulty:
        return None


def read(folder: Path, apis: tuple[ApiBinding, ...] = (), signers: Signers = NOBODY) -> Read:
    """Read a policy folder and run its tests; hold it against its signature where somebody must have signed."""
    faults: list[FileFault] = list(signers.faults(folder) if folder.is_dir() else ())
    catalog = bundle = None
    orgs = _orgs(folder)
    try:
        catalog = load_catalog(folder / "catalog", apis, orgs, time.time())
        faults += catalog.faults
    except Faulty as faulty:
        faults += faulty.faults
    try:
        bundle = load_policy(folder, catalog.assets if catalog else (), time.time())
        faults += bundle.warnings
    except Faulty as faulty:
        # without a catalog every asset is unknown: those faults would only repeat the catalog's
        faults += faulty.faults if catalog else [one for one in faulty.faults if one.code not in NEED_THE_CATALOG]
    register: tuple[Device, ...] = ()
    sites: tuple[Site, ...] = ()
    try:
        register = load_register(folder / "devices.yaml", orgs)
    except Faulty as faulty:
        faults += faulty.faults
    try:
        sites = load_sites(folder / "sites.yaml") if (folder / "sites.yaml").exists() else ()  # nobody needs sites
    except Faulty as faulty:
        faults += faulty.faults
    tests = run_tests(folder, bundle, catalog.find) if catalog and bundle else ()
    if bundle and catalog and not tests:
        faults.append(no_tests(folder))
    faults += [fault for test in tests for fault in test.faults]
    whole = bundle and catalog and all(fault.warning for fault in faults)
    revision = digest(bundle, catalog, register, sites) if whole and bundle and catalog else ""
    return Read(catalog, bundle, tests, tuple(faults), folder, revision)
