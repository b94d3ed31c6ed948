"""From a file and the environment to a `Config`, or to everything that is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from gateway.config import checks, faults, overrides
from gateway.config.assemble import DEFAULT_ORIGIN, Config, assemble
from gateway.config.codes import fault
from gateway.config.model import GatewayFile
from gateway.crypto.digest import sha256
from gateway.crypto.suite import Profile
from gateway.document import Faulty, FileFault, Node, changeable, read

_PROFILES: Final[dict[str, Profile]] = {"sm": "sm", "dual": "dual"}


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the configuration. Raises Faulty with every fault; warnings are in `Config.warnings`.

    Relative paths in the file start at the folder of the file.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link out of a mounted folder
    root = read(path)
    if not isinstance(root.value, dict):
        raise Faulty(
            [fault(root, "wrong_form", key="file", expected_en="a mapping of keys to values", expected_zh="键值映射")]
        )
    said = fingerprint(root)
    found = list(overrides.apply(root, environ))
    if mode := changeable(path):
        found.append(fault(root, "file_changeable", value=path.name, mode=mode))
    file = _shaped(root, found)
    found += checks.check(root, checks.Ground(path.parent, environ))
    if file is None or any(not one.warning for one in found):
        raise Faulty(sorted(set(found)))
    made = assemble(file, root, path, environ, tuple(sorted(found)))
    if isinstance(made, Config):
        return replace(made, fingerprint=said)
    raise Faulty(sorted({*found, *made}))


def fingerprint(root: Node) -> str:
    """The name of what a configuration says: a file that was only touched, or commented, is the same."""
    return sha256(msgspec.json.encode(root.plain(), order="sorted")).hex()


def _shaped(root: Node, found: list[FileFault]) -> GatewayFile | None:
    """The file in its shape, or None after adding its faults to `found`."""
    try:
        return GatewayFile.model_validate(root.plain())
    except ValidationError as invalid:
        found += faults.translate(root, invalid)
        return None


class Places(Struct, frozen=True):
    """Where things are, as far as the file can be understood."""

    policies: Path
    state: Path
    socket: Path
    origin: str  # name of the ledger in its checkpoints
    crypto: Profile = "intl"


def places(path: Path, environ: Mapping[str, str]) -> Places:
    """Where things are, even when the file has faults elsewhere. Raises Faulty when it cannot be read at all.

    A revocation must not wait for somebody to finish editing the configuration.
    """
    folder = path.absolute().parent
    root = read(path)
    for _ in overrides.apply(root, environ):
        pass
    state = folder / checks.text(root, "state", "./state")
    socket = checks.text(root, "control.socket")
    return Places(
        Path(os.path.normpath(folder / checks.text(root, "policies", "./policies"))),
        Path(os.path.normpath(state)),
        Path(os.path.normpath(folder / socket if socket else state / "control.sock")),
        checks.text(root, "audit.origin", DEFAULT_ORIGIN),
        _PROFILES.get(checks.text(root, "crypto"), "intl"),
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `gateway.yaml`, for editors."""
    made = GatewayFile.model_json_schema(mode="validation", by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
