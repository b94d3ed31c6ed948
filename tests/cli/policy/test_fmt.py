"""`gateway policy fmt`: do all files look the same?"""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run

ODD = "rules:\n- effect: 'deny' # never\n  id: base\n"
LAID = "rules:\n  - id: base\n    effect: deny  # never\n"


def test_the_shipped_policies_are_laid_out(run: Run) -> None:
    done = run("policy", "fmt", "--check", ROOT / "policies")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("0 would change\n")


def test_a_file_is_laid_out_once_and_its_mode_stays(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(ODD)
    path.chmod(0o640)
    assert run("policy", "fmt", "--check", path).code == 1
    assert path.read_text() == ODD
    done = run("policy", "fmt", path, "-o", "json")
    assert (done.code, done.json) == (0, {"ok": True, "files": 1, "changed": [str(path)], "faults": []})
    assert (path.read_text(), path.stat().st_mode & 0o777) == (LAID, 0o640)
    assert sorted(tmp_path.iterdir()) == [path]
    assert run("policy", "fmt", path).out == "1 file, 0 changed\n"
    assert run("policy", "fmt", path, "--check", "--lang", "zh-CN").out == "1 个文件，0 个将会改变\n"


def test_a_mark_and_line_ends_of_windows_go(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + ODD.replace("\n", "\r\n").encode())
    assert run("policy", "fmt", path).code == 0
    assert path.read_bytes() == LAID.encode()


def test_a_folder_is_every_yaml_file_in_it_but_hidden_ones(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    (tmp_path / "policies" / "rules" / "90-odd.yaml").write_text(ODD)
    (tmp_path / "policies" / ".git").mkdir()
    (tmp_path / "policies" / ".git" / "x.yaml").write_text(ODD)
    (tmp_path / "policies" / "casbin.conf").write_text(ODD)
    done = run("policy", "fmt", "policies")
    assert (done.code, done.out.splitlines()[0]) == (0, "laid out: policies/rules/90-odd.yaml")
    assert (tmp_path / "policies" / ".git" / "x.yaml").read_text() == ODD
    assert run("policy", "fmt", "-c", made / "gateway.yaml", "--check").code == 0
    assert run("policy", "fmt").code == 3


def test_a_file_that_cannot_be_read_is_left_and_hides_no_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a:\n\tb: 1\n")
    (tmp_path / "b.yaml").write_bytes("a: 民".encode("gbk"))
    (tmp_path / "c.yaml").write_text(ODD)
    done = run("policy", "fmt", "a.yaml", "b.yaml", "none.yaml", "c.yaml", "-o", "json")
    assert done.code == 3
    assert [(one["file"], one["code"]) for one in done.json["faults"]] == [
        ("a.yaml", "Y010"),
        ("b.yaml", "Y003"),
        ("none.yaml", "P111"),
    ]
    assert done.json["changed"] == ["c.yaml"]
    assert (tmp_path / "a.yaml").read_text() == "a:\n\tb: 1\n"


def test_what_would_be_lost_leaves_the_file_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("%YAML 1.2\n---\nrules: []\n")
    done = run("policy", "fmt", "a.yaml", "--lang", "zh-CN")
    assert (done.code, path.read_text()) == (3, "%YAML 1.2\n---\nrules: []\n")
    assert "a.yaml:1:1: 错误 P110：保持原样，原因：指令（`%…`）" in done.err


def test_a_link_is_not_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text(ODD)
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    done = run("policy", "fmt", "link.yaml")
    assert (done.code, "P111: left as it is: it is a symbolic link" in done.err) == (3, True)
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == ODD
    os.link(tmp_path / "real.yaml", tmp_path / "hard.yaml")
    assert "hard links" in run("policy", "fmt", "hard.yaml").err


def test_a_signed_folder_is_to_be_signed_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p" / "rules").mkdir(parents=True)
    (tmp_path / "p" / "rules" / "a.yaml").write_text(ODD)
    (tmp_path / "p" / "bundle.sig").write_text("…")
    assert "sign them again" in run("policy", "fmt", "p").err
    assert run("policy", "fmt", "p").err == ""


@pytest.mark.parametrize("name", ["a.yaml", "p"])
def test_nothing_to_do_is_0(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "a.yaml").write_text(LAID)
    assert run("policy", "fmt", name).code == 0
