"""How are they behaving?

Weighs each request against what the ledger says about its session, user, device and source.
One learning path: entries, wherever they come from. The same entries give the same judgement.
"""

from gateway.behaviour.evidence import in_chinese
from gateway.behaviour.settings import Settings
from gateway.behaviour.signals import SIGNALS, Meaning
from gateway.behaviour.sites import Site, load_sites, parse_sites
from gateway.behaviour.watcher import Watcher

__all__ = ["SIGNALS", "Meaning", "Settings", "Site", "Watcher", "in_chinese", "load_sites", "parse_sites"]
