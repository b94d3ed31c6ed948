"""Which function is behind a technique?

The modules named here register theirs as they are read; a test holds that there is one for every technique of `gateway.masks`.
"""

from gateway.masking import generalise, reversible, techniques
from gateway.masking.techniques import REGISTRY, Apply, Number
from gateway.masks import Technique

SOURCES = (techniques, generalise, reversible)


def compiled(chosen: Technique) -> tuple[Apply, Number]:
    """What becomes of a text and of a number (by its spelling in JSON) under a technique."""
    makers = REGISTRY[chosen.name]
    text = makers.text(*chosen.numbers)
    return text, makers.number(*chosen.numbers) if makers.number is not None else text
