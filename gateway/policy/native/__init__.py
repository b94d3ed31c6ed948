"""What does a team's own casbin policy say?

Native mode: `casbin/model.conf` and `casbin/policy.csv` decide who may, the YAML rules beside them only deny. Read
strictly, checked whole at load, judged by casbin's own enforcer: the answers of stock casbin, without its traps.
Text becomes a `Draft` → a `Source` (folder) → an `Enforcer` → what it `Said` → the candidates of a decision (verdict).
"""
