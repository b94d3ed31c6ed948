"""Which machines do we own?

`policies/devices.yaml`: a strict reader that reports every fault at once (D001 … D009).
A device is recognised by its certificate: by thumbprint where thumbprints are listed, by the name
that the device CA wrote into it where none are. Listing one therefore pins the device to it.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec import Struct

from gateway.crypto.digest import b64url
from gateway.document import Faulty, FileFault, Node, parse, read

DEVICES_MAX = 200_000
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}:?){32}")
_KEYS = ("id", "org", "managed", "thumbprints")


class Device(Struct, frozen=True):
    """A row of the register. `thumbprints` are x5t#S256 (RFC 8705) of its certificates."""

    id: str
    org: str = ""
    managed: bool = False
    thumbprints: tuple[str, ...] = ()


def load_register(path: Path, orgs: Collection[str] | None = None) -> tuple[Device, ...]:
    """Read the register. Raises Faulty; with `orgs`, also for an owner that is none of them."""
    return _devices(read(path), orgs)


def parse_register(text: str, file: str, orgs: Collection[str] | None = None) -> tuple[Device, ...]:
    """Read the register from text. Raises Faulty."""
    return _devices(parse(text, file), orgs)


def _devices(root: Node, orgs: Collection[str] | None) -> tuple[Device, ...]:
    if root.value is None:
        return ()
    rows = _rows(root)
    faults = list(root.unknown_keys(("devices",), "D001"))
    devices: list[Device] = []
    for row in rows:
        found = list(_row_faults(row, orgs))
        faults.extend(found)
        if not found:
            devices.append(_device(row))
    faults.extend(_repeated(rows))
    if faults:
        raise Faulty(sorted(faults))
    return tuple(devices)


def _rows(root: Node) -> list[Node]:
    if not isinstance(root.value, dict):
        raise Faulty([_fault(root, "D001", "expected `devices:` with a list", "应为 `devices:` 及其列表")])
    listed = root.value.get("devices")
    if listed is None or listed.value is None:
        return []
    if not isinstance(listed.value, list):
        raise Faulty([_fault(listed, "D002", "`devices` must be a list", "`devices` 必须是列表")])
    if len(listed.value) > DEVICES_MAX:
        raise Faulty([_fault(listed, "D002", f"more than {DEVICES_MAX} devices", f"设备超过 {DEVICES_MAX} 台")])
    return listed.value


def _row_faults(row: Node, orgs: Collection[str] | None) -> Iterator[FileFault]:
    if not isinstance(row.value, dict):
        yield _fault(row, "D003", "a device needs `id` and `org`", "设备条目需要 `id` 和 `org`")
        return
    yield from row.unknown_keys(_KEYS, "D001")
    yield from _id_faults(row, row.value.get("id"))
    yield from _org_faults(row.value.get("org"), orgs)
    managed = row.value.get("managed")
    if managed is not None and not isinstance(managed.value, bool):
        yield _fault(managed, "D006", "`managed` is true or false", "`managed` 只能是 true 或 false")
    yield from _thumbprint_faults(row.value.get("thumbprints"))


def _id_faults(row: Node, id: Node | None) -> Iterator[FileFault]:
    if id is None:
        yield _fault(row, "D003", "the device has no `id`", "设备缺少 `id`")
    elif not isinstance(id.value, str) or not _plain(id.value):
        yield _fault(
            id, "D004", "an `id` is a text of 1 to 128 visible characters", "`id` 须为 1 至 128 个可见字符的文本"
        )


def _org_faults(org: Node | None, orgs: Collection[str] | None) -> Iterator[FileFault]:
    if org is None or org.value is None:
        return
    if not isinstance(org.value, str):
        yield _fault(org, "D005", "`org` is the name of an org", "`org` 须为机构名称")
    elif orgs is not None and org.value not in orgs:
        yield _fault(
            org, "D005", f"`{org.value}` is not an org of people.yaml", f"people.yaml 中没有机构 `{org.value}`"
        )


def _thumbprint_faults(listed: Node | None) -> Iterator[FileFault]:
    if listed is None or listed.value is None:
        return
    if not isinstance(listed.value, list):
        yield _fault(listed, "D007", "`thumbprints` must be a list", "`thumbprints` 必须是列表")
        return
    for item in listed.value:
        if isinstance(item.value, str) and _THUMBPRINT.fullmatch(item.value):
            continue
        hint = ("", "")
        if isinstance(item.value, str) and _HEX.fullmatch(item.value):
            hint = (f"in this form: {_base64url(item.value)}", f"请改写为：{_base64url(item.value)}")
        yield item.fault(
            "D007",
            "a thumbprint is 43 characters of base64url (SHA-256 of the certificate)",
            "指纹为证书 SHA-256 的 base64url 形式，共 43 个字符",
            *hint,
        )


def _repeated(rows: list[Node]) -> Iterator[FileFault]:
    """Two rows of one id, or two devices of one certificate: which one it is would be chance."""
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        for what, code, node in _names(row):
            name = str(node.value)
            first = seen.setdefault((what, name), node.line)
            if first != node.line:
                yield _fault(
                    node, code, f"{what} `{name}` stands on line {first} already", f"`{name}` 已在第 {first} 行出现"
                )


def _names(row: Node) -> Iterator[tuple[str, str, Node]]:
    values = row.value if isinstance(row.value, dict) else {}
    if "id" in values:
        yield "device", "D008", values["id"]
    listed = values.get("thumbprints")
    for item in listed.value if listed is not None and isinstance(listed.value, list) else ():
        yield "thumbprint", "D009", item


def _device(row: Node) -> Device:
    values = row.value if isinstance(row.value, dict) else {}
    plain = {key: node.plain() for key, node in values.items()}
    thumbprints = plain.get("thumbprints")
    return Device(
        str(plain["id"]),
        str(plain.get("org") or ""),
        plain.get("managed") is True,
        tuple(str(item) for item in thumbprints) if isinstance(thumbprints, list) else (),
    )


def _plain(text: str) -> bool:
    return 0 < len(text) <= 128 and text.isprintable() and text == text.strip()


def _base64url(digest: str) -> str:
    return b64url(bytes.fromhex(digest.replace(":", "")))


def _fault(node: Node, code: str, en: str, zh: str) -> FileFault:
    return node.fault(code, en, zh)
