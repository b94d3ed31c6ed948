"""How is each kind of policy file laid out?"""

from gateway.behaviour import sites
from gateway.catalog import declarations
from gateway.cli.policy import forms
from gateway.device import register
from gateway.document import lay_out
from gateway.policy import examples, grants, rules

TOPS = {"locked", "rules", "org", "level", "title", "mask", "freeze_grants"}


def test_every_key_that_a_reader_knows_has_its_place() -> None:
    assert forms.RULE.order == rules.KEYS
    assert set(forms.TEST.order) == set(examples.KEYS) | {"emergency"}
    assert forms.GRANT.order == grants.KEYS
    assert forms.ASSET.order == declarations.ASSET_KEYS
    assert forms.ENDPOINT.order == declarations.ENDPOINT_KEYS
    assert forms.FIELD.order == declarations.FIELD_KEYS
    assert forms.DEVICE.order == register._KEYS
    assert forms.SITE.order == sites._KEYS


def test_every_top_of_a_file_has_its_place() -> None:
    expected = {key for keys in rules.EXPECTED.values() for key in keys}
    assert expected == TOPS
    assert TOPS | {"roles", "orgs", "timezone", "profiles", "default", "observe"} <= set(forms.FILE.order)
    assert set(declarations._FILE_KEYS) | {"names"} <= set(forms.FILE.order)
    assert {"grants", "assets", "devices", "sites", "tests"} <= set(forms.FILE.order)


def test_each_kind_looks_like_itself() -> None:
    text = """\
orgs: {hz: {parent: prov, title: {en: H, zh: 杭}}}
rules: [{level: '>= core', id: a, then: {notify: [x], mask: m}}, {id: b, level: any}]
devices: [{managed: true, id: d}]
tests: [{expect: deny, name: t, given: {role: x}}]
assets: [{endpoints: [GET /a], id: h}]
profiles: {p: {'*': keep, suppress: {by: [phone], k: 5}}}
"""
    assert (
        lay_out(text, "", forms.FILE)
        == """\
orgs:
  hz:
    title: {zh: 杭, en: H}
    parent: prov
profiles:
  p:
    "*": keep
    suppress: {k: 5, by: [phone]}
rules:
  - id: a
    level: ">= core"
    then: {mask: m, notify: [x]}

  - id: b
    level: any
assets:
  - id: h
    endpoints:
      - GET /a
devices:
  - {id: d, managed: true}
tests:
  - name: t
    given: {role: x}
    expect: deny
"""
    )
