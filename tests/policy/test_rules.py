"""Does the reader refuse what casbin would ignore in silence, and say where and how to mend it?"""

from pathlib import Path

import pytest

from gateway.document import Faulty
from gateway.policy import load
from tests.literals import NOW
from tests.policy.world import ASSETS, CLERK_READS, a_bundle, codes, faults, write


def changed(before: str, after: str) -> str:
    assert before in CLERK_READS
    return CLERK_READS.replace(before, after)


def test_a_rule_becomes_one_row_for_each_combination(tmp_path: Path) -> None:
    rules = changed("who: clerk", "who: [clerk, auditor]").replace("data: population", "data: [household, marriage]")
    assert len(a_bundle(tmp_path, rules).content.rules) == 4


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("effect: allow", "effect: Allow", "P002"),
        ("effect: allow", "effect: reject", "P002"),
        ("effect: allow", "effect: true", "P002"),
        ("  effect: allow\n", "", "P003"),
        ("- id: clerk-reads\n  effect", "- effect", "P003"),
        ("  who: clerk\n", "", "P003"),
        ("  data: population\n", "", "P003"),
        ("  action: read\n", "", "P003"),
        ('  level: "<= important"\n', "", "P003"),
        ("action: read", "action: read\n  nots: x", "P001"),
        ("who: clerk", "who: clrek", "P010"),
        ("who: clerk", "who: []", "P004"),
        ("who: clerk", "who: {role: clerk}", "P004"),
        ("who: clerk", "who: user:clerk", "P015"),
        ("who: clerk", "who: 'user:'", "P015"),
        ("who: clerk", "who: 'user: zhang.wei'", "P015"),
        ("who: clerk", "who: '*'", "P085"),
        ("data: population", "data: househol", "P012"),
        ("data: population", "data: null", "P004"),
        ("action: read", "action: reed", "P013"),
        ("action: read", "action: GET", "P013"),
        ('level: "<= important"', "level: important", "P030"),
        ('level: "<= important"', "level: '=> core'", "P030"),
        ('level: "<= important"', "level: '<= importent'", "P031"),
        ('level: "<= important"', "level: '> core'", "P032"),
        ("action: read", "action: read\n  org: prov/cvil", "P011"),
        ("action: read", "action: read\n  owner: prov/cvil", "P011"),
        ("action: read", "action: read\n  then: {mask: pii-standrad}", "P014"),
        ("action: read", "action: read\n  then: {step_up: aal3}", "P070"),
        ("action: read", "action: read\n  then: {log: sometimes}", "P071"),
        ("action: read", "action: read\n  reason: rule_denied", "P070"),
        ("action: read", "action: read\n  when: subject.orgs == 1", "P021"),
        ("action: read", "action: read\n  when: [a]", "P004"),
        ("action: read", "action: read\n  when: risk.score < 4", "P025"),
        ("action: read", "action: read\n  expires: 31.12.2027", "P081"),
        ("action: read", "action: read\n  expires: 9999-12-31", "P081"),  # no day comes after it
    ],
)
def test_what_is_wrong_gets_a_code(tmp_path: Path, before: str, after: str, code: str) -> None:
    assert codes(tmp_path, changed(before, after)) == [code]


def test_all_faults_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    rules = changed("who: clerk", "who: clrek").replace("effect: allow", "effect: permit")
    city = "- {id: c, effect: allow, who: clerk, data: population, action: read, level: any}\n"
    assert codes(tmp_path, rules, cities=city, masks="profiles: {a: {nam: keep}}") == ["P050", "P061", "P002", "P010"]


def test_a_fault_points_at_the_word_and_suggests_the_right_one_in_two_languages(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, changed("who: clerk", "who: clrek"))
    text = Path(fault.file).read_text(encoding="utf-8")
    lines = fault.render(text).splitlines()
    assert lines[0].endswith("10-test.yaml:4:10: error P010: no role `clrek`")
    assert lines[1].index("clrek") == lines[2].index("^")
    assert 'did you mean "clerk"?' in lines[3]
    assert "您是不是想写“clerk”" in fault.render(text, "zh-CN")


def test_a_fault_in_a_condition_points_inside_it(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, changed("action: read", "action: read\n  when: device.fresh and devise.trust == 'x'"))
    line = Path(fault.file).read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert line[fault.column - 1 :].startswith("devise.trust")


def test_an_id_stands_once_in_all_files(tmp_path: Path) -> None:
    assert codes(tmp_path, CLERK_READS + CLERK_READS) == ["P005"]
    city = "- {id: clerk-reads, effect: deny}\n"
    assert codes(tmp_path, CLERK_READS, cities=city) == ["P005"]


def test_the_ids_of_a_locked_file_are_not_even_tried(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    base = "locked: true\nrules:\n  - {id: base, effect: deny, level: '>= core'}\n"
    (folder / "rules" / "00-base.yaml").write_text(base)
    (folder / "rules" / "20-more.yaml").write_text("rules:\n  - {id: base, effect: deny, when: 'device.fresh'}\n")
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P006"]


def test_a_city_only_denies_and_only_its_own(tmp_path: Path) -> None:
    allow = CLERK_READS.replace("clerk-reads", "city-allows")
    assert codes(tmp_path, cities=allow) == ["P050"]
    assert codes(tmp_path, cities="- {id: c, effect: deny, org: prov/civil}\n") == ["P051"]
    assert codes(tmp_path, cities="- {id: c, effect: deny, org: '*'}\n") == ["P051"]
    assert codes(tmp_path, cities="- {id: c, effect: deny, org: hz/civil}\n") == []


def test_a_city_rule_without_an_office_means_the_whole_city(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, cities="- {id: c, effect: deny}\n")
    assert [row[3] for row in bundle.content.rules if row[0] == "c"] == ["hz"]


def test_a_city_file_names_its_office(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS, cities="- {id: c, effect: deny}\n")
    (folder / "cities" / "hz.yaml").write_text("rules: []\n")
    with pytest.raises(Faulty) as caught:
        load(folder, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P003"]


def test_what_a_deny_leaves_out_means_any(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, "- {id: d, effect: deny}\n")
    assert bundle.content.rules[0][2:9] == ("*", "*", "*", "*", "any", "", "")


def test_a_condition_that_stands_in_several_rules_is_told_of_in_each(tmp_path: Path) -> None:
    def two(when: str) -> str:
        return f"- {{id: one, effect: deny, when: '{when}'}}\n- {{id: two, effect: deny, when: '{when}'}}\n"

    assert codes(tmp_path, CLERK_READS + two("env.hour > 23")) == ["P026", "P026"]
    assert [warning.code for warning in a_bundle(tmp_path, CLERK_READS + two("risk.score > 40")).warnings] == [
        "P025"
    ] * 2


def test_an_expired_rule_is_reported_and_a_running_one_is_not(tmp_path: Path) -> None:
    def warned(date: str) -> list[str]:
        folder = write(tmp_path, changed("action: read", f"action: read\n  expires: {date}"))
        return [fault.code for fault in load(folder, ASSETS, now=NOW).warnings]

    assert warned("2026-09-20") == ["P080"]
    assert warned("2026-09-21") == []  # the last day counts, in the policy's time zone


def test_a_rule_that_explodes_is_refused(tmp_path: Path) -> None:
    people = "\n".join(f"'user:p{i}'" for i in range(1100)).replace("\n", ", ")
    assert "P008" in codes(tmp_path, changed("who: clerk", f"who: [{people}]"))


@pytest.mark.parametrize("text", ["", "rules: 7", "rules:\n  - 5", "- a", "rules:\n  - {id: [a], effect: deny}"])
def test_any_shape_is_a_fault_or_an_empty_file_never_a_crash(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "rules" / "20-odd.yaml").write_text(text)
    try:
        load(folder, ASSETS)
    except Faulty as faulty:
        assert {fault.code for fault in faulty.faults} <= {"P003", "P004"}
    else:
        assert text == ""


def test_a_title_may_be_one_text_or_two(tmp_path: Path) -> None:
    rules = "- {id: a, effect: deny, title: {zh: 甲, en: first}}\n- {id: b, effect: deny, title: 乙}\n"
    assert a_bundle(tmp_path, rules).content.titles == {"a": ("first", "甲"), "b": ("乙", "乙")}


DEPARTMENT = """\
org: prov/health
rules:
  - {id: shared, effect: allow, who: clerk, data: visit, action: read, level: any, basis: {zh: 第五条, en: article 5}}
  - {id: own, effect: deny, who: auditor}
"""


def department(folder: Path, text: str = DEPARTMENT) -> Path:
    write(folder, CLERK_READS)
    (folder / "departments").mkdir()
    (folder / "departments" / "health.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_department_speaks_about_its_own_data_and_no_other(tmp_path: Path) -> None:
    content = load(department(tmp_path), ASSETS).content
    assert {(row[0], row[4]) for row in content.rules} == {
        ("clerk-reads", "population"),
        ("shared", "visit"),
        ("own", "visit"),
    }
    assert content.layers == {
        "clerk-reads": "province",
        "shared": "department:prov/health",
        "own": "department:prov/health",
    }
    assert content.basis == {"shared": ("article 5", "第五条")}


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("data: visit", "data: household", "P052"),
        ("data: visit", "data: population", "P052"),
        ("data: visit", "data: [visit, market]", "P052"),
        ("org: prov/health", "org: hz", "P052"),  # owns nothing
        ("org: prov/health\n", "", "P003"),
        ("org: prov/health", "org: prov/helth", "P011"),
        ("id: own", "id: clerk-reads", "P005"),
    ],
)
def test_a_department_that_reaches_further_is_refused(tmp_path: Path, before: str, after: str, code: str) -> None:
    with pytest.raises(Faulty) as refused:
        load(department(tmp_path, DEPARTMENT.replace(before, after)), ASSETS)
    assert {fault.code for fault in refused.value.faults} == {code}


def test_the_province_speaks_about_what_departments_below_it_own(tmp_path: Path) -> None:
    content = load(department(tmp_path, DEPARTMENT.replace("org: prov/health", "org: prov")), ASSETS).content
    assert {row[4] for row in content.rules if row[0] == "own"} == {"household", "marriage", "visit", "market"}


@pytest.mark.parametrize(
    ("level", "hint"),
    [("≤ important", "<= important"), ("＞＝ core", ">= core"), ("＝＝ core", "== core"), ("＜ core", "< core")],
)
def test_a_wide_comparator_is_named_with_what_to_write(tmp_path: Path, level: str, hint: str) -> None:
    (fault,) = faults(tmp_path, f'- {{id: a, effect: deny, level: "{level}"}}\n')
    assert (fault.code, fault.remedy_en) == ("P031", f'write "{hint}"')
