"""What is in this policy folder, and everything wrong with it?"""

import shutil
from pathlib import Path

from gateway.cli.init import starter
from gateway.cli.policies import read


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
