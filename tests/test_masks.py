"""Mask specifications: what is read, what is refused, which is the stricter."""

from itertools import product

import pytest

from gateway.masks import TECHNIQUES, BadTechnique, Technique, parse_technique, strictest


@pytest.mark.parametrize(
    ("text", "technique"),
    [
        ("keep", Technique("keep")),
        ("redact", Technique("redact")),
        ("partial(3,4)", Technique("partial", (3, 4))),
        ("partial( 3 , 4 )", Technique("partial", (3, 4))),
        ("truncate(6)", Technique("truncate", (6,))),
        ("hash", Technique("hash")),
        ("drop", Technique("drop")),
        ("null", Technique("null")),
        ("year", Technique("year")),
        ("bucket(1000000000)", Technique("bucket", (1000000000,))),
        ("noise(5)", Technique("noise", (5,))),
        ("geo(0)", Technique("geo", (0,))),
        ("fpe", Technique("fpe")),
    ],
)
def test_a_specification_is_read_and_spelled_again(text: str, technique: Technique) -> None:
    assert parse_technique(text) == technique
    assert parse_technique(technique.text) == technique


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Redact",
        "redact()",
        "redact(1)",
        "partial",
        "partial(3)",
        "partial(3,4,5)",
        "partial(-1,2)",
        "partial(a,b)",
        "partial(3,4",
        "partial 3,4",
        "truncate(0)",
        "truncate(65)",
        "hash(md5)",
        "blur",
        "keep ",
        "partial(３,４)",
        "redact\n",
        "bucket(1)",
        "bucket(1000000001)",
        "bucket(10000000000)",
        "noise(0)",
        "noise(101)",
        "geo(5)",
        "year(1)",
    ],
)
def test_what_is_not_a_technique_says_why(text: str) -> None:
    with pytest.raises(BadTechnique) as fault:
        parse_technique(text)
    assert fault.value.en
    assert fault.value.zh


EXAMPLES = [Technique(name) for name, kind in TECHNIQUES.items() if kind.arity == 0] + [
    Technique("partial", (3, 0)),
    Technique("partial", (0, 4)),
    Technique("partial", (1, 1)),
    Technique("truncate", (6,)),
    Technique("truncate", (2,)),
    Technique("bucket", (10,)),
    Technique("bucket", (15,)),
    Technique("bucket", (999_999_937,)),
    Technique("noise", (5,)),
    Technique("noise", (20,)),
    Technique("geo", (1,)),
    Technique("geo", (3,)),
]


def test_the_strictest_of_two_hides_what_either_hides() -> None:
    for one, other in product(EXAMPLES, EXAMPLES):
        both = strictest(one, other)
        assert TECHNIQUES[both.name].strictness >= max(TECHNIQUES[t.name].strictness for t in (one, other))
        assert strictest(one, one) == one
        assert strictest(both, one) == both
        assert strictest(both, other) == both


def test_neither_order_nor_grouping_matters() -> None:
    for one, other, third in product(EXAMPLES, EXAMPLES, EXAMPLES):
        assert strictest(one, other) == strictest(other, one) or {one.name, other.name} <= {"truncate", "partial"}
        assert strictest(strictest(one, other), third) == strictest(one, strictest(other, third))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("partial(3,0)", "partial(0,4)", "partial(0,0)"),
        ("truncate(6)", "truncate(2)", "truncate(2)"),
        ("truncate(6)", "partial(1,1)", "partial(1,0)"),
        ("year", "month", "year"),
        ("quarter", "decade", "decade"),
        ("bucket(10)", "bucket(15)", "bucket(30)"),
        ("bucket(999999937)", "bucket(10)", "hash"),
        ("noise(5)", "noise(20)", "noise(20)"),
        ("geo(3)", "geo(1)", "geo(1)"),
        ("year", "bucket(10)", "hash"),
        ("encrypt", "fpe", "hash"),
        ("partial(3,4)", "hash", "hash"),
        ("redact", "null", "null"),
        ("null", "drop", "drop"),
        ("keep", "fpe", "fpe"),
    ],
)
def test_what_hides_both(one: str, other: str, both: str) -> None:
    assert strictest(parse_technique(one), parse_technique(other)).text == both
