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
]


def test_the_strictest_of_two_hides_what_either_hides() -> None:
    for one, other in product(EXAMPLES, EXAMPLES):
        both = strictest(one, other)
        assert TECHNIQUES[both.name].strictness >= max(TECHNIQUES[t.name].strictness for t in (one, other))
        assert strictest(one, one) == one
        assert strictest(both, one) == both
        assert strictest(both, other) == both
    assert strictest(Technique("partial", (3, 0)), Technique("partial", (0, 4))) == Technique("partial", (0, 0))
    assert strictest(Technique("truncate", (6,)), Technique("truncate", (2,))) == Technique("truncate", (2,))
    assert strictest(Technique("truncate", (6,)), Technique("partial", (1, 1))) == Technique("partial", (1, 0))
