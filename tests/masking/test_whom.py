"""Whom an answer is about: the same digest however written, nothing of the value."""

import pytest

from gateway.crypto.suite import INTL, SM
from gateway.facts import MAX_SEEN, FieldMask, Mask, Revealed
from gateway.masking.json_body import mask_json, mask_long_json, mask_raw
from gateway.masking.json_tree import mask_tree
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from gateway.masking.whom import digests, same, told_apart

KEYS = Keys(b"k" * 32, "prov/civil")


@pytest.mark.parametrize(
    "text",
    [
        "44030519851231019x",
        "４４０３０５１９８５１２３１０１９Ｘ",
        " 440305 19851231 019X",
        "440305-19851231-019X",
        "440305–19851231‑019X",
        "440305\u200b19851231\u00a0019X\ufeff",
        "٤٤٠٣٠٥١٩٨٥١٢٣١٠١٩x",
        "440305\x0019851231\x1f019x\x7f",
    ],
)
def test_one_spelling_for_all(text):
    assert same(text) == "44030519851231019X"


@pytest.mark.parametrize("suite", [INTL, SM])
def test_the_same_for_every_department_and_for_nobody_without_the_key(suite):
    one = digests(["330106199003072319"], Keys(b"k" * 32, "prov/civil", suite))
    assert one == digests(["330106199003072319"], Keys(b"k" * 32, "prov/health", suite))
    assert one != digests(["330106199003072319"], Keys(b"q" * 32, "prov/civil", suite))
    assert len(one[0]) == 8


def test_each_once_and_nobody_is_nobody():
    assert digests(["a", "b", "a", "", "A"], KEYS) == (KEYS.about("A") + KEYS.about("B"), 0)


@pytest.mark.parametrize("text", [" " * 18, "-", "\u3000", "\u200b" * 9, "\x00", " - - "])
def test_a_blank_is_nobody(text):
    assert digests([text, "a"], KEYS) == (KEYS.about("A"), 0)


@pytest.mark.parametrize("before", [" " * 128, "\u200b" * 128, "-" * 500, "x" * 2000])
def test_whatever_stands_before_it_two_are_two(before):
    """Abuse: a service that puts 128 spaces before each number, and all of them are one person."""
    seen, unlisted = digests([before + str(number) for number in range(300)], KEYS)
    assert len(seen) // 8 + unlisted == 300


def test_a_number_behind_spaces_is_the_number():
    assert digests([" " * 500 + "330106199003072319"], KEYS) == digests(["330106199003072319"], KEYS)


def test_as_many_as_fit_and_the_others_counted():
    seen, unlisted = digests([str(number) for number in range(MAX_SEEN + 5)], KEYS)
    assert (len(seen), unlisted) == (8 * MAX_SEEN, 5)


# --- heard by every walk ------------------------------------------------------------------------------

ID, OTHER = "330106199003072319", "110101200002291280"


def plan(technique: str, unlabelled: str = "warn", path: str = "$..id_number") -> Plan:
    return Plan(Mask("pii", (FieldMask(path, technique),), unlabelled), frozenset({path}), 2)


@pytest.mark.parametrize("technique", ["keep", "redact", "partial(1,1)", "drop", "null", "hash"])
def test_both_walks_hear_whom_an_answer_is_about_whatever_is_shown_of_it(technique):
    body = f'{{"items":[{{"id_number":"{ID}","n":1}},{{"p":{{"id_number":{OTHER}}}}},{{"id_number":"{ID}"}}]}}'.encode()
    both = KEYS.about(ID) + KEYS.about(OTHER)
    _, by_tree = mask_tree(body, plan(technique), KEYS)
    shown, by_text = mask_raw(body, plan(technique), KEYS)
    assert by_tree.seen == by_text.seen == both
    assert by_tree.clear == by_text.clear == 6
    if technique == "keep":
        assert shown == body


@pytest.mark.anyio
async def test_a_long_answer_is_heard_too():
    record = '{{"id_number":"{}","pad":"' + "x" * 200 + '"}}'
    body = ("[" + ",".join(record.format(number) for number in range(3000)) + "]").encode()
    _, revealed = await mask_long_json(body, plan("keep"), KEYS)
    assert revealed.seen[:8] == KEYS.about("0")
    assert (len(revealed.seen), revealed.unlisted) == (8 * MAX_SEEN, 1000)


@pytest.mark.parametrize("value", ['""', "null", "true", "{}", "[]", '{"id": "x"}'])
def test_what_names_nobody_is_not_heard(value):
    body = f'{{"id_number":{value}}}'.encode()
    assert mask_json(body, plan("redact"), KEYS)[1].seen == b""


def test_elements_of_a_list_are_heard_each():
    body = f'{{"id_number":["{ID}","{OTHER}"]}}'.encode()
    assert mask_json(body, plan("redact"), KEYS)[1].seen == KEYS.about(ID) + KEYS.about(OTHER)


def test_an_escaped_value_is_heard_as_it_is_read():
    body = b'{"id_number":"\\u0033\\u00330106199003072319"}'
    assert mask_json(body, plan("keep"), KEYS) == (body, Revealed((), (), 1, KEYS.about(ID), 0, 2))


def test_how_many_people_an_answer_is_about():
    numbers = [str(number) for number in range(MAX_SEEN + 5)]
    for value in ([], numbers[:3], numbers, numbers * 2):
        assert told_apart(Revealed((), (), 1, *digests(value, Keys(b"k" * 32, "prov")))) == len(set(value))
