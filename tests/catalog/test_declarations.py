"""What catalog files say: each form that is read, and forms that are not."""

from pathlib import Path

import pytest

from gateway.catalog.declarations import Reading, read_folder


def read(tmp_path: Path, text: str) -> Reading:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    return read_folder(tmp_path, None)


def test_a_title_is_one_text_or_one_for_each_language(tmp_path: Path) -> None:
    for title, expected in (("户籍", ("户籍", "户籍")), ("{en: e, zh: z}", ("e", "z")), ("{zh: z}", ("", "z"))):
        reading = read(tmp_path, f"assets: [{{id: a, owner: o, grade: core, title: {title}}}]\n")
        assert [(one.title_en, one.title_zh) for one in reading.declarations] == [expected]


def test_what_editors_leave_beside_a_file_is_not_read(tmp_path: Path) -> None:
    """A hidden file is neither stored nor signed with the others: it must not count here either."""
    (tmp_path / ".x.yaml").write_text("assets: [{id: b, owner: o, grade: core}]\n", encoding="utf-8")
    (tmp_path / ".#x.yaml").symlink_to("li@host.4711")
    reading = read(tmp_path, "assets: [{id: a, owner: o, grade: core}]\n")
    assert ([one.id for one in reading.declarations], reading.faults) == (["a"], [])


def test_a_path_has_one_spelling(tmp_path: Path) -> None:
    reading = read(tmp_path, "assets: [{id: a, owner: o, grade: core, fields: [{path: \"$['a'].*\"}, {path: /b/0}]}]\n")
    assert [field.path for field in reading.declarations[0].fields] == ["$.a[*]", "$.b[0]"]


@pytest.mark.parametrize(
    "text",
    [
        "assets: 5\n",
        "assets: [5]\n",
        "assets: [[]]\n",
        "assets: [{id: 5, owner: o, grade: core}]\n",
        "assets: [{id: a, owner: [o], grade: core}]\n",
        "assets: [{id: a, owner: o, grade: {}}]\n",
        "assets: [{id: a, owner: o, grade: core, title: 5}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: {}}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: [5]}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: [{grade: core}]}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: [{path: GET /a, identifier: x}]}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: [{path: 'GET /a/{b}', identifier: {b: 5}}]}]\n",
        "assets: [{id: a, owner: o, grade: core, endpoints: [{path: GET /a, opaque: 1}]}]\n",
        "assets: [{id: a, owner: o, grade: core, fields: [$.a]}]\n",
        "assets: [{id: a, owner: o, grade: core, fields: [{identifier: name}]}]\n",
        "assets: {id: a}\n",
        "asset: []\n",
        "just text\n",
        "a: [\n",
    ],
)
def test_a_wrong_form_is_a_fault_and_declares_nothing(tmp_path: Path, text: str) -> None:
    reading = read(tmp_path, text)
    assert reading.faults
    assert reading.declarations == []


def test_empty_files_and_a_missing_folder_declare_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "# only a comment\n").faults == []
    assert read_folder(tmp_path / "missing", None).declarations == []
