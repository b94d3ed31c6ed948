from gateway.masking.registry import SOURCES, compiled
from gateway.masking.techniques import REGISTRY
from gateway.masks import TECHNIQUES, Technique


def test_there_is_a_function_for_every_technique():
    assert set(REGISTRY) == set(TECHNIQUES)
    assert len(SOURCES) == 3


def test_a_number_is_masked_as_text_unless_a_technique_says_otherwise():
    text, number = compiled(Technique("partial", (1, 1)))
    assert text is number
    text, number = compiled(Technique("bucket", (10,)))
    assert text is not number
