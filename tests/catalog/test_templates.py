"""Path templates: what is read, which is the more specific, which cross."""

from itertools import product

import pytest

from gateway.catalog.templates import (
    BadTemplate,
    Branch,
    Template,
    below,
    crossing,
    parse_endpoint,
    parse_template,
    same,
)

SEGMENTS = ("a", "b", "{x}")
TEMPLATES = [
    parse_template("/" + "/".join(pieces) + end)
    for length in (1, 2, 3)
    for pieces in (
        tuple(f"{{x{at}}}" if piece == "{x}" else piece for at, piece in enumerate(chosen))
        for chosen in product(SEGMENTS, repeat=length)
    )
    for end in ("", "/**")
]
PATHS = [list(pieces) for length in (1, 2, 3, 4) for pieces in product("abc", repeat=length)]


def matches(template: Template, path: list[str]) -> bool:
    """Straight from the rules, without a tree."""
    own = template.segments
    if len(path) < len(own) or (len(path) > len(own) and not template.open):
        return False
    return all(segment is None or segment == piece for segment, piece in zip(own, path, strict=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET",
        "GET a",
        "get /a",
        "GET /a?b=1",
        "GET /a#b",
        "GET /a//b",
        "GET /a/",
        "GET /a/../b",
        "GET /a/./b",
        "GET /a/{b",
        "GET /a/b}",
        "GET /{}",
        "GET /{B}",
        "GET /a{b}",
        "GET /**",
        "GET /a/**/b",
        "GET /a/*",
        "GET /{a}/{a}",
        "GET /a%2fb",
        "GET /a\\b",
        "GET " + "/a" * 40,
        "TRACE /a",
        "CONNECT /a",
    ],
)
def test_what_is_not_an_endpoint_says_why(text: str) -> None:
    with pytest.raises(BadTemplate) as fault:
        parse_endpoint(text)
    assert fault.value.en
    assert fault.value.zh


def test_a_template_in_chinese_matches_the_canonical_path() -> None:
    _, template = parse_endpoint("GET /户籍/{id}")
    assert template.segments == ("%E6%88%B7%E7%B1%8D", None)


def test_the_tree_finds_what_the_rules_say() -> None:
    for path in PATHS:
        tree: Branch[Template] = Branch()
        for template in TEMPLATES:
            tree.add(template, template)
        found = tree.find(path, 0)
        expected = [template for template in TEMPLATES if matches(template, path)]
        assert (found in expected) if expected else found is None


def test_a_tree_of_any_two_templates_agrees_with_the_rules() -> None:
    for one, other in product(TEMPLATES, repeat=2):
        if same(one, other):
            continue
        tree: Branch[Template] = Branch()
        tree.add(one, one)
        tree.add(other, other)
        for path in PATHS[:39]:
            found = tree.find(path, 0)
            fitting = [template for template in (one, other) if matches(template, path)]
            assert (found in fitting) if fitting else found is None


def test_the_tree_knows_which_templates_share_a_path() -> None:
    for one in TEMPLATES:
        tree: Branch[Template] = Branch()
        for other in TEMPLATES:
            tree.add(other, other)
        sharing = {
            other.text for other in TEMPLATES if any(matches(one, path) and matches(other, path) for path in PATHS)
        }
        assert {other.text for other in tree.meeting(one)} == sharing


def test_two_templates_cross_when_neither_is_the_more_specific() -> None:
    for one, other in product(TEMPLATES, repeat=2):
        both = {tuple(path) for path in PATHS if matches(one, path) and matches(other, path)}
        only_one = any(matches(one, path) and not matches(other, path) for path in PATHS)
        only_other = any(matches(other, path) and not matches(one, path) for path in PATHS)
        meet = crossing(one, other)
        assert (meet is not None) == bool(both and only_one and only_other)
        if meet is not None:
            assert {tuple(path) for path in PATHS if matches(meet, path)} == both


@pytest.mark.parametrize(
    ("template", "prefix", "inside"),
    [
        ("/civil/households/{id}", "/civil/households", True),
        ("/civil/households", "/civil/households/", True),
        ("/civil/householdsx", "/civil/households", False),
        ("/civil", "/civil/households", False),
        ("/{any}/households", "/civil", False),
        ("/civil", "/", True),
        ("/civil/**", "/civil", True),
    ],
)
def test_a_template_lies_below_a_prefix_by_segments(template: str, prefix: str, inside: bool) -> None:
    assert below(parse_template(template), prefix) is inside


SPELLINGS = [
    "Export", "EXPORT", "export%20", "%20export", "+export", "export+", "export%C2%A0", "%EF%BD%85xport", "export.", "export.json", "Export.CSV", "expor%C5%A4"
]  # fmt: skip


@pytest.mark.parametrize("segment", SPELLINGS)
@pytest.mark.parametrize("wide", ["/a/{id}", "/a/**"])
def test_another_spelling_of_a_literal_is_no_value_of_the_parameter_beside_it(segment: str, wide: str) -> None:
    """Abuse: services fold case, or drop blanks and endings; what is asked of them would be judged as another endpoint."""
    tree: Branch[str] = Branch()
    for text in ("/a/export", wide, "/a/{id}/x"):
        tree.add(parse_template(text), text)
    expected = wide if segment == "expor%C5%A4" else None  # another letter is another name
    assert tree.find(["a", segment], 0) == expected
    assert tree.find(["a", "export"], 0) == "/a/export"
    assert tree.find(["a", "exports"], 0) == tree.find(["a", "h-1.json"], 0) == wide


def test_a_literal_in_chinese_or_with_an_ending_has_other_spellings_too() -> None:
    tree: Branch[str] = Branch()
    for text in ("/导出Ａ", "/all.csv", "/{id}"):
        tree.add(parse_template(text), text)
    assert tree.find(["%E5%AF%BC%E5%87%BA%EF%BC%A1"], 0) == "/导出Ａ"
    assert tree.find(["%E5%AF%BC%E5%87%BAa"], 0) is None
    assert tree.find(["ALL.csv"], 0) is None
    assert tree.find(["all"], 0) == "/{id}"


def test_a_spelling_that_is_listed_itself_is_what_it_is() -> None:
    tree: Branch[str] = Branch()
    for text in ("/export", "/Export", "/{id}"):
        tree.add(parse_template(text), text)
    assert (tree.find(["Export"], 0), tree.find(["EXPORT"], 0)) == ("/Export", None)


@pytest.mark.parametrize("wide", ["/api/**", "/api/{kind}/{id}"])
def test_nothing_further_out_stands_for_another_spelling_of_a_literal(wide: str) -> None:
    tree: Branch[str] = Branch()
    for text in ("/api/people/export", wide):
        tree.add(parse_template(text), text)
    assert tree.find(["api", "people", "EXPORT"], 0) is None
    assert tree.find(["api", "people", "export"], 0) == "/api/people/export"
    assert tree.find(["api", "people", "h-1"], 0) == wide


@pytest.mark.parametrize("literal", ["/reg/files/export", "/reg/files/{id}"])
def test_a_slash_at_the_end_leads_nowhere_else(literal: str) -> None:
    tree: Branch[str] = Branch()
    for text in (literal, "/reg/**"):
        tree.add(parse_template(text), text)
    assert tree.find(["reg", "files", "export", ""], 0) is None
    assert tree.find(["reg", "files", "export"], 0) == literal
    assert tree.find(["reg", "other", ""], 0) == "/reg/**"
