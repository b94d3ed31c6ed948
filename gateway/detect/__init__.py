"""Which identifiers are in this text?"""

from gateway.detect.gate import ENGINE, Gate
from gateway.detect.identifiers import DETECTORS, Detector, named, recognise
from gateway.detect.prose import Span, masked, spans

__all__ = [
    "DETECTORS",
    "ENGINE",
    "Detector",
    "Gate",
    "Span",
    "masked",
    "named",
    "recognise",
    "spans",
]
