"""Is every edit shown, and none that only moved?"""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import fields, replace

from gateway.catalog import load as load_catalog
from gateway.policy.content import Content
from gateway.policy.native.source import Source
from gateway.review.edits import RULES, Edit, Part, asset_edits, edits
from tests.policy.world import CLERK_READS, PEOPLE, a_bundle
from tests.review.history import SHIPPED, shipped


def content(folder: Path, rules: str = CLERK_READS, **files: str) -> Content:
    return a_bundle(folder, rules, **files).content


def test_rules_are_added_removed_and_changed_by_id(tmp_path: Path) -> None:
    old = content(tmp_path, CLERK_READS + "- {id: gone, effect: deny}\n")
    new = content(
        tmp_path, "- {id: fresh, effect: deny, who: clerk}\n" + CLERK_READS.replace("clerk\n", "auditor\n", 1)
    )
    found = {edit.id: edit for edit in edits(old, new)}
    assert {key: edit.form for key, edit in found.items()} == {
        "gone": "removed", "fresh": "added", "clerk-reads": "changed",
    }  # fmt: skip
    assert found["clerk-reads"].parts == (Part("who", "clerk", "auditor"),)


def test_a_rule_that_moved_to_another_line_is_not_edited(tmp_path: Path) -> None:
    assert edits(content(tmp_path), content(tmp_path, "# a comment\n\n" + CLERK_READS)) == ()


def test_what_rules_rest_on_is_compared_as_well(tmp_path: Path) -> None:
    old = content(tmp_path)
    new = content(tmp_path, people=PEOPLE.replace("includes: [employee]}", "includes: []}", 1), masks="profiles: {}\n")
    assert {edit.what for edit in edits(old, new)} == {"includes", "profiles", "default_mask", "observe_mask"}
    assert Edit("profiles", "none", "removed", (Part("*", "keep", ""),)) in edits(old, new)


@pytest.mark.parametrize("field", [field.name for field in fields(Content)])
def test_every_field_of_the_content_counts(tmp_path: Path, field: str) -> None:
    """Also one that is added later: this test then asks how it shows."""
    old = content(tmp_path)
    value = getattr(old, field)
    source = Source({"m": "r.sub == p.sub"}, (("1", "p", "li.na"),), {"sub": "subject.id"})
    other = {type(None): source, str: "x", int: 99, dict: {"clerk-reads": ("a", "b")}, tuple: ()}[type(value)]
    if value == other:
        other = (("x", "y"),)
    if field == "places":
        assert edits(old, replace(old, places={})) == ()
        return
    assert edits(old, replace(old, **{field: other}))


def test_rows_of_a_casbin_policy_are_compared_by_what_they_say(tmp_path: Path) -> None:
    old = Source({"m": "r.sub == p.sub"}, (("1", "p", "li.na"), ("2", "p", "wang.fang")), {"sub": "subject.id"})
    new = replace(old, rows=(("7", "p", "li.na"), ("8", "p", "mallory")), matcher_line=9)
    plain = content(tmp_path)
    found = edits(replace(plain, native=old), replace(plain, native=new))
    assert [(edit.id, edit.form) for edit in found] == [("p, wang.fang", "removed"), ("p, mallory", "added")]


def test_a_rule_brings_its_title_and_layer(tmp_path: Path) -> None:
    old = content(tmp_path)
    new = replace(old, layers={"clerk-reads": "base"})
    assert edits(old, new) == (Edit(RULES, "clerk-reads", "changed", (Part("layer", "province", "base"),)),)


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("civil", "- GET /civil/households\n", "- {path: GET /civil/households, opaque: true}\n", Part("endpoint GET /civil/households", "read", "read opaque")),
        ("civil", "- GET /civil/households\n", "- {path: GET /civil/households, action: update}\n", Part("endpoint GET /civil/households", "read", "update")),
        ("civil", "- GET /civil/households\n", "- {path: GET /civil/households, grade: core, honey: true}\n", Part("endpoint GET /civil/households", "read", "read core honey")),
    ],
)  # fmt: skip
def test_what_an_endpoint_says_is_compared_as_well(tmp_path: Path, file: str, old: str, new: str, part: Part) -> None:
    shutil.copytree(SHIPPED, tmp_path / "p")
    path = tmp_path / "p" / "catalog" / f"{file}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    (edit,) = asset_edits(shipped().catalog, shipped(tmp_path / "p").catalog)
    assert edit.parts == (part,)


@pytest.mark.parametrize("number", range(4))
def test_an_endpoint_beside_a_parameter_is_compared_too(tmp_path: Path, number: int) -> None:
    ends = [f"path: 'GET {path}'" for path in ("/a", "/a/{id}", "/a/**", "/a/{id}/b")]
    unread = [*ends[:number], f"{ends[number]}, opaque: true", *ends[number + 1 :]]
    catalogs = []
    for name, said in (("old", ends), ("new", unread)):
        listed = "".join(f"\n      - {{{end}}}" for end in said)
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(
            f"assets:\n  - id: a\n    title: A\n    owner: o\n    category: b\n    grade: general-1\n    endpoints:{listed}\n"
        )
        catalogs.append(load_catalog(tmp_path / name))
    (edit,) = asset_edits(*catalogs)
    assert [(part.before, part.after) for part in edit.parts] == [("read", "read opaque")]


def test_assets_are_compared_by_what_they_say(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "p")
    file = tmp_path / "p" / "catalog" / "market.yaml"
    said = file.read_text().replace("grade: general-2\n", "grade: general-3\n", 1)
    file.write_text(said.replace("{path: $..phone, identifier: landline", "{path: $..phone, identifier: phone"))
    (edit,) = asset_edits(shipped().catalog, shipped(tmp_path / "p").catalog)
    assert (edit.id, edit.form) == ("enterprise", "changed")
    assert edit.parts == (
        Part("grade", "general-2", "general-3"),
        Part("field $..phone", "landline general-2", "phone general-2"),
    )


def test_it_is_told_in_the_words_of_the_files(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "p")
    for file, old, new in (
        ("people.yaml", "  contractor:\n", "  temp: {includes: [clerk]}\n  contractor:\n"),
        ("rules/10-open.yaml", "mask: none", "mask: pii-strict"),
        ("rules/20-civil.yaml", "2027-12-31", "2028-06-30"),
        ("grants.yaml", "until: 2028-12-31", "until: 2029-12-31"),
        ("emergency/IV.yaml", "auth_age > 28800", "auth_age > 14400"),
    ):
        path = tmp_path / "p" / file
        assert old in path.read_text(encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    found = edits(shipped().bundle.content, shipped(tmp_path / "p").bundle.content)
    level = "effect: deny, who: person, level: >= important, when: subject.auth_age > {}, then: step_up: aal2, max_age: 28800"
    assert found == (
        Edit(RULES, "open-data", "changed", (Part("then", "mask: none", "mask: pii-strict"),)),
        Edit(RULES, "civil-read-contractor", "changed", (Part("expires", "2027-12-31", "2028-06-30"),)),
        Edit("includes", "temp, clerk", "added"),
        Edit("roles", "temp", "added"),
        Edit("grants", "share-medical-assistance", "changed", (Part("ends", "2028-12-31", "2029-12-31"),)),
        Edit("emergency", "IV", "changed", (Part("rule level-iv-fresh", level.format(28800), level.format(14400)),)),
    )
