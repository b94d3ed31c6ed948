"""From what machine?

Says what is known about the device behind a request: which one it is and how that was proven,
whether it is registered, what its last posture report said and how old that is.
"""

from gateway.device.certificates import Certificates
from gateway.device.posture import Devices, Postures
from gateway.device.register import Device, load_register, parse_register
from gateway.device.reports import Rejected, accept
from gateway.device.settings import CHECKS, Reporter, Settings

__all__ = [
    "CHECKS",
    "Certificates",
    "Device",
    "Devices",
    "Postures",
    "Rejected",
    "Reporter",
    "Settings",
    "accept",
    "load_register",
    "parse_register",
]
