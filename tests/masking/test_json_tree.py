"""The quick walk: it shows what the walk over raw text shows, or leaves the answer to it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask, Revealed
from gateway.masking.json_body import NotJson, mask_raw
from gateway.masking.json_tree import MAX_DEPTH, mask_tree
from gateway.masking.keys import Keys
from gateway.masking.plan import KEPT_NAMES, Plan

ID = "330106199003072319"
KEYS = Keys(b"k" * 32, "prov/civil")
COMPACT: Any = (",", ":")


def a_plan(*fields: str, unlabelled: Any = "redact") -> Plan:
    pairs = [field.split(" ", 1) for field in fields]
    return Plan(Mask("test", tuple(FieldMask(path, technique) for path, technique in pairs), unlabelled))


def by_tree(body: str | bytes, plan: Plan) -> tuple[bytes, Revealed] | None:
    return mask_tree(body.encode() if isinstance(body, str) else body, plan, KEYS)


# --- what may stand for the text -------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "12345678901234567890123",
        "-12345678901234567890123",
        "1.10",
        "120.50",
        "1e2",
        "1E+2",
        "1.0E7",
        "-0",
        "1e999",
        "0.1000000000000000055511151231257827",
        '"\\u0041"',
        '"\\u0020"',
        '"\\u001F"',
        '"\\/"',
        '"\\ud83d\\ude00"',
        '"\\ud800"',
        '"a\tb"',
        "NaN",
        "01",
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":1}',
        "[1,]",
    ],
)
@pytest.mark.parametrize("space", ["", " ", "\n  "])
def test_what_would_be_written_otherwise_is_left_to_the_other_walk(value: str, space: str) -> None:
    assert by_tree(f'{{{space}"id":{space}"{ID}","x":{space}{value}}}', a_plan("$.id redact", "$.x keep")) is None


@pytest.mark.parametrize(
    "value",
    ["0", "-1", "18446744073709551615", "1.5", "-0.0", "0.1", "true", "null", '""', '" "', '"a  b"', '"\\n\\t\\""'],
)
@pytest.mark.parametrize("space", ["", " ", "\n  ", "\r\n\t"])
def test_what_is_written_alike_is_walked_here_and_stays_byte_for_byte(value: str, space: str) -> None:
    found = by_tree(
        f'{{{space}"id":{space}"{ID}",{space}"x":{space}{value}}}{space}', a_plan("$.id redact", "$.x keep")
    )
    assert found is not None
    assert found[0] == f'{{"id":"***","x":{value}}}'.encode()


def test_white_space_in_a_branch_that_is_passed_is_left_to_the_other_walk() -> None:
    plan = a_plan("$.id redact", unlabelled="pass")
    assert by_tree('{"id":"a","x":[1, 2]}', plan) is None
    assert by_tree('{"id":"a","x":[1,2]}', plan) == (b'{"id":"***","x":[1,2]}', Revealed((("$.id", 1),), (), 1))


@pytest.mark.parametrize(
    "body", [b"", b" ", b"\xef\xbb\xbf{}", b'{"x":"\xff"}', b'{"x":"\xed\xa0\x80"}', b"{}{}", b'{"a":1}\x00']
)
def test_what_is_not_json_is_left_to_the_other_walk(body: bytes) -> None:
    assert by_tree(body, a_plan("$.id redact")) is None


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 200_000])
def test_what_is_too_deep_is_left_to_the_other_walk(opening: str, closing: str, depth: int) -> None:
    assert by_tree(opening * depth + "1" + closing * depth, a_plan("$..a keep", "$..id redact")) is None


# --- names ------------------------------------------------------------------------------------------


def test_a_name_that_may_be_data_is_left_to_the_other_walk_and_not_kept() -> None:
    plan = a_plan("$.id redact")
    assert by_tree(f'{{"{ID}":1}}', plan) is None
    assert by_tree('{"a@b.cn":1}', plan) is None
    assert by_tree('{"王小明":1}', plan) is None
    assert by_tree('{"id":{"王小明":1}}', plan) is None  # a surname, where all around is masked
    noting = a_plan("$.id redact", unlabelled="learn")
    assert by_tree(f'{{"{ID}":1}}', noting) == (f'{{"{ID}":1}}'.encode(), Revealed((), ("$.*",), 1))
    kept = {name for one in (plan, noting) for state in one._states.values() for name in state.leads}
    assert kept == {"id"}
    people = '{"王小明":{"病史":"x"},"浙A1B23C":3}'
    assert by_tree(people, noting) == (people.encode(), Revealed((), ("$.*.病史", "$.*"), 1))


def test_names_that_were_met_are_kept_up_to_a_number_and_hide_what_they_hid() -> None:
    plan = a_plan("$.id keep")
    for number in range(2 * KEPT_NAMES):
        name = "n" + "".join(chr(97 + int(digit)) for digit in str(number))
        for _ in range(2):
            assert by_tree(f'{{"{name}":"secret","id":"x"}}', plan) == (
                f'{{"{name}":"***","id":"x"}}'.encode(),
                Revealed((("unlabelled", 1),), (f"$.{name}",), 1),
            )
    assert all(len(state.leads) <= KEPT_NAMES for state in plan._states.values())


# --- both walks show the same -------------------------------------------------------------------------

names = st.sampled_from(["id", "name", "a", "b", "gone", "身份证", "x y", '"', "0", ID])
numbers = st.integers(-(2**40), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.just(ID)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5))
fields = st.lists(
    st.tuples(
        st.sampled_from(["$..id", "$.a", "$.a..id", "$[*].id", "$.*", "$.a[1]", "$..gone", "$..b.a", "$.b[*]", "$"]),
        st.sampled_from(["keep", "redact", "partial(1,1)", "partial(0,2)", "hash", "truncate(1)", "drop"]),
    ).map(" ".join),
    max_size=5,
)
spellings = st.sampled_from(
    [{"separators": COMPACT}, {}, {"indent": 1}, {"separators": COMPACT, "ensure_ascii": False}]
)


@settings(max_examples=1500, deadline=None)
@given(values, fields, st.sampled_from(["pass", "learn", "warn", "redact"]), spellings)
def test_both_walks_show_the_same(value: Any, chosen: list[str], unlabelled: Any, spelling: Any) -> None:
    body = json.dumps(value, **spelling).encode("utf-8", "surrogatepass")
    found = by_tree(body, a_plan(*chosen, unlabelled=unlabelled))
    try:
        shown, revealed = mask_raw(body, a_plan(*chosen, unlabelled=unlabelled), KEYS)
    except NotJson:
        assert found is None
        return
    if found is None:
        return
    assert found[0] == shown
    assert sorted(found[1].masked) == sorted(revealed.masked)
    assert sorted(found[1].unlabelled) == sorted(revealed.unlabelled)
    assert found[1].records == revealed.records


NAMES = [b'"id"', b'"a"', b'"\\u0069d"', b'{"id":', b'"a":', f'"{ID}"'.encode()]
VALUES = [b"1", b"1.0", b"-0", b"1e2", b"null", b"true", b'"}', b"[]", b"{}"]
tokens = st.sampled_from([*NAMES, *VALUES, *(bytes([byte]) for byte in b'{}[]:," \n\t\\\xff')])


@settings(max_examples=1500, deadline=None)
@given(st.lists(tokens, max_size=12).map(b"".join), fields, st.sampled_from(["pass", "warn", "redact"]))
def test_a_hostile_body_is_no_other_text_for_this_walk(body: bytes, chosen: list[str], unlabelled: Any) -> None:
    found = by_tree(body, a_plan(*chosen, unlabelled=unlabelled))
    if found is not None:
        assert mask_raw(body, a_plan(*chosen, unlabelled=unlabelled), KEYS)[0] == found[0]


@pytest.mark.parametrize("harmless", ["null", '""', "[]", "{}", '"x"', "true", "0"])
@pytest.mark.parametrize("telling", [f'"{ID}"', ID, f"[{ID}]", f'{{"v":"{ID}"}}', f'["{ID}"]', f"-{ID}"])
@pytest.mark.parametrize("technique", ["redact", "partial(1,1)", "hash", "drop", "truncate(2)"])
def test_no_record_vouches_for_the_next_here_either(harmless: str, telling: str, technique: str) -> None:
    like = [f'{{"n":{number},"id":{harmless},"m":"y"}}' for number in range(50)]
    body = "[" + ",".join([*like, f'{{"n":50,"id":{telling},"m":"y"}}', *like]) + "]"
    for unlabelled in ("pass", "learn", "redact"):
        found = by_tree(body, a_plan(f"$[*].id {technique}", unlabelled=unlabelled))
        assert found is not None
        assert ID[2:-1].encode() not in found[0]


RECORD = '{"name":"王小明","id":"1"}'
PAGE = ",".join([RECORD] * 50)


@pytest.mark.parametrize(
    ("body", "records", "clear"),
    [
        (f'{{"items":[{PAGE}]}}', 50, 100),
        (f'{{"items":[{PAGE}],"links":[]}}', 50, 100),
        (f'{{"data":{{"items":[{PAGE}]}},"errors":[]}}', 50, 100),
        (f'{{"data":{{"page":{{"rows":[{PAGE}]}}}}}}', 50, 100),
        (f'[{{"d":0,"items":[{PAGE}]}}]', 50, 100),
        (f'{{"data":{RECORD},"links":[]}}', 1, 2),
        (RECORD, 1, 2),
        ('{"name":"王小明","tags":["a","b","c"]}', 1, 2),
        ('{"name":["王小明","李静","张伟"],"tags":["a"]}', 3, 6),
        ('{"name":"x","shape":{"rings":[[[120.1,30.2],[120.1,30.3],[120.2,30.3]]]}}', 1, 2),
        ('{"name":"x","rows":[["a",1],["b",2],["c",3]]}', 3, 6),
        (f'{{"items":[null,{PAGE}]}}', 51, 102),
        (f'{{"items":[[1.5,2.5],{PAGE}]}}', 51, 102),
        ('{"ok":true,"options":["a","b"]}', 1, 0),
        ('{"items":[],"total":0}', 0, 0),
        ("[]", 0, 0),
    ],
)
def test_no_shape_makes_records_free(body: str, records: int, clear: int) -> None:
    """Whoever could choose the shape would be shown a register for the budget of one record."""
    mask = Mask("test", (FieldMask("$..name", "partial(1,0)"),), "warn")
    for walked in (by_tree(body, Plan(mask, clear=2)), mask_raw(body.encode(), Plan(mask, clear=2), KEYS)):
        assert walked is not None
        assert (walked[1].records, walked[1].clear) == (records, clear)


@pytest.mark.parametrize("path", ["$[*][1]", "$[*]", "$[0]"])
def test_labels_without_a_name_count_as_well(path: str) -> None:
    """Rows as arrays: no name of the label stands in the answer."""
    body, mask = '[["x","王小明"],["y","李静"]]', Mask("test", (FieldMask(path, "keep"),), "pass")
    for walked in (by_tree(body, Plan(mask, clear=1)), mask_raw(body.encode(), Plan(mask, clear=1), KEYS)):
        assert walked is not None
        assert walked[1].clear == 2


def test_people_in_the_form_of_a_map_count_as_people() -> None:
    body = json.dumps({f"r{number}": {"id": f"{number}", "name": "x"} for number in range(30)}).encode()
    mask = Mask("test", (FieldMask("$..id", "keep"),), "warn")
    found = mask_tree(body, Plan(mask, frozenset({"$..id"}), 1), KEYS)
    assert found is not None
    assert (len(found[1].seen) // 8, found[1].clear) == (30, 30)


def test_records_without_a_key_are_counted_beside_those_with_one() -> None:
    items = [{"id": "1", "name": "x"}, *[{"id": None, "name": "y"}] * 50]
    mask = Mask("test", (FieldMask("$..id", "keep"), FieldMask("$..name", "keep")), "warn")
    plan = Plan(mask, frozenset({"$..id"}), 2)
    body = json.dumps({"items": items}, separators=(",", ":")).encode()
    for walked in (mask_tree(body, plan, KEYS), mask_raw(body, plan, KEYS)):
        assert walked is not None
        assert (len(walked[1].seen) // 8, walked[1].keyless, walked[1].records) == (1, 50, 51)
