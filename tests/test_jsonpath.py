"""Paths: what is read, what is refused, and one spelling for each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.jsonpath import Anywhere, BadPath, Element, Every, Member, covers, parse, spell


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.name", (Member("name"),)),
        ("$.身份证", (Member("身份证"),)),
        ("$['first name']", (Member("first name"),)),
        ('$["a\\"b"]', (Member('a"b'),)),
        ("$['it\\'s']", (Member("it's"),)),
        ("$[*].id", (Every(), Member("id"))),
        ("$.*", (Every(),)),
        ("$[0][12]", (Element(0), Element(12))),
        ("$..id", (Anywhere("id"),)),
        ("$..['id no']", (Anywhere("id no"),)),
        ("$.a..b[*].c", (Member("a"), Anywhere("b"), Every(), Member("c"))),
        ("$.id-card", (Member("id-card"),)),
        ("/a/b", (Member("a"), Member("b"))),
        ("/a~1b/~0c", (Member("a/b"), Member("~c"))),
        ("/items/0/id", (Member("items"), Element(0), Member("id"))),
    ],
)
def test_a_path_is_read(text: str, steps: object) -> None:
    assert parse(text) == steps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "starts with"),
        ("name", "starts with"),
        ("$.a[?(@.b == 1)]", "filters"),
        ("$[?@.b]", "filters"),
        ("$.a[-1]", "from the end"),
        ("$.a[1:3]", "slices"),
        ("$.a[0,1]", "several names"),
        ("$['a','b']", "several names"),
        ("$..", "needs a name"),
        ("$..*", "needs a name"),
        ("$.", "character 2"),
        ("$.a b", "character 4"),
        ("$.a[", "character 4"),
        ("$.a['b]", "character 4"),
        ("$.a]", "character 4"),
        ("$a", "character 2"),
        ("$.1a", "character 2"),
        ("$[01]", "character 2"),
        ("/a/~2", "JSON Pointer"),
        ("/a/-", "names no value"),
        ("$" + ".a" * 33, "steps"),
        ("$." + "a" * 600, "longer"),
    ],
)
def test_what_is_not_a_path_says_why(text: str, says: str) -> None:
    with pytest.raises(BadPath) as fault:
        parse(text)
    assert says in fault.value.en
    assert fault.value.zh


steps = st.one_of(
    st.builds(Member, st.text(max_size=8)),
    st.builds(Anywhere, st.text(max_size=8)),
    st.builds(Element, st.integers(0, 999)),
    st.just(Every()),
)


@given(st.lists(steps, max_size=8).map(tuple))
def test_reading_the_spelling_gives_the_steps_again(path: tuple[Member, ...]) -> None:
    assert parse(spell(path)) == path


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, "$" + text, "/" + text):
        try:
            assert parse(spell(parse(candidate))) == parse(candidate)
        except BadPath:
            continue


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        ("$", "$.a", "around"),
        ("$.a", "$.a", "exactly"),
        ("$.a", "$.a.b", "around"),
        ("$.a", "$.a[*]", "exactly"),
        ("$.a.b", "$.a[*].b", "exactly"),
        ("$[*].b", "$.b", "exactly"),
        ("$.*.b", "$.a.b", "around"),
        ("$.items[*]", "$.items.name", "around"),
        ("$.items[*]", "$.items[*]", "exactly"),
        ("$..b", "$.a[*].b", "exactly"),
        ("$..b", "$..b.c", "around"),
        ("$..a..b", "$..a.x.b", "exactly"),
        ("$.a[0]", "$.a[0]", "exactly"),
        ("$.a[*]", "$.a[0]", "exactly"),
        ("$.a[0]", "$.a[*]", ""),
        ("$.a.b", "$..b", ""),
        ("$[*].b", "$..b", ""),
        ("$.a.b", "$.a", ""),
        ("$.a", "$.b", ""),
        ("$..a", "$.b", ""),
        ("$" + "[*]" * 32, "$.a", "around"),
        ("$" + "[*]" * 31 + ".b", "$" + "[*]" * 31 + ".a", ""),
    ],
)
def test_which_path_names_what_another_names(one: str, other: str, named: str) -> None:
    assert covers(parse(one), parse(other)) is bool(named)
    assert covers(parse(one), parse(other), exactly=True) is (named == "exactly")
