"""How is each kind of policy file laid out?

One form for all of them, because no two kinds share a key at their top: which keys come first, which lists stand
apart, what is written between brackets. Rules:

1. The order of keys is that of the readers; at the top of a file what is short comes before what is long, and a test
   says first under which emergency level it is asked.
2. Rules, tests, assets and grants stand apart, a blank line between them; devices, sites, defaults, endpoints and fields
   take a line each; roles, offices and mask profiles are open blocks.
3. A level is quoted as soon as it has a comparator: `>= core` would begin a block of text.
"""

from gateway.catalog.aggregation import KEYS as AGGREGATION_KEYS
from gateway.catalog.attributes import OVERRIDE_KEYS, REVIEWED_KEYS
from gateway.catalog.declarations import ASSET_KEYS, DEFAULT_KEYS, ENDPOINT_KEYS, FIELD_KEYS
from gateway.document import Form
from gateway.policy.examples import KEYS as TEST_KEYS
from gateway.policy.grants import KEYS as GRANT_KEYS
from gateway.policy.rules import KEYS as RULE_KEYS

FLOW = Form(style="flow")
TITLE = Form(("zh", "en"), style="flow")
SUPPRESS = Form(("k", "by"), style="flow")
THEN = Form(("mask", "rows", "watermark", "request", "step_up", "max_age", "log", "notify"), style="flow")
APPROVAL = Form(("by", "on", "reference"), style="flow")
RULE = Form(RULE_KEYS, {"title": TITLE, "level": Form(quoted=True), "then": THEN, "basis": TITLE}, style="block")
TEST = Form(
    tuple(dict.fromkeys(("name", "emergency", *TEST_KEYS))),
    {"given": FLOW, "mask": FLOW, "suppress": SUPPRESS},
    style="block",
)
GRANT = Form(GRANT_KEYS, {"title": TITLE, "basis": TITLE, "approval": APPROVAL}, style="block")
REVIEWED = Form(REVIEWED_KEYS, style="flow")
OVERRIDE = Form(OVERRIDE_KEYS, style="flow")
DEFAULT = Form(DEFAULT_KEYS, style="flow")
ENDPOINT = Form(ENDPOINT_KEYS, {"override": OVERRIDE, "reviewed": REVIEWED}, style="flow")
FIELD = Form(FIELD_KEYS, {"reviewed": REVIEWED}, style="flow")
ASSET = Form(
    ASSET_KEYS,
    {
        "title": TITLE,
        "override": OVERRIDE,
        "basis": TITLE,
        "reviewed": REVIEWED,
        "endpoints": Form(each=ENDPOINT, style="block"),
        "fields": Form(each=FIELD, style="block"),
    },
    style="block",
)
AGGREGATION = Form(AGGREGATION_KEYS, {"title": TITLE}, style="block")
DEVICE = Form(("id", "org", "managed", "thumbprints"), style="flow")
SITE = Form(("name", "networks", "kind"), style="flow")
ROLE = Form(("title", "includes"), {"title": TITLE}, style="block")
OFFICE = Form(("title", "parent"), {"title": TITLE}, style="block")
PROFILE = Form((), {"suppress": SUPPRESS}, style="block")

FILE = Form(
    (
        "locked", "org", "level", "title", "timezone", "default", "observe", "mask", "freeze_grants",
        "roles", "orgs", "profiles", "names", "rules", "grants", "defaults", "assets", "aggregation", "devices", "sites", "tests",
    ),
    {
        "title": TITLE,
        "roles": Form(each=ROLE, style="block"),
        "orgs": Form(each=OFFICE, style="block"),
        "profiles": Form(each=PROFILE, style="block"),
        "rules": Form(each=RULE, style="block", apart=True),
        "grants": Form(each=GRANT, style="block", apart=True),
        "names": PROFILE,
        "defaults": Form(each=DEFAULT, style="block"),
        "aggregation": Form(each=AGGREGATION, style="block", apart=True),
        "assets": Form(each=ASSET, style="block", apart=True),
        "devices": Form(each=DEVICE, style="block"),
        "sites": Form(each=SITE, style="block"),
        "tests": Form(each=TEST, style="block", apart=True),
    },
    style="block",
)  # fmt: skip
"""Every file of a policy folder."""
