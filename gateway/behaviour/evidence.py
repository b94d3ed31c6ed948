"""What does the evidence on record say, in Chinese?

Entries hold it in English, as `watcher` says it; it is turned for the person who reads it, so that old entries are read
as well. A text that is not known here stays as it is.
"""

import re

_SAID: tuple[tuple[str, str], ...] = (
    (r"decoy (.+)", "诱饵数据 {0}"),
    (r"posture compromised", "设备态势为已失陷"),
    (r"(.+), no core data before", "{0}，此前未访问过核心数据"),
    (r"not among (\d+) devices used lately", "不在近期使用的 {0} 台设备之中"),
    (r"(.+), not among (\d+) sites", "{0}，不在常用的 {1} 个地点之中"),
    (r"(\d\d) h on a weekday", "工作日 {0} 时"),
    (r"(\d\d) h on a weekend", "周末 {0} 时"),
    (r"(\d+) different records in 5 minutes", "5 分钟内 {0} 条不同记录"),
    (r"(\d+) records weighted by grade in 10 minutes", "10 分钟内 {0} 条记录（按级别加权）"),
    (r"(\d+) refusals in 2 minutes", "2 分钟内 {0} 次被拒"),
    (r"(.+) (\d+) s after (.+)", "在 {2} 出现 {1} 秒后又出现于 {0}"),
    (r"(\d+) bad credentials in 15 minutes, (\d+) people with good", "15 分钟内 {0} 次错误凭证，{1} 人凭证有效"),
    (r"(\d+) different bad credentials in 10 minutes", "10 分钟内 {0} 个不同的错误凭证"),
)
_PATTERNS = tuple((re.compile(english), chinese) for english, chinese in _SAID)


def in_chinese(evidence: str) -> str:
    """The evidence of a signal in Chinese."""
    for pattern, chinese in _PATTERNS:
        if found := pattern.fullmatch(evidence):
            return chinese.format(*found.groups())
    return evidence
