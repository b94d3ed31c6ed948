"""Models and policies of many kinds, each with the callers, paths and methods that are of interest to it."""

from textwrap import dedent

from msgspec import Struct

SUBJECTS = ("alice", "bob", "carol", "dave", "admin", "root", "mallory")
ORGS = ("prov", "hz", "nb")
PATHS = ("/a", "/a/1", "/a/1/x", "/b/1", "/b/2/c/2", "/b/2/c/3", "/files/q.txt", "/files/old/q.txt", "/", "/c")
METHODS = ("GET", "POST", "DELETE")

ALLOW = "some(where (p.eft == allow))"
BOTH = f"{ALLOW} && !some(where (p.eft == deny))"
PRIORITY = "priority(p.eft) || deny"


class Pair(Struct, frozen=True):
    """One model with its rows; `request` is the mapping of `request.yaml`, `more` further lines of it."""

    name: str
    model: str
    policy: str
    request: dict[str, str]
    more: str = ""
    matching: str = ""  # the function that stock casbin is given for `g`
    domain_matching: str = ""
    fresh: bool = False  # stock casbin keeps names of requests as patterns: ask a new one each time


def model(r: str, p: str, e: str, m: str, g: str = "") -> str:
    """The text of a model.conf; `g` holds whole lines."""
    roles = f"[role_definition]\n{g}\n\n" if g else ""
    return (
        f"[request_definition]\nr = {r}\n\n[policy_definition]\np = {p}\n\n{roles}"
        f"[policy_effect]\ne = {e}\n\n[matchers]\nm = {m}\n"
    )


PLAIN = {"sub": "subject.id", "obj": "path", "act": "method"}
DOMAIN = {"sub": "subject.id", "dom": "subject.org", "obj": "path", "act": "method"}
SAME = "r.sub == p.sub && r.obj == p.obj && r.act == p.act"


def pair(name: str, model_text: str, policy: str, request: dict[str, str], **others: object) -> Pair:
    """A pair with its rows moved to the margin."""
    return Pair(name, model_text, dedent(policy), request, **others)  # type: ignore[arg-type]


PAIRS = (
    pair("acl", model("sub, obj, act", "sub, obj, act", ALLOW, SAME), """\
        p, alice, /a, GET
        p, bob, /a/1, POST
        p,carol,/c,GET

        # nothing else
        p, dave ,  /b/1 ,DELETE
    """, PLAIN),
    pair("acl-superuser", model("sub, obj, act", "sub, obj, act", ALLOW, f'{SAME} || r.sub == "root"'), """\
        p, alice, /a, GET
        p, bob, /a/1, POST
    """, PLAIN),
    pair("acl-without-users", model("obj, act", "obj, act", ALLOW, "r.obj == p.obj && r.act == p.act"), """\
        p, /a, GET
        p, /c, POST
    """, {"obj": "path", "act": "method"}),
    pair("acl-without-resources", model("sub, act", "sub, act", ALLOW, "r.sub == p.sub && r.act == p.act"), """\
        p, alice, GET
        p, bob, DELETE
    """, {"sub": "subject.id", "act": "method"}),
    pair("rbac", model("sub, obj, act", "sub, obj, act", ALLOW, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", "g = _, _"), """\
        p, reader, /a, GET
        p, admin, /a, POST
        p, alice, /c, DELETE
        g, alice, reader
        g, bob, admin
        g, admin, reader
    """, PLAIN),
    pair("rbac-resource-roles", model("sub, obj, act", "sub, obj, act", ALLOW, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", "g = _, _\ng2 = _, _"), """\
        p, reader, all-a, GET
        p, dave, /b/1, DELETE
        g, alice, reader
        g2, /a, all-a
        g2, /a/1, all-a
        g2, all-a, everything
    """, PLAIN),
    pair("rbac-domains", model("sub, dom, obj, act", "sub, dom, obj, act", ALLOW, "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", "g = _, _, _"), """\
        p, admin, prov, /a, GET
        p, admin, hz, /c, GET
        p, reader, hz, /a, GET
        g, alice, admin, prov
        g, bob, admin, hz
        g, admin, reader, hz
        g, carol, reader, nb
    """, DOMAIN),
    pair("rbac-domains-with-superuser", model("sub, dom, obj, act", "sub, dom, obj, act", ALLOW, '(g(r.sub, p.sub, r.dom) || g(r.sub, "boss", "*")) && (p.dom == r.dom || p.dom == "*") && keyMatch(r.obj, p.obj) && (r.act == p.act || p.act == "*")', "g = _, _, _"), """\
        p, admin, prov, /a*, *
        p, reader, *, /b/*, GET
        g, root, boss, *
        g, alice, admin, prov
        g, bob, reader, nb
    """, DOMAIN),
    pair("rbac-role-patterns", model("sub, obj, act", "sub, obj, act", ALLOW, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", "g = _, _\ng2 = _, _"), """\
        p, alice, group-b, GET
        p, reader, /c, POST
        g, bob, reader
        g2, /b/:id, group-b
        g2, /a, group-b
    """, PLAIN, more="matching: {g2: keyMatch2}", matching="g2 keyMatch2", fresh=True),
    pair("rbac-domain-patterns", model("sub, dom, obj, act", "sub, dom, obj, act", ALLOW, "g(r.sub, p.sub, r.dom) && r.obj == p.obj && r.act == p.act", "g = _, _, _"), """\
        p, admin, prov, /a, GET
        p, reader, hz, /c, GET
        g, alice, admin, *
        g, bob, admin, h*
        g, carol, reader, nb
    """, DOMAIN, more="domain_matching: {g: keyMatch}", domain_matching="g keyMatch", fresh=True),
    pair("deny-override", model("sub, obj, act", "sub, obj, act, eft", "!some(where (p.eft == deny))", "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act", "g = _, _"), """\
        p, alice, /a, GET, allow
        p, banned, /a*, GET, deny
        p, banned, /b/*, POST, deny
        g, bob, banned
        g, mallory, banned
    """, PLAIN, more="allow_by_default: true"),
    pair("allow-and-deny", model("sub, obj, act", "sub, obj, act, eft", BOTH, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act", "g = _, _"), """\
        p, reader, /a*, GET, allow
        p, reader, /b/*, GET, allow
        p, carol, /a/1, GET, deny
        p, guest, /b/1, GET, deny
        g, alice, reader
        g, carol, reader
        g, bob, reader
        g, bob, guest
    """, PLAIN),
    pair("priority-by-order", model("sub, obj, act", "sub, obj, act, eft", PRIORITY, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act", "g = _, _"), """\
        p, alice, /a/1, GET, deny
        p, reader, /a*, GET, allow
        p, reader, /b/*, GET, deny
        p, bob, /b/*, GET, allow
        p, carol, /b/1, GET, allow
        g, alice, reader
        g, carol, reader
        g, bob, reader
    """, PLAIN),
    pair("priority-column", model("sub, obj, act", "priority, sub, obj, act, eft", PRIORITY, "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act", "g = _, _"), """\
        p, 10, reader, /a*, GET, allow
        p, 9, alice, /a/1, GET, deny
        p, 1, bob, /a/1, GET, allow
        p, 1, bob, /a*, GET, deny
        p, 100, reader, /b/*, GET, deny
        p, 20, carol, /b/*, GET, allow
        g, alice, reader
        g, carol, reader
        g, bob, reader
    """, PLAIN),
    pair("subject-priority", model("sub, obj, act", "sub, obj, act, eft", "subjectPriority(p.eft) || deny", "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", "g = _, _"), """\
        p, root, /a, GET, deny
        p, admin, /a, GET, deny
        p, editor, /a, GET, deny
        p, subscriber, /a, GET, deny
        p, alice, /a, GET, allow
        p, editor, /c, GET, allow
        p, root, /c, GET, deny
        g, admin, root
        g, editor, admin
        g, subscriber, admin
        g, alice, editor
        g, bob, subscriber
    """, PLAIN),
    pair("subject-priority-domains", model("sub, obj, dom, act", "sub, obj, dom, act, eft", "subjectPriority(p.eft) || deny", "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", "g = _, _, _"), """\
        p, admin, /a, prov, GET, deny
        p, alice, /a, prov, GET, allow
        p, admin, /a, hz, GET, allow
        p, bob, /a, hz, GET, deny
        g, alice, admin, prov
        g, bob, admin, hz
        g, carol, admin, hz
    """, {"sub": "subject.id", "obj": "path", "dom": "subject.org", "act": "method"}),
    pair("abac-without-rows", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub.org == r.obj.owner || r.sub.assurance >= 3 && r.act == 'GET'"), "", {"sub": "subject", "obj": "data", "act": "method"}),
    pair("abac-rules", model("sub, obj, act", "sub_rule, obj, act", ALLOW, "eval(p.sub_rule) && keyMatch(r.obj, p.obj) && r.act == p.act"), """\
        p, r.sub.assurance >= 2 && r.sub.org == "hz", /a*, GET
        p, r.sub.assurance < 2, /b/*, GET
        p, r.sub.id in ("alice", "bob") and not r.sub.org == 'nb', /c, POST
        p, r.sub.clearance > 4 || r.sub.id == "root", /files*, DELETE
        p, "clerk" in r.sub.roles, /c, GET
        p, !(r.sub.kind == "person"), /, GET
    """, {"sub": "subject", "obj": "path", "act": "method"}),
    pair("abac-two-rules", model("sub, obj, act", "sub_rule, obj_rule, act, eft", BOTH, "eval(p.sub_rule) && eval(p.obj_rule) && r.act == p.act"), """\
        p, r.sub.assurance + 1 >= 3, r.obj.grade <= 4, GET, allow
        p, r.sub.org != r.obj.owner, r.obj.grade == 4, GET, deny
        p, r.sub.id == 'alice', r.obj.grade % 2 == 0, POST, allow
    """, {"sub": "subject", "obj": "data", "act": "method"}),
    pair("restful", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)"), """\
        p, alice, /a/*, GET
        p, alice, /b/1, POST
        p, bob, /a/1, (GET)|(POST)
        p, carol, *, ^(GET|DELETE)$
    """, PLAIN),
    pair("restful2", model("sub, obj, act", "sub, obj, act", ALLOW, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)", "g = _, _"), """\
        p, reader, /a/:id, GET
        p, reader, /a/:id/x, POST
        p, bob, /b/:id/c/:other, .*
        p, root, *, .*
        p, dave, /files/*, GET
        g, alice, reader
    """, PLAIN),
    pair("restful3", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch3(r.obj, p.obj) && r.act == p.act"), """\
        p, alice, /a/{id}, GET
        p, alice, /a/*, POST
        p, bob, /b/{id}/c/{id}, GET
        p, carol, /files/{name}.txt, GET
    """, PLAIN),
    pair("restful4", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch4(r.obj, p.obj) && r.act == p.act"), """\
        p, alice, /b/{id}/c/{id}, GET
        p, bob, /b/{id}/c/{other}, GET
        p, carol, /a/*, GET
    """, PLAIN),
    pair("restful5", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch5(r.obj, p.obj) && r.act == p.act"), """\
        p, alice, /b/{id}/c/{id}, GET
        p, bob, /a/*, GET
        p, carol, /a, GET
    """, PLAIN),
    pair("regex", model("sub, obj, act", "sub, obj, act", ALLOW, 'regexMatch(r.sub, p.sub) && regexMatch(r.obj, p.obj) && regexMatch(r.act, "^(GET|HEAD)$")'), """\
        p, ^[a-c], ^/a/\\d+$, GET
        p, root|admin, ^/files/.*\\.txt$, GET
        p, .*, ^/c$, GET
    """, PLAIN),
    pair("glob", model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && globMatch(r.obj, p.obj) && r.act == p.act"), """\
        p, alice, /files/*.txt, GET
        p, bob, /files/**, GET
        p, carol, /a/[0-9]/?, GET
        p, dave, */1, GET
    """, PLAIN),
    pair("addresses", model("sub, src, obj", "sub, net, obj, eft", BOTH, "r.sub == p.sub && ipMatch(r.src, p.net) && keyMatch(r.obj, p.obj)"), """\
        p, alice, 10.0.0.0/8, /a*, allow
        p, alice, 10.1.0.0/16, /a/1, deny
        p, bob, 192.168.1.7, /b/*, allow
        p, carol, 2001:db8::/32, /*, allow
    """, {"sub": "subject.id", "src": "env.source", "obj": "path"}),
    pair("blp", model("sub, sub_level, obj, obj_level, act", "sub, obj, act", ALLOW, '(r.sub_level >= r.obj_level && r.act == "GET") || (r.sub_level <= r.obj_level && r.act == "POST")'), "", {"sub": "subject.id", "sub_level": "subject.clearance", "obj": "path", "obj_level": "data.grade", "act": "method"}),
    pair("biba", model("sub, sub_level, obj, obj_level, act", "sub, obj, act", ALLOW, '(r.sub_level <= r.obj_level && r.act == "GET") || (r.sub_level >= r.obj_level && r.act == "POST")'), "", {"sub": "subject.id", "sub_level": "subject.clearance", "obj": "path", "obj_level": "data.grade", "act": "method"}),
    pair("lattice", model("sub, level, domain, obj, need, owner, act", "sub, obj, act", ALLOW, 'r.level >= r.need && r.domain == r.owner && r.act == "GET"'), "", {"sub": "subject.id", "level": "subject.clearance", "domain": "subject.org", "obj": "path", "need": "data.grade", "owner": "data.owner", "act": "method"}),
    pair("in", model("sub, obj, act", "sub, obj, act", ALLOW, 'r.sub == p.sub && r.act in ("GET", "POST") && r.obj not in ["/c"] && keyMatch(r.obj, p.obj)'), """\
        p, alice, /a*, x
        p, bob, *, x
    """, PLAIN),
    pair("chained", model("level, hour, act", "act", ALLOW, "1 < r.level <= 4 && r.act == p.act && (r.hour < 8 || r.hour >= 18)"), """\
        p, GET
    """, {"level": "data.grade", "hour": "env.hour", "act": "method"}),
    pair("whole-effect-order", model("sub, obj, act", "eft, sub, obj, act", BOTH, "(p.sub == '*' || r.sub == p.sub) && keyMatch2(r.obj, p.obj) && (p.act == '*' || r.act == p.act)"), """\
        p, deny, mallory, /*, *
        p, allow, *, /a/:id, GET
        p, deny, *, /a/1, DELETE
        p, allow, alice, /*, *
    """, PLAIN),
)  # fmt: skip
"""At least one of each kind that casbin documents."""
