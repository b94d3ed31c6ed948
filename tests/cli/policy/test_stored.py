"""Is the revision that is meant the one that is read?"""

import argparse
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.cli.policy.stored import Deciding, bundles, installed, recalled
from gateway.review.recorded import Unreplayable
from tests.cli.policy.past import Past, a_past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return a_past(tmp_path, 5)


def test_the_configuration_says_where_and_with_which_apis(past: Past) -> None:
    here = installed(argparse.Namespace(config=str(past.folder / "gateway.yaml")))
    assert (here.state, here.bound, len(here.apis)) == (past.state, True, 3)
    (past.folder / "gateway.yaml").write_text("version: 1\nodd: 1\n")
    here = installed(argparse.Namespace(config=str(past.folder / "gateway.yaml")))
    assert (here.state, here.bound) == (past.state, False)
    assert installed(argparse.Namespace(config=str(past.folder / "none.yaml"))).state is None


def test_revisions_are_found_by_their_bundle(past: Past) -> None:
    (past.state / "bundles" / ".draft").mkdir()
    (past.state / "bundles" / ".draft" / "bundle.json").write_text("x")
    assert bundles(past.state) == {past.compiled.bundle.digest: [past.compiled.digest]}


def test_a_decision_finds_bundle_level_and_catalog_that_decided(past: Past) -> None:
    deciding, entry = Deciding(past.state, ()), past.entries[0]
    bundle, catalog = deciding.of(entry)
    assert (bundle.digest, catalog.digest) == (entry.bundle, entry.revision)
    raised, _ = deciding.of(replace(entry, bundle=f"{entry.bundle}+II"))
    assert raised.digest == f"{entry.bundle}+II"
    for change in ({"bundle": "0" * 64}, {"revision": "0" * 64}, {"bundle": f"{entry.bundle}+V"}):
        with pytest.raises(Unreplayable, match="no longer stored"):
            deciding.of(replace(entry, **change))


def test_an_older_revision_without_its_apis_takes_those_of_today(past: Past) -> None:
    here = installed(argparse.Namespace(config=str(past.folder / "gateway.yaml")))
    (past.state / "bundles" / past.compiled.digest / "apis.json").unlink()
    assert recalled(past.compiled.digest, past.state, here.apis)[1].digest == past.compiled.catalog.digest
    with pytest.raises(Unreplayable):
        Deciding(past.state, ()).of(past.entries[0])
