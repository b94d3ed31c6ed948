"""Does the house still stand as planned? Floors, doors of libraries, seals, names, docstrings, twin tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "gateway"

FLOORS = [
    {"reasons"},
    {"facts"},
    {"entries"},
    {"crypto", "detect", "document", "jsonpath", "masks"},
    {
        "edge",
        "identity",
        "device",
        "behaviour",
        "exposure",
        "catalog",
        "discovery",
        "policy",
        "upstream",
        "masking",
        "audit",
        "telemetry",
        "stores",
    },
    {"journey", "config", "inventory", "review"},
    {"control"},
    {"serve"},
    {"app"},
    {"demo"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

PURE = {
    "reasons",
    "facts",
    "entries",
    "exposure",
    "policy",
    "catalog",
    "masking",
    "masks",
    "jsonpath",
    "detect",
    "inventory",
    "review",
}
IMPURE = {"asyncio", "socket", "sqlite3", "time", "random", "secrets", "os", "starlette", "httpx", "subprocess"}

DOORS = {  # one library, one door
    "starlette": {"edge", "control", "app", "journey", "demo"},
    "casbin": {"policy"},
    "prometheus_client": {"telemetry"},
    "structlog": {"telemetry"},
    "authlib": {"identity"},
    "jwt": {"crypto"},
    "yaml": {"document"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "uvicorn": {"edge", "control", "app", "serve", "demo"},
}

SEALS = {
    "Permit": {"policy"},
    "Warrant": {"audit"},
    "RawReply": {"upstream"},
    "Reply": {"masking", "edge"},
}
COPIERS = {"replace", "force_setattr", "__new__", "convert", "__replace__", "__reduce__"}
SEALED_ROOMS = {"journey", "app", "serve", "edge", "upstream", "masking", "audit", "control"}  # where seals come by
REFUSED_NAMES = ("Manager", "Helper", "Util", "Base", "Mixin", "Impl", "Processor", "Handler", "Context")


def modules() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def room(path: Path) -> str:
    first = path.relative_to(HOUSE).parts[0]
    return first.removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module or ""
            if node.module == "gateway":
                yield from (f"gateway.{alias.name}" for alias in node.names)


def house_imports(path: Path) -> Iterator[str]:
    for name in imports(tree(path)):
        parts = name.split(".")
        if parts[0] == "gateway" and len(parts) > 1 and not parts[1].startswith("__"):
            yield parts[1]


def floor_faults(path: Path) -> list[str]:
    own = room(path)
    if own == "__init__":
        return []
    return [
        f"{path.relative_to(ROOT)}: {own} (floor {FLOOR[own]}) imports {other} (floor {FLOOR[other]})"
        for other in house_imports(path)
        if other != own and FLOOR[other] >= FLOOR[own]
    ]


def seal_faults(path: Path) -> list[str]:
    own = room(path)
    faults = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = _called(node.func)
            if name in SEALS and own not in SEALS[name]:
                faults.append(f"{path}:{node.lineno}: {own} builds the seal {name}")
            if name in COPIERS and own in SEALED_ROOMS and _may_copy_a_seal(node):
                faults.append(f"{path}:{node.lineno}: {name} could forge a seal")
            if isinstance(node.func, ast.Call) and _called(node.func.func) == "type":
                faults.append(f"{path}:{node.lineno}: type(x)(…) could forge a seal")
    return faults


def _called(func: ast.expr) -> str:
    if isinstance(func, ast.Name):
        return func.id
    return func.attr if isinstance(func, ast.Attribute) else ""


def _may_copy_a_seal(call: ast.Call) -> bool:
    """`replace` on text is harmless: it takes constants or the struct functions are imported by name."""
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr == "replace":
        return _called(func.value) in {"dataclasses", "structs", "copy", "msgspec"}
    if isinstance(func, ast.Attribute) and func.attr == "convert":
        return isinstance(func.value, ast.Name) and func.value.id == "msgspec" and _names_a_seal(call)
    return True


def _names_a_seal(call: ast.Call) -> bool:
    return any(isinstance(node, ast.Name) and node.id in SEALS for arg in call.args for node in ast.walk(arg))


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_a_module_imports_only_floors_below_its_own(path: Path) -> None:
    assert floor_faults(path) == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_a_seal_is_made_only_in_its_room(path: Path) -> None:
    assert seal_faults(path) == []


def test_one_library_has_one_door() -> None:
    faults = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in {n.split(".")[0] for n in imports(tree(path))}
        if name in DOORS and room(path) not in DOORS[name]
    ]
    assert faults == []


def test_casbin_is_imported_in_few_places_of_policy() -> None:
    doors = {
        path.relative_to(HOUSE / "policy").as_posix()
        for path in modules()
        if any(n.split(".")[0] == "casbin" for n in imports(tree(path)))
    }
    assert doors == {"engine.py", "native/enforcer.py", "native/functions.py"}


def test_pure_rooms_touch_no_clock_and_no_socket() -> None:
    faults = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        if room(path) in PURE
        for name in {n.split(".")[0] for n in imports(tree(path))}
        if name in IMPURE
    ]
    assert faults == []


def test_every_module_opens_with_a_docstring() -> None:
    assert [str(p.relative_to(ROOT)) for p in modules() if not ast.get_docstring(tree(p))] == []


def test_every_module_has_a_test_of_the_same_name() -> None:
    missing = []
    for path in modules():
        inside = path.relative_to(HOUSE)
        if path.name in {"__init__.py", "__main__.py", "settings.py"}:
            continue
        if not (ROOT / "tests" / inside.parent / f"test_{path.name}").exists():
            missing.append(str(inside))
    assert missing == []


def test_no_class_is_named_for_what_it_is_not() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and (node.name.endswith(REFUSED_NAMES) or node.name.startswith("Abstract"))
    ]
    assert faults == []


def test_except_exception_stands_only_at_the_boundary() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        if room(path) != "app"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    assert faults == []
