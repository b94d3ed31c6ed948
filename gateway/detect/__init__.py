"""Which identifiers are in this text?"""

from gateway.detect.gate import ENGINE, Gate
from gateway.detect.identifiers import DETECTORS, Detector, named, recognise
from gateway.detect.members import has_form, is_member
from gateway.detect.prose import Span, masked, spans

__all__ = [
    "DETECTORS",
    "ENGINE",
    "Detector",
    "Gate",
    "Span",
    "has_form",
    "is_member",
    "masked",
    "named",
    "recognise",
    "spans",
]
