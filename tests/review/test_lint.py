"""What is probably not meant.

| who | writes | held by |
|---|---|---|
| careless author | a rule for nothing, for nobody, or one that another one swallows | `test_each_finding` |
| careless author | a value that can never be where the rule applies | `test_each_finding` |
| hostile author | `user:C1erk`, to be taken for the role | `test_names_that_look_alike` |
| insider | a mask that gives a resident id away by the day of birth | `test_a_mask_that_leaks` |
| insider | an allow that only an emergency would uncover | `test_levels_are_looked_at_as_if_in_force` |
| anybody | trusts silence where the search gave up | `test_what_could_not_be_settled_is_said` |
"""

from pathlib import Path

import pytest

from gateway.document import FileFault
from gateway.review import overlap
from gateway.review.lint import Record, Sources, counted, lint, sources
from tests.policy.world import MASKS, PEOPLE
from tests.review.lint_world import ALLOW, CATALOG, policies
from tests.test_layout import ROOT


def found(folder: Path, more: str = "", record: Record | None = None, **changes: str) -> tuple[FileFault, ...]:
    bundle, catalog = policies(folder, ALLOW + more, **changes)
    return lint(bundle, catalog, sources(folder), 1_790_000_000.0, record)


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ("effect: deny, data: population, action: delete", "L001", "no endpoint of the catalog"),
        ('effect: deny, who: service, when: subject.kind == "person"', "L001", "no request can meet"),
        (
            'effect: deny, level: ">= important", when: data.grade == "general-1" or device.fresh',
            "L002",
            '`data.grade == "general-1"` is never true here',
        ),
        (
            "effect: deny, when: subject.assurance <= 3 and device.fresh",
            "L002",
            "`subject.assurance <= 3` is always true",
        ),
        ("effect: allow, who: doctor, data: '*', action: read, level: any", "L010", "every asset at every level"),
        (
            "effect: allow, who: clerk, data: household, action: read, level: any",
            "L004",
            "`reads` (rules/10-test.yaml:2)",
        ),
        ("effect: deny, expires: 2026-01-01", "L007", "has expired"),
    ],
)
def test_each_finding(tmp_path: Path, rule: str, code: str, said: str) -> None:
    people = PEOPLE.replace("roles:\n", "roles:\n  doctor: {}\n")
    (one,) = found(tmp_path, f"- {{id: x, title: x, owner: prov, {rule}}}\n", people=people)
    assert (one.code, one.line, one.warning) == (code, 3, True), one
    assert one.file.endswith("rules/10-test.yaml")
    assert said in one.en
    assert one.zh and one.remedy_en and one.remedy_zh


def test_an_allow_that_lets_nobody_in_names_the_deny(tmp_path: Path) -> None:
    deny = "- {id: x, title: x, owner: prov, effect: deny, who: WHO, data: population, action: read}\n"
    (shadowed,) = found(tmp_path, deny.replace("WHO", "employee"))
    assert (shadowed.code, shadowed.line, "`x` (rules/10-test.yaml:3)" in shadowed.en) == ("L003", 2, True)
    (same,) = found(tmp_path, deny.replace("WHO", "clerk"))
    assert (same.code, same.line, "`x` (rules/10-test.yaml:3) denies just what" in same.en) == ("L005", 2, True)
    two = "".join(
        f"- {{id: x{n}, title: x, owner: prov, effect: deny, who: employee, when: {when}}}\n"
        for n, when in enumerate(("device.fresh", "not device.fresh"))
    )
    (several,) = found(tmp_path, two)
    assert (several.code, "several denies together" in several.en) == ("L003", True)


def test_of_two_rules_that_say_the_same_the_later_one_is_redundant(tmp_path: Path) -> None:
    (one,) = found(tmp_path, ALLOW.replace("id: reads", "id: again"))
    assert (one.code, one.line) == ("L004", 3)


def test_a_rule_nobody_answers_for(tmp_path: Path) -> None:
    one, two = found(tmp_path, "- {id: x, effect: deny, data: open-data}\n")
    assert (one.code, two.code, one.line) == ("L008", "L008", 3)
    assert {"`owner` is missing", "`title` is missing"} == {fault.en.partition(": ")[2] for fault in (one, two)}


def test_names_that_look_alike(tmp_path: Path) -> None:
    people = PEOPLE.replace("roles:\n", "roles:\n  c1erk: {}\n")
    rule = "- {id: x, title: x, owner: prov, effect: deny, who: ['user:Clerk', 'user:anna'], data: open-data}\n"
    faults = found(tmp_path, rule, people=people)
    assert [(Path(one.file).name, one.line, one.code, one.en) for one in faults] == [
        ("people.yaml", 4, "L006", "the role `clerk` looks like the role `c1erk`"),
        ("10-test.yaml", 3, "L006", "`user:Clerk` looks like the role `c1erk`"),
    ]


def test_a_mask_that_leaks(tmp_path: Path) -> None:
    fields = "    fields: [{path: $..id, identifier: resident-id}, {path: $..born, identifier: birth-date}]\n"
    catalog = CATALOG.replace("  - id: market", f"{fields}  - id: market")
    (one,) = found(tmp_path, catalog=catalog, masks=MASKS.replace("partial(1,1)", "partial(6,4)"))
    assert (one.code, one.line, one.warning) == ("L009", 2, False)
    assert "partial(6,4) of $..id and $..born of `household`" in one.en
    assert found(tmp_path, catalog=catalog) == ()
    (alone,) = found(tmp_path, catalog=catalog, masks=MASKS.replace("partial(1,1)", "partial(17,0)"))
    assert "shows partial(17,0) of $..id of `household`: the whole" in alone.en
    assert "显示 $..id 的 partial(17,0)：可推算出" in alone.zh
    assert (alone.remedy_en, "出生" in alone.remedy_zh) == ("show at most partial(1,1) of the number", False)


def test_a_crowd_by_what_no_field_is_labelled_with_is_none(tmp_path: Path) -> None:
    masks = MASKS.replace('"*": redact}', '"*": redact, suppress: {k: 5, by: [birth-date, phone, $..sex]}}')
    assert [(one.code, Path(one.file).name, one.line) for one in found(tmp_path, masks=masks)] == [
        ("L012", "masks.yaml", 5)
    ] * 2
    fields = (
        "    fields: [{path: $..tel, identifier: phone}, {path: $..born, identifier: birth-date}, {path: $..sex}]\n"
    )
    catalog = CATALOG.replace("  - id: market", f"{fields}  - id: market")
    assert found(tmp_path, catalog=catalog, masks=masks) == ()


def test_a_path_that_no_field_is_labelled_with_is_shown_where_it_stands(tmp_path: Path) -> None:
    fields = "    fields: [{path: $..remark}, {path: $..gender}, {path: $..district}]\n"
    catalog = CATALOG.replace("  - id: market", f"{fields}  - id: market")
    masks = MASKS.replace(
        'pii-strict: {"*": redact}',
        "pii-strict:\n    suppress: {k: 3, by: [$..gender, $..gendre]}\n    $..remrk: drop\n    '*': redact",
    )
    rows = ALLOW.replace("level: any", "level: any, then: {rows: {$.district: x, $.distrct: x}}")
    faults = lint(*policies(tmp_path, rows, catalog, masks), sources(tmp_path))
    assert [(Path(one.file).name, one.line, one.column, one.code, one.remedy_en) for one in faults] == [
        ("masks.yaml", 6, 38, "L013", 'did you mean "$..gender"?'),
        ("masks.yaml", 7, 5, "L013", 'did you mean "$..remark"?'),
        ("10-test.yaml", 2, 144, "L013", 'did you mean "$.district"?'),
    ]
    assert "the rule `reads` shows records by `$.distrct`, and no field of its data is labelled so" in faults[2].en


REVEAL = (
    "- {id: reveals, title: r, owner: prov, effect: allow, who: clerk, data: DATA, action: reveal, level: LEVEL,\n"
    "   when: 'subject.assurance >= 2 and env.purpose == \"inquiry\" and approval.held', then: {mask: none}}\n"
)
TOKENS = CATALOG.replace("  - id: market", "    fields: [{path: $..id, identifier: resident-id}]\n  - id: market")
INQUIRY = """\
grants:
  - {id: inquiry, to: prov, data: household, action: [read, reveal], purpose: inquiry, until: 2027-12-31,
     approval: {by: prov, on: 2026-01-01, reference: 2026-1}}
"""


@pytest.mark.parametrize(
    ("data", "level", "said"),
    [
        ("household", "any", []),
        ("population", ">= important", []),
        ("household", "<= general", ["no labelled field of the catalog has this data and level"]),
        ("market", "any", ["no labelled field of the catalog has this data and level"]),
    ],
)
def test_a_rule_for_reveals_is_dead_only_where_no_token_comes_from(
    tmp_path: Path, data: str, level: str, said: list[str]
) -> None:
    (tmp_path / "grants.yaml").write_text(INQUIRY, encoding="utf-8")
    rule = REVEAL.replace("DATA", data).replace("LEVEL", f"'{level}'")
    faults = found(tmp_path, rule, catalog=TOKENS)
    assert [one.en.partition(":")[0] for one in faults] == said
    assert all(one.code == "L001" and "标注字段" in one.zh for one in faults)


def test_a_rule_for_reveals_whose_condition_nobody_meets_is_dead_all_the_same(tmp_path: Path) -> None:
    rule = REVEAL.replace("DATA", "household").replace("LEVEL", "any")
    (one,) = found(tmp_path, rule, catalog=TOKENS)  # no grant, so none that is approved
    assert (one.code, "no request can meet its condition" in one.en) == ("L001", True)


def test_levels_are_looked_at_as_if_in_force(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "II.yaml").write_text(
        "level: II\nrules:\n"
        "  - {id: seal, title: s, owner: prov, effect: deny, level: '>= core'}\n"
        "  - {id: sign-in, title: s, owner: prov, effect: deny, who: person, when: subject.assurance < 3}\n"
    )
    (one,) = found(tmp_path)
    assert (Path(one.file).name, one.line, one.code) == ("II.yaml", 3, "L001")


def test_a_level_that_freezes_grants_is_clean_though_there_are_none_yet(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "II.yaml").write_text("level: II\nfreeze_grants: true\n")
    assert found(tmp_path) == ()


def test_rules_that_no_decision_names(tmp_path: Path) -> None:
    more = "- {id: x, title: x, owner: prov, effect: deny, when: device.fresh}\n"
    record = counted([("reads",), ("reads", "reads"), ()])
    assert record == Record(3, {"reads": 2})
    (one,) = found(tmp_path, more, record)
    assert (one.code, one.line, "none of 3 recorded decisions" in one.en) == ("L011", 3, True)


def test_what_could_not_be_settled_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "STEPS", 1)
    faults = found(tmp_path, "- {id: x, title: x, owner: prov, effect: deny, when: device.fresh}\n")
    assert {fault.code for fault in faults} == {"L099"}


def test_without_the_files_the_places_of_the_bundle_serve(tmp_path: Path) -> None:
    bundle, catalog = policies(tmp_path, ALLOW + "- {id: x, effect: deny, data: population, action: delete}\n")
    (one,) = lint(bundle, catalog, Sources())
    assert (one.file, one.line, one.code) == ("rules/10-test.yaml", 3, "L001")


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    policies(tmp_path, ALLOW)
    (tmp_path / "rules" / "20.yaml").write_text("rules: [")
    (tmp_path / "rules" / "30.yaml").write_text("rules: [{effect: deny}, 3]")
    assert list(sources(tmp_path).rules) == ["reads"]


def test_the_shipped_policies_are_clean() -> None:
    from gateway.catalog import load as load_catalog
    from gateway.policy import load

    folder = ROOT / "policies"
    catalog = load_catalog(folder / "catalog")
    assert lint(load(folder, catalog.assets), catalog, sources(folder), 1_790_000_000.0) == ()
