"""What does this OpenAPI file describe?"""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.cli.asset.spec import plain_json
from gateway.document import parse
from tests.cli.shell import Run


def test_json_is_read_with_tabs_and_any_character(run: Run, policies: Path, tmp_path: Path) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "登记 \U0001f600", "version": "1"},
        "paths": {
            "/a": {
                "get": {
                    "responses": {
                        "200": {"content": {"application/json": {"schema": {"x-data-classification": "core"}}}}
                    }
                }
            }
        },
    }
    (tmp_path / "a.json").write_text(json.dumps(document, indent="\t"))
    done = run("asset", "import", "a.json", "--asset", "a", "--owner", "prov", "-o", "json")
    assert done.code == 0, done.err
    assert (done.json["asset"]["title"], done.json["asset"]["fields"]) == (
        "登记 \U0001f600",
        [{"path": "$", "grade": "core"}],
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text reads the tables of Unicode
@given(
    st.recursive(
        TEXTS | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    )
)
def test_json_means_the_same_as_yaml(value: object) -> None:
    text = plain_json(json.dumps({"v": value}, indent="\t"))
    assert parse(text, "a.json").plain() == {"v": value}


def test_what_is_no_text_is_3(run: Run, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes("{}".encode("utf-16"))
    done = run("asset", "diff", "a.json")
    assert (done.code, "save it as UTF-8" in done.err) == (3, True)
