"""What of a question may stand on record?

That it was asked, by whom and in which words; but an auditor who typed a citizen's number into it must not have written
it into the ledger for ever. What may be such a number, seven digits and more, stands there as `…`.
"""

import re

QUESTIONS = frozenset(("audit.query", "decision.read", "risk.read"))
"""Acts whose target is what somebody typed."""

# Names of ours and times: their digits are no secret, and a question that lost them would say nothing.
_KEPT = (
    r"(?<!\d)\d{8}T\d{6}-[a-z]{1,16}\d{0,4}-[0-9a-f]{6}(?:\.\d{1,9})?(?!\d)",  # a journal, a decision
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9A-Za-z])",  # a digest, a trace
    r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])",  # the id of a request
    r"(?<![\d-])(?:19|20)\d\d-[01]\d(?:-[0-3]\d(?:T\d\d(?::\d\d){0,2})?)?(?![\d-])",  # a time
)
_DIGITS = r"\d(?:[ -]?\d){6,}[Xx]?"
_TELLING = re.compile(f"({'|'.join(_KEPT)})|{_DIGITS}")


def on_record(text: str) -> str:
    """The words of a question, without what may be an identifier."""
    return _TELLING.sub(lambda found: found[1] or "…", text)
