"""Is a condition read strictly, judged by kind, and never executed?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import Facts, Grade, Risk
from gateway.policy.condition import FAILURES, Refused, compile_condition
from gateway.policy.names import Vocabulary, names
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts

TABLE = names(
    Vocabulary(
        roles=frozenset({"clerk", "auditor"}),
        orgs=frozenset({"prov", "prov/civil"}),
        assets=frozenset({"household"}),
        categories=frozenset({"population"}),
    )
)


def holds(text: str, **changes: Any) -> bool:
    return compile_condition(text, TABLE).test(some_facts(**changes))


def refused(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        compile_condition(text, TABLE)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        'subject.org == "prov/civil"',
        "subject.org == data.owner",
        "subject.assurance >= 2 and not subject.bound",
        "1 < subject.assurance <= 3",
        'device.trust in ["managed", "known"]',
        'device.trust not in ("unknown", "compromised")',
        "device.fresh",
        "device.fresh == true",
        "not device.fresh or risk.known",
        "risk.known and risk.score < 40",
        "risk.score > -1",
        'has(subject.roles, "clerk")',
        '"clerk" in subject.roles',
        'data.grade >= "important"',
        "subject.clearance >= data.grade",
        'data.grade in ["important", "core"]',
        'ip_in(env.source, "192.168.0.0/16", "10.0.0.0/8")',
        'between(env.time, "22:00", "23:00")',
        'between(env.time, "20:00", "06:00")',
        'weekday(env.weekday, "sat", "sun-tue")',
        'env.weekday == "mon" and env.hour == 22',
        'env.method == "GET" and data.action == "read" and data.category == "population" and data.asset == "household"',
        "subject.auth_age <= 120.0",
        'env.purpose != "审计,(1)"',
        ' env.purpose == "" ',
        'env.purpose in ["", ' + ", ".join(["'a'"] * 350) + "]",
    ],
)
def test_what_can_be_said_and_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'between(env.time, "08:00", "18:00")',
        'weekday(env.weekday, "tue-fri")',
        'ip_in(env.source, "192.0.2.0/24", "2001:db8::/32")',
        'has(subject.roles, "auditor")',
        "subject.assurance > 2",
        "risk.score >= 40 and risk.known",
        'env.purpose in ["audit"]',
        "subject.auth_age > 300",
    ],
)
def test_what_can_be_said_and_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "P020"),
        ("subject.org ==", "P020"),
        ('env.purpose == "audit" && device.fresh', "P020"),
        ("subject.org == “prov”", "P020"),
        ("ｓubject.bound", "P020"),  # Python would fold this into subject.bound
        ('env.purpose == "a\\n"', "P020"),
        ("(" * 500 + "device.fresh" + ")" * 500, "P020"),
        ("not " * 400 + "device.fresh", "P023"),
        ("subject.auth_age < " + "-" * 900 + "1", "P024"),
        ("subject.auth_age < --1", "P024"),
        ("env.purpose in [" + "'a'," * 400 + "'b']", "P023"),
        ("device.fresh and " * 200 + "device.fresh", "P023"),
        (" or ".join(["device.fresh"] * 150), "P023"),
        ("__import__('os').system('true')", "P021"),
        ("subject.__class__", "P021"),
        ("subject.orgs == 1", "P021"),
        ("device.trust.upper() == 1", "P024"),
        ("open('x')", "P021"),
        ("lambda: 1", "P024"),
        ("[x for x in subject.roles]", "P024"),
        ("(x := 1)", "P024"),
        ("subject.assurance + 1 > 2", "P024"),
        ("subject.org is data.owner", "P024"),
        ("subject.roles[0] == 'clerk'", "P024"),
        ("f'{subject.org}' == 'x'", "P024"),
        ("device.fresh if device.fresh else device.fresh", "P024"),
        ("b'x' == env.purpose", "P024"),
        ("env.purpose in [subject.org]", "P024"),
        ("env.purpose in []", "P022"),
        ("subject.org", "P022"),
        ('"a"', "P022"),
        ("subject.assurance", "P022"),
        ("subject.assurance == 'aal3'", "P022"),
        ("subject.org < data.owner", "P022"),
        ("subject.roles == 'clerk'", "P022"),
        ("subject.org in data.owner", "P022"),
        ("'a' in env.purpose", "P022"),
        ("1 in subject.roles", "P022"),
        ("device.trust == 'manged'", "P022"),
        ("has(subject.roles, 'clrek')", "P010"),
        ("'clrek' in subject.roles", "P010"),
        ("subject.org == 'prov/cvil'", "P011"),
        ("data.grade >= 'general'", "P031"),
        ("ip_in(env.source, '10.0.0.1/8')", "P022"),
        ("ip_in(env.source, 'office')", "P022"),
        ("ip_in(env.source)", "P022"),
        ("ip_in(env.source, env.purpose)", "P022"),
        ("ip_in(net='10.0.0.0/8')", "P022"),
        ("between(env.time, '8:00', '18:00')", "P022"),
        ("between(env.time, '08:00', '08:00')", "P022"),
        ("between(env.hour, '08:00', '18:00')", "P022"),
        ("weekday(env.weekday, 'monday')", "P022"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_code(text: str, code: str) -> None:
    assert refused(text).code == code


@pytest.mark.parametrize(
    ("text", "at", "hint"),
    [
        ('env.time == "8:00"', '"8', '"08:00"'),
        ('env.time != "24:00"', '"24', '"08:00"'),
        ('device.fresh or env.time not in ["08:00", "18:0"]', '"18', '"08:00"'),
        ("env.hour == 24", "24", "a whole number from 0 to 23"),
        ("env.hour != 8.5", "8.5", "a whole number from 0 to 23"),
        ("env.hour in [22, 23, 24]", "24", "a whole number from 0 to 23"),
        ("not subject.assurance == 4", "4", "a whole number from 0 to 3"),
        ("-1 == risk.score", "-1", "a number from 0 to 100"),
        ('env.weekday == "monday"', '"', "mon"),
        ('env.weekday in ["mon", "Tue"]', '"Tue', "tue"),
        ('weekday(env.weekday, "mon-fry")', '"', "mon"),
        ('weekday(env.time, "mon")', "env", "weekday at env.weekday"),
        ('between(env.weekday, "08:00", "18:00")', "env", "between looks at env.time"),
        ('ip_in(env.method, "10.0.0.0/8")', "env", "ip_in at env.source"),
        ('risk.band not in ["limit", "high"]', '"high', "quarantine"),
        ('not (device.trust == "")', '""', "managed"),
        ('subject.kind in ["persons"]', '"', "person"),
        ('env.method == "get"', '"', "GET"),
        ('env.source == "10.0.0.0/8"', '"', "ip_in"),
        ('env.source in ["::ffff:10.0.0.1"]', '"', "ip_in"),
        ('env.source != "2001:DB8::1"', '"', "ip_in"),
        ('data.grade in ["core", "secret"]', '"secret', "core"),
        ('has(grant.ids, "g-1")', '"', "none is declared"),
    ],
)
def test_what_a_name_can_never_be_is_refused_at_its_place_with_what_it_can_be(text: str, at: str, hint: str) -> None:
    found = refused(text)
    assert found.code in ("P022", "P031")
    assert found.column == text.index(at)
    assert hint in found.hint[0]
    assert found.hint[1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("env.hour > 23", "env.hour > 23"),
        ("env.hour >= 24 or device.fresh", "env.hour >= 24"),
        ("device.fresh and 23 < env.hour", "23 < env.hour"),
        ("8 <= env.hour < 0", "8 <= env.hour < 0"),
        ("not env.hour <= 23", "not env.hour <= 23"),
        ("not (device.fresh or env.hour >= 0)", "not (device.fresh or env.hour >= 0)"),
        ("subject.assurance > 3", "subject.assurance > 3"),
        ("subject.assurance < 0", "subject.assurance < 0"),
        ("risk.known and risk.score > 100", "risk.score > 100"),
        ('data.grade > "core"', 'data.grade > "core"'),
        ('subject.clearance < "general-1"', 'subject.clearance < "general-1"'),
        ('not data.grade >= "general-1"', 'not data.grade >= "general-1"'),
        ("subject.org != subject.org", "subject.org != subject.org"),
        ("subject.kind == device.trust", "subject.kind == device.trust"),
        ("not subject.kind != device.trust", "not subject.kind != device.trust"),
        ('"a" == "b"', '"a" == "b"'),
        ("1 in [2]", "1 in [2]"),
        ("false", "false"),
        ("not true", "not true"),
        ("device.fresh and false", "false"),
    ],
)
def test_what_can_never_be_true_is_refused_wherever_it_stands(text: str, part: str) -> None:
    found = refused(text)
    assert (found.code, found.en) == ("P026", f"`{part}` can never be true")
    assert found.column == text.index(part)
    assert all(found.hint)


@pytest.mark.parametrize(
    "text",
    [
        "env.hour < 24 and risk.score <= 100",  # always so: lint says it (L002), and nothing fails open
        "false or device.fresh",
        'subject.org == "" or device.org != ""',
        'env.source == "" or device.fresh',
        'env.source != "2001:db8::1"',
        "not (env.hour >= 0 and subject.bound)",
        "0.5 < subject.assurance < 2.5",
        'between(env.purpose, "08:00", "18:00") or device.fresh',
        "subject.org == device.org",
    ],
)
def test_what_can_be_true_is_read(text: str) -> None:
    assert holds(text)


def test_a_suggestion_names_the_word_that_was_meant() -> None:
    assert "subject.assurance" in refused("subject.asurance > 1").hint[0]
    assert "clerk" in refused("has(subject.roles, 'clrek')").hint[1]


def test_the_column_points_at_the_word_also_behind_chinese_text() -> None:
    text = 'env.purpose == "审计" and devise.fresh'
    assert refused(text).column == text.index("devise")


def test_an_unknown_risk_cannot_be_compared() -> None:
    with pytest.raises(FAILURES):
        holds("risk.score >= 40", risk=Risk(None))
    assert not holds("risk.known and risk.score >= 40", risk=Risk(None))


def test_reading_a_value_that_may_be_unknown_without_asking_is_noticed() -> None:
    assert compile_condition("risk.score > 1", TABLE).unguarded == ("risk.score",)
    assert compile_condition("risk.known and risk.score > 1", TABLE).unguarded == ()


def test_a_source_that_is_no_address_fails_instead_of_being_outside() -> None:
    with pytest.raises(FAILURES):
        holds('not ip_in(env.source, "10.0.0.0/8")', ask=an_ask(source="unix:"))


def test_a_mapped_address_is_the_address_it_maps() -> None:
    assert holds('ip_in(env.source, "10.0.0.0/8")', ask=an_ask(source="::ffff:10.1.2.3"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("device.fresh # not enough\nand subject.assurance >= 3", 13),  # folded, all behind it would be a comment
        ('env.purpose in ["audit" "treatment"]', 24),  # one word that nobody ever says
        ("env.purpose == \"audit\"\n'treatment'", 23),
        ('env.purpose == """audit"""', 15),
        ('""" " """ == ｅnv.purpose and "" == env.purpose', 0),  # quotes that are not where they seem to be
        ("'\\''#' == env.purpose", 1),
    ],
)
def test_what_a_reader_of_python_would_leave_out_or_join_is_refused(text: str, at: int) -> None:
    found = refused(text)
    assert (found.code, found.column) == ("P020", at)


def test_a_sharp_inside_of_quotes_is_a_letter() -> None:
    assert holds('env.purpose != "#1" and "" != \'#\'')


@pytest.mark.parametrize("network", ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3", "::ffff:0:0/96"])
def test_a_mapped_network_is_refused_because_no_caller_is_in_it(network: str) -> None:
    assert refused(f'ip_in(env.source, "10.0.0.0/8", "{network}")').code == "P022"


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "-1e16", "1000000000000001"])
def test_a_number_beyond_all_measure_is_refused(number: str) -> None:
    assert refused(f"subject.auth_age < {number}").code == "P022"


def test_an_unknown_time_of_sign_in_is_infinitely_long_ago() -> None:
    never = a_subject(proof=a_proof(authenticated_at=0.0))
    assert holds("subject.auth_age > 86400", subject=never)
    assert not holds("subject.auth_age <= 86400", subject=never)


def test_the_clock_is_read_in_the_policys_zone() -> None:
    table = names(Vocabulary(timezone="UTC"))
    facts = some_facts(ask=an_ask(at=NOW))  # 22:13 in Shanghai
    assert compile_condition("env.hour == 14", table).test(facts)
    assert holds("env.hour == 22", ask=an_ask(at=NOW))


def test_clauses_know_their_place_and_what_they_read() -> None:
    text = 'device.fresh and env.purpose == "audit"'
    first, second = compile_condition(text, TABLE).clauses
    assert (text[first.start : first.end], text[second.start : second.end]) == tuple(text.split(" and "))
    assert second.reads == ("env.purpose",)


def test_a_condition_folded_over_lines_is_one_condition() -> None:
    assert holds("device.fresh and\nsubject.assurance == 2\n")


@given(st.text(max_size=80))
def test_any_text_is_refused_or_compiled_never_more(text: str) -> None:
    try:
        compile_condition(text, TABLE)
    except Refused as error:
        assert error.code.startswith("P")


PARTS = st.sampled_from(
    ["device.fresh", "subject.bound", "risk.known", 'env.purpose == "audit"', "subject.assurance >= 2", "true"]
)
SENTENCES = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds(lambda a: f"not ({a})", inner),
        st.builds(lambda a, b: f"({a}) and ({b})", inner, inner),
        st.builds(lambda a, b: f"({a}) or ({b})", inner, inner),
    ),
    max_leaves=6,
)


def plainly(text: str, facts: Facts) -> bool:
    """What Python itself makes of the sentence: only here, only for sentences that this test wrote."""
    words = {
        "device.fresh": facts.posture.fresh,
        "subject.bound": facts.subject.proof.bound,
        "risk.known": facts.risk.score is not None,
        'env.purpose == "audit"': facts.ask.purpose == "audit",
        "subject.assurance >= 2": facts.subject.assurance >= 2,
        "true": True,
    }
    for word, value in words.items():
        text = text.replace(word, str(value))
    return bool(eval(text))


@given(SENTENCES, st.booleans(), st.booleans(), st.sampled_from(["", "audit"]), st.integers(0, 3))
def test_closures_mean_what_the_words_mean(text: str, fresh: bool, bound: bool, purpose: str, level: int) -> None:
    facts = some_facts(
        posture=a_posture(fresh=fresh),
        subject=a_subject(assurance=level, proof=a_proof(bound=bound)),
        ask=an_ask(purpose=purpose),
        asset=an_asset(grade=Grade.CORE),
    )
    try:
        condition = compile_condition(text, TABLE)
    except Refused as refused:
        assert (refused.code, plainly(refused.en.split("`")[1], facts)) == ("P026", False)
    else:
        assert condition.test(facts) is plainly(text, facts)


def test_a_wide_quote_and_a_wide_sign_are_named() -> None:
    for text, hint in (
        ("env.purpose == “audit”", 'that is not a plain quote: write `"` on both sides'),
        ("risk.score ≥ 3", "write `>=`"),
        ("env.purpose == é", "use plain ASCII punctuation"),
    ):
        with pytest.raises(Refused) as refused:
            compile_condition(text, {})
        assert (refused.value.code, refused.value.hint[0]) == ("P020", hint)
