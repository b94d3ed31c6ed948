"""The walks against the rules said once more: what is hidden stands nowhere, what is not stays as it was spelled."""

import asyncio
import json
from itertools import count
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask
from gateway.masking import json_body
from gateway.masking.json_body import NotJson, mask_json, mask_long_json, mask_raw
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from tests.masking.reference import Array, Leaf, Named, Node, Object, hidden_and_shown, written

KEYS = Keys(b"k" * 32, "prov/civil")
NAMES = ["id", "name", "a", "b", "0", "1", "身份证"]
PATHS = [
    "$", "$.id", "$..id", "$.a.id", "$.a..id", "$..a.id", "$..a..id", "$[*].id", "$.a[*].id", "$.a[*]", "$.*", "$.*.id",
    "$.a[1]", "$.a[1].id", "$[0][1]", "$[1]", "/a/0", "/a/1/id", "$..身份证", "$..a[0]", "$..b[*].name", "$['0']",
]  # fmt: skip
HOW = ["redact", "hash", "drop", "partial(1,1)", "partial(3,4)", "truncate(2)", "keep"]
masks = st.builds(
    lambda fields, unlabelled: Mask("test", tuple(FieldMask(*field) for field in fields), unlabelled),
    st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(HOW)), max_size=4),
    st.sampled_from(["pass", "learn", "warn", "redact"]),
)


def escaped(text: str, how: int) -> str:
    """A JSON text with every so many characters escaped."""
    spelled = "".join(f"\\u{ord(char):04X}" if how and at % how == 0 else char for at, char in enumerate(text))
    return f'"{spelled}"'


SPELLINGS = [
    lambda n: Leaf(f"qz{n}xjkwv", f'"qz{n}xjkwv"'),
    lambda n: Leaf(f"王{n}小明是谁呢", f'"王{n}小明是谁呢"'),
    lambda n: Leaf(f"q {n} v w x y", f'"q {n} v w x y"'),
    lambda n: Leaf(f"qz{n}xjkwv", escaped(f"qz{n}xjkwv", 1)),
    lambda n: Leaf(f"qz{n}xjkwv", escaped(f"qz{n}xjkwv", 3)),
    lambda n: Leaf(f"qz{n}/", f'"qz{n}\\/"'),
    lambda n: Leaf(f"{n}", f"{n}"),
    lambda n: Leaf(f"{n}", f"-{n}.10"),
    lambda n: Leaf(f"{n}", f"{n}E+2"),
    lambda n: Leaf(f"{n}", f"{n}00000000000000001"),
]
shapes = st.recursive(
    st.sampled_from(SPELLINGS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 2), inner), max_size=5).map(tuple)
    ),
    max_leaves=20,
)


def grown(shape: Any, numbers: "count[int]") -> Node:
    """A tree of this shape in which no two values are alike."""
    if callable(shape):
        leaf: Leaf = shape(next(numbers))
        return leaf
    if isinstance(shape, list):
        return Array(tuple(grown(one, numbers) for one in shape))
    members = ((name, escaped(name, how), grown(inner, numbers)) for name, how, inner in shape)
    return Object(tuple(Named(*member) for member in members))


def ways(body: bytes, mask: Mask) -> list[bytes]:
    """The answer by every walk that would show it; slices of a few bytes, so that all of their seams are met."""
    plan = Plan(mask)
    with patch.object(json_body, "SLICE", 48):
        long = asyncio.run(mask_long_json(body, plan, KEYS))[0]
    return [mask_json(body, plan, KEYS)[0], mask_raw(body, plan, KEYS)[0], long]


def said(text: bytes) -> str:
    """Everything that a reader finds in a text, names included."""
    return json.dumps(json.loads(text, object_pairs_hook=list, parse_float=str, parse_int=str), ensure_ascii=False)


@settings(max_examples=600, deadline=None)
@given(shapes, masks, st.sampled_from(["", " ", "\n  ", "\t\r\n"]))
def test_what_is_hidden_stands_nowhere_and_what_is_not_stays(shape: Any, mask: Mask, space: str) -> None:
    tree = grown(shape, count(1_234_567))
    hidden, shown = hidden_and_shown(tree, mask)
    for after in ways(written(tree, space).encode(), mask):
        found = said(after) + after.decode()
        assert not [secret for secret in hidden if secret in found]
        assert not [leaf for leaf in shown if leaf.spelled not in after.decode()]


cuts = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["", '"', "\\", "{", "}", "[", "]", ",", ":", "\0", " ", "\ufeff", "\\u0000", "\\ud800", "//", "NaN"])), max_size=2)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(shapes, st.sampled_from(HOW[:-1]), st.sampled_from(["pass", "learn", "warn"]), cuts)
def test_a_damaged_text_shows_nothing_that_a_reader_finds_under_the_label(
    shape: Any, how: str, unlabelled: Any, cuts: list[tuple[int, str]]
) -> None:
    """Whatever became of the text: what a lenient reader of the answer finds under `id` is masked."""
    text = written(grown(shape, count(1_234_567)), "")
    for at, put in cuts:
        at %= len(text) + 1
        text = text[:at] + put + text[at + 1 :]
    mask = Mask("test", (FieldMask("$..id", how),), unlabelled)
    for walk in (mask_json, mask_raw):
        try:
            after = walk(text.encode("utf-8", "surrogatepass"), Plan(mask), KEYS)[0]
        except NotJson:
            continue
        under: list[str] = []
        json.loads(
            after, object_pairs_hook=lambda pairs, under=under: under.extend(str(v) for n, v in pairs if n == "id")
        )  # type: ignore[misc]  # lists what it passes
        assert not [value for value in under for number in range(1_234_567, 1_234_600) if str(number) in value]
