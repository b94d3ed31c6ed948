"""Which request would tell a rule from a mistaken one?

Every suggestion is taken as an author would take it: written into the folder, read again, run.
"""

from pathlib import Path

import pytest

from gateway.document import parse
from gateway.policy import Bundle
from gateway.policy.examples import Example, judge, read_examples, supposed
from gateway.review.mutate import changed, slips
from gateway.review.routes import routes
from gateway.review.suggest import Search
from tests.policy.world import CLERK_READS
from tests.review.small import made


def suggested(tmp_path: Path, rules: str, what: str, budget: int = 20_000) -> str:
    """The test that is suggested for the mutant of rule `r` with these words; what it says was tried."""
    bundle, catalog = made(tmp_path, rules=rules)
    (slip,) = (one for one in slips(bundle) if one.rule == "r" and one.en == what)
    rows = tuple(row for row in bundle.content.rules if row[0] == "r")
    mutant = Bundle(changed(bundle.content, slip, ""))
    text = Search(routes(catalog), catalog.find, budget).test(bundle, mutant, slip, rows, "")
    if text:
        (example,) = read_examples(parse(f"tests:\n{text}", "t.yaml"), "t.yaml")
        assert isinstance(example, Example), example
        _, facts = supposed(example, {"": bundle}, catalog.find)
        assert judge(example, bundle, facts).passed
        assert not judge(example, mutant, facts).passed
    return text


WIDE = "- {id: r, effect: allow, who: clerk, org: prov/civil, data: population, action: read, level: any, "
DENY = CLERK_READS + "- {id: r, effect: deny, data: population, "


@pytest.mark.parametrize(
    ("rules", "what", "says"),
    [
        (WIDE + "}\n", "the rule is left out", "expect: permit"),
        (WIDE + "}\n", "`effect: allow` becomes `deny`", "expect: permit"),
        (WIDE + "}\n", "`who: clerk` becomes `signed-in`", "expect: deny"),
        (WIDE + "}\n", "`org: prov/civil` becomes `prov`", "expect: deny"),
        (WIDE + "}\n", "`data: population` becomes `*`", "expect: deny"),
        (WIDE + "}\n", "`action: read` becomes `*`", "request: PUT /households/1"),
        (DENY + "action: read, when: env.hour < 8}\n", "`action: read` becomes `*`", "rules: []"),  # nobody updates
        (WIDE + "expires: 2027-12-31}\n", "`expires: 2027-12-31` is left out", 'date: "2028-01-01"'),
        (WIDE + "then: {mask: pii-strict}}\n", "`mask: pii-strict` becomes `none`", "mask: pii-strict"),
        (WIDE + "then: {rows: {$.a: [hz, subject.org]}}}\n", "`rows: $.a: hz, subject.org` is left out", 'rows: {"$.a": ['),
        (WIDE + "then: {rows: {$.a: [hz, nb]}}}\n", "`rows: $.a: hz, nb` becomes `$.a: nb`", 'rows: {"$.a": [hz, nb]}'),
        (WIDE + "then: {log: synced}}\n", "`log: synced` is left out", "log: synced"),
        (WIDE + "then: {notify: [a b, c]}}\n", "`notify: a b` is left out", 'notify: ["a b", c]'),
        (WIDE + "when: 'env.purpose == \"审计\"'}\n", '`when: env.purpose == "审计"` is left out', "expect: deny"),
        (DENY + "when: subject.auth_age > 300}\n", "`when: subject.auth_age > 300` becomes `subject.auth_age >= 300`", "auth_age: 300"),
        (DENY + "when: not risk.known}\n", "`when: not risk.known` becomes `risk.known`", "expect:"),
        (DENY + "when: 'risk.known and risk.score > 50'}\n", "`when: risk.score > 50` becomes `risk.score > 51`", "risk: 51"),
        (DENY + "when: env.hour == 8}\n", "`when: env.hour == 8` becomes `env.hour == 9`", "time:"),
        (DENY + "when: 'subject.clearance < \"important\"'}\n", '`when: subject.clearance < "important"` is left out', "expect: permit"),
        (DENY + "when: 'ip_in(env.source, \"2001:db8::/32\")'}\n", '`when: ip_in(env.source, "2001:db8::/32")` becomes `not (ip_in(env.source, "2001:db8::/32"))`', "expect:"),
        (DENY + "when: not device.fresh, then: {step_up: aal3}}\n", "the rule is left out", "fresh: false"),
        (DENY + "when: subject.auth_age > 300, then: {step_up: aal3, max_age: 300}}\n", "`max_age: 300` is left out", "max_age: 300"),
        (DENY + "reason: risk_too_high}\n", "`reason: risk_too_high` is left out", "reason: risk_too_high"),
    ],
)  # fmt: skip
def test_a_mutant_has_a_test_that_tells_it_from_the_rule(tmp_path: Path, rules: str, what: str, says: str) -> None:
    assert says in suggested(tmp_path, rules, what)


def test_one_more_rule_with_a_say_is_told_by_naming_all(tmp_path: Path) -> None:
    rules = CLERK_READS + '- {id: all, effect: deny}\n- {id: r, effect: deny, level: ">= core"}\n'
    assert "rules: all" in suggested(tmp_path, rules, "`level: >= core` becomes `>= important`")


def test_nothing_is_suggested_beyond_the_budget(tmp_path: Path) -> None:
    assert suggested(tmp_path, WIDE + "}\n", "`org: prov/civil` becomes `prov`", budget=0) == ""


def test_names_that_mean_something_else_in_yaml_are_written_as_words(tmp_path: Path) -> None:
    rule = WIDE + "when: 'env.purpose == \"true\"'}\n"
    assert 'purpose: "true"' in suggested(tmp_path, rule, "the rule is left out")
    hostile = WIDE + "when: 'env.purpose == \"a, b: [c] # d\"'}\n"
    assert 'purpose: "a, b: [c] # d"' in suggested(tmp_path, hostile, "the rule is left out")
