"""What of the answer may be shown?

The only room that turns what a service said into something that may be sent.
"""

from gateway.masking.reveal import Masking
from gateway.masking.settings import Settings

__all__ = ["Masking", "Settings"]
