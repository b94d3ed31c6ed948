"""Random models, rows and requests of every kind that casbin knows, and what stock casbin says about them."""

from pathlib import Path
from random import Random

import casbin
from casbin.util import builtin_operators
from msgspec.structs import replace

from gateway.document import FileFault
from gateway.facts import Facts, Grade
from gateway.policy.names import Vocabulary, names
from gateway.policy.native.folder import read_native
from gateway.policy.native.verdict import Native
from tests.literals import NOW, a_subject, an_ask, an_asset, some_facts
from tests.policy.native.pairs import ALLOW, BOTH, METHODS, ORGS, PATHS, PRIORITY, SUBJECTS, Pair, model
from tests.policy.native.world import answer, asked

TABLE = names(Vocabulary())
TIMEZONE = "Asia/Shanghai"
ADDRESSES = ("10.0.0.1", "10.1.2.3", "192.168.1.7", "2001:db8::5")
NETWORKS = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "0.0.0.0/0")
ROLES = ("reader", "writer", "boss", "guest")
GROUPS = ("group-a", "group-b")
DENY = "!some(where (p.eft == deny))"
BY_SUBJECT = "subjectPriority(p.eft) || deny"

PATTERNS = {
    "keyMatch": ("/a*", "/*", "*", "/b/*", "/a/1"),
    "keyMatch2": ("/a/:id", "/:x", "/b/:n/c/:m", "/a/*", "*", "/a/:id/x"),
    "keyMatch3": ("/a/{id}", "/b/{n}/c/{m}", "/*", "/files/{name}.txt"),
    "keyMatch4": ("/b/{n}/c/{n}", "/b/{n}/c/{m}", "/a/{id}", "/*"),
    "keyMatch5": ("/a/{id}", "/a", "/b/{n}/c/{m}", "/*"),
    "regexMatch": ("^/a", "^/b/[0-9]+$", ".*", "^/(a|c)$", "^/files/.*txt$"),
    "globMatch": ("/*", "/**", "/files/*.txt", "/a/[0-9]", "*/1"),
}
"""Patterns for paths."""
ACTS = ("GET", "POST", "DELETE", "*")
RULES = (
    "r.who.assurance >= 2", 'r.who.org == "hz"', "r.who.org == r.what.owner", "r.what.grade < 5 && r.who.assurance > 0",
    '!(r.who.kind == "person")', '"clerk" in r.who.roles', 'r.who.id in ("alice", "bob")', "1 < r.what.grade <= 4",
    "r.what.grade % 2 == 0 || r.hour < 8", "not r.who.org == 'nb' and r.hour >= 8", "keyMatch(r.who.id, 'a*')",
)  # fmt: skip
REQUEST = {
    "sub": "subject.id", "dom": "subject.org", "obj": "path", "act": "method", "src": "env.source", "hour": "env.hour",
    "level": "subject.clearance", "need": "data.grade", "owner": "data.owner", "who": "subject", "what": "data",
}  # fmt: skip
MOMENTS = ("_", "2020-01-01 00:00:00", "2096-12-31 23:59:59")
"""Far from the time of a request, and from now, which is what stock casbin asks."""
GETS = (
    "keyGet(r.obj, '/a/*') == '1'",
    "keyGet2(r.obj, '/a/:id', 'id') != \"1\"",
    "keyGet3(r.obj, '/b/{n}/c/{m}', 'm') in ('2', '')",
)
PIECES = (
    ",", "#", " # why", '"', "'", "(", ")", "[", "]", "*", " ", "\t", "!", "&&", "||", "==", "\\", "\\\n", "\n", "\r\n", ";", "，",
    "deny", "allow", "Deny", "p", "g", "p2", "e", "=", "r.", "p.", ".", "in", "not ", "_", "1", "0", "\ufeff", "\u00a0", "True",
    "true", "None", "-", "+", "/", "%", "{", "}", ":id", "<", ">=",
)  # fmt: skip
"""What slips into a file."""
BLP = '(r.level >= r.need && r.act == "GET" || r.level <= r.need && r.act == "POST")'
BIBA = '(r.level <= r.need && r.act == "GET" || r.level >= r.need && r.act == "POST")'


def a_policy(random: Random, indexed: bool = False) -> Pair:
    """Any model, with rows for it; `indexed` ones ask often whether texts are equal."""
    effect = random.choice((ALLOW, BOTH, DENY, PRIORITY, BY_SUBJECT))
    domains = random.random() < 0.4
    roles = effect == BY_SUBJECT or random.random() < 0.6
    groups = random.random() < 0.25
    columns: dict[str, tuple[str, ...]] = {"sub": (*SUBJECTS, *ROLES, *ROLES) if roles else (*SUBJECTS, "*")}
    terms = [_subject(random, roles, domains)]
    if domains:
        columns["dom"] = (*ORGS, "*")
        terms.append(random.choice(("r.dom == p.dom", '(p.dom == "*" || r.dom == p.dom)', "keyMatch(r.dom, p.dom)")))
    term, columns["obj"] = ("r.obj == p.obj", PATHS) if indexed and not groups else _object(random, groups)
    terms.append(term)
    if random.random() < 0.8:
        columns["act"] = ACTS
        terms.append(random.choice(("r.act == p.act", "(r.act == p.act || p.act == '*')", "keyMatch(r.act, p.act)")))
    if random.random() < 0.2:
        columns["net"] = NETWORKS
        terms.append("ipMatch(r.src, p.net)")
    if random.random() < 0.2:
        columns["rule"] = RULES
        terms.append("eval(p.rule)")
    if random.random() < 0.1:
        columns["from"], columns["to"] = MOMENTS, MOMENTS
        terms.append("timeMatch(p.from, p.to)")
    if random.random() < 0.1:
        terms.append(random.choice(GETS))
    terms += random.sample(
        (BLP, BIBA, "r.hour >= 8", 'r.act not in ("DELETE", "PUT")', "r.who.org == r.owner"),
        random.choice((0, 0, 0, 1, 2)),
    )
    if effect != BY_SUBJECT:
        random.shuffle(terms)
    matcher = _joined(random, terms)
    if effect != ALLOW:
        columns["eft"] = ("allow", "allow", "deny")
    if effect == PRIORITY and random.random() < 0.6:
        columns = {"priority": ("1", "2", "10", "10"), **columns}
    rows = ["p, " + ", ".join(map(random.choice, columns.values())) for _ in range(random.randint(1, 9))]
    matching, domain_matching = "", ""
    if roles:
        patterns = effect != BY_SUBJECT and not domains and random.random() < 0.15
        matching = "g keyMatch" if patterns else ""
        links = {", ".join(_link(random, domains, patterns)) for _ in range(random.randint(0, 6))}
        rows += [f"g, {link}" for link in sorted(links)]
        if domains and effect != BY_SUBJECT and random.random() < 0.3:
            domain_matching = "g keyMatch"
    if groups:
        patterns = random.random() < 0.5
        matching = "g2 keyMatch2" if patterns else matching
        paths = PATTERNS["keyMatch2"][:4] if patterns else PATHS
        rows += [f"g2, {random.choice(paths)}, {random.choice(GROUPS)}" for _ in range(random.randint(0, 4))]
    definitions = [f"g = {'_, _, _' if domains else '_, _'}"] * roles + ["g2 = _, _"] * groups
    if groups and not roles:
        definitions = ["g = _, _", "g2 = _, _"]
    text = model(", ".join(REQUEST), ", ".join(columns), effect, matcher, "\n".join(definitions))
    more = "allow_by_default: true\n"
    for key, value in (("matching", matching), ("domain_matching", domain_matching)):
        more += f"{key}: {{{value.replace(' ', ': ')}}}\n" if value else ""
    return Pair("generated", text, "\n".join(rows) + "\n", REQUEST, more, matching, domain_matching)


def _subject(random: Random, roles: bool, domains: bool) -> str:
    if not roles:
        return random.choice(("r.sub == p.sub", "(p.sub == '*' || r.sub == p.sub)", "r.sub != p.sub"))
    held = "g(r.sub, p.sub, r.dom)" if domains else "g(r.sub, p.sub)"
    return random.choice((held, held, f"({held} || r.sub == 'root')", f'({held} && r.sub != "mallory")'))


def _object(random: Random, groups: bool) -> tuple[str, tuple[str, ...]]:
    if groups:
        return "g2(r.obj, p.obj)", (*GROUPS, *PATHS)
    function = random.choice(("", "", *PATTERNS))
    if not function:
        return "r.obj == p.obj", PATHS
    return f"{function}(r.obj, p.obj)", PATTERNS[function]


def _joined(random: Random, terms: list[str]) -> str:
    kind = random.random()
    if kind < 0.7 or len(terms) < 3:
        return " && ".join(terms)
    if kind < 0.8:
        return f"{terms[0]} || {' && '.join(terms[1:])}"
    if kind < 0.9:
        return f"!({terms[0]}) && {' && '.join(terms[1:])}"
    return f"({' || '.join(terms[:2])}) and {' and '.join(terms[2:])}"


def _link(random: Random, domains: bool, patterns: bool) -> tuple[str, ...]:
    """A step upwards: no circles."""
    names = ("a*", "m*", *SUBJECTS, *ROLES) if patterns else (*SUBJECTS, *ROLES)
    low, high = sorted(random.sample(range(len(names)), 2))
    return (names[low], names[high], *((random.choice((*ORGS, "*")),) if domains else ()))


def a_request(random: Random) -> Facts:
    """Anybody, anything."""
    return some_facts(
        ask=an_ask(
            path=random.choice(PATHS),
            method=random.choice(METHODS),
            source=random.choice(ADDRESSES),
            at=NOW + random.randint(0, 23) * 3600,
        ),
        subject=a_subject(
            id=random.choice(SUBJECTS),
            org=random.choice(ORGS),
            assurance=random.randint(0, 3),
            clearance=Grade(random.randint(1, 6)),
            kind=random.choice(("person", "service")),
            roles=random.choice(((), ("clerk",))),
        ),
        asset=an_asset(grade=Grade(random.randint(1, 6)), owner=random.choice(ORGS)),
    )


def write(pair: Pair, folder: Path) -> None:
    """The three files."""
    place = folder / "casbin"
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.conf").write_text(pair.model, encoding="utf-8")
    (place / "policy.csv").write_text(pair.policy, encoding="utf-8")
    request = ", ".join(f"{token}: {name}" for token, name in pair.request.items())
    (place / "request.yaml").write_text(f"request: {{{request}}}\n{pair.more}", encoding="utf-8")


def ours(folder: Path) -> tuple[Native | None, list[FileFault]]:
    """The native policy in force, and what is said about it."""
    faults: list[FileFault] = []
    source = read_native(folder, TABLE, faults)
    return (Native(source, TABLE, TIMEZONE) if source is not None else None), faults


def stock(folder: Path, pair: Pair) -> casbin.Enforcer:
    """casbin, with what it forgets to register and roles of any depth."""
    enforcer = casbin.Enforcer(str(folder / "casbin" / "model.conf"), str(folder / "casbin" / "policy.csv"))
    for name, function in (("keyGet", "key_get"), ("keyGet2", "key_get2"), ("keyGet3", "key_get3")):
        enforcer.add_function(name, getattr(builtin_operators, function))
    for manager in enforcer.rm_map.values():
        manager.max_hierarchy_level = 40
    if pair.matching:
        key, name = pair.matching.split()
        enforcer.add_named_matching_func(key, getattr(builtin_operators, name.replace("keyMatch", "key_match")))
    if pair.domain_matching:
        enforcer.add_named_domain_matching_func("g", builtin_operators.key_match)
    return enforcer


def damaged(random: Random, text: str) -> str:
    """The text after a careless edit or three."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at, kind = random.randrange(len(text) + 1), random.random()
        if kind < 0.5:
            text = text[:at] + random.choice(PIECES) + text[at:]
        elif kind < 0.75:
            text = text[:at] + text[at + random.choice((1, 1, 2, 5)) :]
        else:
            lines = text.split("\n")
            one, two = random.randrange(len(lines)), random.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one] if kind < 0.85 else lines[two]
            text = "\n".join(lines)
    return text


def differ(random: Random, folder: Path, requests: int) -> str:
    """One policy and its requests; "" when ours and stock casbin agree on all of them."""
    pair = a_policy(random)
    native, faults = loaded(pair, folder)
    if native is None:
        return f"refused: {[(fault.code, fault.line, fault.column, fault.en) for fault in faults]}\n{pair}"
    if any(fault.code == "P137" for fault in faults):  # stock casbin takes patterns of rows for names as well
        return ""
    return _differ(random, native, pair, folder, requests, raises=False)


def differ_when_damaged(random: Random, folder: Path, requests: int) -> str:
    """The same for a policy with a few careless edits: it is refused, or as good as in stock casbin."""
    pair = a_policy(random)
    part = random.choice(("model", "policy"))
    pair = replace(
        pair,
        matching="",
        domain_matching="",
        more="allow_by_default: true\n",
        **{part: damaged(random, getattr(pair, part))},
    )
    native, _ = loaded(pair, folder)
    return "" if native is None else _differ(random, native, pair, folder, requests, raises=True)


def loaded(pair: Pair, folder: Path) -> tuple[Native | None, list[FileFault]]:
    """Ours, of files that are written now."""
    write(pair, folder)
    return ours(folder)


def _differ(random: Random, native: Native, pair: Pair, folder: Path, requests: int, raises: bool) -> str:
    """With `raises`, stock casbin may fail where ours answers: on `||r.x`, on white space in an effect."""
    fresh = bool(pair.matching or pair.domain_matching)  # it keeps names of requests as patterns: ask a new one
    try:
        theirs = stock(folder, pair)
    except Exception as error:
        return "" if raises else f"casbin cannot load it: {error!r}\n{pair}"
    for _ in range(requests):
        facts = a_request(random)
        expected, _ = answer(stock(folder, pair) if fresh else theirs, asked(facts, pair.request))
        found = native.enforcer.judge(facts)
        if (None if found.failed else found.allowed) is not expected and not (raises and expected is None):
            return f"{facts.subject} {facts.ask.method} {facts.ask.path}: {found}, casbin {expected}\n{pair}"
    return ""
