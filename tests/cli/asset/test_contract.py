"""`gateway asset contract`: what would each endpoint's answers lose, if fields that nobody labelled were hidden?"""

from pathlib import Path

from tests.cli.shell import Run


def test_what_enforcing_would_hide(run: Run, recorded: Path) -> None:
    text = recorded.parent / "policies" / "catalog" / "civil.yaml"
    text.write_text(text.read_text().replace("contract: enforce", "contract: learn"))
    done = run("asset", "contract", "--since", recorded)
    assert done.code == 1
    row = next(line.split() for line in done.out.splitlines() if line.startswith("GET /civil/households/{id}"))
    assert row[2:] == ["learn", "2", "2", "$.contact_phone", "$.remark", "label", "them", "first"]
    one = run("asset", "contract", "--route", "GET /civil/households/{id}", "--since", recorded, "-o", "json").json
    assert one["endpoints"] == [
        {
            "asset": "household",
            "route": "GET /civil/households/{id}",
            "contract": "learn",
            "answers": 2,
            "touched": 2,
            "fields": ["$.contact_phone", "$.remark"],
            "advice": "label",
        }
    ]


def test_nothing_to_lose_is_0_and_an_unknown_endpoint_is_2(run: Run, recorded: Path) -> None:
    assert run("asset", "contract", "--since", recorded).code == 0  # as shipped, households are enforced
    done = run("asset", "contract", "--route", "GET /none", "--since", recorded, "--lang", "zh-CN")
    assert (done.code, "没有登记端点 `GET /none`" in done.err) == (2, True)
    for typed in ("GET /civil/houshold", "/civil/households"):
        done = run("asset", "contract", "--route", typed, "--since", recorded)
        assert (done.code, 'did you mean "GET /civil/households"?' in done.err) == (2, True)
