"""How does `GATEWAY__AUDIT__KEEP=5y` change the file?

Variables that begin with `GATEWAY__` replace or add one value each; faults in them name the variable.
The value is read as YAML, so that `[a, b]` is a list and `true` a truth value.
"""

from collections.abc import Iterator, Mapping

from gateway.config.codes import fault
from gateway.document import Faulty, FileFault, Node, parse

PREFIX = "GATEWAY__"


def apply(root: Node, environ: Mapping[str, str]) -> Iterator[FileFault]:
    """Put every override into the tree; yields what could not be applied."""
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        place = Node(None, variable, 1, 1)
        try:
            value = parse(environ[variable], variable)
        except Faulty:
            yield fault(place, "override_value")  # without the value: it may be a secret put here by mistake
            continue
        steps = [step.lower() for step in variable.removeprefix(PREFIX).split("__")]
        if not _put(root, steps, value):
            yield fault(place, "override_place", path=".".join(steps))


def _put(root: Node, steps: list[str], value: Node) -> bool:
    """Set the value at this path, making sections on the way; False when the path cannot exist."""
    node = root
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if node.value is None:
            node.value = {}
        if isinstance(node.value, dict) and step:
            if last:
                node.value[step] = value
            node = node.value.setdefault(step, Node({}, value.file, 1, 1))
        elif isinstance(node.value, list) and step.isdecimal() and int(step) < len(node.value):
            if last:
                node.value[int(step)] = value
            node = node.value[int(step)]
        else:
            return False
    return True
