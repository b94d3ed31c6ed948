"""Where does the ledger stand, and how is it changed without being harmed?"""

import argparse
from pathlib import Path

import pytest

from gateway.cli.asset.ledger import Kept, judged, kept, ledger, put, with_assets
from gateway.cli.screen import Screen
from gateway.document import Unsafe
from tests.cli.asset.project import project


@pytest.fixture
def args(tmp_path: Path, made: Path) -> argparse.Namespace:
    policies = project(tmp_path, made)
    return argparse.Namespace(lang="en", output="text", config=str(tmp_path / "gateway.yaml"), dir=str(policies))


def the(args: argparse.Namespace, asset: str) -> Kept:
    found = kept(Path(args.dir), asset)
    assert found is not None
    return found


def test_the_whole_catalog_is_read_with_the_new_file(args: argparse.Namespace) -> None:
    found = ledger(args, Screen(args))
    assert found is not None
    path = Path(args.dir) / "catalog" / "again.yaml"
    faults, before, after = judged(found, {path: "assets: [{id: household, owner: prov, grade: core}]\n"})
    assert (before, after) == ([], None)
    assert "K010" in {one.code for one in faults}
    assert {Path(one.file).parent for one in faults} == {Path(args.dir) / "catalog"}
    assert not path.exists()


def test_comments_stay_or_the_file_is_left(args: argparse.Namespace) -> None:
    file = the(args, "household")
    text = with_assets(file, {file.at: file.asset | {"grade": "core"}})
    assert text == file.text.replace("    grade: important\n", "    grade: core\n", 1)
    endpoints = file.asset["endpoints"]
    assert isinstance(endpoints, list)
    with pytest.raises(Unsafe):
        with_assets(file, {file.at: file.asset | {"endpoints": endpoints[:2]}})  # a comment stands behind the third


def test_what_somebody_else_changed_is_not_overwritten(args: argparse.Namespace) -> None:
    file = the(args, "household")
    file.path.write_text(file.text + "# mine\n", encoding="utf-8")
    assert not put(file, file.text, Screen(args))
    assert file.path.read_text().endswith("# mine\n")


def test_an_asset_that_is_not_there(args: argparse.Namespace) -> None:
    assert kept(Path(args.dir), "none") is None
