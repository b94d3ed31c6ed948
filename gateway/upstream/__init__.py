"""Carry it: forwards exactly what was decided to the service behind the gateway, and returns an unread reply.

`client` tells the story; `settings` what is configured; `request` and `reply` what is said and heard;
`assertion` who is asking; `connection`, `pool`, `balance`, `health` and `tls` how it travels;
`reader` where an answer ends.
"""

from gateway.upstream.assertion import SigningKey
from gateway.upstream.client import Upstream
from gateway.upstream.settings import SWITCHES, Assertion, Endpoint, Health, Service, Settings, Timeouts

__all__ = ["SWITCHES", "Assertion", "Endpoint", "Health", "Service", "Settings", "SigningKey", "Timeouts", "Upstream"]
