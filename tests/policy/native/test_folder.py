"""Is the native policy of this folder good?

The abuse table: what a careless or hostile author writes, what stock casbin makes of it, and what is said here.

| written | stock casbin | here |
|---|---|---|
| `Deny`, `reject`, `deny # why` | the row has no effect: allowed | P147, P150 |
| full-width comma, `P,`, `p2`, NBSP | the row is dropped: allowed | P148, P145 |
| a byte order mark before the first deny | the row is dropped: allowed | read |
| a comment behind `eft` in model.conf | every deny is ignored: allowed | read |
| a matcher that goes on without `\\` | the rest is dropped: allowed | P132 |
| a quoted condition | a text is true: allowed | P149 |
| `!some(where (p.eft == deny))` | everything is allowed | P136 |
| the rows are gone, patterns match "" | everything is allowed | P133 |
| a condition on a role link | nobody asks it: held for ever | P156 |
| a role tree deeper than ten | a deny on top is not reached: allowed | read to its end |
| one short row, one bad condition | every request raises | P146, P140, P141 |
| a pattern that backtracks, or `**` | a worker stops | P144, P142 |
| attributes with underscores, calls, comprehensions | evaluated | P142 |
"""

from pathlib import Path

import pytest

from gateway.document import Faulty
from gateway.policy import Bundle, load
from tests.literals import a_subject as a_person
from tests.literals import some_facts
from tests.policy.native.pairs import ALLOW, BOTH, PRIORITY, SAME, model
from tests.policy.native.world import (
    ACL,
    ASKED,
    DENYING,
    ROWS,
    SAFE,
    a_bundle,
    answer,
    codes,
    errors,
    faults,
    stock,
    stock_allows,
    write,
)
from tests.policy.world import ASSETS

RULED = model("sub, act", "rule, act", ALLOW, "eval(p.rule) && r.act == p.act")
SUBJECT = "request: {sub: subject}"


def stock_breaks(folder: Path) -> bool:
    """Whether stock casbin raises on load or on a request."""
    try:
        return answer(stock(folder), ASKED)[0] is None
    except Exception:
        return True


# --- what fails open in stock casbin ---------------------------------------------------------------

OWN_FIRST = "subjectPriority(p.eft) || deny"
RBAC = "r.obj == p.obj && r.act == p.act"


@pytest.mark.parametrize(
    ("p", "g", "matcher", "row", "link", "more"),
    [
        ("sub, dom, obj, act, eft", "_, _", "g(r.sub, p.sub) && r.dom == p.dom", "{}, prov", "", ""),
        ("sub, obj, act, eft", "_, _, _", "g(r.sub, p.sub, r.dom)", "{}", ", prov", ""),
        ("sub, domain, obj, act, eft", "_, _, _", "g(r.sub, p.sub, r.dom)", "{}, prov", ", prov", ""),
        ("sub, obj, act, eft", "_, _, (_, _)", "g(r.sub, p.sub)", "{}", ", _, _", "conditions: {g: timeMatch}"),
        ("sub, dom, obj, act, eft", "_, _, _", "g(r.sub, p.sub, r.dom)", "{}, prov", ", *", "domain_matching: {g: keyMatch}"),
        ("sub, obj, act, eft", "_, _", "g(r.sub, p.sub)", "{}", "", "matching: {g: keyMatch}"),
    ],
)  # fmt: skip
def test_an_order_by_subject_that_casbin_would_not_make_is_refused(
    tmp_path: Path, p: str, g: str, matcher: str, row: str, link: str, more: str
) -> None:
    """casbin then takes the rows as they stand: the role's allow outranks the person's own deny."""
    text = model("sub, dom, obj, act", p, OWN_FIRST, f"{matcher} && {RBAC}", f"g = {g}")
    rows = f"p, {row.format('admin')}, /a, GET, allow\np, {row.format('alice')}, /a, GET, deny\ng, alice, admin{link}\n"
    request = f"request: {{dom: subject.org}}\n{more}\n"
    assert [code for code, *_ in errors(tmp_path, text, rows, request)] == ["P135"]


@pytest.mark.parametrize("effect", [BOTH, PRIORITY])
def test_an_effect_that_denies_needs_a_column_that_says_so(tmp_path: Path, effect: str) -> None:
    text = model("sub, obj, act", "sub, obj, act", effect, SAME)
    write(tmp_path, text, "p, zhang.wei, /civil/households/42, GET\n")
    assert stock_allows(tmp_path)
    assert [code for code, *_ in errors(tmp_path, text)] == ["P135"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("p, zhang.wei, /civil/*, GET, Deny", [("P147", 2, 30)]),
        ("p, zhang.wei, /civil/*, GET, reject", [("P147", 2, 30)]),
        ("p, zhang.wei, /civil/*, GET, deny # suspended", [("P150", 2, 30)]),
        ("p，zhang.wei，/civil/*，GET，deny", [("P148", 2, 2)]),
        ("P, zhang.wei, /civil/*, GET, deny", [("P145", 2, 1)]),
        ("p2, zhang.wei, /civil/*, GET, deny", [("P145", 2, 1)]),
        ("q, zhang.wei, /civil/*, GET, deny", [("P145", 2, 1)]),
        ("p, zhang.wei, /civil/house\u00a0holds/*, GET, deny", [("P148", 2, 27)]),
        ('p, "zhang.wei", /civil/*, GET, deny', [("P149", 2, 4)]),
        ("p, zhang.wei, /civil/*, GET # all, deny", [("P150", 2, 25)]),
        ("\u200bp, zhang.wei, /civil/*, GET, deny", [("P148", 2, 1)]),
    ],
)
def test_a_deny_that_stock_casbin_loses(tmp_path: Path, row: str, expected: list[tuple[str, int, int]]) -> None:
    assert errors(tmp_path, SAFE, DENYING + row) == expected
    assert stock_allows(tmp_path)


def allowed(bundle: Bundle, **person: str) -> bool:
    assert bundle.native is not None
    return bundle.native.enforcer.judge(some_facts(subject=a_person(**person))).allowed


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    rows = "\ufeffp, zhang.wei, /civil/*, GET, deny\n" + DENYING
    assert not allowed(a_bundle(tmp_path, SAFE, rows))
    assert stock_allows(tmp_path)


def test_a_comment_behind_a_definition_is_a_comment(tmp_path: Path) -> None:
    commented = SAFE.replace("act, eft", "act, eft  # why, who").replace("g = _, _", "g = _, _ # people, roles")
    rows = DENYING + "p, zhang.wei, /civil/*, GET, deny\n"
    assert not allowed(a_bundle(tmp_path, commented, rows))
    assert stock_breaks(tmp_path) or stock_allows(tmp_path)


def test_a_matcher_that_goes_on_in_the_next_line_says_so(tmp_path: Path) -> None:
    broken = ACL.replace("&& r.act", "\n  && r.act")
    assert errors(tmp_path, broken, ROWS.replace("GET", "POST")) == [("P132", 12, 3)]
    assert stock_allows(tmp_path)  # `r.act` is asked no more
    good = broken.replace("p.obj \n", "p.obj \\\n")
    assert not allowed(a_bundle(tmp_path / "b", good, ROWS.replace("GET", "POST")))
    assert allowed(a_bundle(tmp_path / "c", good, ROWS))


def test_an_effect_that_allows_by_default_must_be_asked_for(tmp_path: Path) -> None:
    text = SAFE.replace(BOTH, "!some(where (p.eft == deny))")
    rows = "p, somebody, /c, GET, deny\n"
    assert errors(tmp_path, text, rows) == [("P136", 11, 5)]
    assert stock_allows(tmp_path)
    bundle = a_bundle(tmp_path / "b", text, rows, "allow_by_default: true")
    assert allowed(bundle)
    assert "P136" in [fault.code for fault in bundle.warnings]


def test_a_table_that_was_emptied(tmp_path: Path) -> None:
    text = model("sub, obj, act", "sub, obj, act", ALLOW, "regexMatch(r.obj, p.obj) && regexMatch(r.act, p.act)")
    assert errors(tmp_path, text, "# p, zhang.wei, ^/a, GET\n") == [("P133", 1, 1)]
    assert stock_allows(tmp_path)


def test_a_deny_under_an_effect_that_knows_none(tmp_path: Path) -> None:
    rows = DENYING + "p, zhang.wei, /civil/*, GET, deny\n"
    assert errors(tmp_path, SAFE.replace(BOTH, ALLOW), rows) == [("P147", 2, 30)]
    assert stock_allows(tmp_path)


def test_a_link_with_a_domain_that_the_model_does_not_know(tmp_path: Path) -> None:
    rows = "p, clerk, /civil/*, GET, allow\ng, zhang.wei, clerk, only-in-hz\n"
    assert errors(tmp_path, SAFE, rows) == [("P146", 2, 22)]
    assert stock_allows(tmp_path)


# --- what breaks each request in stock casbin ----------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("p, zhang.wei, /civil/*, GET", ("P146", 1, 25)),
        ("p, zhang.wei, /civil/*, GET, allow, ", ("P146", 1, 37)),
        ("p, zhang.wei, (/civil/*, GET, allow", ("P151", 1, 15)),
        ("p, zhang.wei, /civil/*), GET, allow", ("P151", 1, 23)),
        ("p, zhang.wei, /civil/[*), GET, allow", ("P151", 1, 24)),
    ],
)
def test_a_row_of_another_shape(tmp_path: Path, row: str, expected: tuple[str, int, int]) -> None:
    assert errors(tmp_path, SAFE, f"{row}\n")[:1] == [expected]
    if ")" not in row:
        assert stock_breaks(tmp_path)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("r.sub.assurance >", ("P140", 1, 21)),
        ("r.sub.age > 18", ("P141", 1, 4)),
        ("r.sub.assurance > 2 and r.sub.agee == 1", ("P141", 1, 28)),
        ("r.obj == 'x'", ("P141", 1, 4)),
        ("true", ("P141", 1, 4)),
        ("alice", ("P141", 1, 4)),
        ("r.sub.assurance > '2'", ("P143", 1, 22)),
        ("r.sub.id == 3", ("P143", 1, 16)),
        ("r.sub == 'zhang.wei'", ("P143", 1, 13)),
        ("r.sub.id", ("P143", 1, 4)),
        ("r.sub.assurance == 2 and r.sub.id in ('a', b)", ("P141", 1, 47)),
        ("eval(p.rule)", ("P142", 1, 4)),
        ("r.sub.id ＝＝ 'a'", ("P148", 1, 13)),
        ("r.sub.id == 'unclosed", ("P140", 1, 16)),
        ("regexMatch(r.sub.id, '(a+)+$')", ("P144", 1, 25)),
        ("keyMatch2(p.act, r.sub.id)", ("P144", 1, 21)),
    ],
)
def test_a_rule_that_cannot_be_asked(tmp_path: Path, rule: str, expected: tuple[str, int, int]) -> None:
    assert errors(tmp_path, RULED, f"p, {rule}, GET\n", SUBJECT) == [expected]


def test_a_quoted_rule_is_always_true_in_casbin(tmp_path: Path) -> None:
    text = model("sub, obj, act", "rule, obj, act", ALLOW, "eval(p.rule) && r.obj == p.obj && r.act == p.act")
    rows = 'p, "r.sub.assurance > 99", /civil/households/42, GET\n'
    assert errors(tmp_path, text, rows, SUBJECT)[0] == ("P149", 1, 4)
    assert stock_allows(tmp_path)


def test_a_comma_inside_of_quotes(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, RULED, "p, r.sub.id == 'a,b', GET\n", SUBJECT)
    assert (fault.code, "inside quotes" in fault.remedy_en) == ("P146", True)


def test_gbk_is_named_with_its_place(tmp_path: Path) -> None:
    rows = (DENYING + "# 停职人员\n").encode("gbk")
    (fault,) = faults(tmp_path, SAFE, rows)
    assert (fault.code, fault.line, fault.column, "GBK" in fault.remedy_en) == ("P130", 2, 7, True)
    assert stock_breaks(tmp_path)


@pytest.mark.parametrize("value", ["high", "-1", "1.5", "²", ""])
def test_a_priority_is_a_whole_number(tmp_path: Path, value: str) -> None:
    text = model("sub, obj, act", "priority, sub, obj, act, eft", PRIORITY, SAME)
    assert errors(tmp_path, text, f"p, 1, a, /b, GET, allow\np, {value}, a, /b, GET, deny\n") == [("P152", 2, 4)]


# --- what would stop a worker or leave the house ---------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "r.sub.__class__ == 1",
        "r.sub._x == 1",
        "().__class__.__bases__ == 1",
        "9 ** 9 ** 9 > 1",
        "1 << 9999 > 1",
        "'a' * 99999 == 'b'",
        "[x for x in (1, 2)] == 1",
        "(lambda: 1)() == 1",
        "f'{r.sub.id}' == 'a'",
        "r.sub.id.upper() == 'A'",
        "r.sub['id'] == 'a'",
        "r.sub.roles[0] == 'a'",
        "{'a': 1} == 1",
        "{1, 2} == 1",
        "(r.sub.id if True else 'b') == 'a'",
        "list(r.sub.roles) == 1",
        "open('/etc/passwd') == 1",
        "__import__('os') == 1",
        "rand() > 0.5",
        "b'a' == 'a'",
        "None == 1",
        "r.sub.id is 'a'",
        "~1 == 1",
        "1j == 1",
        "(y := 1) == 1",
        "str(1) == '1'",
        "keyMatch(*r.sub.roles)",
        "keyMatch(r.sub.id, pattern='*')",
    ],
)
def test_forms_that_are_no_part_of_matchers(tmp_path: Path, rule: str) -> None:
    text = model("sub, act", "rule, act", ALLOW, f"{rule} && r.act == p.act || eval(p.rule)")
    assert {code for code, _, _ in errors(tmp_path, text, "p, r.sub.assurance > 1, GET\n", SUBJECT)} <= {
        "P140", "P141", "P142", "P143",
    }  # fmt: skip
    assert errors(tmp_path, text, "p, r.sub.assurance > 1, GET\n", SUBJECT)


@pytest.mark.parametrize(
    ("function", "pattern"),
    [
        ("regexMatch", "^(/[a-z]*)*$"),
        ("regexMatch", "^/(a|a)+$"),
        ("regexMatch", "^/.*/.*/.*/.*x$"),
        ("regexMatch", "^/(.)\\1$"),
        ("regexMatch", "^/a(b"),
        ("regexMatch", "*"),
        ("keyMatch2", "/*/*/*/*/x"),
        ("keyMatch2", "/a(b"),
        ("keyMatch4", "/(a)/{id}"),
        ("globMatch", "/**/**/*a*"),
        ("globMatch", "/{a}{b}{c}"),
        ("ipMatch", "10.0.0.0/33"),
        ("ipMatch", "office"),
    ],
)
def test_patterns_that_are_refused(tmp_path: Path, function: str, pattern: str) -> None:
    text = model(
        "sub, obj, act", "sub, obj, act", ALLOW, f"r.sub == p.sub && {function}(r.obj, p.obj) && r.act == p.act"
    )
    found = errors(tmp_path, text, f"p, a, {pattern}, GET\n")
    assert found in ([("P144", 1, 7)], [("P151", 1, 7 + pattern.find("("))])


def test_a_pattern_of_the_matcher_itself_is_told_once(tmp_path: Path) -> None:
    text = model("sub, obj", "sub", ALLOW, "r.sub == p.sub && regexMatch(r.obj, '^(a*)*$')")
    assert errors(tmp_path, text, "p, a\np, b\np, c\n") == [("P144", 11, 41)]


def test_a_pattern_never_comes_from_the_request(tmp_path: Path) -> None:
    """Whoever may choose the pattern writes `*`."""
    text = model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch(p.obj, r.obj) && r.act == p.act")
    assert errors(tmp_path, text) == [("P144", 11, 39)]


# --- the model and what fills it -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[matchers]", "[matcher]"), {"P132", "P133"}),
        (("m = ", "mm = "), {"P132", "P133"}),
        (("sub, obj, act\n\n[policy_definition]", "sub， obj, act\n\n[policy_definition]"), {"P134"}),
        (("p = sub, obj, act", "p = sub, obj, obj"), {"P134"}),
        (("p = sub, obj, act", "p = sub, obj, act\np = sub, act, obj"), {"P132"}),
        (("p = sub, obj, act", "p = sub, obj, act\np2 = sub, obj"), {"P138"}),
        ((f"m = {SAME}", f"m = {SAME}\nm2 = r.sub == p.sub"), {"P138"}),
        ((ALLOW, "some(where (p.eft = allow))"), {"P135"}),
        ((ALLOW, "priority(p.eft) || allow"), {"P135"}),
        ((ALLOW, "subjectPriority(p.eft) || deny"), {"P135"}),
        (("[policy_effect]", "[role_definition]\ng = _\n[policy_effect]"), {"P139"}),
        (("[policy_effect]", "[role_definition]\ng = _, _, _, _\n[policy_effect]"), {"P139"}),
        (("[policy_effect]", "[role_definition]\ng = _, _\ng3 = _, _\n[policy_effect]"), {"P139"}),
        (("r.act == p.act", "r.act == p.acct"), {"P141"}),
        (("r.act == p.act", "r.action == p.act"), {"P141"}),
        (("r.act == p.act", "keyMatch9(r.act, p.act)"), {"P141"}),
        (("r.act == p.act", "g(r.act, p.act)"), {"P141"}),
        (("r.act == p.act", "keyMatch(r.act)"), {"P143"}),
        (("r.act == p.act", "r.act == p.act &&"), {"P140"}),
        (("r.act == p.act", "r.act = p.act"), {"P140"}),
        (("r.sub == p.sub", "r.sub.age == p.sub"), {"P141"}),
    ],
)
def test_a_model_that_is_not_good(tmp_path: Path, change: tuple[str, str], expected: set[str]) -> None:
    text = ACL.replace(*change)
    assert text != ACL
    assert {code for code, _, _ in errors(tmp_path, text)} == expected


def test_a_role_function_takes_as_many_names_as_its_definition(tmp_path: Path) -> None:
    """casbin drops the domain in silence."""
    text = model("sub, dom, obj", "sub, dom, obj", ALLOW, "g(r.sub, p.sub, r.dom) && r.obj == p.obj", "g = _, _")
    assert {code for code, _, _ in errors(tmp_path, text, "p, a, b, /c\n")} == {"P143"}


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("request: {sub: subject.di}", {"P155"}),
        ("request: {subject: subject.id}", {"P155"}),
        ("request: [subject.id, path]", {"P155"}),
        ("request: {sub: subject}", {"P143"}),
        ("requests: {}", {"P001"}),
        ("allow_by_default: yes", {"P004"}),
        ("matching: {g: keyMatch}", {"P156"}),
        ("conditions: {g: timeMatch}", {"P156"}),
    ],
)
def test_a_request_that_cannot_be_filled(tmp_path: Path, request_text: str, expected: set[str]) -> None:
    assert {code for code, _, _ in errors(tmp_path, ACL, ROWS, request_text)} == expected


def test_a_token_that_nothing_fills(tmp_path: Path) -> None:
    text = model(
        "sub, obj, tenant", "sub, obj, tenant", ALLOW, "r.sub == p.sub && r.obj == p.obj && r.tenant == p.tenant"
    )
    assert errors(tmp_path, text, "p, a, /b, c\n") == [("P155", 1, 1)]
    assert codes(tmp_path / "b", text, "p, a, /b, c\n", "request: [subject.id, path, subject.org]") == [
        "P143"
    ]  # no office is called `c`: a warning


def test_a_path_is_written_as_it_is_sent(tmp_path: Path) -> None:
    """`/户籍` never arrives in clear: a deny about it would never apply."""
    rows = DENYING + "p, 张三, /户籍/*, GET, deny\n"
    (fault,) = [one for one in faults(tmp_path, SAFE, rows) if not one.warning]
    assert (fault.code, fault.line, fault.column, fault.remedy_en) == ("P148", 2, 8, "write /%E6%88%B7%E7%B1%8D/*")
    assert errors(tmp_path / "b", SAFE, rows, "request: {obj: route}") == []


# --- files and rules -------------------------------------------------------------------------


def test_a_missing_file_and_one_that_is_not_read(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "casbin" / "policy.csv").rename(tmp_path / "casbin" / "policies.csv")
    with pytest.raises(Faulty) as caught:
        load(tmp_path, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P131", "P130"]
    (tmp_path / "casbin" / "policies.csv").unlink()
    (tmp_path / "casbin" / "model.conf").unlink()
    with pytest.raises(Faulty) as caught:
        load(tmp_path, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P130"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    write(tmp_path)
    (tmp_path / "casbin" / "policy.csv").unlink()
    os.mkfifo(tmp_path / "casbin" / "policy.csv")
    with pytest.raises(Faulty) as caught:
        load(tmp_path, ASSETS)
    assert [fault.code for fault in caught.value.faults] == ["P130"]


def test_beside_a_native_policy_rules_only_deny(tmp_path: Path) -> None:
    rules = "- {id: yes, effect: allow, who: clerk, data: population, action: read, level: any}\n- {id: no, effect: deny, who: auditor}\n"
    (fault,) = faults(tmp_path, rules=rules)
    assert (fault.code, fault.line, fault.file.endswith("rules/10-test.yaml")) == ("P154", 2, True)
    named = '- {id: "casbin:1", effect: deny, who: auditor}\n'
    assert codes(tmp_path / "b", rules=named) == ["P154"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    rows = "p, a, /b, GET, Deny\np, a, /b\nP, a, /b, GET, deny\np, a, /b, GET，, deny\n"
    assert [code for code, _, _ in errors(tmp_path, SAFE, rows)] == ["P147", "P146", "P145", "P148"]
