"""The kinds of requests that catalogs tell apart."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.catalog import ApiBinding, Catalog, load
from gateway.catalog.templates import parse_endpoint
from gateway.facts import Grade
from gateway.review.cells import cells, requests

SEGMENT = st.sampled_from(["a", "b", "{x}"])
PATHS = st.lists(SEGMENT, min_size=1, max_size=3).map(
    lambda parts: "/" + "/".join(f"{{p{i}}}" if part == "{x}" else part for i, part in enumerate(parts))
)
ENDPOINTS = st.lists(st.tuples(PATHS, st.booleans()).map(lambda p: f"GET {p[0]}{'/**' if p[1] else ''}"), max_size=6)


def matched(endpoints: list[str], path: str) -> frozenset[str]:
    """The endpoints that a path matches, by their definition."""
    segments = path.strip("/").split("/")
    found = set()
    for text in endpoints:
        _, template = parse_endpoint(text)
        size = len(template.segments)
        long_enough = len(segments) == size or (template.open and len(segments) > size)
        if long_enough and all(want in (None, got) for want, got in zip(template.segments, segments, strict=False)):
            found.add(text)
    return frozenset(found)


@example(["GET /a", "GET /a/**", "GET /a/{p1}"], ["a", "a", "a"])
@given(ENDPOINTS, st.lists(st.sampled_from("abc1"), min_size=1, max_size=5))
def test_every_path_matches_what_one_of_the_paths_matches(endpoints: list[str], segments: list[str]) -> None:
    made = {matched(endpoints, path) for _, path in requests(endpoints)}
    any_path = matched(endpoints, "/" + "/".join(segments))
    assert not any_path or any_path in made


def catalog(folder: Path, text: str, apis: tuple[ApiBinding, ...] = ()) -> Catalog:
    folder.mkdir()
    (folder / "c.yaml").write_text(f"assets:\n{text}", encoding="utf-8")
    return load(folder, apis)


def asset(identity: str, *endpoints: str, grade: str = "important") -> str:
    lines = "".join(f"      - {endpoint}\n" for endpoint in endpoints)
    return f"  - id: {identity}\n    owner: prov\n    grade: {grade}\n    endpoints:\n{lines}"


def test_requests_that_are_judged_alike_are_one_cell(tmp_path: Path) -> None:
    one = catalog(tmp_path / "one", asset("house", "GET /a", "GET /a/{id}", "POST /a"))
    two = catalog(tmp_path / "two", asset("house", "GET /a", "GET /a/{id}"))
    found = list(cells((one, two)))
    assert [(cell.method, cell.path, cell.verbs) for cell in found] == [
        ("GET", "/a", ("GET", "HEAD")),
        ("POST", "/a", ("POST",)),
    ]
    assert [asset.listed for asset in found[1].assets] == [True, False]


def test_an_api_that_raises_the_grade_is_looked_at_as_it_answers_and_as_enforced(tmp_path: Path) -> None:
    api = ApiBinding("raised", "/", ("house",), mode="observe", grade="core")
    found = list(cells((catalog(tmp_path / "one", asset("house", "GET /a"), (api,)),)))
    assert [(cell.api, cell.assets[0].grade) for cell in found] == [("", Grade.CORE)]
    assert {cell.assets[0].mode for cell in found} == {"enforce"}
