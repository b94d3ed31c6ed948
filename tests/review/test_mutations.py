"""Which slips could the author of one rule have made?

| what an author gets wrong | test |
|---|---|
| forgets a rule, or writes the other effect | test_a_rule_is_left_out_and_turned_round |
| lets in more roles, offices, data or actions | test_words_are_left_out_and_widened_by_a_step |
| takes the next level | test_levels_move_by_a_step |
| forgets `not`, a part, a boundary | test_conditions |
| forgets a duty | test_duties_are_left_out_one_by_one |
| writes a condition that nobody can take apart | test_every_changed_condition_can_be_read |
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy import Bundle
from gateway.policy.condition import Refused, compile_condition
from gateway.policy.names import Vocabulary, names
from gateway.review.mutations import conditions, mutations, weakest_profile
from tests.policy.world import CLERK_READS, a_bundle

TABLE = names(Vocabulary(roles=frozenset(("clerk", "auditor"))))


def told(bundle: Bundle, rule: str) -> set[str]:
    rows = tuple(row for row in bundle.content.rules if row[0] == rule)
    return {made.en for made in mutations(rule, rows, bundle.content)}


def test_a_rule_is_left_out_and_turned_round(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    rows = bundle.content.rules
    first, second, *_ = mutations("clerk-reads", rows, bundle.content)
    assert (first.en, first.zh, first.rows) == ("the rule is left out", "删去整条规则", ())
    assert (second.en, second.zh) == ("`effect: allow` becomes `deny`", "`effect: allow` 改为 `deny`")
    assert [row[1] for row in second.rows] == ["deny"]


def test_words_are_left_out_and_widened_by_a_step(tmp_path: Path) -> None:
    rule = "{id: r, effect: allow, who: [clerk, auditor], org: [prov/civil, hz], data: [visit, household], action: [read, create], level: any}"
    assert told(a_bundle(tmp_path, f"- {rule}\n"), "r") >= {
        "`who: clerk` is left out",
        "`who: auditor` is left out",
        "`who: clerk, auditor` becomes `signed-in`",
        "`org: hz` is left out",
        "`org: prov/civil, hz` becomes `prov`",
        "`data: visit` is left out",
        "`data: visit, household` becomes `*`",
        "`action: create` is left out",
        "`action: read, create` becomes `*`",
    }


def test_what_means_any_already_is_not_widened(tmp_path: Path) -> None:
    words = told(a_bundle(tmp_path, CLERK_READS + "- {id: r, effect: deny}\n"), "r")
    assert words == {
        "the rule is left out",
        "`effect: deny` becomes `allow`",
        "`level: any` becomes `<= important`",
        "`level: any` becomes `>= general-2`",
    }


@pytest.mark.parametrize(
    ("level", "steps"),
    [
        ("<= important", {"any", "<= general-4"}),
        (">= core", {">= important", "any"}),
        ("== important", {"<= important", ">= important"}),
        ("<= general", {"<= general-3", "<= important"}),
    ],
)
def test_levels_move_by_a_step(tmp_path: Path, level: str, steps: set[str]) -> None:
    bundle = a_bundle(tmp_path, CLERK_READS + f'- {{id: r, effect: deny, level: "{level}"}}\n')
    rows = tuple(row for row in bundle.content.rules if row[0] == "r")
    assert {made.after for made in mutations("r", rows, bundle.content) if made.key == "level"} == steps


def test_duties_are_left_out_one_by_one(tmp_path: Path) -> None:
    allow = CLERK_READS + "  then: {mask: pii-strict, log: synced, notify: [a, b]}\n  expires: 2027-12-31\n"
    assert told(a_bundle(tmp_path, allow), "clerk-reads") >= {
        "`mask: pii-strict` becomes `none`",
        "`log: synced` is left out",
        "`notify: a` is left out",
        "`notify: b` is left out",
        "`expires: 2027-12-31` is left out",
    }
    deny = "- {id: r, effect: deny, reason: risk_too_high, then: {step_up: aal3, max_age: 300}}\n"
    assert told(a_bundle(tmp_path, CLERK_READS + deny), "r") >= {
        "`reason: risk_too_high` is left out",
        "`step_up: aal3` is left out",
        "`step_up: aal3` becomes `aal2`",
        "`max_age: 300` is left out",
    }


def test_a_filter_is_left_out_and_made_narrower(tmp_path: Path) -> None:
    allow = CLERK_READS + "  then: {rows: {$.district: [hz, subject.org], $.handler: subject.id}}\n"
    assert told(a_bundle(tmp_path, allow), "clerk-reads") >= {
        "`rows: $.district: hz, subject.org` is left out",
        "`rows: $.district: hz, subject.org` becomes `$.district: hz`",
        "`rows: $.district: hz, subject.org` becomes `$.district: subject.org`",
        "`rows: $.handler: subject.id` is left out",
    }


def test_the_weakest_profile_is_the_one_that_hides_least(tmp_path: Path) -> None:
    assert weakest_profile(a_bundle(tmp_path).content) == "none"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("device.fresh", {"", "not (device.fresh)"}),
        ("not device.fresh", {"", "device.fresh"}),
        (
            'risk.band == "limit" and subject.auth_age > 300',
            {
                "",
                "true and subject.auth_age > 300",
                'risk.band != "limit" and subject.auth_age > 300',
                'risk.band == "limit" and true',
                'risk.band == "limit" and subject.auth_age <= 300',
                'risk.band == "limit" and subject.auth_age >= 300',
                'risk.band == "limit" and subject.auth_age > 301',
                'risk.band == "limit" and subject.auth_age > 299',
            },
        ),
        (
            'subject.id in ["张伟", "b"] or device.fresh',
            {
                "",
                'not (subject.id in ["张伟", "b"] or device.fresh)',
                "false or device.fresh",
                'subject.id not in ["张伟", "b"] or device.fresh',
                'subject.id in ["张伟"] or device.fresh',
                'subject.id in ["b"] or device.fresh',
                'subject.id in ["张伟", "b"] or false',
                'subject.id in ["张伟", "b"] or not (device.fresh)',
            },
        ),
        (
            'between(env.time, "00:00", "18:00")',
            {
                "",
                'not (between(env.time, "00:00", "18:00"))',
                'between(env.time, "00:01", "18:00")',
                'between(env.time, "23:59", "18:00")',
                'between(env.time, "00:00", "18:01")',
                'between(env.time, "00:00", "17:59")',
            },
        ),
        (
            'weekday(env.weekday, "sat-sun", "fri")',
            {
                "",
                'not (weekday(env.weekday, "sat-sun", "fri"))',
                'weekday(env.weekday, "fri")',
                'weekday(env.weekday, "sat-sun")',
                'weekday(env.weekday, "sat-mon", "fri")',
                'weekday(env.weekday, "sat", "fri")',
                'weekday(env.weekday, "sat-sun", "fri-sat")',
            },
        ),
        (
            'ip_in(env.source, "10.0.0.0/8")',
            {"", 'not (ip_in(env.source, "10.0.0.0/8"))', 'ip_in(env.source, "10.0.0.0/7")'},
        ),
        (
            "8 <= env.hour < 18",
            {
                "",
                "not (8 <= env.hour < 18)",
                "8 < env.hour < 18",
                "8 <= env.hour <= 18",
                "9 <= env.hour < 18",
                "7 <= env.hour < 18",
                "8 <= env.hour < 19",
                "8 <= env.hour < 17",
            },
        ),
    ],
)
def test_conditions(text: str, made: set[str]) -> None:
    assert {whole for _, _, whole in conditions(text)} == made


ATOMS = st.sampled_from(
    [
        "subject.assurance < 2", "device.fresh", 'device.trust != "managed"', 'env.purpose == "审计"', "risk.known",
        'has(subject.roles, "clerk", "auditor")', 'subject.kind in ("person", "service")', "-1 < risk.score <= 80.5",
        "subject.bound == true", "subject.id == 'a\"b'", '"clerk" not in subject.roles', "env.hour == 0",
    ]
)  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        st.builds("not ({})".format, part),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: "(" + " and ".join(parts) + ")"),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: "(" + "\n or ".join(parts) + ")"),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_every_changed_condition_can_be_read_and_is_another(text: str) -> None:
    try:
        compile_condition(text, TABLE)
    except Refused:
        return  # too deep
    for _, _, whole in conditions(text):
        assert whole != text
        try:
            compile_condition(whole or text, TABLE)
        except Refused as refused:  # `env.hour == -1`: what the reader refuses is no mutant
            assert refused.code in ("P022", "P026")
