import gzip
import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.discovery.learner import FIRST, MAX_API_PATHS, MAX_BODY, MAX_PATHS, SAMPLED, SEEN_IN, WAITING, Learner
from gateway.discovery.records import encoded
from gateway.discovery.walk import PER_PATH
from tests.detect.made import resident_id
from tests.discovery.answers import DAY, KEY, asset, field, learnt


def routes(learner):
    return {route.route: route for route in learner.record().routes}


def paths(learner, route="GET /market/shops"):
    return {path.path: path for path in routes(learner)[route].paths}


def test_what_answers_hold_is_counted_by_path():
    found = paths(learnt([{"items": [{"idCard": "330106199003072319"}, {"idCard": None}]}] * 4))
    path = found["$.items[*].idCard"]
    assert (path.answers, path.texts, path.nulls, path.distinct, path.hits) == (4, 4, 4, 1, {"resident-id": 4})


def test_one_answer_in_so_many_is_looked_at_after_the_first_few():
    learner = learnt([{"a": 1}] * 200, every=50)
    assert routes(learner)["GET /market/shops"].answers == FIRST + 3  # the 51st, the 101st, the 151st


def test_each_route_has_its_own_turn():
    learner = Learner(1000, KEY)
    for number in range(40):
        learner.observe(asset(route=f"GET /{number}"), b'{"a": 1}')
        learner.learn(DAY)
    assert [route.answers for route in learner.record().routes] == [1] * 40


def test_observing_only_puts_aside_and_never_more_than_a_few():
    learner = Learner(1, KEY)
    for number in range(WAITING * 5):
        learner.observe(asset(route=f"GET /{number}"), b'{"a": 1}')
    assert learner.waits
    assert learner.record().routes == ()
    learner.learn(DAY)
    assert not learner.waits
    assert len(learner.record().routes) == WAITING


def test_a_busy_route_does_not_keep_out_another_and_loses_no_turn():
    learner = learnt([{"a": 1}] * FIRST)
    for _ in range(1000):
        learner.observe(asset(), b'{"a": 1}')
    learner.observe(asset(route="GET /seldom"), b'{"a": 1}')
    learner.learn(DAY)
    learner.observe(asset(), b'{"a": 1}')
    learner.learn(DAY)
    assert {route.route: route.answers for route in learner.record().routes} == {
        "GET /market/shops": FIRST + SAMPLED + 1,
        "GET /seldom": 1,
    }


def test_an_answer_that_is_too_long_is_counted_and_not_read():
    learner = learnt([b'{"a": "' + b"x" * MAX_BODY + b'"}'] * 3)
    assert (routes(learner)["GET /market/shops"].long, paths(learner)) == (3, {})


def test_what_is_put_aside_stays_small_however_long_the_answers_are():
    """Learning may rest for seconds: a route with long answers must not fill the memory meanwhile."""
    learner = Learner(1, KEY)
    for _ in range(FIRST):
        learner.observe(asset(), b"x" * 4 * MAX_BODY)
    assert sum(len(body) for _, body in learner._waiting) <= FIRST * (MAX_BODY + 1)
    learner.learn(DAY)
    assert routes(learner)["GET /market/shops"].long == FIRST


@pytest.mark.parametrize("line", [b"%s\n", b"\x1e%s\r\n"])
def test_of_lines_each_is_an_answer_of_its_own_and_a_few_of_them_are_looked_at(line):
    source = random.Random(3)
    lines = b"\n".join(line % orjson.dumps({"idCard": resident_id(source), "rank": at}) for at in range(100))
    found = paths(learnt([lines] * SEEN_IN))
    assert found.keys() == {"$.idCard", "$.rank"}
    path = found["$.idCard"]
    assert (path.answers, path.texts, path.hits["resident-id"]) == (SEEN_IN, SEEN_IN * PER_PATH, SEEN_IN * PER_PATH)


def test_what_was_seen_too_seldom_is_not_told():
    """A service with accounts for names: `{"wangxiaoming": {…}}` cannot be told from `{"description": {…}}` by its look."""
    answers = [{f"account{chr(97 + number)}": {"visits": 3}, "total": 1} for number in range(20)]
    assert set(paths(learnt(answers))) == {"$.total"}
    assert b"account" not in encoded(learnt(answers).record())


def test_a_field_is_told_from_its_third_answer_on():
    assert paths(learnt([{"a": 1}] * (SEEN_IN - 1))) == {}
    assert set(paths(learnt([{"a": 1}] * SEEN_IN))) == {"$.a"}


def test_a_service_that_makes_up_names_fills_nothing():
    source = random.Random(1)

    def made_up():
        return {"".join(source.choices("abcdefghij", k=9)): 1 for _ in range(200)} | {"idCard": resident_id(source)}

    learner = learnt([made_up() for _ in range(30)])
    assert sum(len(route.paths) for route in learner._routes.values()) <= MAX_PATHS
    assert len(encoded(learner.record())) < 10_000


def test_room_is_made_for_fields_that_come_late():
    source = random.Random(1)
    junk = [{"".join(source.choices("abcdefghij", k=9)): 1 for _ in range(200)} for _ in range(3)]
    assert set(paths(learnt([*junk, *[{"idCard": "x"}] * 40]))) == {"$.idCard"}


def test_one_service_takes_no_other_ones_room():
    learner = learnt([])
    for number in range(20):
        of = asset(route=f"GET /market/{number}")
        for _ in range(SEEN_IN):
            learner.observe(
                of, orjson.dumps({f"{chr(97 + at // 26)}{chr(97 + at % 26)}{number}": at for at in range(250)})
            )
        learner.learn(DAY)
    for _ in range(SEEN_IN):
        learner.observe(asset(api="civil", route="GET /civil"), b'{"idCard": "x"}')
    learner.learn(DAY)
    assert set(paths(learner, "GET /civil")) == {"$.idCard"}
    assert sum(len(route.paths) for route in learner.record().routes if route.api == "market") == MAX_API_PATHS


def test_names_made_up_later_do_not_take_the_place_of_fields():
    source = random.Random(1)
    learner = learnt([{"idCard": resident_id(source)} for _ in range(SEEN_IN)])
    for number in range(30):
        junk = {f"n{''.join(source.choices('abcdefghij', k=9))}": number for _ in range(200)}
        learner.observe(asset(), orjson.dumps(junk | {"idCard": resident_id(source)}))
        learner.learn(DAY)
    assert paths(learner)["$.idCard"].answers == SEEN_IN + 30


def test_labels_are_those_of_the_catalog_that_answers_last():
    learner = learnt([{"a": "x"}] * 3)
    assert paths(learner)["$.a"].label is None
    learner.observe(asset((field("$.a", "name"),), revision="r2"), b'{"a": "x"}')
    learner.learn(DAY)
    assert paths(learner)["$.a"].label == "name"


def test_what_was_kept_goes_on():
    before = learnt([{"a": "x"}] * 5, day="2026-01-01").record()
    path = paths(learnt([{"a": "y"}] * 2, before=before))["$.a"]
    assert (path.answers, path.texts, path.first, path.last) == (7, 7, "2026-01-01", DAY)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 5000, b'{"a": 1}{', b"<html>", b'{"a": 1e999999}', b"{}\n{", b'{\n"a": 1\n']
)
def test_what_cannot_be_read_is_passed_over(body):
    assert paths(learnt([body, b'{"b": 1}', b'{"b": 1}', b'{"b": 1}'])).keys() == {"$.b"}


def test_an_answer_that_passes_packed_is_read_and_a_bomb_only_to_its_bound():
    assert set(paths(learnt([gzip.compress(b'{"b": 1}')] * 3))) == {"$.b"}
    bomb = gzip.compress(b'{"b": "' + bytes(20 * 1024 * 1024))
    assert (routes(learnt([bomb]))["GET /market/shops"].long, len(bomb) < MAX_BODY) == (1, True)
    assert paths(learnt([gzip.compress(b'{"b": 1}')[:-12], b"\x1f\x8b", b"\x1f\x8bnothing"])) == {}


def test_a_byte_order_mark_is_not_in_the_way():
    assert set(paths(learnt([b'\xef\xbb\xbf{"b": 1}'] * 3))) == {"$.b"}


@given(st.binary(max_size=60))
def test_nothing_a_service_sends_stops_it(body):
    learnt([body] * 2)


@given(st.lists(st.text("㐂㐆㐊㐌㐐㐓㐖㐜㐡㐤", min_size=3), min_size=4, max_size=4, unique=True))
def test_no_value_is_in_what_is_told(values):
    answers = [{"a": value, "list": [value, {"b": value}], "n": 4_096_123_456} for value in values]
    told = encoded(learnt(answers * 2).record()).decode()
    assert [value for value in values if value[:3] in told] == []
    assert "4096123456" not in told
