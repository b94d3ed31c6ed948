"""What would these policies do, and do they hold what their authors believe?

Looks at policies from outside, before and after they decide: proofs, lint, mutation, coverage, replay, comparison,
explanations for those who ask. Nothing here is on the request path, and nothing here decides.
"""
