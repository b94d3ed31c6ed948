"""The table of the query language fits the index and itself."""

from typing import get_args, get_type_hints

from gateway.audit.fields import ALIASES, BARE, CLOSED, FIELDS, SHOWN, shown
from gateway.audit.index import COLUMNS
from gateway.entries import VerdictEntry
from gateway.facts import Asset, Band, Posture


def test_every_field_stands_in_the_index() -> None:
    for name, field in FIELDS.items():
        assert field.kind in ("id", "hour") or field.sql in COLUMNS, name


def test_every_alias_and_every_list_names_a_field() -> None:
    assert set(ALIASES.values()) <= set(FIELDS)
    assert set(BARE) | set(SHOWN) <= set(FIELDS)


def test_closed_fields_are_texts_whose_values_the_types_of_the_facts_allow() -> None:
    for name in CLOSED:
        assert FIELDS[name].kind in ("text", "list"), name
    hints = get_type_hints(VerdictEntry)
    assert CLOSED["outcome"] == get_args(hints["outcome"])
    assert CLOSED["mode"] == get_args(hints["stage"])
    assert CLOSED["band"] == get_args(Band)
    assert CLOSED["device.trust"] == get_args(get_type_hints(Posture)["trust"])
    assert CLOSED["action"] == get_args(get_type_hints(Asset)["action"])


def test_values_are_shown_as_a_person_reads_them() -> None:
    assert shown("time", 1_790_000_000.0) == "2026-09-21T14:13:20.000Z"
    assert shown("level", 6) == "core"
    assert shown("level", 0) == ""
    assert shown("role", "\nclerk\nauditor\n") == ["clerk", "auditor"]
    assert shown("role", "") == []
    assert shown("honey", 1) is True
    assert shown("status", None) is None
    assert shown("sum records", 7) == 7
