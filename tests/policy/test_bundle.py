"""Is a bundle what was written, all of it, and the same everywhere?"""

from pathlib import Path

import pytest

from gateway.document import Faulty
from gateway.facts import Deny, Grade
from gateway.policy import Bundle, Damaged, Policy, load, offices
from gateway.policy.content import dump
from tests.literals import a_subject, an_asset, some_facts
from tests.policy.world import ASSETS, CLERK_READS, Named, a_bundle, codes, write


def test_the_same_files_give_the_same_digest_and_other_rules_another(tmp_path: Path) -> None:
    first = a_bundle(tmp_path / "a")
    assert first.digest == a_bundle(tmp_path / "b").digest
    assert first.digest != a_bundle(tmp_path / "c", CLERK_READS.replace("clerk\n", "auditor\n")).digest


@pytest.mark.parametrize(
    "changes",
    [
        {"people": "timezone: UTC\nroles: {clerk: {}}\norgs: {prov: {}, prov/civil: {}, prov/health: {}}\n"},
        {"masks": "default: none\nprofiles: {none: {'*': keep}}\n"},
    ],
)
def test_whatever_decides_is_in_the_digest(tmp_path: Path, changes: dict[str, str]) -> None:
    assert a_bundle(tmp_path / "a").digest != a_bundle(tmp_path / "b", **changes).digest


def test_a_worker_makes_the_same_bundle_from_bytes(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    copy = Bundle.from_bytes(bundle.dump())
    assert (copy.digest, copy.dump()) == (bundle.digest, bundle.dump())
    assert Policy(copy).decide(some_facts()) == Policy(bundle).decide(some_facts())


def test_damaged_bytes_never_become_a_bundle(tmp_path: Path) -> None:
    data = a_bundle(tmp_path).dump()
    for broken in (b"", data[:-1], data[:100], data + b" ", data.replace(b"allow", b"ALLOW"), b"x" + data[1:]):
        with pytest.raises(Damaged):
            Bundle.from_bytes(broken)


def test_bytes_of_another_language_are_refused(tmp_path: Path) -> None:
    content = a_bundle(tmp_path, CLERK_READS + '  when: env.purpose == "audit"\n').content
    rules = tuple((*row[:8], "env.moon == 1", row[9]) for row in content.rules)
    changed = type(content)(**{name: getattr(content, name) for name in content.__struct_fields__} | {"rules": rules})
    with pytest.raises(Damaged, match="moon"):
        Bundle.from_bytes(dump(changed))


def test_roles_of_conditions_are_those_that_the_enforcer_has_loaded(tmp_path: Path) -> None:
    deny = "- {id: staff, effect: deny, when: 'has(subject.roles, \"employee\") and device.fresh'}\n"
    read = a_bundle(tmp_path, CLERK_READS + deny)
    facts = some_facts(subject=a_subject(roles=("clerk",)))  # a clerk is an employee: only people.yaml says so
    for bundle in (read, Bundle.from_bytes(read.dump())):
        assert [rule.test(facts) for rule in bundle.index.candidates(facts.subject, facts.asset).denies] == [True]


def test_no_rules_deny_everything_and_say_so(tmp_path: Path) -> None:
    bundle = load(write(tmp_path), ASSETS)
    assert [fault.code for fault in bundle.warnings] == ["P086"]
    decision = Policy(bundle).decide(some_facts())
    assert isinstance(decision, Deny) and decision.reasons[0].code == "no_rule"


@pytest.mark.parametrize(
    "place",
    ["rules/20-deny.yml", "deny.yaml", "rules.yaml", "city/hz.yaml", "Rules/20-deny.yaml", "old/rules/20-deny.yml"],
)
def test_a_deny_in_a_file_that_is_not_read_does_not_vanish_in_silence(tmp_path: Path, place: str) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text("rules: []")
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P088"]


def test_a_folder_that_looks_like_a_file_is_a_fault(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "rules" / "20-odd.yaml").mkdir()
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["Y001"]


def test_a_file_from_excel_is_refused_not_half_read(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "rules" / "20-gbk.yaml").write_bytes("rules: [] # 规则".encode("gbk"))
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["Y003"]


def test_a_missing_people_file_is_a_fault(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "people.yaml").unlink()
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert "Y001" in [fault.code for fault in caught.value.faults]


def test_a_missing_folder_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(Faulty) as caught:
        load(tmp_path / "nowhere", ASSETS)
    assert "Y001" in [fault.code for fault in caught.value.faults]


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "model.conf").write_text("[matchers]\nm = true\n")
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P087"]


def test_an_asset_that_is_named_like_a_category_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Faulty) as caught:
        load(write(tmp_path, CLERK_READS), (*ASSETS, Named("health", "population")))
    assert [fault.code for fault in caught.value.faults] == ["P016"]


def test_an_owner_nobody_declared_is_a_warning(tmp_path: Path) -> None:
    bundle = load(write(tmp_path, CLERK_READS), (*ASSETS, Named("x", "population", "prov/nobody")))
    assert [fault.code for fault in bundle.warnings] == ["P017"]
    assert codes(tmp_path / "b") == []


def test_a_mask_is_the_same_object_while_the_asset_is_the_same(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    one, two = (bundle.mask(frozenset({"none"}), an_asset(), Grade.CORE) for _ in range(2))
    assert one is two


@pytest.mark.parametrize("change", [{"fields": ()}, {"opaque": True}, {"contract": "warn"}, {"revision": "cat-2"}])
def test_a_mask_is_never_reused_for_a_changed_asset(tmp_path: Path, change: dict[str, object]) -> None:
    bundle = a_bundle(tmp_path)
    first = bundle.mask(frozenset({"pii-strict"}), an_asset(), Grade.CORE)
    assert bundle.mask(frozenset({"pii-strict"}), an_asset(**change), Grade.CORE) is not first


def test_the_offices_are_known_before_the_catalog(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    assert offices(folder) == {"prov", "prov/civil", "prov/health", "hz", "hz/civil"}
    (folder / "people.yaml").write_text("orgs: {a: {parent: b}}")
    with pytest.raises(Faulty):
        offices(folder)


@pytest.mark.parametrize("text", ["", "# nothing\n", "rules:\n", "rules: []\n", "locked: true\n"])
def test_a_rule_file_without_rules_says_so(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "rules" / "50-more.yaml").write_text(text)
    assert [(Path(one.file).name, one.code) for one in load(folder, ASSETS).warnings] == [("50-more.yaml", "P089")]


def test_denies_alone_allow_nothing_and_say_so(tmp_path: Path) -> None:
    bundle = load(write(tmp_path, "- {id: stop, effect: deny}\n"), ASSETS)
    assert [one.code for one in bundle.warnings] == ["P086"]


def test_a_missing_or_emptied_masks_file_is_one_fault(tmp_path: Path) -> None:
    masked = "{id: a, effect: allow, who: clerk, data: household, action: read, level: any, then: {mask: pii-standard}}"
    folder = write(tmp_path, f"- {masked}\n- {masked.replace('id: a', 'id: b')}\n")
    for change, code in ((lambda path: path.write_text(""), "P003"), (Path.unlink, "Y001")):
        change(folder / "masks.yaml")
        with pytest.raises(Faulty) as caught:
            load(folder, ASSETS)
        assert [fault.code for fault in caught.value.faults] == [code]


@pytest.mark.parametrize(
    ("when", "asks"), [("grant . held", True), ("not approval.held", True), ('subject.id == "grant.held"', False)]
)
def test_it_is_known_whether_any_condition_asks_for_grants(tmp_path: Path, when: str, asks: bool) -> None:
    assert a_bundle(tmp_path, CLERK_READS + f"- {{id: no, effect: deny, when: '{when}'}}\n").asks_for_grants is asks
