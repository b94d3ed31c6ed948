"""What of this process's memory may come to lie on a disk?

Nothing, if it is up to us: a core dump holds keys, credentials and the answers under way. `sealed` is called once at the
start; what is forked inherits it. RLIMIT_CORE alone is not enough: where the kernel hands dumps to a program
(`core_pattern` with a pipe), the limit does not count.
"""

import ctypes
import resource
from contextlib import suppress

PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4


def sealed() -> bool:
    """Let no core dump be made of this process, and nobody of the same account look into it; whether both was possible."""
    with suppress(OSError, ValueError):  # forbidden by a filter of system calls: then the unit says LimitCORE=0
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # of Linux alone
    undumpable = prctl is not None and prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
    return bool(undumpable) and resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
