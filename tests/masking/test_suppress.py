"""Nobody stands out on a page: rare combinations are not shown, and nothing else is touched."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import Asset, Fault, Field, FieldMask, Grade, Mask, RawReply, Reply, RowFilter, Suppress
from gateway.masking.reveal import Masking
from gateway.masking.settings import Settings
from gateway.masking.suppress import SLICE, Rare, strictest, suppressed, suppressed_long
from gateway.masking.unpack import Withheld
from tests.literals import a_permit, a_subject, a_warrant, an_asset, some_facts

TWO = Suppress(2, ("$..born", "$..sex"))
ITEMS = an_asset(fields=(), records="$.items")


def without(body: bytes, suppress: Suppress = TWO, records: str = "") -> bytes:
    return suppressed(body, Rare(suppress, records))[0]


# --- records in JSON ----------------------------------------------------------------------------------


def test_who_is_alone_loses_what_makes_him_so_and_the_others_keep_every_byte() -> None:
    body = b'[{"born":"1990","sex":1,"n":1.10},{"born":"1990","sex":1,"n":2e3},{"born":"1951","sex":1,"n":3}]'
    assert without(body) == (
        b'[{"born":"1990","sex":1,"n":1.10},{"born":"1990","sex":1,"n":2e3},{"born":null,"sex":null,"n":3}]'
    )


def test_what_was_lost_is_counted() -> None:
    assert suppressed(b'[{"born":"1951","sex":null},{"born":"1990"},{"born":"1990"}]', Rare(TWO, ""))[1] == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"born":"1951","n":1}', b'{"born":null,"n":1}'),
        (b"[]", b"[]"),
        (b'"1951"', b'"1951"'),
        (b'[{"n":1},{"n":2}]', b'[{"n":1},{"n":2}]'),
        (b'{"x":[{"born":1},{"born":1}],"y":[]}', b'{"x":[{"born":null},{"born":null}],"y":[]}'),  # where are they?
        (b'[[{"born":1}],[{"born":1}]]', b'[[{"born":1}],[{"born":1}]]'),
        (b'[[{"born":1},{"born":1}]]', b'[[{"born":null},{"born":null}]]'),
        (b'[{"born":{"y":1}},{"born":{"y":2}}]', b'[{"born":null},{"born":null}]'),
        (b'[{"born":["1951"]}]', b'[{"born":null}]'),
        (b'[{"born":1,"sex":2},{"sex":2,"born":1}]', b'[{"born":1,"sex":2},{"sex":2,"born":1}]'),
        (b'[{"born":1},{"sex":1}]', b'[{"born":null},{"sex":null}]'),
        (b'[{"born":"A"},{"born":"\\u0041"}]', b'[{"born":null},{"born":null}]'),
        (b'[{"at":{"born":1}},{"born":1}]', b'[{"at":{"born":null}},{"born":null}]'),
    ],
)
def test_whatever_shape_it_has(body: bytes, shown: bytes) -> None:
    assert without(body) == shown


def test_records_are_where_the_catalog_says_and_beside_them_nobody_hides() -> None:
    body = b'{"oldest":{"born":"1920"},"all":[{"born":"1920"}],"items":[{"born":"1990"},{"born":"1990"}],"total":2}'
    assert without(body, records="$.items") == (
        b'{"oldest":{"born":null},"all":[{"born":null}],"items":[{"born":"1990"},{"born":"1990"}],"total":2}'
    )


@pytest.mark.parametrize("body", [b'{"data":null}', b'{"data":{"born":1}}', b'{"data":{"list":{"born":1}}}'])
def test_an_answer_of_another_shape_is_one_record(body: bytes) -> None:
    assert b"1" not in without(body, records="$.data.list")


def test_a_path_to_the_list_names_the_member_of_its_records_however_they_are_wrapped() -> None:
    path = Suppress(2, ("$.items[*].born",))
    two = b'{"items":[{"born":1,"in":{"born":7}},{"born":1}]}'
    assert without(two, path, "$.items") == two
    assert without(b'{"items":[{"born":1},{"born":2}]}', path, "$.items") == b'{"items":[{"born":null},{"born":null}]}'
    assert without(b'[{"items":[{"born":1}]}]', path, "$.items") == b'[{"items":[{"born":null}]}]'


def test_nesting_beyond_measure_is_withheld() -> None:
    with pytest.raises(Withheld):
        without(b'[{"a":' + b'{"a":' * 200 + b"1" + b"}" * 201 + b"]")
    with pytest.raises(Withheld):
        without(b'[{"born":1}')


@pytest.mark.anyio
async def test_a_long_answer_loses_the_same() -> None:
    rows = [{"born": str(1900 + n % 90), "note": "x" * (n % 300), "n": n} for n in range(3000)]
    body = json.dumps([*rows, {"born": "1800", "list": [{"born": n} for n in range(30_000)]}]).encode()
    assert len(body) > 4 * SLICE
    rare = Rare(Suppress(34, TWO.fields), "")
    assert await suppressed_long(body, rare) == suppressed(body, rare)
    shown = json.loads((await suppressed_long(body, rare))[0])
    assert {row["born"] for row in shown} - {None} == set(kept(rows, 34))
    assert {one["born"] for one in shown[-1]["list"]} == {None}


def kept(rows: list[dict[str, object]], k: int) -> dict[object, int]:
    return {born: n for born, n in Counter(row["born"] for row in rows).items() if n >= k}


VALUES = st.one_of(st.none(), st.sampled_from(["a", "b", 1, 1.5, True, ["a"], {"x": 1}]))
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"n": st.integers()}, optional={"born": VALUES, "sex": VALUES, "name": st.sampled_from(["", "a", "王"])}
    ),
    max_size=12,
)


@given(RECORDS, st.integers(2, 5))
def test_every_combination_that_is_shown_is_shared_by_k_and_nothing_else_is_changed(
    records: list[dict[str, object]], k: int
) -> None:
    body = json.dumps({"items": records, "total": len(records)}).encode()
    shown = json.loads(without(body, Suppress(k, TWO.fields), "$.items"))
    assert shown["total"] == len(records)
    assert len(shown["items"]) == len(records)
    crowd = Counter(combination(record) for record in shown["items"])
    for record, now in zip(records, shown["items"], strict=True):
        assert crowd[combination(now)] >= k or combination(now) == ""
        assert now.keys() == record.keys()
        lost = {name for name in record if json.dumps(now[name]) != json.dumps(record[name])}
        assert lost <= {"born", "sex"}
        assert all(now[name] is None for name in lost)
        if Counter(map(combination, records))[combination(record)] >= k:
            assert not lost


def combination(record: dict[str, object]) -> str:
    named = {name: record[name] for name in ("born", "sex") if record.get(name) is not None}
    return json.dumps(named, sort_keys=True) if named else ""


@given(RECORDS, st.integers(2, 5), st.integers(2, 5))
def test_a_larger_k_and_more_fields_never_show_more(records: list[dict[str, object]], one: int, two: int) -> None:
    body = json.dumps(records).encode()
    loose = json.loads(without(body, Suppress(min(one, two), ("$..born",))))
    strict = json.loads(without(body, Suppress(max(one, two), TWO.fields)))
    assert all(now.get("born") is None or was["born"] is not None for was, now in zip(loose, strict, strict=True))


def test_a_stream_is_held_to_the_strictest_of_its_masks() -> None:
    beyond = Mask("b", (), "pass", suppress=Suppress(9, ("$..sex",)))
    assert strictest(Mask("a", (), "pass", most=5, beyond=beyond, suppress=Suppress(3, ("$..born",)))) == Suppress(
        9, ("$..born", "$..sex")
    )
    assert strictest(Mask("a", (), "pass")) is None


# --- people ---------------------------------------------------------------------------------------------

BY_ID = Rare(TWO, "$.items", ["$..id"])


@pytest.mark.parametrize(
    ("ids", "shown"),
    [
        (['"1"', '"2"'], True),
        (['"1"', '"1"'], False),
        (['"1x"', '"1\\u0058"'], False),  # one person, however the key is written
        (['"1-1"', "11"], False),
        (['"1"', "null"], True),
        (["null", "null"], True),  # no record of the page tells whom it is about: records are counted
        (['"1"', '"1"', "null", "null"], True),
        (['["1","2"]', '["1"]'], True),
    ],
)
def test_a_crowd_is_made_of_people_where_the_asset_tells_them_apart(ids: list[str], shown: bool) -> None:
    before = '{"items":[' + ",".join(f'{{"id":{one},"born":"1951"}}' for one in ids) + "]}"
    after = json.dumps({"items": [{"id": "***", "born": "1951"} for _ in ids]}).encode()
    found = json.loads(suppressed(after, BY_ID, before.encode())[0])
    assert [row["born"] for row in found["items"]] == ["1951" if shown else None] * len(ids)


def test_where_the_records_do_not_match_those_that_came_they_are_one_person() -> None:
    after = b'{"items":[{"born":"1951"},{"born":"1951"}]}'
    for before in (b'{"items":[{"id":"1"},{"id":"2"},{"id":"3"}]}', b'{"id":"1"}'):
        assert b"1951" not in suppressed(after, BY_ID, before)[0]


def test_where_the_asset_has_no_key_records_are_counted() -> None:
    after = b'{"items":[{"id":"1","born":"1951"},{"id":"1","born":"1951"}]}'
    assert suppressed(after, Rare(TWO, "$.items"), after) == (after, 0)


# --- whole answers --------------------------------------------------------------------------------------


def answer(kind: bytes, body: bytes) -> RawReply:
    return RawReply(200, ((b"content-type", kind),), body, None, 0.0)


async def sent(
    kind: bytes, body: bytes, mask: Mask, asset: Asset = ITEMS, **limits: int
) -> tuple[bytes, Reply] | Fault:
    facts = some_facts(asset=asset, subject=a_subject())
    masking = Masking(Settings(hash_key=b"k" * 32, **limits))
    reply = await masking.apply(answer(kind, body), a_warrant(facts=facts, permit=a_permit(mask=mask)))
    if isinstance(reply, Fault):
        return reply
    if isinstance(reply.body, bytes):
        return reply.body, reply
    return b"".join([piece async for piece in reply.body]), reply


YEARS = (FieldMask("$..born", "truncate(4)"), FieldMask("$..name", "redact"))


@pytest.mark.anyio
async def test_what_the_mask_makes_alike_counts_as_alike() -> None:
    mask = Mask("m", YEARS, "pass", suppress=Suppress(2, ("$..born",)))
    body = b'{"items":[{"born":"1990-01-02"},{"born":"1990-11-12"},{"born":"1951-01-01"}]}'
    found = await sent(b"application/json", body, mask)
    assert isinstance(found, tuple)
    years = [row["born"] for row in json.loads(found[0])["items"]]
    assert years[0] == years[1]
    assert years[0].startswith("1990")
    assert years[2] is None
    assert dict(found[1].revealed.masked)["suppressed"] == 1


@pytest.mark.anyio
@pytest.mark.parametrize("padding", [b"", b" " * 1024])
async def test_visits_of_one_person_are_no_crowd(padding: bytes) -> None:
    asset = an_asset(
        fields=(Field("$..id", "resident-id", Grade.GENERAL_3),), records="$.items", key="$..id", contract="warn"
    )
    mask = Mask("m", (FieldMask("$..id", "redact"),), "pass", suppress=TWO)
    for other, born in (("1", None), ("2", "1951")):
        body = f'{{"items":[{{"id":"1","born":"1951"}},{{"id":"{other}","born":"1951"}}]}}'.encode()
        found = await sent(b"application/json", body + padding, mask, asset=asset, offload_over=1024)
        assert isinstance(found, tuple)
        assert [row["born"] for row in json.loads(found[0])["items"]] == [born] * 2


@pytest.mark.anyio
@pytest.mark.parametrize("unlabelled", ["pass", "learn", "warn"])
async def test_a_member_that_stands_twice_is_shown_as_it_was_counted(unlabelled: str) -> None:
    body = b'{"items":[{"sex":"alone","sex":"f","n":1.10},{"sex":"f","n":1.10}]}'
    found = await sent(b"application/json", body, Mask("m", (), unlabelled, suppress=TWO))  # type: ignore[arg-type]  # one of its words
    assert isinstance(found, tuple)
    assert found[0] == b'{"items":[{"sex":"f","n":1.10},{"sex":"f","n":1.10}]}'


@pytest.mark.anyio
async def test_only_the_records_that_this_caller_may_see_are_his_page() -> None:
    mask = Mask("m", (), "pass", rows=(RowFilter("$.d", ("hz",)),), suppress=Suppress(2, ("$..born",)))
    body = b'{"items":[{"d":"hz","born":1},{"d":"nb","born":1}]}'
    found = await sent(b"application/json", body, mask)
    assert isinstance(found, tuple)
    assert found[0] == b'{"items":[{"d":"hz","born":null}]}'


@pytest.mark.anyio
async def test_long_and_short_answers_and_those_under_a_watermark() -> None:
    mask = Mask("m", YEARS, "pass", watermark=True, suppress=Suppress(2, ("$..born",)))
    body = b'{"items":[{"born":"1990-01-01","id":1.10},{"born":"1951-01-01"},{"born":"1990-02-02"}]}'
    for padding in (b"", b" " * 1024):
        found = await sent(b"application/json", body + padding, mask, offload_over=1024)
        assert isinstance(found, tuple)
        assert [(row["born"] is None) for row in json.loads(found[0])["items"]] == [False, True, False]
        assert b"1.10" in found[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/x-ndjson", b'{"born":"1990"}\n'),
        (b"text/event-stream", b'data: {"born":"1990"}\n\n'),
        (b"application/xml", b"<a><born>1990</born></a>"),
        (b"application/x-www-form-urlencoded", b"born=1990"),
        (b"text/plain", b"born in 1990"),
    ],
)
async def test_where_nobody_can_count_nothing_is_shown(kind: bytes, body: bytes) -> None:
    mask = Mask("m", (), "pass", suppress=TWO)
    found = await sent(kind, body, mask)
    assert isinstance(found, Fault)
    assert found.code == "cannot_inspect"
    assert "rare records" in found.detail
    later = Mask("m", YEARS, "pass", most=100, beyond=mask)
    assert isinstance(await sent(kind, body, later), Fault)


@pytest.mark.anyio
async def test_rows_of_a_table() -> None:
    fields = (FieldMask("$['a;b']", "keep"), FieldMask("$..name", "redact"))
    table = b'name,born,sex,"a;b"\nw,1990,f,1\nx,1951,f,2\nv,1990,f,3\ny,,,4\n'
    found = await sent(b"text/csv", table, Mask("m", fields, "pass", suppress=TWO))
    assert isinstance(found, tuple)
    assert found[0].splitlines() == [
        b"name,born,sex,a;b", b"***,1990,f,1", b"***,,,2", b"***,1990,f,3", b"***,,,4",
    ]  # fmt: skip
    assert found[1].revealing is not None
    assert dict(found[1].revealing().masked)["suppressed"] == 2
    assert found[1].revealing().records == 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ids", "shown"), [("12", True), ("11", False), ("1 ", True), ("  ", True), ("aA", False), ("aAb", True)]
)
async def test_rows_about_one_person_are_no_crowd(ids: str, shown: bool) -> None:
    fields = (FieldMask("$..id", "redact"), FieldMask("$..born", "keep"))
    asset = an_asset(fields=(Field("$.items[*].id", "resident-id", Grade.GENERAL_3),), key="$.items[*].id")
    table = "id,born\n" + "".join(f"{one.strip()},1951\n" for one in ids)
    found = await sent(b"text/csv", table.encode(), Mask("m", fields, "pass", suppress=TWO), asset=asset)
    assert isinstance(found, tuple)
    assert (b"1951" in found[0]) is shown
    assert found[0].count(b"1951") in (0, len(ids))


@pytest.mark.anyio
async def test_a_table_is_held_up_to_a_limit_and_shown_in_pieces() -> None:
    mask = Mask("m", (FieldMask("$..name", "redact"),), "pass", suppress=TWO)
    table = b"name,born,address.sex\n" + b"".join(b"x,%d,f\n" % (n % 700) for n in range(20_001))
    found = await sent(b"text/csv", table, mask, inspect_max=len(table))
    assert isinstance(found, tuple)
    assert found[0].count(b"\r\n") == 20_002
    assert b",," not in found[0]
    assert isinstance(await sent(b"text/csv", table, mask, inspect_max=len(table) - 1), Fault)


@pytest.mark.anyio
async def test_a_table_that_arrives_in_pieces() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"name,born\nx,19", b"90\nx,1990\nx,", b"1951\n"):
            yield piece

    mask = Mask("m", (FieldMask("$..name", "redact"),), "pass", suppress=TWO)
    raw = RawReply(200, ((b"content-type", b"text/csv"),), pieces(), None, 0.0)
    warrant = a_warrant(facts=some_facts(asset=ITEMS), permit=a_permit(mask=mask))
    reply = await Masking(Settings(hash_key=b"k" * 32)).apply(raw, warrant)
    assert isinstance(reply, Reply)
    assert not isinstance(reply.body, bytes)
    shown = b"".join([piece async for piece in reply.body])
    assert shown.splitlines() == [b"name,born", b"***,1990", b"***,1990", b"***,"]


def test_who_stands_in_a_record_besides_makes_no_crowd() -> None:
    """Five visits of one person to five doctors are about one person."""
    visits = b",".join(b'{"id":"1","born":"1951","sex":"f","doctor":{"id":"d%d"}}' % number for number in range(5))
    body = b'{"items":[%b]}' % visits
    shown, lost = suppressed(body, Rare(TWO, "$.items", ["$..id"]), body)
    assert lost and b"1951" not in shown


BLANK = b"born\n1990\n" + b"\n" * 400_000


@pytest.mark.anyio
async def test_blank_rows_hold_up_nobody() -> None:
    """Abuse: 36 KB that unpack to eight million blank lines stop a worker for 16 s, and it is replaced."""
    mask, turns = Mask("m", YEARS, "pass", suppress=Suppress(2, ("$..born",))), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(others())
    found = await sent(b"text/csv", BLANK, mask)
    beside.cancel()
    assert not isinstance(found, Fault)
    assert found[0].startswith(b"born")
    assert turns > 300  # of 6.8 MB of rows that cost something, after each 16 KB


@pytest.mark.anyio
@pytest.mark.parametrize("table", [b"born\n" + b"1\n" * 100_001, b"born,n\n" + b"1,\n" * 100_001])
async def test_a_table_of_too_many_rows_is_not_held(table: bytes) -> None:
    found = await sent(b"text/csv", table, Mask("m", YEARS, "pass", suppress=Suppress(2, ("$..born",))))
    assert isinstance(found, Fault)
    assert (found.code, "rows" in found.detail) == ("cannot_inspect", True)


@pytest.mark.anyio
async def test_tables_that_are_held_share_the_room_as_what_they_become() -> None:
    mask = Mask("m", YEARS, "pass", suppress=Suppress(2, ("$..born",)))
    found = await sent(b"text/csv", b"born\n" + b"1990\n" * 1_400_000, mask, held_bytes=64 << 20)
    assert isinstance(found, Fault)
    assert found.code == "overloaded"
