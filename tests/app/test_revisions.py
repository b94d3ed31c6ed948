"""A revision is stored as it was tested, or not at all."""

import shutil
from pathlib import Path

import pytest

from gateway.app.revisions import (
    Compiled,
    Watch,
    apis_of,
    candidate,
    compile_folder,
    name_candidate,
    raised,
    recall,
    remove_old,
    store,
    stored,
)
from gateway.app.signatures import NOTE, Signers, sign
from gateway.catalog import ApiBinding
from gateway.document import Faulty, FileFault
from gateway.policy import Damaged
from tests.app.test_signatures import LI, MALLORY, ONE
from tests.test_layout import ROOT

APIS = (ApiBinding("households", "/civil/households", ("household",)),)
NOW = 1_790_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    return tmp_path / "policies"


def deny_everything(folder: Path) -> None:
    (folder / "rules" / "99-stop.yaml").write_text(
        "rules:\n  - id: stop\n    title: {zh: 停止, en: stop}\n    effect: deny\n    who: '*'\n    org: '*'\n"
        "    data: '*'\n    action: '*'\n    level: any\n"
    )
    shutil.rmtree(folder / "tests")


def test_what_was_stored_is_recalled_under_its_digest(folder: Path, tmp_path: Path) -> None:
    stored = store(tmp_path, folder, APIS, NOW)
    recalled = recall(tmp_path, stored.digest, APIS)
    assert (recalled.digest, recalled.bundle.digest, recalled.catalog.digest) == (
        stored.digest,
        stored.bundle.digest,
        stored.catalog.digest,
    )


@pytest.mark.parametrize("place", [".", "rules", "people.yaml", "rules/10-open.yaml", "tests"])
def test_what_everybody_can_change_is_not_read(folder: Path, tmp_path: Path, place: str) -> None:
    path = folder / place
    path.chmod(path.stat().st_mode | 0o002)
    with pytest.raises(Faulty) as refused:
        store(tmp_path, folder, APIS, NOW)
    assert [(fault.file, fault.code) for fault in refused.value.faults] == [(str(path), "P096")]
    path.chmod(path.stat().st_mode & ~0o002)
    assert store(tmp_path, folder, APIS, NOW).digest


def test_another_rule_makes_another_digest(folder: Path, tmp_path: Path) -> None:
    before = store(tmp_path, folder, APIS, NOW)
    deny_everything(folder)
    after = store(tmp_path, folder, APIS, NOW)
    assert before.digest != after.digest
    assert recall(tmp_path, before.digest, APIS).bundle.digest == before.bundle.digest  # both are kept


def test_another_device_makes_another_digest(folder: Path) -> None:
    before = compile_folder(folder, APIS, NOW)
    path = folder / "devices.yaml"
    path.write_text("devices: [{id: stolen-1, org: prov/civil, managed: true}]\n")
    assert compile_folder(folder, APIS, NOW).digest != before.digest


def test_another_site_makes_another_digest(folder: Path) -> None:
    before = compile_folder(folder, APIS, NOW)
    (folder / "sites.yaml").write_text("sites: [{name: vpn, networks: [198.51.100.0/24], kind: vpn}]\n")
    assert compile_folder(folder, APIS, NOW).digest != before.digest


def test_a_bad_file_stores_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "rules" / "98-bad.yaml").write_text("rules: [{id: x, effect: Deny}]\n")
    with pytest.raises(Faulty):
        store(tmp_path, folder, APIS, NOW)
    assert not (tmp_path / "bundles").exists()


def test_policies_that_fail_their_own_tests_are_not_stored(folder: Path, tmp_path: Path) -> None:
    tests = folder / "tests"
    kept = tests.rename(tmp_path / "tests")
    deny_everything_keeping = folder / "tests"
    shutil.copytree(kept, deny_everything_keeping)
    (folder / "rules" / "99-stop.yaml").write_text(
        "rules:\n  - id: stop\n    title: {zh: 停止, en: stop}\n    effect: deny\n    who: '*'\n    org: '*'\n"
        "    data: '*'\n    action: '*'\n    level: any\n"
    )
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW)
    assert {fault.code for fault in caught.value.faults} == {"P098"}
    assert not (tmp_path / "bundles").exists()


def test_policies_without_tests_are_stored(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "tests")  # `policy check` warns of it (P095); nothing can fail
    assert store(tmp_path, folder, APIS, NOW).digest


def test_the_apis_of_then_are_stored_beside_a_revision(folder: Path, tmp_path: Path) -> None:
    stored = store(tmp_path, folder, APIS, NOW)
    assert apis_of(tmp_path, stored.digest) == APIS
    assert (
        recall(tmp_path, stored.digest, apis_of(tmp_path, stored.digest) or ()).catalog.digest == stored.catalog.digest
    )
    place = tmp_path / "bundles" / stored.digest / "apis.json"
    place.write_text("[1]")
    with pytest.raises(Damaged):
        apis_of(tmp_path, stored.digest)
    place.unlink()
    assert apis_of(tmp_path, stored.digest) is None


def test_a_stored_revision_that_was_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    stored = store(tmp_path, folder, APIS, NOW)
    place = tmp_path / "bundles" / stored.digest
    path = next((place / "catalog").glob("civil*.yaml"))
    path.write_text(path.read_text().replace("important", "general-1", 1))
    with pytest.raises((Damaged, Faulty)):
        recall(tmp_path, stored.digest, APIS)


@pytest.mark.parametrize("file", ["bundle.json", "catalog/civil.yaml"])
def test_what_was_stored_and_is_damaged_is_stored_anew(folder: Path, tmp_path: Path, file: str) -> None:
    """Else nobody could come back to this revision: every reload would find it stored, and no worker could read it."""
    stored = store(tmp_path / "state", folder, APIS, NOW)
    damaged = tmp_path / "state" / "bundles" / stored.digest / file
    damaged.write_bytes(damaged.read_bytes()[:-5])
    assert store(tmp_path / "state", folder, APIS, NOW).digest == stored.digest
    assert recall(tmp_path / "state", stored.digest, APIS).digest == stored.digest


def test_the_candidate_is_a_digest_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    assert candidate(tmp_path) == ""
    name_candidate(tmp_path, "a" * 64)
    assert candidate(tmp_path) == "a" * 64
    (tmp_path / "bundles" / "candidate").write_text("../../etc/passwd")
    assert candidate(tmp_path) == ""


def test_the_active_revision_is_never_removed(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / "bundles" / f"{number:064x}").mkdir(parents=True)
    active = f"{0:064x}"
    remove_old(tmp_path, active)
    left = {path.name for path in (tmp_path / "bundles").iterdir()}
    assert active in left
    assert len(left) == 51


def test_a_change_is_told_once_when_the_folder_is_still(folder: Path) -> None:
    now = [0.0]
    watch = Watch(folder, lambda: now[0], still=0.5)
    assert not watch.changed()
    (folder / "rules" / "98-new.yaml").write_text("rules: []\n")
    assert not watch.changed()  # somebody may still be writing
    now[0] = 0.6
    assert watch.changed()
    assert not watch.changed()


def test_a_test_that_cannot_be_read_is_told_at_its_place(folder: Path, tmp_path: Path) -> None:
    (folder / "tests" / "90.yaml").write_text("tests:\n  - {name: a, request: GET /x}\n")
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.code) == (str(folder / "tests" / "90.yaml"), 2, "P003")


@pytest.mark.parametrize("name", ["people.yaml", "masks.yaml"])
def test_a_missing_file_is_one_fault(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW)
    assert [(fault.file, fault.code) for fault in caught.value.faults] == [(str(folder / name), "Y001")]


LEVEL_II = """level: II
title: {en: flood, zh: 洪水}
rules:
  - {id: flood, title: {en: stop, zh: 停止}, effect: deny, who: "*", org: "*", data: "*", action: "*", level: any}
"""


def with_level(folder: Path) -> None:
    shutil.rmtree(folder / "emergency", ignore_errors=True)
    (folder / "tests" / "40-emergency.yaml").unlink()  # of the levels that were there
    shutil.rmtree(folder / "tests")  # they speak of the levels that were there
    (folder / "emergency").mkdir()
    (folder / "emergency" / "II.yaml").write_text(LEVEL_II)


def test_a_level_is_in_the_name_and_comes_back_with_it(folder: Path, tmp_path: Path) -> None:
    with_level(folder)
    base = store(tmp_path, folder, APIS, NOW)
    up = raised(base, "II")
    assert (up.digest, up.bundle.digest) == (f"{base.digest}+II", f"{base.bundle.digest}+II")
    recalled = recall(tmp_path, up.digest, APIS)
    assert (recalled.digest, recalled.bundle.digest) == (up.digest, up.bundle.digest)
    assert raised(recalled, "").bundle.digest == base.bundle.digest
    assert raised(base, "") is base
    (place,) = (path.name for path in (tmp_path / "bundles").iterdir())
    assert place == base.digest  # one stored folder for all levels


def test_a_level_that_the_revision_lacks_is_a_fault(folder: Path, tmp_path: Path) -> None:
    with_level(folder)
    base = store(tmp_path, folder, APIS, NOW)
    with pytest.raises(Faulty) as caught:
        raised(base, "I")
    assert [fault.code for fault in caught.value.faults] == ["P166"]
    with pytest.raises(Damaged):
        recall(tmp_path, f"{base.digest}+I", APIS)


@pytest.mark.parametrize("name", ["a" * 64 + "+V", "a" * 64 + "+", "a" * 63 + "+II", "a" * 64 + "+II/../x", "+II"])
def test_a_candidate_with_a_level_that_there_is_not_is_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "bundles").mkdir()
    name_candidate(tmp_path, "a" * 64 + "+II")
    assert candidate(tmp_path) == "a" * 64 + "+II"
    name_candidate(tmp_path, name)
    assert candidate(tmp_path) == ""


def test_the_revision_behind_a_level_is_never_removed(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / "bundles" / f"{number:064x}").mkdir(parents=True)
    remove_old(tmp_path, f"{0:064x}+II")
    assert stored(tmp_path, f"{0:064x}") is not None
    assert stored(tmp_path, "0") is None


def test_what_nobody_signed_is_not_stored(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW, ONE)
    assert [fault.code for fault in caught.value.faults] == ["P160"]
    assert not (tmp_path / "bundles").exists()
    sign(folder, LI)
    kept = store(tmp_path, folder, APIS, NOW, ONE)
    assert ONE.faults(tmp_path / "bundles" / kept.digest) == ()
    assert recall(tmp_path, kept.digest, APIS).digest == kept.digest


def test_a_comment_that_was_not_signed_is_refused_though_it_means_the_same(folder: Path, tmp_path: Path) -> None:
    sign(folder, LI)
    store(tmp_path, folder, APIS, NOW, ONE)
    path = folder / "people.yaml"
    path.write_text(path.read_text() + "# approved by nobody\n")
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW, ONE)
    assert [fault.code for fault in caught.value.faults] == ["P161"]


def test_what_was_stored_before_it_had_to_be_signed_is_stored_again_with_its_signature(
    folder: Path, tmp_path: Path
) -> None:
    before = store(tmp_path, folder, APIS, NOW)
    place = tmp_path / "bundles" / before.digest
    assert [fault.code for fault in ONE.faults(place)] == ["P160"]
    sign(folder, LI)
    assert store(tmp_path, folder, APIS, NOW, ONE).digest == before.digest
    assert ONE.faults(place) == ()
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [before.digest]


class Swapped(Signers, frozen=True):
    """Somebody swaps a signed folder for another one between the look at it and the copy of it (TOCTOU)."""

    def faults(self, folder: Path) -> tuple[FileFault, ...]:
        found = super().faults(folder)
        if folder.name == "policies":
            path = folder / "people.yaml"
            path.write_text(path.read_text() + "# swapped\n")
        return found


def test_a_folder_that_is_swapped_after_the_look_at_it_is_refused(folder: Path, tmp_path: Path) -> None:
    sign(folder, LI)
    with pytest.raises(Faulty) as caught:
        store(tmp_path, folder, APIS, NOW, Swapped(ONE.keys))
    assert {fault.code for fault in caught.value.faults} == {"P161"}
    assert [path for path in (tmp_path / "bundles").iterdir() if not path.name.startswith(".")] == []


def test_a_stored_folder_is_read_again_under_its_own_signature(folder: Path, tmp_path: Path) -> None:
    sign(folder, LI)
    kept = store(tmp_path, folder, APIS, NOW, ONE)
    place = tmp_path / "bundles" / kept.digest
    again: Compiled = store(tmp_path, place, APIS, NOW, ONE)
    assert again.digest == kept.digest
    with pytest.raises(Faulty) as caught:
        store(tmp_path, place, APIS, NOW, Signers((MALLORY.vkey,)))
    assert [fault.code for fault in caught.value.faults] == ["P163"]
    assert (place / NOTE).exists()
