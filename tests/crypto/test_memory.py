"""Abuse: make a worker crash and read the keys, tokens and answers of others in the core file."""

import subprocess
import sys

CHILD = """
import ctypes, os, resource
from gateway.crypto import memory

resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
print(memory.sealed(), flush=True)
if os.fork() == 0:
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(memory.PR_GET_DUMPABLE, 0, 0, 0, 0), flush=True)
    os.abort()
print(os.WCOREDUMP(os.wait()[1]))
"""


def test_no_process_leaves_its_memory_behind_when_it_crashes() -> None:
    run = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.splitlines() == ["True", "(0, 0) 0", "False"]
