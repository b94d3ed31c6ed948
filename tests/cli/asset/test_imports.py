"""`gateway asset import`: an interface description, as an entry of the ledger."""

from pathlib import Path

import pytest

from tests.cli.shell import Run

ENTERED = """\
# entered by `gateway asset import` from parcels.yaml
assets:
  - id: parcel
    title: 不动产登记
    owner: prov/civil
    source: imported
    endpoints:
      - GET /estate/parcels
      - {path: "GET /estate/parcels/{person_id}", identifier: {person_id: resident-id}, grade: important}
    fields:
      - {path: "$[*].owner_name", identifier: name, grade: general-4}
      - {path: "$[*].area", grade: general-2}
      - {path: $.owner_name, identifier: name, grade: general-4}
      - {path: $.area, grade: general-2}
"""
NEW = ("asset", "import", "parcels.yaml", "--asset", "parcel", "--owner", "prov/civil")


def test_it_is_printed_and_only_written_when_that_is_said(run: Run, policies: Path) -> None:
    done = run(*NEW)
    assert (done.code, sorted(done.out.splitlines())) == (0, sorted(ENTERED.splitlines()))
    assert not (policies / "catalog" / "parcel.yaml").exists()
    done = run(*NEW, "--write")
    assert done.code == 0
    assert sorted((policies / "catalog" / "parcel.yaml").read_text().splitlines()) == sorted(ENTERED.splitlines())
    assert run("asset", "list").code == 0
    again = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--write", "--lang", "zh-CN")
    assert (again.code, again.out) == (0, "无需写入：台账已包含全部内容\n")


def test_what_people_recorded_stays_with_their_comments(run: Run, policies: Path, tmp_path: Path) -> None:
    assert run(*NEW, "--write").code == 0
    file = policies / "catalog" / "parcel.yaml"
    file.write_text(file.read_text().replace("grade: general-2}", "grade: core, note: raised}  # by us", 1), "utf-8")
    spec = tmp_path / "parcels.yaml"
    spec.write_text(
        spec.read_text().replace(
            "        area:", "        plate: {x-data-classification: {identifier: plate}}\n        area:"
        )
    )
    done = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--write")
    assert done.code == 0, done.err
    text = file.read_text()
    assert '      - {path: "$[*].area", grade: core, note: raised}  # by us\n' in text
    assert '      - {path: "$[*].plate", identifier: plate}\n' in text
    assert text.startswith("# entered by `gateway asset import` from parcels.yaml\n")


def test_an_asset_in_a_file_with_others_is_found(run: Run, policies: Path) -> None:
    done = run("asset", "import", "parcels.yaml", "--asset", "household", "--prefix", "/civil/estate", "--write")
    assert done.code == 1  # the households lie elsewhere, says the catalog's reader
    before = (policies / "catalog" / "civil.yaml").read_text()
    assert "K01" in done.err or "K02" in done.err or "error" in done.err
    assert (policies / "catalog" / "civil.yaml").read_text() == before


def test_what_is_missing_is_2(run: Run, policies: Path) -> None:
    for words, said in (
        (("--asset", "parcel"), "say who owns it, --owner prov/civil"),
        (("--asset", "Parcel!", "--owner", "prov"), "`Parcel!` is not an id"),
        (("--asset", "parcel", "--owner", "prov", "--grade", "secret"), "no grade `secret`"),
        (("--asset", "parcel", "--owner", "prov", "--prefix", "estate/"), "`estate/` is no prefix"),
    ):
        done = run("asset", "import", "parcels.yaml", *words)
        assert (done.code, said in done.err) == (2, True), done.err


def test_what_is_recorded_otherwise_is_told_and_stays(run: Run, policies: Path) -> None:
    assert run(*NEW, "--grade", "general-3", "--write").code == 0
    before = (policies / "catalog" / "parcel.yaml").read_text()
    for words, code, said in (
        (("--owner", "prov/health"), 2, "with another `owner`"),
        (("--owner", "prov/civil", "--grade", "core"), 2, "with another `grade`"),
        (("--owner", "prov/civil", "--grade", "general-1"), 0, ""),  # nothing is lowered
    ):
        done = run("asset", "import", "parcels.yaml", "--asset", "parcel", *words, "--write")
        assert (done.code, said in done.err) == (code, True), done.err
    assert (policies / "catalog" / "parcel.yaml").read_text() == before


def test_faults_of_what_would_be_written_name_the_file_that_it_would_become(
    run: Run, policies: Path, tmp_path: Path
) -> None:
    (tmp_path / "clash.yaml").write_text("openapi: 3.0.3\npaths: {'/a/{x}/c': {get: {}}, '/a/b/{y}': {get: {}}}\n")
    done = run("asset", "import", "clash.yaml", "--asset", "clash", "--owner", "prov/civil", "--write")
    assert (done.code, "error K012" in done.err) == (1, True)
    assert done.err.count(str(policies / "catalog" / "clash.yaml")) == 2  # where it stands, and the other one


def test_an_unknown_owner_is_1_and_nothing_is_written(run: Run, policies: Path) -> None:
    done = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--owner", "prov/civl", "--write")
    assert (done.code, "K008" in done.err, (policies / "catalog" / "parcel.yaml").exists()) == (1, True, False)
    assert "policies/catalog/parcel.yaml" in done.err


def test_unlabelled_fields_are_told_with_their_line(run: Run, policies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "parcels.yaml"
    spec.write_text(spec.read_text().replace("{type: number, x-data-classification: general-2}", "{type: number}"))
    done = run(*NEW)
    assert "parcels.yaml:20: nobody has said what `$[*].area` is" in done.err
    value = run(*NEW, "-o", "json").json
    assert (value["ok"], value["written"], value["unlabelled"]) == (True, False, ["$[*].area", "$.area"])


def test_what_the_ledger_covers_is_not_called_unlabelled(run: Run, policies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "parcels.yaml"
    spec.write_text(spec.read_text().replace("{type: number, x-data-classification: general-2}", "{type: number}"))
    (policies / "catalog" / "parcel.yaml").write_text(
        "assets: [{id: parcel, owner: prov/civil, endpoints: [GET /estate/parcels], fields: [{path: $..area}]}]\n"
    )
    done = run("asset", "import", "parcels.yaml", "--asset", "parcel", "-o", "json")
    assert (done.code, done.json["unlabelled"], "nobody has said" in done.err) == (0, [], False)


def test_a_symbolic_link_is_not_written_through(run: Run, policies: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    (policies / "catalog" / "parcel.yaml").symlink_to(outside)
    done = run(*NEW, "--write")
    assert (done.code, outside.exists()) == (3, False)


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_document_that_cannot_be_read_is_3(run: Run, policies: Path, name: str) -> None:
    assert run("asset", "import", name, "--asset", "parcel", "--owner", "prov/civil").code == 3


def test_without_a_configuration_it_says_so(run: Run) -> None:
    assert run(*NEW).code == 3


def test_the_words_of_a_province_may_stand_in_the_document(run: Run, policies: Path, tmp_path: Path) -> None:
    (policies / "grades.yaml").write_text("names: {敏感: general-4, L2: general-2}\n", encoding="utf-8")
    spec = tmp_path / "parcels.yaml"
    spec.write_text(spec.read_text().replace("level: general-4", "level: 敏感").replace("general-2}", "L2}"), "utf-8")
    done = run(*NEW, "-o", "json")
    assert done.code == 0, done.err
    assert [one["grade"] for one in done.json["asset"]["fields"]] == ["general-4", "general-2"] * 2


def names_parcel(folder: Path, strip: str = "") -> int:
    """An API of gateway.yaml names the asset before it is entered; the line where it does."""
    file = folder / "gateway.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    at = lines.index("apis:") + 1
    api = ["  - name: estate", "    match: /estate/**", "    upstream: https://estate.internal", "    data: parcel"]
    file.write_text("\n".join([*lines[:at], *api, *([strip] if strip else []), *lines[at:], ""]), encoding="utf-8")
    return at + 4


def test_what_gateway_yaml_names_already_can_be_entered(run: Run, policies: Path, tmp_path: Path) -> None:
    line = names_parcel(tmp_path)
    done = run("asset", "list", "-o", "json")
    assert f"gateway.yaml:{line}:11: error K013: api `estate` names the unknown asset `parcel`" in done.err
    assert f"{line:6} |     data: parcel\n       |           ^\n" in done.err
    assert (done.code, done.json["ok"], [one["code"] for one in done.json["faults"]]) == (3, False, ["K013"])
    done = run(*NEW, "--write")
    assert (done.code, "K013" in done.err) == (0, False), done.err
    assert run("asset", "list").code == 0


def test_two_assets_that_gateway_yaml_names_already_are_entered_one_after_the_other(
    run: Run, policies: Path, tmp_path: Path
) -> None:
    names_parcel(tmp_path)
    file = tmp_path / "gateway.yaml"
    file.write_text(file.read_text().replace("data: parcel", "data: [parcel, plot]"))
    first = run(*NEW, "--write", "-o", "json")
    assert (first.code, first.json["written"], [one["code"] for one in first.json["faults"]]) == (0, True, ["K013"])
    (tmp_path / "plots.yaml").write_text("openapi: 3.0.3\npaths: {/estate/plots: {get: {}}}\n")
    second = run("asset", "import", "plots.yaml", "--asset", "plot", "--owner", "prov/civil", "--write")
    assert (second.code, "K013" in second.err) == (0, False), second.err
    assert run("asset", "list").code == 0


def test_what_a_wrong_prefix_broke_is_mended_by_the_right_one(run: Run, policies: Path, tmp_path: Path) -> None:
    assert run(*NEW, "--prefix", "", "--write").code == 0
    file = policies / "catalog" / "parcel.yaml"
    file.write_text(
        file.read_text().replace("grade: important}", "grade: core, note: ours}").replace("person_id", "id")
    )
    names_parcel(tmp_path, "    strip_prefix: /estate")
    done = run("asset", "list")
    assert (done.code, "error K014" in done.err) == (3, True)
    assert "before `strip_prefix: /estate`: `GET /estate/parcels`; `gateway asset import --prefix /estate`" in done.err
    again = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--prefix", "", "--write", "-o", "json")
    assert (again.code, again.json["ok"], again.json["written"]) == (1, False, False)
    done = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--prefix", "/estate", "--write")
    assert (done.code, "K014" in done.err) == (0, False), done.err
    assert "`GET /parcels` lies outside of its API and becomes `GET /estate/parcels`" in done.err
    text = file.read_text()
    assert (
        '      - {path: "GET /estate/parcels/{id}", identifier: {id: resident-id}, grade: core, note: ours}\n' in text
    )
    assert "      - GET /estate/parcels\n" in text and "GET /parcels" not in text
    assert run("asset", "list").code == 0


def test_what_cannot_be_written_for_its_comments_is_printed(run: Run, policies: Path, tmp_path: Path) -> None:
    assert run(*NEW, "--prefix", "", "--write").code == 0
    file = policies / "catalog" / "parcel.yaml"
    file.write_text(file.read_text().replace("      - GET /parcels\n", "      - GET /parcels  # all\n"))
    before = file.read_text()
    names_parcel(tmp_path)
    done = run("asset", "import", "parcels.yaml", "--asset", "parcel", "--write")
    assert (done.code, "enter what is printed by hand" in done.err) == (3, True)
    assert "      - GET /estate/parcels\n" in done.out
    assert file.read_text() == before


def test_a_wrong_prefix_is_refused_with_the_right_one(run: Run, policies: Path, tmp_path: Path) -> None:
    names_parcel(tmp_path, "    strip_prefix: /estate")
    done = run(*NEW, "--prefix", "", "--write", "--lang", "zh-CN")
    assert (done.code, (policies / "catalog" / "parcel.yaml").exists()) == (1, False)
    assert "端点应写成调用方请求的路径（`strip_prefix: /estate` 之前）：`GET /estate/parcels`" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("import", "none.yaml", "--asset", "parcel", "--owner", "prov"),
        ("import", "parcels.yaml", "--asset", "parcel"),
        ("diff", "parcels.yaml"),
        ("diff", "parcels.yaml", "--prefix", "x/"),
        ("list", "--grade", "none"),
        ("list", "--exposed"),
        ("propose", "--accept", "wang.li"),
        ("propose", "--accept", "wang.li", "--from", "none.yaml"),
        ("propose",),
        ("scan",),
        ("contract",),
    ],
)
def test_a_program_gets_one_value_whatever_is_wrong(run: Run, policies: Path, words: tuple[str, ...]) -> None:
    done = run("asset", *words, "-o", "json")
    assert (done.code >= 2, done.json["ok"]) == (True, False)


def test_a_label_whose_key_is_misspelt_is_told(run: Run, policies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "parcels.yaml"
    text = spec.read_text()
    for key in ("x-data-classificaton", "X-Data-Classification", "x_data_classification"):
        spec.write_text(text.replace("area: {type: number, x-data-classification", f"area: {{type: number, {key}"))
        done = run(*NEW)
        assert (done.code, f"parcels.yaml:20:30: warning I004: `{key}` is no label" in done.err) == (0, True), done.err
        assert 'did you mean "x-data-classification"?' in done.err
    spec.write_text(text.replace("{type: number, x-data", "{type: number, x-data-classification-owner: we, x-data"))
    assert "I004" not in run(*NEW).err


def test_a_document_without_an_operation_is_1(run: Run, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("openapi: 3.0.3\npaths: {}\n")
    done = run("asset", "import", "none.yaml", "--asset", "none", "--owner", "prov", "--write", "-o", "json")
    assert (done.code, "none.yaml:2:8: error I001: the document describes no operation" in done.err) == (1, True)
    assert [one["code"] for one in done.json["faults"]] == ["I001"]
    assert not (policies / "catalog" / "none.yaml").exists()
