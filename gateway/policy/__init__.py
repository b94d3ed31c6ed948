"""May they?

Same facts and same bundle digest: same decision, with every rule that had a say. Authors write YAML, casbin holds
the law, an index made from casbin's rows decides, and the two are held against each other. Deny overrides allow,
silence denies, and what cannot be evaluated denies.
"""

from gateway.policy.bundle import AssetName, Bundle, load, offices
from gateway.policy.content import Damaged
from gateway.policy.decide import Policy, disagreement
from gateway.policy.engine import Judgement
from gateway.policy.examples import Locate, TestResult, failure, no_tests, run_tests
from gateway.policy.explain import Explanation, explain
from gateway.policy.suppose import Impossible, suppose

__all__ = [
    "AssetName",
    "Bundle",
    "Damaged",
    "Explanation",
    "Impossible",
    "Judgement",
    "Locate",
    "Policy",
    "TestResult",
    "disagreement",
    "explain",
    "failure",
    "load",
    "no_tests",
    "offices",
    "run_tests",
    "suppose",
]
