"""Which values and which comments does a YAML file have, and what does each comment belong to?"""

import pytest

from gateway.document.parts import Item, Unsafe, read_parts


def words(item: Item) -> tuple[list[str], list[str]]:
    return [comment.text for comment in item.lead], [comment.text for comment in item.trail]


def test_a_comment_belongs_to_the_item_below_or_beside_it() -> None:
    head, root = read_parts(
        "# head\n\n# about a\na: 1 # one\n\n# about b\nb:  # two\n  # about x\n  - x\n  # foot\n# end\n"
    )
    a, b = root.items
    assert [comment.text for comment in head] == ["# head"]
    assert (words(a), a.blank) == ((["# about a"], ["# one"]), False)
    assert (words(b), b.lead[0].blank) == ((["# about b"], ["# two"]), True)
    assert words(b.part.items[0]) == (["# about x"], [])
    assert [comment.text for comment in b.part.feet] == ["# foot"]
    assert [comment.text for comment in root.feet] == ["# end"]


def test_the_only_comment_above_the_first_item_is_the_head() -> None:
    head, root = read_parts("# head\n# still\na: 1\n")
    assert ([comment.text for comment in head], root.items[0].lead) == (["# head", "# still"], [])


def test_a_hash_inside_a_value_is_no_comment() -> None:
    head, root = read_parts("a: \"x # y\"\nb: x#y\nc: |\n  # text\nd: ['#']\n")
    assert (head, [words(item) for item in root.items], root.feet) == ([], [([], [])] * 4, [])
    assert [item.part.value for item in root.items[:3]] == ["x # y", "x#y", "# text\n"]


@pytest.mark.parametrize(
    "text", ["a: &x 1", "? |- # why\n   a\n: b\n", "a: !t 1", "%YAML 1.2\n---\na: 1", "a: 1\u2028b: 2", "? [a]\n: 1"]
)
def test_what_could_not_be_given_back_is_refused(text: str) -> None:
    with pytest.raises(Unsafe):
        read_parts(text)
