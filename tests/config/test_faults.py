"""Where does a pydantic error point, and what does it say to a person?"""

import pytest
from pydantic import ValidationError

from gateway.config.faults import known_keys, translate
from gateway.config.model import GatewayFile
from gateway.document import FileFault, parse

API = "apis: [{name: a, match: /a/**, upstream: https://h}]\n"


def faults(text: str) -> list[FileFault]:
    root = parse(text, "gateway.yaml")
    with pytest.raises(ValidationError) as caught:
        GatewayFile.model_validate(root.plain())
    return list(translate(root, caught.value))


def test_a_misspelt_key_is_one_fault_not_two() -> None:
    found = faults("version: 1\napis: [{name: a, match: /a/**, upsteam: https://h}]\n")
    assert [(one.code, one.column, one.remedy_en) for one in found] == [("C001", 32, 'did you mean "upstream"?')]


def test_two_different_mistakes_stay_two() -> None:
    found = faults("version: 1\napis: [{name: a, match: /a/**, colour: blue}]\n")
    assert sorted(one.code for one in found) == ["C001", "C002"]


def test_the_keys_of_every_section_are_known() -> None:
    assert "upstream" in known_keys(("apis", 0))
    assert known_keys(("apis", 0, "headers")) == ["forward", "return"]
    assert "core" in known_keys(("audit", "strength"))
    assert known_keys(("hosts",)) == []


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("workers: two\n", "C003", "a whole number"),
        ("workers: 0\n", "C005", "1 or more"),
        ("workers: 2.5\n", "C003", "a whole number"),
        ("hosts: api.gov\n", "C003", "a list"),
        ("tls: here\n", "C003", "a mapping of keys to values"),
        ("mode: Observe\n", "C004", "`Observe`"),
        ("policies: ''\n", "C006", "must not be empty"),
        ("identity: {leeway: 2m}\n", "C005", "1m or less"),
        ("device: {freshness: 3}\n", "C060", "`3` is not a length of time"),
        ("identity: {issuers: [{issuer: 5, audience: a}]}\n", "C065", "`5`"),
    ],
)
def test_a_wrong_value_is_said_in_plain_words(text: str, code: str, words: str) -> None:
    found = faults("version: 1\n" + text + API)
    assert [one.code for one in found] == [code]
    assert words in found[0].en
    assert not {"str", "int", "dict", "None", "bool"} & set(found[0].en.replace("`", " ").split())


def test_a_long_value_is_shortened() -> None:
    assert len(faults(f"version: 1\nmode: {'x' * 500}\n{API}")[0].en) < 120
