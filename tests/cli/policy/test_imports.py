"""`gateway policy import`: the rules of a table, as files."""

import shutil
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run

POLICIES = ROOT / "policies"
HEAD = "id,effect,who,org,data,action,level,when,mask,step_up,max_age,log,notify,reason,expires,rows"
ROW = 'night,deny,clerk,,population,,,"not between(env.time, ""08:00"", ""18:00"")",,,,,,,,'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


def test_export_and_import_give_the_shipped_policies(run: Run, tmp_path: Path, folder: Path) -> None:
    before = run("policy", "check", folder, "-o", "json").json
    assert run("policy", "export", folder, "--excel", "-O", "t.csv").code == 0
    kept = {
        path.relative_to(folder): path.read_text()
        for kind in ("rules", "departments", "cities")
        for path in (folder / kind).iterdir()
    }
    done = run("policy", "import", "t.csv", folder, "-O", folder, "--force")
    assert done.code == 0, done.err
    for path, text in kept.items():
        body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert (folder / path).read_text() == f"# written by `gateway policy import` from t.csv\n{body}\n"
    assert run("policy", "fmt", folder, "--check").code == 0
    after = run("policy", "check", folder, "-o", "json").json
    assert (after["ok"], after["tests"]) == (True, before["tests"])


def test_a_table_is_printed_checked_or_written(run: Run, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "night.csv").write_text(f"{HEAD}\n{ROW}\n")
    done = run("policy", "import", "night.csv", folder)
    assert (done.code, done.out) == (
        0,
        "# written by `gateway policy import` from night.csv\n"
        "rules:\n"
        "  - id: night\n"
        "    effect: deny\n"
        "    who: clerk\n"
        "    data: population\n"
        '    when: not between(env.time, "08:00", "18:00")\n',
    )
    assert run("policy", "import", "night.csv", folder, "--check").out == "good: 1 rule for 1 file\n"
    out = folder / "rules" / "50-night.yaml"
    assert run("policy", "import", "night.csv", folder, "-O", out).code == 0
    assert out.read_text() == done.out
    assert run("policy", "import", "night.csv", folder, "-O", out).code == 3
    assert run("policy", "import", "night.csv", folder, "-O", out, "--force").code == 0
    assert "P005" in run("policy", "import", "night.csv", folder).err
    assert run("policy", "import", "night.csv", folder, "--check", "-o", "json").json["faults"][0]["code"] == "P005"


def test_faults_are_1_at_their_cells_and_nothing_is_written(run: Run, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "t.csv").write_text(f"{HEAD}\n{ROW.replace('clerk', 'clrek')}\n")
    done = run("policy", "import", "t.csv", folder, "-O", "new.yaml", "--lang", "zh-CN")
    assert (done.code, (tmp_path / "new.yaml").exists()) == (1, False)
    assert "t.csv:2:12: 错误 P010：没有名为 `clrek` 的角色（单元格 C2）" in done.err
    assert "未通过：1 个错误；未写入任何文件" in done.out


def test_gbk_is_refused_until_it_is_said(run: Run, tmp_path: Path, folder: Path) -> None:
    table = f"{HEAD},note\n{ROW},夜间不办理\n"
    (tmp_path / "t.csv").write_bytes(table.encode("gbk"))
    refused = run("policy", "import", "t.csv", folder, "--check")
    assert (refused.code, "--encoding gb18030" in refused.err) == (1, True)
    read = run("policy", "import", "t.csv", folder, "--encoding", "gb18030")
    assert (read.code, "note: 夜间不办理" in read.out) == (0, True)


def test_a_table_of_several_files_needs_a_folder(run: Run, tmp_path: Path, folder: Path) -> None:
    run("policy", "export", folder, "-O", "t.csv")
    done = run("policy", "import", "t.csv", folder)
    assert (done.code, "-O policies" in done.err) == (2, True)
    assert run("policy", "import", "t.csv", folder, "-O", "one.yaml").code == 2
    files = run("policy", "import", "t.csv", folder, "-o", "json").json["files"]
    assert "rules/00-province.yaml" in files and "cities/hz.yaml" in files
    assert run("policy", "import", "t.csv", folder, "-O", folder).code == 3
    new = run("policy", "import", "t.csv", folder, "-O", "fresh")
    assert (new.code, (tmp_path / "fresh" / "cities" / "hz.yaml").exists()) == (0, True)


def test_a_table_that_is_not_there_is_3(run: Run, folder: Path) -> None:
    assert run("policy", "import", "none.csv", folder).code == 3
    assert run("policy", "import", "none.csv").code == 3


def test_the_folder_of_what_is_written_is_meant_where_there_is_no_configuration(
    run: Run, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "night.csv").write_text(f"{HEAD}\n{ROW}\n")
    assert run("policy", "import", "night.csv", "-O", "policies/rules/90-night.yaml").code == 0
    assert (folder / "rules" / "90-night.yaml").is_file()
    nowhere = run("policy", "import", "night.csv", "-O", "elsewhere.yaml")
    assert (nowhere.code, "name the policy folder behind the table" in nowhere.err) == (3, True)


@pytest.mark.parametrize("data", [HEAD.encode("utf-16"), HEAD.encode() + b"\na\xff\xfe\n", f"{HEAD}\na\0b\n".encode()])
def test_bytes_that_are_no_text_are_not_echoed(run: Run, tmp_path: Path, folder: Path, data: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    done = run("policy", "import", "t.csv", folder)
    assert (done.code, "error P11" in done.err) == (1, True), done.err
    assert "\0" not in done.err and "\ufffd" not in done.err and "|" not in done.err
