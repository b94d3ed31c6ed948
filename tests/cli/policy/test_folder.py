"""What is in this policy folder, and everything wrong with it?"""

import shutil
from pathlib import Path

import pytest

from gateway.app.revisions import compile_folder
from gateway.catalog import ApiBinding
from gateway.cli.init import starter
from gateway.cli.policy.folder import read


def test_the_starter_is_whole_and_its_tests_pass() -> None:
    found = read(starter())
    assert found.catalog is not None
    assert found.bundle is not None
    assert found.assets >= 3
    assert [test for test in found.tests if not test.passed] == []
    assert [fault for fault in found.faults if not fault.warning] == []


def test_faults_in_the_catalog_do_not_hide_those_in_the_rules(tmp_path: Path) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    for name in ("catalog/civil.yaml", "rules/20-civil.yaml", "people.yaml"):
        path = tmp_path / "policies" / name
        path.write_text(path.read_text() + "odd_key: 1\n")
    found = read(tmp_path / "policies")
    assert found.catalog is None
    files = {Path(fault.file).name for fault in found.faults if not fault.warning}
    assert {"civil.yaml", "20-civil.yaml", "people.yaml"} <= files


def test_one_fault_in_the_catalog_is_one_fault(tmp_path: Path) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    path = tmp_path / "policies" / "catalog" / "civil.yaml"
    path.write_text(path.read_text().replace("grade: important", "grade: importent", 1))
    found = [fault for fault in read(tmp_path / "policies").faults if not fault.warning]
    assert len(found) == 1
    assert found[0].file.endswith("civil.yaml")


@pytest.mark.parametrize("name", ["people.yaml", "masks.yaml", "devices.yaml"])
def test_a_missing_file_is_one_fault(tmp_path: Path, name: str) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    (tmp_path / "policies" / name).unlink()
    (fault,) = read(tmp_path / "policies").faults
    assert (fault.file, fault.code) == (str(tmp_path / "policies" / name), "Y001")
    assert fault.en == "cannot be read: there is no such file"
    assert "gateway init" in fault.remedy_en


@pytest.mark.parametrize("name", ["people.yaml", "masks.yaml"])
def test_an_emptied_file_is_one_fault(tmp_path: Path, name: str) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    (tmp_path / "policies" / name).write_text("# nothing\n")
    found = [fault for fault in read(tmp_path / "policies").faults if fault.code != "D005"]
    assert [(Path(fault.file).name, fault.code) for fault in found] == [(name, "P003")]
    assert "the file is empty" in found[0].en


def test_devices_and_sites_are_read_too(tmp_path: Path) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    (tmp_path / "policies" / "devices.yaml").write_text("devices: [{id: 5, org: prov}]\n")
    (tmp_path / "policies" / "sites.yaml").write_text("sites: [{name: a, networks: [b]}]\n")
    assert {fault.code for fault in read(tmp_path / "policies").faults} == {"D004", "B004"}


def test_a_test_that_cannot_be_read_is_a_fault_with_its_place(tmp_path: Path) -> None:
    shutil.copytree(starter(), tmp_path / "policies")
    (tmp_path / "policies" / "tests" / "90.yaml").write_text("tests:\n  - {name: a, request: GET /x}\n")
    (tmp_path / "policies" / "tests" / "91.yml").write_text("")
    found = read(tmp_path / "policies")
    assert [(Path(one.file).name, one.line, one.code) for one in found.faults] == [
        ("90.yaml", 2, "P003"),
        ("91.yml", 1, "P088"),
    ]
    assert (found.errors, found.failed) == (2, ())


def test_the_revision_is_the_one_that_a_reload_would_name(tmp_path: Path) -> None:
    apis = (ApiBinding("households", "/civil/households", ("household",)),)
    assert read(starter(), apis).revision == compile_folder(starter(), apis, 0.0).digest
    shutil.copytree(starter(), tmp_path / "policies")
    (tmp_path / "policies" / "masks.yaml").unlink()
    assert read(tmp_path / "policies", apis).revision == ""
