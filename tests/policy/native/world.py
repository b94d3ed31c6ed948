"""A folder with a native policy, and stock casbin beside it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import casbin
from casbin.util import builtin_operators

from gateway.document import Faulty, FileFault
from gateway.facts import Facts
from gateway.policy import Bundle, load
from tests.policy.native.pairs import ALLOW, BOTH, SAME, Pair, model
from tests.policy.world import ASSETS
from tests.policy.world import write as write_rules

ACL = model("sub, obj, act", "sub, obj, act", ALLOW, SAME)
ROWS = "p, zhang.wei, /civil/households/42, GET\n"
SAFE = model(
    "sub, obj, act",
    "sub, obj, act, eft",
    BOTH,
    "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act",
    "g = _, _",
)
DENYING = "p, zhang.wei, /civil/*, GET, allow\n"
ASKED = ["zhang.wei", "/civil/households/42", "GET"]


def write(
    folder: Path, model_text: str = ACL, policy: str | bytes = ROWS, request: str = "", rules: str = "", **others: str
) -> Path:
    """A policy folder whose casbin/ holds these three files; `request` "" leaves the third out."""
    write_rules(folder, rules, **others)
    place = folder / "casbin"
    place.mkdir(exist_ok=True)
    (place / "model.conf").write_text(model_text, encoding="utf-8")
    (place / "policy.csv").write_bytes(policy.encode() if isinstance(policy, str) else policy)
    if request:
        (place / "request.yaml").write_text(request, encoding="utf-8")
    return folder


def a_bundle(folder: Path, *args: Any, **changes: Any) -> Bundle:
    """The bundle of such a folder."""
    return load(write(folder, *args, **changes), ASSETS)


def faults(folder: Path, *args: Any, **changes: Any) -> tuple[FileFault, ...]:
    """What is wrong with it: errors, or the warnings of a bundle that loads."""
    try:
        return a_bundle(folder, *args, **changes).warnings
    except Faulty as faulty:
        return faulty.faults


def codes(folder: Path, *args: Any, **changes: Any) -> list[str]:
    """The codes of what is wrong."""
    return [fault.code for fault in faults(folder, *args, **changes)]


def errors(folder: Path, *args: Any, **changes: Any) -> list[tuple[str, int, int]]:
    """Code, line and column of what stops a load."""
    found = faults(folder, *args, **changes)
    return [(fault.code, fault.line, fault.column) for fault in found if not fault.warning]


# --- stock casbin -------------------------------------------------------------------------------


def stock(folder: Path, pair: Pair | None = None) -> casbin.Enforcer:
    """casbin as anyone would use it, on the same two files."""
    place = folder / "casbin"
    enforcer = casbin.Enforcer(str(place / "model.conf"), str(place / "policy.csv"))
    for given, add in (
        (pair.matching if pair else "", enforcer.add_named_matching_func),
        (pair.domain_matching if pair else "", enforcer.add_named_domain_matching_func),
    ):
        if given:
            key, name = given.split()
            add(key, getattr(builtin_operators, {"keyMatch": "key_match", "keyMatch2": "key_match2"}[name]))
    return enforcer


def asked(facts: Facts, request: dict[str, str]) -> list[object]:
    """The request that a team would hand to casbin, read from the facts by hand."""
    subject = SimpleNamespace(
        id=facts.subject.id,
        kind=facts.subject.kind,
        org=facts.subject.org,
        roles=list(facts.subject.roles),
        assurance=facts.subject.assurance,
        clearance=int(facts.subject.clearance),
    )
    data = SimpleNamespace(owner=facts.asset.owner, grade=int(facts.asset.grade), asset=facts.asset.id)
    known: dict[str, object] = {
        "subject": subject,
        "data": data,
        "path": facts.ask.path,
        "method": facts.ask.method,
        "env.source": facts.ask.source,
        "env.hour": int(facts.ask.at // 3600 + 8) % 24,
    }
    for room in (subject, data):
        known |= {f"{'subject' if room is subject else 'data'}.{name}": value for name, value in vars(room).items()}
    return [known[name] for name in request.values()]


def answer(enforcer: casbin.Enforcer, request: list[object]) -> tuple[bool | None, list[str]]:
    """What stock casbin says, None when it raises; and the row it names."""
    try:
        allowed, row = enforcer.enforce_ex(*request)
    except Exception:
        return None, []
    return allowed, row


def stock_allows(folder: Path) -> bool:
    """Whether stock casbin lets our clerk in, with these files."""
    return answer(stock(folder), ASKED)[0] is True
