"""Does a caller see only the records that every rule lets pass?"""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import FileFault
from gateway.document import parse as parse_yaml
from gateway.facts import ANONYMOUS, Asset, Deny, Facts, Permit, RowFilter, Subject
from gateway.policy import explain
from gateway.policy.decide import decide
from gateway.policy.duties import Duties, Then, duties, parse, written
from gateway.policy.rows import RowRule, filters, lets_more, read_rows
from tests.literals import a_subject, an_asset
from tests.policy.world import a_bundle, codes, facts
from tests.test_layout import ROOT

OWN = RowRule("$.district", ("subject.org",))


def claimed(subject: Subject) -> frozenset[str]:
    return frozenset(subject.roles)


RULES = st.builds(
    RowRule,
    st.sampled_from(["$.district", "$.office.code"]),
    st.lists(st.sampled_from(["subject.org", "subject.id", "subject.roles", "hz", "nb"]), min_size=1).map(
        lambda words: tuple(sorted(set(words)))
    ),
)
FILTERS = st.lists(RULES, max_size=4).map(lambda rules: filters(rules, SOMEBODY, claimed))
SOMEBODY = Subject("u1", "person", org="hz", roles=("clerk",))
WORDS = ("hz", "nb", "u1", "clerk", "other")
RECORDS = [{"$.district": a, "$.office.code": b} for a in WORDS for b in WORDS]


def passes(record: dict[str, str], rows: tuple[RowFilter, ...]) -> bool:
    return all(record[row.field] in row.values for row in rows)


def read(text: str) -> tuple[tuple[RowRule, ...], list[str]]:
    faults: list[FileFault] = []
    return read_rows(parse_yaml(text, "x.yaml"), faults), [fault.code for fault in faults]


def test_a_filter_is_read_in_one_spelling() -> None:
    rows, codes = read("{/office/code: [nb, subject.org, nb], $.district: hz}")
    assert rows == (RowRule("$.district", ("hz",)), RowRule("$.office.code", ("nb", "subject.org")))
    assert codes == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{}", ["P180"]),
        ("{$: hz}", ["P180"]),
        ("{'$..district': hz}", ["P180"]),
        ("{'$.items[*].district': hz}", ["P180"]),
        ("{'$.a[0]': hz}", ["P180"]),
        ("{district: hz}", ["P180"]),
        ("{$.district: hz, /district: nb}", ["P180"]),
        ("{$.district: subject.ogr}", ["P181"]),
        ("{$.district: subject.name}", ["P181"]),
        ("{$.district: subject.clearance}", ["P181"]),
        ("{$.district: 330100}", ["P004"]),
        ("{$.district: []}", ["P004"]),
        ("{$.district: ''}", ["P004"]),
        ("[$.district]", ["P004", "P180"]),
    ],
)
def test_what_filters_nothing_or_cannot_be_told_is_a_fault(text: str, codes: list[str]) -> None:
    assert read(text)[1] == codes


def test_a_filter_stands_on_an_allow_only(tmp_path: Path) -> None:
    deny = "- {id: a, effect: deny, then: {rows: {$.district: hz}}}\n"
    assert codes(tmp_path, deny)[:1] == ["P070"]


@given(st.lists(RULES, max_size=3), st.lists(RULES, max_size=3), st.lists(RULES, max_size=3))
def test_filters_only_ever_add_up(one: list[RowRule], two: list[RowRule], three: list[RowRule]) -> None:
    first, second, third = (Duties(rows=frozenset(rows)) for rows in (one, two, three))
    assert first.merge(second).merge(third) == first.merge(second.merge(third))
    assert first.merge(second) == second.merge(first)
    assert first.merge(first) == first
    of_one, of_two, of_both = (filters(rows, SOMEBODY, claimed) for rows in (one, two, first.merge(second).rows))
    assert all(passes(it, of_both) is (passes(it, of_one) and passes(it, of_two)) for it in RECORDS)
    assert not lets_more(of_one, of_both)


@given(FILTERS, FILTERS)
def test_more_is_let_pass_exactly_when_some_record_shows_it(
    one: tuple[RowFilter, ...], two: tuple[RowFilter, ...]
) -> None:
    assert lets_more(one, two) is any(passes(it, two) and not passes(it, one) for it in RECORDS)


def test_what_the_caller_does_not_have_lets_nothing_pass() -> None:
    assert filters((OWN,), SOMEBODY, claimed) == (RowFilter("$.district", ("hz",)),)
    assert filters((OWN,), Subject("u1", "person"), claimed) == (RowFilter("$.district", ()),)
    assert filters((RowRule("$.a", ("subject.roles",)),), Subject("u1", "person"), claimed) == (RowFilter("$.a", ()),)


def test_what_nobody_proved_lets_nothing_pass() -> None:
    claims = Subject("u1", "anonymous", org="hz", roles=("clerk",), purpose="counter")
    rule = RowRule("$.a", ("subject.id", "subject.org", "subject.purpose", "subject.roles"))
    assert filters((rule,), claims, claimed) == filters((rule,), ANONYMOUS, claimed) == (RowFilter("$.a", ()),)


def test_a_filter_is_part_of_the_row_and_comes_back() -> None:
    then = Then(mask="none", rows=(OWN,))
    assert parse(written(then)) == then
    assert duties(then).rows == {OWN}


CLERKS = """\
- {id: own, effect: allow, who: clerk, data: population, action: read, level: any, then: {rows: {$.district: [subject.org, "330100"]}}}
- {id: auditors, effect: allow, who: auditor, data: population, action: read, level: any, then: {rows: {$.district: [subject.org, nb], $.handler: subject.id}}}
"""


def clerk(roles: tuple[str, ...] = ("clerk",), **asset: object) -> Facts:
    return facts(subject=a_subject(id="u1", org="hz", roles=roles), asset=household(**asset))


def household(**changes: object) -> Asset:
    return an_asset(**({"id": "household", "category": "population"} | changes))


def test_a_permit_says_which_records(tmp_path: Path) -> None:
    decision = decide(a_bundle(tmp_path, CLERKS), clerk(), "written")
    assert isinstance(decision, Permit)
    assert decision.mask.rows == (RowFilter("$.district", ("330100", "hz")),)
    assert decision.mask.inspects


def test_all_filters_of_all_rules_hold(tmp_path: Path) -> None:
    decision = decide(a_bundle(tmp_path, CLERKS), clerk(("clerk", "auditor")), "written")
    assert isinstance(decision, Permit)
    assert decision.mask.rows == (RowFilter("$.district", ("hz",)), RowFilter("$.handler", ("u1",)))


def test_an_answer_that_nobody_reads_cannot_be_filtered(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, CLERKS.replace("then: {rows", "then: {mask: none, rows"))
    decision = decide(bundle, clerk(opaque=True), "written")
    assert isinstance(decision, Deny)
    assert [reason.code for reason in decision.reasons] == ["cannot_mask"]
    assert decision.reasons[0].detail == "own: $.district: 330100, subject.org"


def test_the_filters_are_explained(tmp_path: Path) -> None:
    explanation = explain(a_bundle(tmp_path, CLERKS), clerk())
    assert "rows  $.district  only 330100, hz" in explanation.text()
    assert "行过滤  $.district  仅 330100、hz" in explanation.text("zh-CN")


@pytest.mark.parametrize("page", ["data.md", "data.zh-CN.md"])
def test_the_example_of_the_guide_is_a_rule(page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    example = next(block for block in text.split("```yaml\n")[1:] if block.startswith("rules:") and "rows:" in block)
    rules = dedent(example.partition("```")[0].removeprefix("rules:\n"))
    decision = decide(a_bundle(tmp_path, rules), clerk(), "written")
    assert isinstance(decision, Permit)
    assert decision.mask.rows == (RowFilter("$.district", ("330100", "hz")),)
