"""What is left of a JSON answer: hostile and careless services, byte identity, laws."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask, Revealed
from gateway.masking.json_body import MAX_DEPTH, NotJson, check_values, mask_json, mask_long_json
from gateway.masking.keys import Keys
from gateway.masking.names import spell_trail
from gateway.masking.plan import Plan

ID = "330106199003072319"
KEYS = Keys(b"k" * 32, "prov/civil")


def plan(*fields: str, unlabelled: Any = "pass") -> Plan:
    """`plan("$.id redact", "$.name keep")`."""
    pairs = [field.split(" ", 1) for field in fields]
    return Plan(Mask("test", tuple(FieldMask(path, technique) for path, technique in pairs), unlabelled))


def shown(body: bytes | str, *fields: str, unlabelled: Any = "pass") -> bytes:
    return masked(body, *fields, unlabelled=unlabelled)[0]


def masked(body: bytes | str, *fields: str, unlabelled: Any = "pass") -> tuple[bytes, Revealed]:
    raw = body.encode() if isinstance(body, str) else body
    return mask_json(raw, plan(*fields, unlabelled=unlabelled), KEYS)


# --- what is not masked stays, byte for byte ---------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "12345678901234567890123",
        "1.10",
        "1e2",
        "1E+2",
        "-0",
        "-0.0",
        "1e999",
        "0.1000000000000000055511151231257827",
        '"\\u0041\\/\\n"',
        '"\\ud83d\\ude00"',
        '"户籍"',
        '"  "',
        "[1, 2 ,  3]",
        '{ "a" : [ 1.0 , {} ] , "a" : 2 }',
        "true",
        "null",
    ],
)
def test_a_value_that_is_not_masked_stays_byte_for_byte(value: str) -> None:
    body = f'{{"id":"{ID}","x":{value}}}'
    assert shown(body, "$.id redact") == f'{{"id":"***","x":{value}}}'.encode()


@pytest.mark.parametrize("value", ["12345678901234567890123", "1.10", "-0", '"\\u0041"', "true"])
def test_a_kept_value_stays_byte_for_byte_while_unlabelled_ones_are_redacted(value: str) -> None:
    body = f'[{{"x":{value},"y":{value}}}]'
    after = shown(body, "$[*].x keep", unlabelled="redact")
    assert after.startswith(f'[{{"x":{value},'.encode())
    assert b'"y":"***"' in after or b'"y":null' in after


def test_the_order_of_members_stays() -> None:
    assert shown('{"z":1,"id":"x","a":2}', "$.id redact") == b'{"z":1,"id":"***","a":2}'


# --- where a label reaches ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.id", {"id": ID}),
        ("$..id", {"a": [{"b": {"id": ID}}]}),
        ("$..id", [[[{"id": ID}]]]),
        ("$['id']", {"id": ID}),
        ("/id", {"id": ID}),
        ("$.身份证", {"身份证": ID}),
        ("$[*].id", [{"id": ID}]),
        ("$[*]", [ID, ID]),
        ("$", ID),
        ("$.items[*].owner.id", {"items": [{"owner": {"id": ID}}]}),
        ("$.items[0].id", {"items": [{"id": ID}]}),
        ("$.*", {"a": ID, "b": ID}),
        ("$..a.id", {"x": {"a": {"id": ID}}}),
        ("$..a..id", {"x": {"a": {"y": [{"id": ID}]}}}),
    ],
)
def test_a_labelled_value_is_redacted(path: str, body: Any) -> None:
    assert ID.encode() not in shown(json.dumps(body), f"{path} redact")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$[*].id", [[{"id": ID}]]),  # wrapped once more than labelled
        ("$[*].id", {"id": ID}),  # a lone record where a list was labelled
        ("$.id", [{"id": ID}]),  # a list where a lone record was labelled
        ("$.items[*].id", {"items": {"id": ID}}),
        ("$.items[0].id", {"items": {"id": ID}}),
        ("$.id", {"id": [ID, [ID]]}),  # a list where a text was labelled
        ("$.id", {"id": {"v": ID, "w": [{"x": ID}]}}),  # an object where a text was labelled
        ("$.id", {"id": {ID: 1}}),  # the value as a name
        ("$.id", {"id": [{ID: {ID: ID}}]}),
        ("$.id", {"id": int(ID)}),  # a number where a text was labelled
        ("$.id", {"id": [int(ID), 1.5]}),
        ("$[*]", ID),
        ("$.p[1]", {"p": [["x", ID]]}),  # one of a list, wrapped once more
        ("$.p[1].id", {"p": [[[{"id": "x"}, {"id": ID}]]]}),
        ("$[0][1]", [[["x", ID]]]),
        ("$.p[1]", {"p": {"0": "x", "1": ID}}),  # an object for a list, as PHP writes it
        ("$.p[0].id", {"p": {"0": {"id": ID}}}),
        ("/p/0", {"p": {"0": ID}}),  # a pointer names both
    ],
)
@pytest.mark.parametrize("technique", ["redact", "partial(3,4)", "hash", "truncate(6)", "drop"])
def test_shape_drift_shows_nothing(path: str, body: Any, technique: str) -> None:
    after = shown(json.dumps(body), f"{path} {technique}")
    json.loads(after)
    assert ID.encode() not in after


def test_a_label_reaches_only_what_it_names() -> None:
    body = '[{"name":"a","company":{"name":"b"}},{"name":"c"}]'
    assert shown(body, "$[*].name redact") == b'[{"name":"***","company":{"name":"b"}},{"name":"***"}]'
    assert shown('{"p":["a","b"]}', "$.p[1] redact") == b'{"p":["a","***"]}'


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.p.id redact", b'{"p":{"x":"a"},"q":"b"}'),
        ("$.p.id redact", b'{"p":null,"q":""}'),
        ("$.p.id redact", b'{"p":"","q":1}'),
        ("$..id redact", b'{"p":"a","q":["b",1]}'),
        ("$[*].id redact", b'{"total":2,"items":["a"]}'),
        ("$.p[1].id redact", b'{"p":["a",{"x":"b"}]}'),
        ("$.p[1] redact", b'{"p":["a"]}'),
        ("$.p[1].id redact", b'{"p":[{"id":"a"},["b"]]}'),
        ("$.p[1].id redact", b'{"p":{"0":{"id":"a"},"10":{"id":"b"}}}'),
    ],
)
@pytest.mark.parametrize("unlabelled", ["pass", "learn", "warn"])
def test_what_stands_beside_a_label_is_not_hidden(path: str, body: bytes, unlabelled: Any) -> None:
    assert shown(body, path, unlabelled=unlabelled) == body


def test_where_labels_meet_the_strictest_hides() -> None:
    assert shown('{"id":"abcdef"}', "$.id keep", "$..id redact") == b'{"id":"***"}'
    assert shown('{"id":"abcdefgh"}', "$.id partial(3,0)", "$..id partial(0,3)") == b'{"id":"****"}'
    assert shown('{"a":{"b":"secret","c":"x"}}', "$.a redact", "$.a.b keep") == b'{"a":{"b":"***","c":"***"}}'


def test_a_truth_value_becomes_null_and_null_and_empty_stay() -> None:
    assert shown('{"a":true,"b":false,"c":null,"d":""}', "$.a redact", "$.b hash", "$.c hash", "$.d redact") == (
        b'{"a":null,"b":null,"c":null,"d":""}'
    )


def test_drop_removes_a_member_and_leaves_null_in_an_array() -> None:
    assert shown('{"a":1,"b":[1,{"x":2}],"c":3}', "$.a drop", "$.c drop") == b'{"b":[1,{"x":2}]}'
    assert shown('{"b":[1,{"x":2},[3]]}', "$.b[*] drop") == b'{"b":[null,null,[null]]}'
    assert shown('{"b":[1]}', "$.b drop") == b"{}"
    assert shown(f'"{ID}"', "$ drop") == b"null"
    assert shown('{"a":1}', "$ drop") == b"null"


def test_equal_values_hash_alike_whatever_their_spelling() -> None:
    after = json.loads(shown('{"a":"C1","b":"\\u0043\\u0031","c":13800138000,"d":"13800138000"}', "$.* hash"))
    assert after["a"] == after["b"]
    assert after["c"] == after["d"]
    assert len(after["a"]) == 22


# --- the ways in which a parser is fooled ---------------------------------------------------------


def test_every_spelling_of_a_name_is_that_name() -> None:
    assert ID.encode() not in shown(f'{{"\\u0069d":"{ID}"}}', "$.id redact")
    assert ID.encode() not in shown(f'{{"\\u8eab份证":"{ID}"}}', "$.身份证 redact")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"id":"{ID}","id":"x"}}',
        f'{{"id":"x","id":"{ID}"}}',
        f'{{"id":"{ID}","i\\u0064":"{ID}"}}',
        f'{{"id":{{"v":"{ID}"}},"id":["{ID}"]}}',
        f'{{"a":{{"id":"{ID}"}},"a":{{"id":"{ID}"}}}}',
    ],
)
def test_no_occurrence_of_a_double_name_shows_the_value(body: str) -> None:
    for path in ("$.id", "$..id"):
        if path == "$.id" and '"a"' in body:
            continue
        assert ID.encode() not in shown(body, f"{path} redact")


WRAPPED = [
    json.dumps(json.dumps({"id": ID})),
    json.dumps(" \n" + json.dumps([{"id": ID}], indent=1)),
    json.dumps("\ufeff" + json.dumps({"id": ID})),
    json.dumps(json.dumps(json.dumps(json.dumps({"id": ID})))),
    json.dumps("[" * 5_000 + "]" * 5_000),
]


@pytest.mark.parametrize("body", WRAPPED)
@pytest.mark.parametrize("unlabelled", ["pass", "learn", "warn"])
def test_an_answer_that_was_written_as_a_text_once_more_is_withheld(body: str, unlabelled: Any) -> None:
    for path in ("$.id redact", "$..id partial(1,1)"):
        with pytest.raises(NotJson, match="a text that holds JSON"):
            shown(f" {body}\n", path, unlabelled=unlabelled)
        with pytest.raises(NotJson, match="a text that holds JSON"):
            long_shown(body.encode(), path, unlabelled=unlabelled)


@pytest.mark.parametrize("body", WRAPPED)
def test_such_a_text_is_masked_where_a_label_or_the_contract_hides_it(body: str) -> None:
    assert shown(body, "$.id redact", unlabelled="redact") == b'"***"'
    assert shown(body, "$ redact") == b'"***"'
    assert shown(body, "$ hash") != body.encode()


@pytest.mark.parametrize("body", ['"ok"', '"[info] done"', '"{"', '"\\"ok\\""', '""', '"{name}"', "12", "true", "null"])
def test_another_lone_value_is_shown_where_unlabelled_ones_are(body: str) -> None:
    assert shown(body, "$..id redact", unlabelled="warn") == body.encode()
    assert shown(body, "$.id redact", unlabelled="learn") == body.encode()


@pytest.mark.parametrize("front", [b"\xef\xbb\xbf", b" \n\t", b"\r\n\r\n", b"\xef\xbb\xbf  "])
def test_what_stands_in_front_does_not_hide_the_body(front: bytes) -> None:
    after = shown(front + f'{{"id":"{ID}"}}'.encode() + b"\n ", "$.id redact")
    assert after == b'{"id":"***"}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b")]}',\n{}",
        b"{}{}",
        b"{} x",
        b"[1,]",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"NaN",
        b"-Infinity",
        b"{'a':1}",
        b'{"a":"\x00"}',
        b'\x00{"a":1}',
        b'{"a":1}\x00',
        b'{"a":"\\x41"}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":tru}',
        b'{"a" 1}',
        b'{"a":1 "b":2}',
        b'{"a":"x',
        b"<html>",
        b"a,b\n1,2",
        b'{"a":1}\n{"a":2}\n',
        b"\xff\xfe{\x00}\x00",
        b"undefined",
        b"//c\n{}",
        b'"a" "b"',
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
    ],
)
def test_what_is_not_one_json_text_is_withheld(body: bytes) -> None:
    with pytest.raises(NotJson):
        shown(body, "$.id redact")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 200_000])
@pytest.mark.parametrize("path", ["$..id", "$.zzz"])
def test_deep_nesting_is_withheld_not_a_crash(opening: bytes, closing: bytes, depth: int, path: str) -> None:
    body = opening * depth + b"1" + closing * depth
    try:
        assert shown(body, f"{path} redact") == body  # a branch in which nothing is labelled is passed unread
    except NotJson as fault:
        assert "nested" in str(fault) or "JSON" in str(fault)


def test_a_walked_branch_may_be_as_deep_as_is_said() -> None:
    with pytest.raises(NotJson, match="nested"):
        shown(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "$..id redact")
    fine = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert shown(fine, "$..id redact") == fine


def test_the_text_of_a_fault_quotes_nothing() -> None:
    with pytest.raises(NotJson) as fault:
        shown(f'{{"id":"{ID}" {ID}', "$.id redact")
    assert ID not in str(fault.value)


# --- the contract with what nobody labelled ------------------------------------------------------------


def test_enforce_redacts_every_leaf_that_is_not_labelled() -> None:
    body = '{"known":"k","new":"secret","n":5,"deep":{"known":"x","more":[1,"two",null,true]}}'
    after, revealed = masked(body, "$.known keep", unlabelled="redact")
    assert json.loads(after) == {
        "known": "k",
        "new": "***",
        "n": "***",
        "deep": {"known": "***", "more": ["***", "***", None, None]},
    }
    assert revealed.unlabelled == ("$.new", "$.n", "$.deep.known", "$.deep.more[*]")
    assert dict(revealed.masked)["unlabelled"] == 6


@pytest.mark.parametrize("contract", ["learn", "warn"])
def test_learn_and_warn_show_and_name_what_is_not_labelled(contract: str) -> None:
    body = b'[{"known":"k","new":1},{"known":"k","new":2,"other":{"x":1}}]'
    after, revealed = masked(body, "$[*].known keep", unlabelled=contract)
    assert after == body
    assert revealed.unlabelled == ("$[*].new", "$[*].other.x")


def test_another_case_or_width_of_a_name_is_another_name() -> None:
    body = {"ID": ID, "ｉｄ": ID, "Id": ID, "id ": ID}
    after = shown(json.dumps(body), "$.id keep", unlabelled="redact")
    assert ID.encode() not in after


def test_keep_does_not_cover_an_object_that_took_the_place_of_a_text() -> None:
    after = shown(f'{{"name":{{"id":"{ID}"}},"tags":["a",["b"]]}}', "$.name keep", "$.tags keep", unlabelled="redact")
    assert json.loads(after) == {"name": {"id": "***"}, "tags": ["a", ["b"]]}


def test_a_label_below_a_kept_value_still_masks() -> None:
    assert ID.encode() not in shown(f'{{"name":{{"id":"{ID}"}}}}', "$.name keep", "$..id redact")


def test_data_that_stands_as_a_name_is_hidden_where_values_are() -> None:
    body = json.dumps({ID: {"x": "a"}, "13800138000": 1, "ok_name": 2})
    after, revealed = masked(body, "$.ok_name keep", unlabelled="redact")
    assert ID.encode() not in after
    assert b"13800138000" not in after
    assert b'"ok_name":2' in after
    assert not any(ID in path or "138" in path for path in revealed.unlabelled)


def test_people_and_plates_that_stand_as_names_are_hidden_where_nothing_unlabelled_is_shown_and_told_nowhere() -> None:
    body = '{"王小明":1,"欧阳修":{"病史":"x"},"浙A1B23C":3,"项目":{"id":"a"},"方向":"b"}'
    after, revealed = masked(body, "$..id keep", "$.方向 keep", unlabelled="redact")
    assert json.loads(after) == {"***": "***", "***1": {"病史": "***"}, "***2": "***", "项目": {"id": "a"}, "方向": "b"}
    assert revealed.unlabelled == ("$.*", "$.*.病史")


def test_the_record_of_unlabelled_paths_holds_no_data_and_is_bounded() -> None:
    body = json.dumps({"k" * 10_000: 1, "a@b.cn": 1, "x\n": 1} | {f"field_{'x' * n}": n for n in range(300)})
    _, revealed = masked(body, unlabelled="learn")
    assert len(revealed.unlabelled) <= 64
    assert all(len(path) <= 200 for path in revealed.unlabelled)
    assert not any("@" in path or "\n" in path for path in revealed.unlabelled)
    assert spell_trail(((None, None), ID)) == "$[*].*"


@pytest.mark.parametrize("harmless", ["null", '""', "[]", "{}", '"x"', "true"])
@pytest.mark.parametrize("telling", [f'"{ID}"', ID, f"[{ID}]", f'{{"v":"{ID}"}}', f'"\\u0033{ID[1:]}"'])
@pytest.mark.parametrize("technique", ["redact", "partial(1,1)", "hash", "drop"])
def test_no_record_vouches_for_the_next(harmless: str, telling: str, technique: str) -> None:
    """A list of like records gives no hint about the one that is not like them."""
    like = [f'{{"n":{number},"id":{harmless},"m":"y"}}' for number in range(400)]
    body = "[" + ",".join([*like, f'{{"n":400,"id":{telling},"m":"y"}}', *like]) + "]"
    for unlabelled in ("pass", "learn", "redact"):
        after = shown(body, f"$[*].id {technique}", unlabelled=unlabelled)
        assert ID[1:-1] not in json.dumps(json.loads(after))


# --- what is told about it --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "records"),
    [
        ('[{"id":1},{"id":2}]', 2),
        ('{"items":[{"id":1},{"id":2},{"id":3}],"total":9}', 3),
        ('{"items":[1,2],"more":[1]}', 1),
        ('{"id":1}', 1),
        ('{"note":"[a]"}', 1),
        ('"x"', 1),
        ("[]", 0),
    ],
)
def test_records_are_counted(body: str, records: int) -> None:
    assert masked(body, "$..id redact")[1].records == records
    assert masked(body, "$.zzz redact")[1].records == records


def test_masked_values_are_counted_by_label() -> None:
    _, revealed = masked('[{"id":"a","p":["x","y"]},{"id":"b"},{"id":null}]', "$[*].id redact", "$..p hash")
    assert revealed.masked == (("$[*].id", 2), ("$..p", 2))


# --- long answers are walked in slices -----------------------------------------------------------------


def long_shown(body: bytes, *fields: str, unlabelled: Any = "pass") -> tuple[bytes, Revealed]:
    return asyncio.run(mask_long_json(body, plan(*fields, unlabelled=unlabelled), KEYS))


@pytest.mark.parametrize("unlabelled", ["pass", "learn", "redact"])
@pytest.mark.parametrize("wrap", ["{}", '{{"items":{},"total":1}}', '{{"a":{{"b":[{}]}},"id":"x","gone":1}}'])
def test_slices_give_the_same_as_one_go(unlabelled: Any, wrap: str) -> None:
    record = {"id": ID, "name": "王小明", "x": 1.5, "gone": 1, "tags": ["a", {"id": ID}], "long": "z" * 100}
    body = wrap.format(json.dumps([record] * 1500)).encode()
    fields = ("$..id partial(1,1)", "$..gone drop", "$..x keep")
    assert long_shown(body, *fields, unlabelled=unlabelled) == masked(body, *fields, unlabelled=unlabelled)


@pytest.mark.parametrize("unlabelled", ["pass", "learn", "redact"])
@pytest.mark.parametrize("odd", ["1.10", "12345678901234567890123", '"\\u0041\\/"', f'{{"{ID}":1}}', "[1, 2]", "null"])
def test_slices_with_one_unlike_record_keep_it_byte_for_byte(unlabelled: Any, odd: str) -> None:
    record = f'{{"id":"{ID}","x":1,"pad":"{"z" * 100}"}}'
    body = ("[" + ",".join([record] * 700 + [record.replace('"x":1', f'"x":{odd}')] + [record] * 700) + "]").encode()
    fields = ("$[*].id partial(1,1)", "$[*].x keep", "$[*].pad keep")
    after, revealed = long_shown(body, *fields, unlabelled=unlabelled)
    assert (after, revealed) == masked(body, *fields, unlabelled=unlabelled)
    assert odd[0] in "[{" or odd in after.decode()
    assert revealed.masked[0] == ("$[*].id", 1401)


def test_others_get_their_turn_while_a_long_answer_is_walked() -> None:
    body = json.dumps([{"id": ID, "n": n} for n in range(20_000)]).encode()

    async def story() -> int:
        turns = 0
        done = asyncio.Event()

        async def other() -> None:
            nonlocal turns
            while not done.is_set():
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(other())
        await mask_long_json(body, plan("$..id redact"), KEYS)
        done.set()
        await beside
        return turns

    assert asyncio.run(story()) >= len(body) // (128 * 1024)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 600_000 + b"1]",
        b"[" + b"[]," * 600_000 + b"[]]",
        b'{"a":' * 60 + b'{"pad":"' + b"x" * 4_000_000 + b'"}' + b"}" * 60,
    ],
)
def test_an_answer_made_to_cost_memory_or_time_is_withheld(body: bytes) -> None:
    with pytest.raises(NotJson, match="not inspected"):
        long_shown(body, "$..id redact")


# --- laws -------------------------------------------------------------------------------------------------

names = st.sampled_from(["id", "name", "a", "身份证", "I\u0307d", "x y", "id\u200b", '"', "\\", "0"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4))
SECRETS = st.sampled_from([ID, "张三丰真人", 'quo"te\\back', "tab\tnew\n", "😀secret😀", "6222021234567890128"])
techniques = st.sampled_from(["redact", "partial(1,1)", "hash", "truncate(1)", "drop"])
paths = st.sampled_from(["$..id", "$..身份证", "$.a..id", "$[*].id", "$.id", "$['id']"])


def planted(value: Any, secret: str) -> Any:
    """The value with the secret in the place of everything below a member `id`."""

    def fill(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {secret if k == "0" else k: fill(v) for k, v in inner.items()}
        return [fill(v) for v in inner] or secret if isinstance(inner, list) else secret

    if isinstance(value, dict):
        return {k: fill(v) if k == "id" else planted(v, secret) for k, v in value.items()}
    return [planted(v, secret) for v in value] if isinstance(value, list) else value


def holds(value: Any, secret: str) -> bool:
    if isinstance(value, dict):
        return any(secret in k or holds(v, secret) for k, v in value.items())
    if isinstance(value, list):
        return any(holds(v, secret) for v in value)
    return isinstance(value, str) and secret in value


@settings(max_examples=150, deadline=None)
@given(values, SECRETS, techniques, st.sampled_from(["pass", "learn", "redact"]), st.booleans())
def test_a_masked_value_occurs_nowhere_in_what_is_shown(
    value: Any, secret: str, technique: str, unlabelled: Any, escaped: bool
) -> None:
    if holds(value, secret):
        return
    body = json.dumps(planted(value, secret), ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        after = shown(body, f"$..id {technique}", unlabelled=unlabelled)
    except NotJson:
        return
    assert secret.encode() not in after
    assert not holds(json.loads(after), secret)


@settings(max_examples=150, deadline=None)
@given(values, st.lists(paths, max_size=3), techniques)
def test_what_no_label_names_reads_the_same_afterwards(value: Any, chosen: list[str], technique: str) -> None:
    text = json.dumps(value)
    if any(f'"{name}"' in text for name in ("id", "\\u8eab\\u4efd\\u8bc1")) or "\\ud" in text:
        return
    after = shown(text, *(f"{path} {technique}" for path in chosen))
    assert json.loads(after) == value
    assert shown(after, *(f"{path} {technique}" for path in chosen)) == after


hostile = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"id"',
            b'"a"',
            b"1",
            b"-",
            b"null",
            b"tru",
            b" ",
            b"\n",
            b"\x00",
            b'"\\u0069d"',
            b"\xff",
            b'"',
            b"\\",
            b"\xef\xbb\xbf",
            b"1e999",
            b"NaN",
            b'"330106199003072319"',
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(hostile | st.binary(max_size=40), paths, techniques, st.sampled_from(["pass", "warn", "redact"]))
def test_no_body_does_more_than_be_withheld(body: bytes, path: str, technique: str, unlabelled: Any) -> None:
    try:
        after = shown(body, f"{path} {technique}", unlabelled=unlabelled)
    except NotJson:
        return
    json.loads(after)


def test_a_longer_answer_may_have_more_values_as_far_as_they_are_not_dense() -> None:
    one = json.dumps({"id": ID, "note": "x" * 60}).encode()
    check_values(b"[" + b",".join([one] * 300_000) + b"]")  # 31 MB, 900,000 values
    with pytest.raises(NotJson, match="values"):
        check_values(b"[" + b"1," * 6_000_000 + b"1]")


def test_of_thousands_of_names_that_no_label_names_each_may_be_data() -> None:
    """Abuse: 49,000 words of Chinese as names; to ask whether each is a name of a person takes seconds."""
    body = {"person": {f"字段{number}": 1 for number in range(3000)}}
    left = json.loads(shown(json.dumps(body), "$.person redact"))
    assert not any(name.startswith("字段") for name in left["person"])
