"""The command line's entry: `gateway …` and `python -m gateway …`."""

import sys

from gateway.cli import main as run
from gateway.crypto import memory


def main() -> None:
    """Run the command that was typed and leave with its exit code."""
    memory.sealed()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
