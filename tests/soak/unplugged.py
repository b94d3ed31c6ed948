"""`python -m tests.soak.unplugged serve …`: the gateway, with a note of what each fdatasync made durable.

SOAK_SYNCED names a file. A line there says inode and size: so many bytes of that file survive a power cut.
A new name counts as durable with its file: `publish` and `replace` sync the directory before they return.
"""

import os
import sys

_NOTES = os.open(os.environ["SOAK_SYNCED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _noting(sync):  # type: ignore[no-untyped-def]  # a wrapper of a system call
    def noted(descriptor: int) -> None:
        before = os.fstat(descriptor)
        sync(descriptor)
        os.write(_NOTES, b"%d %d\n" % (before.st_ino, before.st_size))

    return noted


os.fdatasync, os.fsync = _noting(os.fdatasync), _noting(os.fsync)

from gateway.__main__ import main  # noqa: E402 - the calls are noted from the first import on

if __name__ == "__main__":
    sys.exit(main())
