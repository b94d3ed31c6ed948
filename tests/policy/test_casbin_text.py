"""How do the rows that casbin has loaded look as a file of its own?"""

import csv
from pathlib import Path

import casbin
import pytest
from casbin.model import Model
from hypothesis import given
from hypothesis import strategies as st

from gateway import catalog
from gateway.policy import Bundle, load
from gateway.policy.casbin_text import lines
from gateway.policy.engine import MODEL
from gateway.policy.levels import span
from tests.test_layout import ROOT


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load(ROOT / "policies", catalog.load(ROOT / "policies" / "catalog").assets)


def read_back(text: list[str]) -> list[list[str]]:
    """As casbin's readers of other languages do: RFC 4180, a line at a time, spaces before a cell taken off."""
    return [next(csv.reader([line], skipinitialspace=True, strict=True)) for line in text]


def stock(rows: dict[str, list[tuple[str, ...]]]) -> casbin.Enforcer:
    """A casbin without anything of ours but the listed functions; it holds one role at a time."""
    model = Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_policies([list(row) for row in rows["p"]])
    for kind in ("g", "g2", "g3"):
        enforcer.add_named_grouping_policies(kind, [list(row) for row in rows[kind]])
    enforcer.add_function("act", lambda asked, actions: actions == "*" or asked in actions.split("|"))
    enforcer.add_function(
        "level", lambda grade, level: (span(level) or (9, 0))[0] <= grade <= (span(level) or (9, 0))[1]
    )
    enforcer.add_function("until", lambda at, until: not until or at < int(until))
    enforcer.add_function("when", lambda env, when, effect: not when)
    enforcer.add_function("hit", lambda env, rule: True)
    return enforcer


def test_all_rows_of_the_shipped_policies_are_read_back(shipped: Bundle) -> None:
    rows = shipped.engine.loaded()
    text, faults = lines(rows)
    assert faults == []
    assert [line.split(",")[0] for line in text] == [kind for kind, some in rows.items() for _ in some]
    assert read_back(text) == [[kind, *row] for kind, some in rows.items() for row in some]
    assert rows["p"] == list(shipped.content.rules)
    assert rows["g"] == list(shipped.content.roles)
    assert rows["g2"] == list(shipped.content.orgs)
    assert rows["g3"] == list(shipped.content.data)


def test_a_stock_casbin_decides_by_these_rows(shipped: Bundle) -> None:
    class Bag:
        def __init__(self, **values: object) -> None:
            self.__dict__.update(values)

    enforcer = stock(shipped.engine.loaded())
    env, household = Bag(at=0), Bag(asset="household", grade=5)
    assert enforcer.enforce(Bag(roles="clerk", org="hz/civil"), household, "update", env)
    assert not enforcer.enforce(Bag(roles="clerk", org="prov/health"), household, "update", env)
    assert not enforcer.enforce(Bag(roles="contractor", org="prov/civil"), Bag(asset="household", grade=6), "read", env)
    assert enforcer.enforce(Bag(roles="contractor", org="prov/civil"), household, "read", env)
    assert not enforcer.enforce(Bag(roles="contractor", org="prov/civil"), household, "read", Bag(at=4e9))


def test_rows_without_commas_and_quotes_are_read_by_the_file_adapter_too(tmp_path: Path) -> None:
    row = ("a", "deny", "clerk", "*", "*", "read|update", ">= core", "", "", "{}")
    text, _ = lines(
        {"p": [row], "g": [("clerk", "employee")], "g2": [("hz/civil", "hz")], "g3": [("household", "population")]}
    )
    (tmp_path / "model.conf").write_text(MODEL)
    (tmp_path / "policy.csv").write_text("# a comment\n" + "\n".join(text))
    loaded = casbin.Enforcer(str(tmp_path / "model.conf"), str(tmp_path / "policy.csv"))
    assert [tuple(one) for one in loaded.get_policy()] == [row]
    assert loaded.get_named_grouping_policy("g2") == [["hz/civil", "hz"]]


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8) | st.sampled_from(
    ["", " a", "a ", '"', "a,b", "#a", '{"mask":"x","log":"y"}', "p", "a\\"]
)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=4))
def test_any_row_is_read_back(rows: list[tuple[str, ...]]) -> None:
    text, faults = lines({"g": rows})
    assert (read_back(text), faults) == ([["g", *row] for row in rows], [])


def test_a_condition_of_several_lines_is_one_line_and_nothing_else_may_break() -> None:
    row = ["a", "deny", "*", "*", "*", "*", "any", "", "risk.known and\nrisk.score > 60", "{}"]
    (line,), _ = lines({"p": [tuple(row)]})
    assert line == "p, a, deny, *, *, *, *, any, , risk.known and risk.score > 60, {}"
    row[2] = "user:a\np, evil, allow, *, *, *, *, any, , , {}"
    text, (fault,) = lines({"p": [tuple(row)]})
    assert (text, fault.code) == ([], "P123")
