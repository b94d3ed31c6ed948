"""What can be wrong with a configuration, in words for whom?"""

import string

from gateway.config.codes import CODES, fault, key_fault, key_place
from gateway.document import Node, parse


def test_every_code_speaks_both_languages_with_the_same_values() -> None:
    for kind, meaning in CODES.items():
        pairs = ((meaning.en, meaning.zh), (meaning.remedy_en, meaning.remedy_zh))
        for english, chinese in pairs:
            assert bool(english) == bool(chinese), kind
            assert english[:1] == english[:1].lower() or english.startswith(("A ", "TLS")), kind
            assert not english.endswith("."), kind
            names = [
                {f.removesuffix("_en").removesuffix("_zh") for _, f, _, _ in string.Formatter().parse(text) if f}
                for text in (english, chinese)
            ]
            assert names[0] == names[1], kind


def test_a_code_means_one_thing() -> None:
    codes = [meaning.code for kind, meaning in CODES.items() if kind != "token_inline"]
    assert len(codes) == len(set(codes))


def test_a_fault_points_at_the_value_and_a_key_fault_at_the_key() -> None:
    root = parse("audit:\n  keep: 1d\n", "gateway.yaml")
    audit = root.at(["audit"])
    assert (fault(root.at(["audit", "keep"]), "keep_short", value="1d").line, audit.keys["keep"]) == (2, (2, 3))
    assert key_fault(audit, "keep", "unknown_key", key="keep", hint_en="", hint_zh="").column == 3


def test_a_key_that_a_variable_put_there_is_found_at_the_variable() -> None:
    root = parse("version: 1\n", "gateway.yaml")
    assert isinstance(root.value, dict)
    root.value["odd"] = Node("x", "GATEWAY__ODD", 1, 1)
    assert key_place(root, "odd").file == "GATEWAY__ODD"
