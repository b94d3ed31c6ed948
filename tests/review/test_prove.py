"""Whether a policy lets through what another does not.

| who | tries | held by |
|---|---|---|
| careless author | widens by a condition, a role, a mask, a grade, a day | `test_what_widens_is_shown` |
| careless author | rewrites a rule without changing it | `test_what_does_not_widen_is_proved` |
| hostile author | removes an allow so that a stricter mask goes with it | `test_a_mask_that_goes_with_its_rule_shows_more` |
| hostile author | labels a hidden value again under another path | `test_paths_that_may_cross_are_never_called_narrower` |
| hostile author | hides the widening behind more combinations than can be tried | `test_a_budget_that_ends_is_unknown` |
| insider | lists an endpoint that the base does not | `test_an_endpoint_that_only_the_candidate_lists` |
| anybody | trusts a proof that is wrong | the two laws at the end |
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalog import load as load_catalog
from gateway.cli.policy.explain import _given
from gateway.facts import Asset, Bulk, Decision, Field, FieldMask, Grade, Mask, Permit, Suppress
from gateway.policy import Bundle, suppose
from gateway.policy import load as load_policy
from gateway.policy.bundle import compiled
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.duties import Then, written
from gateway.policy.people import People
from gateway.policy.rows import RowRule
from gateway.review.cells import Cell, cells
from gateway.review.exposure import shifts
from gateway.review.prove import Policies, Proof, Witness, opens, prove, prove_cells
from gateway.review.search import Budget
from tests.literals import an_asset
from tests.policy.generated import DATA, FIELDS, ORGS, PROFILES
from tests.policy.native.world import write as write_native
from tests.review import lint_world
from tests.review.pairs import Pair, a_pair, points, said, wider
from tests.review.test_space import a_bundle, a_rule
from tests.test_layout import ROOT

SHIPPED = ROOT / "policies"
ALICE = "p, alice, /households, GET\n"
CIVIL, BASE, CITY = "rules/20-civil.yaml", "rules/00-province.yaml", "cities/hz.yaml"


def policies(folder: Path) -> Policies:
    catalog = load_catalog(folder / "catalog")
    return Policies(load_policy(folder, catalog.assets), catalog)


def changed(tmp_path: Path, file: str, old: str, new: str) -> Policies:
    """The shipped policies with one change."""
    folder = tmp_path / "changed"
    shutil.copytree(SHIPPED, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return policies(folder)


@pytest.fixture(scope="module")
def shipped() -> Policies:
    return policies(SHIPPED)


def real(witness: Witness, base: Policies, candidate: Policies) -> None:
    """The words of the witness, read as `policy explain` reads them, are decided as the witness says."""
    masks: list[Mask | None] = []
    for side, words, told in ((base, witness.base, witness.before), (candidate, witness.candidate, witness.after)):
        assert words[:3] == ("policy", "explain", "--as")
        method, path = words[5].split(" ", 1)
        bundle = side.bundle
        asset = replace(side.catalog.find(method, path), mode="enforce")
        facts = suppose(
            asset, method, path, _given(words[3], list(words[7::2])), bundle.content.timezone, bundle.granted,
            bundle.exposed,
        )  # fmt: skip
        decision = decide(bundle, facts, "written")
        assert type(decision).__name__.lower() == told, words
        masks.append(decision.mask if isinstance(decision, Permit) else None)
    before, after = masks
    assert after is not None
    assert (before is None) is (witness.what == "permits")
    assert before is None or any(shift.more for shift in shifts(before, after))


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "what"),
    [
        (BASE, "subject.assurance < 3", "subject.assurance < 2", "health-treatment", "permits"),
        (BASE, 'device.trust == "compromised"', 'device.id == "compromised"', "open-data", "permits"),
        (
            BASE,
            'level: ">= important"\n    when: device',
            'level: ">= core"\n    when: device',
            "civil-read",
            "permits",
        ),
        (BASE, "not ip_in(env.source", "ip_in(env.source", "open-data", "permits"),
        (CIVIL, "mask: pii-standard", "mask: none", "civil-read", "shows"),
        (CIVIL, "2027-12-31", "2028-12-31", "civil-read-contractor", "permits"),
        (CIVIL, "effect: allow\n    who: clerk\n", "effect: allow\n    who: employee\n", "civil-write", "permits"),
        (CITY, '"18:00"', '"18:30"', "civil-write", "permits"),
        ("budgets.yaml", "records: 1000", "records: 1500", "health-statistics", "permits"),
        ("budgets.yaml", ", fields: 20000", "", "health-statistics", "permits"),
        ("budgets.yaml", "who: auditor", "who: caseworker", "health-statistics", "permits"),
        ("people.yaml", "includes: [employee]", "includes: [employee, doctor]", "health-treatment", "permits"),
        ("people.yaml", "    parent: prov\n  prov/market", "    parent: hz\n  prov/market", "", ""),
        ("masks.yaml", "partial(3,4)", "keep", "break-glass", "shows"),
        (
            "catalog/civil.yaml",
            "identifier: resident-id, grade: important}",
            "grade: general-2}",
            "civil-read",
            "shows",
        ),
        ("grants.yaml", "2028-12-31", "2029-12-31", "health-share", "permits"),
    ],
)
def test_what_widens_is_shown(
    tmp_path: Path, shipped: Policies, file: str, old: str, new: str, rule: str, what: str
) -> None:
    candidate = changed(tmp_path, file, old, new)
    proof = prove(shipped, candidate)
    assert proof.verdict == ("wider" if rule else "narrower"), proof
    for witness in proof.witnesses:
        assert (witness.rule, witness.what) == (rule, what)
        real(witness, shipped, candidate)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (BASE, "subject.assurance < 2", "subject.assurance <= 2"),
        (BASE, 'device.trust != "managed" or not device.fresh', 'not (device.fresh and device.trust == "managed")'),
        (BASE, "subject.auth_age > 300", "not subject.auth_age <= 300"),
        (BASE, '"10.0.0.0/8", "172.16.0.0/12"', '"10.0.0.0/9", "10.128.0.0/9", "172.16.0.0/12"'),
        ("rules/10-open.yaml", "who: signed-in", "who: person"),
        (CITY, 'between(env.time, "08:00", "18:00")', 'between(env.time, "08:30", "18:00")'),
        ("masks.yaml", "partial(3,4)", "partial(3,3)"),
        (
            "budgets.yaml",
            "soft: {records: 200}\n    hard: {records: 1000",
            "soft: {records: 100}\n    hard: {records: 900",
        ),
        ("people.yaml", "roles:\n", "roles:\n  visitor: {}\n"),
        ("catalog/market.yaml", "grade: general-2\n", "grade: general-3\n"),
        ("grants.yaml", "data: health\n", "data: health-visit\n"),
    ],
)
def test_what_does_not_widen_is_proved(tmp_path: Path, shipped: Policies, file: str, old: str, new: str) -> None:
    candidate = changed(tmp_path, file, old, new)
    proof = prove(shipped, candidate)
    assert (proof.verdict, proof.open) == ("narrower", ()), proof
    assert proof.cells == len(list(cells((shipped.catalog, candidate.catalog)))) >= 6


@pytest.mark.parametrize(
    ("old", "new"),
    [("by: subject", "by: department"), ("records: 200", "records: 300"), ("mask: pii-standard", "mask: pseudonymous")],
)
def test_a_budget_that_may_bind_less_is_never_called_narrower(
    tmp_path: Path, shipped: Policies, old: str, new: str
) -> None:
    proof = prove(shipped, changed(tmp_path, "budgets.yaml", old, new))
    assert (proof.verdict, proof.open) == ("unknown", ("budgets.yaml audit-day",))


def test_a_policy_is_no_wider_than_itself_and_that_costs_nothing(shipped: Policies) -> None:
    proof = prove(shipped, shipped)
    assert (proof.verdict, proof.witnesses, proof.steps) == ("narrower", (), 0)


def test_what_is_over_does_not_count(tmp_path: Path, shipped: Policies) -> None:
    candidate = changed(tmp_path, CIVIL, "2027-12-31", "2028-12-31")
    assert prove(shipped, candidate, since=1_861_920_000.0).verdict == "narrower"  # 2029


def test_a_mask_that_goes_with_its_rule_shows_more(tmp_path: Path, shipped: Policies) -> None:
    """Who holds two roles is shown through both masks; without the stricter rule the weaker mask is left alone."""
    candidate = changed(tmp_path, CIVIL, "expires: 2027-12-31", "expires: 2026-12-31")
    (witness,) = prove(shipped, candidate).witnesses
    assert (witness.what, witness.rule) == ("shows", "civil-read")
    assert {"$..name", "$..id_number"} <= {shift.path for shift in witness.fields}
    real(witness, shipped, candidate)


def test_a_grant_that_ends_earlier_takes_its_mask_along(tmp_path: Path, shipped: Policies) -> None:
    (witness,) = prove(shipped, changed(tmp_path, "grants.yaml", "2028-12-31", "2027-12-31")).witnesses
    assert (witness.what, witness.rule) == ("shows", "health-statistics")


def test_an_endpoint_that_only_the_candidate_lists(tmp_path: Path, shipped: Policies) -> None:
    candidate = changed(
        tmp_path, "catalog/market.yaml", "      - GET /market/enterprises\n",
        "      - GET /market/enterprises\n      - GET /market/secrets/**\n",
    )  # fmt: skip
    (witness,) = prove(shipped, candidate).witnesses
    assert (witness.path, witness.rule, witness.reasons[0][0]) == ("/market/secrets", "open-data", "unlisted")
    real(witness, shipped, candidate)
    assert prove(candidate, shipped).verdict == "narrower"


def test_more_than_one_witness_when_asked(tmp_path: Path, shipped: Policies) -> None:
    candidate = changed(tmp_path, BASE, "subject.assurance < 3", "subject.assurance < 2")
    witnesses = prove(shipped, candidate, most=10).witnesses
    assert {"health-treatment", "health-share", "break-glass", "audit-read"} <= {one.rule for one in witnesses}
    for witness in witnesses:
        real(witness, shipped, candidate)


def test_a_budget_that_ends_is_unknown(tmp_path: Path, shipped: Policies) -> None:
    candidate = changed(tmp_path, BASE, "subject.assurance < 2", "subject.assurance <= 1")
    assert prove(shipped, candidate).verdict == "narrower"
    proof = prove(shipped, candidate, budget=Budget(3))
    assert (proof.verdict, proof.steps) == ("unknown", 3)
    assert any(line.endswith("civil-read") for line in proof.open)


@pytest.mark.parametrize(
    "when",
    [
        "env.purpose == env.time",
        'ip_in(device.id, "10.0.0.0/29")',  # `10.0.0.1` is a text that no rule says
        'between(env.purpose, "08:00", "18:00") and env.purpose != "08:00"',
        'env.source == device.id and ip_in(env.source, "10.0.0.0/30") and device.id != "10.0.0.0"',
    ],
)
def test_a_rule_that_cannot_be_varied_is_unknown(when: str) -> None:
    assert on_cells(a_bundle([NEVER]), a_bundle([NEVER, a_rule(when)]), A0).verdict in ("unknown", "wider")


def native(folder: Path, rows: str, *denies: str) -> Policies:
    """A team's own casbin policy, beside rules that only deny."""
    rules = "".join(f"- {{id: deny-{n}, effect: deny, when: {when}}}\n" for n, when in enumerate(denies))
    folder.mkdir(parents=True)
    _, catalog = lint_world.policies(folder / "plain", lint_world.ALLOW)
    return Policies(load_policy(write_native(folder / "native", policy=rows, rules=rules), catalog.assets), catalog)


def test_a_native_policy_is_as_wide_as_itself_and_no_more_is_said(tmp_path: Path) -> None:
    one = native(tmp_path / "one", ALICE, "device.fresh")
    same = native(tmp_path / "two", ALICE, "device.fresh", "subject.bound")
    assert prove(one, same).verdict == "narrower"  # only a deny was added
    other = native(tmp_path / "three", ALICE + "p, bob, /households, GET\n", "device.fresh")
    assert prove(one, other).verdict == "unknown"


def test_somebody_who_has_signed_in_is_called_something() -> None:
    assert (
        on_cells(a_bundle([NEVER]), a_bundle([NEVER, a_rule('subject.id == ""', who=("signed-in",))]), A0).verdict
        == "narrower"
    )


A0 = an_asset(id="a0", category="c0")
NEVER = a_rule("subject.assurance < 1 and subject.assurance > 1", 9)


def with_roles(when: str, roles: dict[str, tuple[str, ...]]) -> Bundle:
    return Bundle(compiled(People(roles, ORGS), PROFILES, DATA, [a_rule(when)]))


def test_the_same_words_about_other_roles_are_not_the_same() -> None:
    base, candidate = (
        with_roles("env.purpose in subject.roles", {"a": (), "b": includes}) for includes in ((), ("a",))
    )
    (witness,) = on_cells(base, candidate, A0).witnesses
    assert {"purpose=a", "roles=[b]"} <= set(witness.candidate)
    assert on_cells(candidate, base, A0).verdict == "narrower"


def test_a_stricter_mask_that_fails_hides_nothing() -> None:
    strict, open_ = '{"mask": "strict"}', '{"mask": "none"}'
    base = a_bundle([a_rule("", 0, then=open_), a_rule("", 1, then=strict)])
    candidate = a_bundle([a_rule("", 0, then=open_), a_rule("risk.score >= 0", 1, then=strict)])
    (witness,) = on_cells(base, candidate, replace(A0, fields=FIELDS)).witnesses
    assert (witness.what, "risk=unknown" in witness.candidate) == ("shows", True)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ('between(env.time, "10:00", "10:30") and env.time != "10:00"', "time=10:01"),
        ('env.weekday == "sun" and env.hour == 23', "time=23:00"),
        ("subject.auth_age > 300 and subject.auth_age < 301", "auth_age=300.5"),
        ("subject.auth_age > 999999999", "auth_age=1000000000"),
        ('env.source == "10.0.0.1" or not ip_in(env.source, "10.0.0.0/8") and ip_in(env.source, "0.0.0.0/0")', ""),
        ('not ip_in(env.source, "::/0", "0.0.0.0/1") and env.source != "128.0.0.0"', 'source="192.0.2.1"'),
        ('subject.id != "somebody" and subject.id != "other" and env.purpose == subject.id', ""),
        ('not (risk.known or env.purpose == "a") and risk.band == "limit"', "band=limit"),
    ],
)
def test_a_needle_is_found(when: str, said: str) -> None:
    base, candidate = a_bundle([NEVER]), a_bundle([NEVER, a_rule(when)])
    (witness,) = on_cells(base, candidate, A0).witnesses
    assert decided(witness, base, candidate, A0)
    assert not said or said.replace('"', "") in {word.replace('"', "") for word in witness.candidate}


def test_a_deny_that_struck_because_it_failed_is_missed() -> None:
    """The base refuses who has no history, because the deny cannot be evaluated; the candidate asks first."""
    base = a_bundle([a_rule(""), a_rule("risk.score >= 60", 1, "deny")])
    candidate = a_bundle([a_rule(""), a_rule("risk.known and risk.score >= 60", 1, "deny")])
    (witness,) = on_cells(base, candidate, A0).witnesses
    assert ("risk=unknown" in witness.candidate, witness.reasons[0][0]) == (True, "policy_error")
    assert on_cells(candidate, base, A0).verdict == "narrower"


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ((("$..name", "redact"),), (("$..name", "hash"),), True),
        ((("$..name", "hash"),), (("$..name", "redact"),), False),
        ((("$..name", "partial(1,0)"),), (("$..name", "partial(0,1)"),), True),
        ((("$..name", "redact"),), (("$..name", "redact"), ("$.x.name", "keep")), True),
        ((("$..name", "redact"),), (("$..name", "redact"), ("$.x[*]", "keep")), True),
        ((("$..name", "redact"),), (("$.x.name", "redact"), ("$..name", "redact")), False),
    ],
)
def test_paths_that_may_cross_are_never_called_narrower(
    before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...], wider: bool
) -> None:
    one, two = (Mask("p", tuple(FieldMask(*field) for field in fields), "warn") for fields in (before, after))
    assert opens(one, two) is wider


def test_labels_that_cannot_be_compared_are_unknown() -> None:
    fields = (Field("$..name", "name", Grade.GENERAL_3),)
    asset = an_asset(id="a0", category="c0", contract="warn", fields=fields)
    other = replace(asset, fields=(*fields, Field("$.x.name", "", Grade.GENERAL_1)))
    bundle = a_bundle([a_rule("", then='{"mask": "standard"}')])
    cell = Cell("GET", "/a0", "", (asset, other))
    assert prove_cells(bundle, bundle, iter([cell]), 0.0, Budget()).verdict == "unknown"


def test_a_mask_taken_from_an_allow_of_an_opaque_answer_widens() -> None:
    masked, plain = (a_bundle([a_rule("", then=then)]) for then in ('{"mask": "strict"}', "{}"))
    opaque = an_asset(id="a0", category="c0", opaque=True)
    assert on_cells(masked, plain, opaque).verdict == "wider"
    assert on_cells(plain, masked, opaque).verdict == "narrower"


# --- two laws ---------------------------------------------------------------------------------------


def on_cells(base: Bundle, candidate: Bundle, *assets: Asset) -> Proof:
    found: Iterator[Cell] = (Cell("GET", f"/{asset.id}", "", (asset, asset)) for asset in assets)
    return prove_cells(base, candidate, found, 0.0, Budget(20_000))


def proved(pair: Pair) -> Proof:
    return prove_cells(*pair.bundles, iter([Cell("GET", "/a", "", pair.assets)]), 0.0, Budget(20_000))


def contradicted(random: Random, pair: Pair, proof: Proof, starts: int) -> str:
    """A witness that is not decided as it says, or a request that a proof has missed; "" for neither."""
    for witness in proof.witnesses:
        found = wider(*as_asked(witness, pair.bundles, pair.assets))
        if found != witness.what:
            return f"the witness {witness} is {found or 'none'}"
    for point in points(random, starts) if proof.verdict == "narrower" else ():
        if found := wider(*said(pair, point)):
            return f"it {found} {point}"
    return ""


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_no_request_contradicts_a_proof_and_every_witness_is_real(seed: int) -> None:
    """Larger: `python -m tests.soak proofs`."""
    random = Random(seed)
    pair = a_pair(random)
    assert contradicted(random, pair, proved(pair), starts=1) == ""


def as_asked(
    witness: Witness, bundles: tuple[Bundle, Bundle], assets: tuple[Asset, Asset]
) -> tuple[Decision, Decision]:
    """What both policies decide, asked in the words of the witness."""
    told = []
    for bundle, asset, words in zip(bundles, assets, (witness.base, witness.candidate), strict=True):
        given_ = _given(words[3], list(words[7::2]))
        facts = suppose(asset, witness.method, witness.path, given_, bundle.content.timezone, bundle.granted)
        told.append(decide(bundle, facts, BY_GRADE[asset.grade.national]))
    return told[0], told[1]


def decided(witness: Witness, base: Bundle, candidate: Bundle, asset: Asset) -> bool:
    """Whether both policies, asked in the words of the witness, say what it says."""
    return wider(*as_asked(witness, (base, candidate), (asset, asset))) == witness.what


@pytest.mark.parametrize(
    ("before", "after", "duties"),
    [
        ('{"log": "synced"}', "{}", ("log: synced",)),
        ('{"notify": ["audit", "security"]}', '{"notify": ["audit"]}', ("notify: security",)),
        ('{"watermark": true}', "{}", ("watermark: true",)),
        ('{"request": "pii-strict"}', '{"request": "pii-strict"}', ()),
        ("{}", '{"log": "synced", "notify": ["audit"]}', ()),
        ('{"notify": ["audit"]}', '{"notify": ["audit"], "log": "synced"}', ()),
    ],
)
def test_a_duty_that_is_left_out_is_wider(before: str, after: str, duties: tuple[str, ...]) -> None:
    proof = on_cells(a_bundle([a_rule("", then=before)]), a_bundle([a_rule("", then=after)]), A0)
    assert [(one.what, one.duties) for one in proof.witnesses] == ([("owes", duties)] if duties else [])
    assert proof.verdict == ("wider" if duties else "narrower")


def test_a_duty_that_another_allow_brings_is_kept() -> None:
    one, two = a_rule("", then='{"notify": ["audit"]}'), a_rule("subject.bound", 1, then='{"log": "synced"}')
    moved = [replace(one, then='{"log": "synced"}'), a_rule("", 1, then='{"notify": ["audit"]}')]
    assert on_cells(a_bundle([one, two]), a_bundle(moved), A0).verdict == "narrower"
    (witness,) = on_cells(a_bundle(moved), a_bundle([one, two]), A0).witnesses
    assert witness.duties == ("log: synced",)


def filtered(*values: str, field: str = "$.district") -> str:
    return written(Then(rows=(RowRule(field, values),)))


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (filtered("subject.org"), filtered("subject.org"), "narrower"),
        (filtered("hz", "subject.org"), filtered("subject.org"), "narrower"),
        ("{}", filtered("subject.org"), "narrower"),
        (filtered("subject.org"), "{}", "wider"),
        (filtered("subject.org"), filtered("hz", "subject.org"), "wider"),
        (filtered("hz"), filtered("nb"), "wider"),
        (filtered("hz"), filtered("hz", field="$.city"), "wider"),
    ],
)
def test_a_filter_that_is_dropped_or_lets_more_pass_is_wider(before: str, after: str, verdict: str) -> None:
    proof = on_cells(a_bundle([a_rule("", then=before)]), a_bundle([a_rule("", then=after)]), A0)
    assert proof.verdict == verdict
    assert [shift.path for one in proof.witnesses for shift in one.fields] == (
        ["rows $.district"] if verdict == "wider" else []
    )


def suppressing(k: int, *fields: str) -> Bundle:
    rare = {name: Suppress(k, fields) for name in PROFILES.by_name} if k else {}
    return a_bundle([a_rule("")], profiles=replace(PROFILES, suppress=rare))


@pytest.mark.parametrize(
    ("base", "candidate", "verdict"),
    [
        (suppressing(5, "$..sex"), suppressing(5, "$..sex"), "narrower"),
        (suppressing(5, "$..sex"), suppressing(6, "$..age", "$..sex"), "narrower"),
        (suppressing(0), suppressing(5, "$..sex"), "narrower"),
        (suppressing(5, "$..sex"), suppressing(0), "wider"),
        (suppressing(5, "$..sex"), suppressing(4, "$..sex"), "wider"),
        (suppressing(5, "$..age", "$..sex"), suppressing(5, "$..sex"), "wider"),
    ],
)
def test_what_is_suppressed_no_more_is_wider(base: Bundle, candidate: Bundle, verdict: str) -> None:
    proof = on_cells(base, candidate, A0)
    assert proof.verdict == verdict
    assert [shift.path for one in proof.witnesses for shift in one.fields] == (
        ["suppress"] if verdict == "wider" else []
    )


def test_a_budget_whose_mask_suppresses_less_is_never_called_narrower(tmp_path: Path, shipped: Policies) -> None:
    word = "serve the person at the counter\n"
    rare = changed(tmp_path, "masks.yaml", word, f"{word}    suppress: {{k: 5, by: [phone]}}\n")
    assert "budgets.yaml audit-day" in prove(rare, shipped).open
    assert "budgets.yaml audit-day" not in prove(shipped, rare).open


def test_a_filter_that_another_allow_brings_is_kept() -> None:
    both = [a_rule("", then=filtered("hz")), a_rule("", 1, then="{}")]
    assert on_cells(a_bundle(both), a_bundle([both[0]]), A0).verdict == "narrower"
    assert on_cells(a_bundle(both), a_bundle([both[1]]), A0).verdict == "wider"


def test_what_is_let_through_in_bulk_only_is_wider() -> None:
    """At the grade of one record both say the same."""
    many = replace(A0, bulk=(Bulk(100, Grade.CORE, "bulk"),))
    less, more = a_rule("", level="<= important"), a_rule("", level="any")
    (witness,) = on_catalog(a_bundle([less]), a_bundle([more]), many).witnesses
    assert [(one.path, one.after) for one in witness.fields] == [("* (101 records)", "shown")]
    assert on_catalog(a_bundle([more]), a_bundle([less]), many).verdict == "narrower"


def on_catalog(base: Bundle, candidate: Bundle, asset: Asset) -> Proof:
    """About one record and about many, as `cells` gives them."""
    assets = (asset, asset)
    raised = (replace(asset, grade=Grade.CORE), replace(asset, grade=Grade.CORE))
    found = (Cell("GET", "/a0", "", assets, assets), Cell("GET", "/a0", "", raised, assets))
    return prove_cells(base, candidate, iter(found), 0.0, Budget())


def test_what_the_grade_demands_of_the_log_counts() -> None:
    """A rule that weakens it there changes nothing; a catalog that lowers the grade does."""
    strong, weak = a_bundle([a_rule("", then='{"log": "synced"}')]), a_bundle([a_rule("")])
    core = replace(A0, grade=Grade.CORE)
    assert on_cells(strong, weak, core).verdict == "narrower"
    lowered = prove_cells(weak, weak, iter([Cell("GET", "/a0", "", (core, A0))]), 0.0, Budget())
    assert [one.duties for one in lowered.witnesses] == [("log: synced",)]


def test_whoever_has_a_clock_may_end_it() -> None:
    looks = iter([True, True, False])
    budget = Budget(goes_on=lambda: next(looks))
    found = iter([Cell("GET", f"/{n}", "", (A0, A0)) for n in range(3)])
    proof = prove_cells(
        a_bundle([a_rule("subject.bound")]), a_bundle([a_rule("not subject.bound")]), found, 0.0, budget, 9
    )
    assert (proof.verdict, proof.ran_out, len(proof.witnesses), proof.cells) == ("wider", True, 1, 3)
    assert proof.open == ("GET /1", "GET /2")


def test_a_rule_that_opens_tokens_is_never_called_narrower(tmp_path: Path) -> None:
    base, folder = policies(SHIPPED), tmp_path / "changed"
    shutil.copytree(SHIPPED, folder)
    (folder / "rules" / "60-reveal.yaml").write_text(
        "rules:\n  - {id: opens, effect: allow, who: clerk, data: household, action: reveal, level: any,"
        " when: 'subject.assurance >= 2 and env.purpose == \"x\" and approval.held', then: {mask: none}}\n",
        encoding="utf-8",
    )
    opening = policies(folder)
    proof = prove(base, opening)
    assert (proof.verdict, proof.open) == ("unknown", ("reveal opens",))
    assert prove(opening, opening).verdict == "narrower"
    assert prove(opening, base).verdict == "narrower"
