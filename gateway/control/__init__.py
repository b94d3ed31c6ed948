"""The operators' door: revoke, reload, report, ask, scrape. Never on the data port (CVE-2022-24797)."""

from gateway.control.callers import Credential, Peer, Settings
from gateway.control.connection import DoorProtocol, server_config, unix_socket
from gateway.control.door import (
    Act,
    Confirmed,
    Door,
    DoorFault,
    EmergencyAsked,
    EmergencyDoor,
    EmergencyWish,
    Lifted,
    PilotDoor,
    Piloted,
    PilotLimits,
    PilotWish,
    PostureFault,
    Query,
    Recorder,
    Rejected,
    Reloaded,
    Revocation,
    Revoked,
    Role,
)
from gateway.control.entrance import control_app
from gateway.control.routes import WAYS

__all__ = [
    "WAYS",
    "Act",
    "Confirmed",
    "Credential",
    "Door",
    "DoorFault",
    "DoorProtocol",
    "EmergencyAsked",
    "EmergencyDoor",
    "EmergencyWish",
    "Lifted",
    "Peer",
    "PilotDoor",
    "PilotLimits",
    "PilotWish",
    "Piloted",
    "PostureFault",
    "Query",
    "Recorder",
    "Rejected",
    "Reloaded",
    "Revocation",
    "Revoked",
    "Role",
    "Settings",
    "control_app",
    "server_config",
    "unix_socket",
]
