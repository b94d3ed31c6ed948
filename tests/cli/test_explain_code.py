"""`gateway explain-code`: what does this code mean, and what can I do?"""

from tests.cli.shell import Run


def test_codes_are_explained(run: Run) -> None:
    assert "no rule allows this request" in run("explain-code", "no_rule").out
    assert "file:/run/secrets" in run("explain-code", "c020").out
    assert "没有规则允许该请求" in run("explain-code", "no_rule", "--lang", "zh-CN").out
    assert run("explain-code", "no_rule", "-o", "json").json["status"] == 403
    assert "declare the role in people.yaml" in run("explain-code", "P010").out
    assert "没有该机构" in run("explain-code", "K008", "--lang", "zh-CN").out
    assert run("explain-code", "y010", "-o", "json").json[0]["remedy_zh"].startswith("请在脱字符处改正")
    withheld = run("explain-code", "residual_identifier").out
    assert "contact the operator with the decision id" in withheld
    assert "what the operator does: A value of a kind that is hidden stood in a field that is shown" in withheld
    assert "运维人员怎么做：应隐藏类型的值" in run("explain-code", "residual_identifier", "--lang", "zh-CN").out
    odd = run("explain-code", "no_rul")
    assert (odd.code, odd.out) == (1, "")
    assert 'did you mean "no_rule"?' in odd.err
