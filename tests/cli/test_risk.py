"""`gateway risk`: how is somebody behaving, by which evidence, and when is it over?"""

from tests.cli.shell import Run
from tests.control.doors import RISK, Behind

SOCKET = ("--socket", "c.sock")


def test_a_score_is_told_with_its_evidence_and_its_end(run: Run, behind: Behind) -> None:
    done = run("risk", "show", "staff/zhang.wei", *SOCKET)
    assert (done.code, done.err) == (0, "")
    first, head, row, last = done.out.splitlines()
    assert first == "staff/zhang.wei  score 80 of 100, band quarantine"
    assert head.split()[:2] == ["signal", "points"]
    assert row.startswith("many records")
    assert row.endswith("2 h        55 different records in 5 minutes")
    assert last == "without new evidence the band is normal again in 2.39 h at the latest"
    assert [act.act for act in behind.acts] == ["risk.read"]


def test_json_and_chinese(run: Run, behind: Behind) -> None:
    assert run("risk", "show", "staff/zhang.wei", *SOCKET, "-o", "json").json == RISK | {"subject": "staff/zhang.wei"}
    text = run("risk", "show", "staff/zhang.wei", *SOCKET, "--lang", "zh-CN").out
    assert "风险分 80（满分 100），档位 quarantine" in text
    assert "5 分钟内 55 条不同记录" in text
    assert "最迟 2.39 小时后恢复为 normal" in text


def test_a_stranger_is_1_and_silence_is_3(run: Run, behind: Behind) -> None:
    done = run("risk", "show", "nobody", *SOCKET)
    assert (done.code, done.out) == (1, "")
    assert "nobody named `nobody` is in the record" in done.err
    assert run("risk", "show", "nobody", "--socket", "none.sock").code == 3
