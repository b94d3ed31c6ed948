"""Is the enforcer a real casbin enforcer, without its traps?"""

import logging

import casbin
import pytest

from gateway.policy.content import Content
from gateway.policy.engine import MODEL, Engine, Links, Sub
from tests.literals import an_asset, some_facts


def content(*rows: tuple[str, ...], **changes: object) -> Content:
    values: dict[str, object] = {
        "model": MODEL,
        "rules": rows,
        "roles": (("clerk", "employee"),),
        "orgs": (),
        "data": (("household", "population"),),
        "declared": ("clerk", "employee"),
        "offices": (),
        "places": {},
        "titles": {},
        "profiles": {},
        "default_mask": "",
        "observe_mask": "",
        "timezone": "Asia/Shanghai",
    }
    return Content(**(values | changes))  # type: ignore[arg-type]  # literals by name


def row(identity: str = "a", effect: str = "allow", when: str = "", **changes: str) -> tuple[str, ...]:
    values = {"who": "*", "org": "*", "data": "*", "act": "*", "level": "any", "until": ""} | changes
    return (identity, effect, *values.values(), when, "{}")


def raises(text: str) -> object:
    def test(facts: object) -> bool:
        raise TypeError(text)

    return test


SUB = Sub(frozenset({"clerk", "signed-in"}), "prov/civil")


def judge(*rows: tuple[str, ...], **changes: object) -> tuple[bool, set[str]]:
    said = Engine(content(*rows, **changes), raises).judge(SUB, some_facts())  # type: ignore[arg-type]  # any closure
    return said.allowed, set(said.rules)


def test_it_is_casbins_own_enforcer_that_judges() -> None:
    assert isinstance(Engine(content(row()), raises)._enforcer, casbin.Enforcer)  # type: ignore[arg-type]  # any closure


def test_no_rules_deny() -> None:
    assert judge() == (False, set())


def test_deny_overrides_and_every_rule_that_matched_is_known() -> None:
    assert judge(row("d", "deny"), row("a"), row("b", who="clerk"), row("c", who="doctor")) == (False, {"a", "b", "d"})


def test_a_role_reaches_what_it_includes_and_data_its_category() -> None:
    assert judge(row("a", who="employee", data="population")) == (True, {"a"})


def test_a_condition_that_fails_makes_a_deny_apply_and_an_allow_not() -> None:
    assert judge(row("d", "deny", when="x"), row("a")) == (False, {"a", "d"})
    assert judge(row("a", when="x")) == (False, set())


@pytest.mark.parametrize("effect", ["Deny", "allow ", "", "dney", "reject"])
def test_a_word_that_is_no_effect_never_allows(effect: str) -> None:
    assert judge(row("a", effect))[0] is False


def test_a_row_of_the_wrong_length_is_refused_at_load_not_on_every_request() -> None:
    with pytest.raises(ValueError, match="columns"):
        judge(row()[:-1])


def test_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="model"):
        judge(row(), model=MODEL.replace("&& !some", "|| some"))


def test_a_comma_a_quote_and_a_comment_sign_are_only_text() -> None:
    odd = 'say "x", # not && a || comment'
    assert judge(row(odd)) == (True, {odd})


def test_a_tree_deeper_than_casbins_ten_levels_is_walked_to_its_root() -> None:
    links = Links()
    for level in range(40):
        links.add_link(f"o{level + 1}", f"o{level}")
    assert links.has_link("o40", "o0")
    assert not links.has_link("o0", "o40")


def test_a_circle_of_roles_ends() -> None:
    links = Links()
    links.add_link("a", "b")
    links.add_link("b", "a")
    assert links.closure("a") == {"a", "b"}


def test_names_that_callers_make_up_are_not_remembered() -> None:
    links = Links()
    links.add_link("a", "b")
    for number in range(100):
        links.closure(f"made-up-{number}")
    assert set(links._reached) <= {"a"}


def test_casbin_logs_nothing_of_who_asks_for_what(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        judge(row(), row("d", "deny"))
    assert [record for record in caplog.records if record.name.startswith("casbin")] == []


def test_unknown_levels_and_actions_in_rows_match_nothing() -> None:
    assert judge(row("a", level="core"))[0] is False
    assert judge(row("a", act="create|update")) == (False, set())
    assert judge(row("a", act="create|read")) == (True, {"a"})
    assert judge(row("a", until=str(int(some_facts().ask.at))))[0] is False
    assert an_asset().action == "read"
