"""Tell the operators: metrics and lines, read from the entries so that they cannot contradict the record."""

from gateway.telemetry.lines import Lines
from gateway.telemetry.metrics import Gauges, Meter
from gateway.telemetry.pairs import Pairs, Story, Told

__all__ = ["Gauges", "Lines", "Meter", "Pairs", "Story", "Told"]
