"""`gateway asset diff`: does an interface still look as the ledger says?"""

from pathlib import Path

from tests.cli.shell import Run


def test_agreement_is_0_and_drift_is_1(run: Run, policies: Path, tmp_path: Path) -> None:
    assert run("asset", "import", "parcels.yaml", "--asset", "parcel", "--owner", "prov/civil", "--write").code == 0
    done = run("asset", "diff", "parcels.yaml")
    assert (done.code, done.out) == (0, "parcel: the document and the ledger agree\n")
    spec = tmp_path / "parcels.yaml"
    spec.write_text(
        spec.read_text()
        .replace("general-2}", "core}")
        .replace("        area:", "        remark: {type: string}\n        area:")
        .replace("  /parcels:\n", "  /plots:\n")
        .replace('version: "1"', 'version: "1", x-data-classification: core')
    )
    done = run("asset", "diff", "parcels.yaml", "-o", "json")
    assert done.code == 1
    assert {(one["kind"], one["what"], one["name"], one["line"]) for one in done.json["drift"]} == {
        ("otherwise", "asset", "parcel", 2),
        ("new", "endpoint", "GET /estate/plots", 6),
        ("gone", "endpoint", "GET /estate/parcels", 0),
        ("unlabelled", "field", "$[*].remark", 20),
        ("unlabelled", "field", "$.remark", 20),
        ("otherwise", "field", "$[*].area", 21),
        ("otherwise", "field", "$.area", 21),
    }
    assert "未标注" in run("asset", "diff", "parcels.yaml", "--lang", "zh-CN").out


def test_which_asset_is_meant(run: Run, policies: Path) -> None:
    done = run("asset", "diff", "parcels.yaml")
    assert (done.code, "no asset lists these endpoints below `/estate/`" in done.err) == (2, True)
    entered = ("asset", "import", "parcels.yaml", "--asset", "parcel", "--owner", "prov/civil", "--write")
    assert run(*entered, "--prefix", "/api").code == 0
    done = run("asset", "diff", "parcels.yaml")
    assert (done.code, "lists them below `/api/`, not below `/estate/`: say --prefix /api" in done.err) == (2, True)
    assert run("asset", "diff", "parcels.yaml", "--prefix", "/api").code == 0
    assert run("asset", "diff", "parcels.yaml", "--asset", "none").code == 2
    assert run("asset", "diff", "parcels.yaml", "--asset", "enterprise").code == 1


def test_faults_of_the_document_are_1_and_of_the_catalog_3(run: Run, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("swagger: '2.0'\n")
    done = run("asset", "diff", "old.yaml")
    assert (done.code, "old.yaml:1:10: error I001: this is Swagger 2.0" in done.err) == (1, True)
    (policies / "catalog" / "bad.yaml").write_text("assets: [{id: 1}]\n")
    assert run("asset", "diff", "parcels.yaml").code == 3
