"""Is this configuration good, and what does it come to?

One file and the environment become one frozen `Config`, made of each room's own settings.
Everything wrong with it is reported at once, with line, caret and remedy.
"""

from gateway.config.assemble import DEFAULT_ORIGIN, Config, ControlSettings
from gateway.config.loading import Places, fingerprint, load, places, schema
from gateway.config.units import Address

__all__ = [
    "DEFAULT_ORIGIN",
    "Address",
    "Config",
    "ControlSettings",
    "Places",
    "fingerprint",
    "load",
    "places",
    "schema",
]
