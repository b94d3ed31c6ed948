"""Is an operator told which budget is spent, by how much, and when it begins anew?"""

from pathlib import Path

import pytest

from gateway.facts import Exposure
from gateway.policy import Bundle, explain
from gateway.policy.allowance import allowances
from tests.literals import NOW, an_ask
from tests.policy.test_spending import HARD, SOFT, made
from tests.policy.world import facts


@pytest.fixture
def policy(tmp_path: Path) -> Bundle:
    return made(tmp_path)


def test_nothing_is_said_while_nothing_was_shown(policy: Bundle) -> None:
    assert allowances(policy, facts()) == ()


@pytest.mark.parametrize(
    ("exposure", "en", "zh"),
    [
        (
            Exposure(150, 300),
            "budget  day  budgets.yaml:2  not spent; 150 records of this asset shown today, and 300 values in clear, of 200 "
            "records/1000 records; begins anew each day at 00:00 Asia/Shanghai",
            "预算  day  budgets.yaml:2  未用尽；当日已展示该资产 150 条记录，其中明文 300 个值，上限 200 条记录/1000 条记录；"
            "每日 00:00 Asia/Shanghai 重新计数",
        ),
        (
            SOFT,
            "budget  day  budgets.yaml:2  softly spent: shown through pii-strict as well; 250 records",
            "再经 pii-strict 脱敏",
        ),
        (HARD, "budget  day  budgets.yaml:2  spent: nothing more is shown; 1200 records", "已用尽：不再展示"),
    ],
)
def test_what_is_left_and_until_when(policy: Bundle, exposure: Exposure, en: str, zh: str) -> None:
    explained = explain(policy, facts(exposure=exposure))
    assert en in explained.text()
    assert zh in explained.text("zh-CN")


def test_no_day_is_named_that_the_request_does_not_have(policy: Bundle) -> None:
    supposed, later = (allowances(policy, facts(ask=an_ask(at=at), exposure=SOFT)) for at in (NOW, NOW + 86_400.0))
    assert supposed == later
    assert [one.anew for one in supposed] == ["00:00 Asia/Shanghai"]


def test_a_refusal_names_its_reason_first(policy: Bundle) -> None:
    first, *_ = explain(policy, facts(exposure=HARD)).text().splitlines()
    assert first.startswith("DENY  as much of this data as may be shown in one day has been shown    budget_spent")
