"""Runs in MicroPython: lays out the file systems as on a board, then runs its boot.py and main.py.

What it is told stands in its environment, since an argument would be a name in the heap: SOCKET, IMAGE (the flash),
ROM, CAUSE, EXTRAS: what /config.json says, with commas, where a locker needs `extras`; and PARTITION: a file, see
`romfs`, or nothing.

The flash is the root; the code is in /rom, read-only, as on a board with a ROMFS partition; or, without a ROM (-), on
the flash. A board that is not provisioned, or that is broken into, ends at its REPL.
"""

import os
import sys
from typing import TYPE_CHECKING

import machine
import micropython
import network  # noqa: F401  # pyright: ignore[reportUnusedImport] - loaded while its file can be reached
from blocks import FileBlocks, vfs
from wires import bundle

if TYPE_CHECKING:
    from typing import Any


def rom(path: str) -> "Any":
    """Of an image, or a folder of sources."""
    return vfs.VfsRom(mapped(path)) if path.endswith(".img") else vfs.VfsPosix(path)


def mapped(path: str) -> "Any":
    """A file's bytes in memory that is not the interpreter's heap: on a board it is flash."""
    ffi: Any = __import__("ffi")
    uctypes: Any = __import__("uctypes")
    size = os.stat(path)[6]
    image = uctypes.bytearray_at(ffi.open(None).func("p", "malloc", "L")(size), size)
    with open(path, "rb") as file:
        file.readinto(image)
    return image


def run(name: str) -> None:
    with open(("" if code == "-" else "/rom") + name) as file:
        text = file.read()
    exec(compile(text, name, "exec"), {"__name__": "__main__"})


def is_there(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def start() -> None:
    """As a board does: whatever ended its program, the REPL is there. But a provisioned one whose ROM fails to start
    is switched off by its cabinet, which says so."""
    try:
        if code != "-" or is_there("/main.py"):
            run("/boot.py")
            run("/main.py")
    except KeyboardInterrupt:
        pass
    except Exception as error:
        if code != "-" and is_there("/config.json"):
            raise
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    vfs.mount(vfs.VfsPosix(shim), "/shim")
    sys.path.append("/shim")
    serve = __import__("raw_repl").serve
    machine.Board.kbd_intr(3)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    serve()


getenv: "Any" = os.getenv
code = getenv("ROM")
machine.Board.cause = int(getenv("CAUSE"))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
bundle.connect(getenv("SOCKET"))
flash = vfs.VfsLfs2(FileBlocks(getenv("IMAGE")))
try:
    with flash.open("/config.json", "r") as file:
        wanted = file.read()
except OSError:
    wanted = ""  # not provisioned
if any([word in wanted for word in getenv("EXTRAS").split(",")]):
    import extras

    extras.install()
    if '"temperature"' in wanted:
        import onewire  # noqa: F401  # pyright: ignore[reportUnusedImport] - loaded while its file can be reached
del wanted
micropython.kbd_intr(3)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - SIGINT is Ctrl-C
machine.Board.const = micropython.const  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
machine.Board.kbd_intr(3)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
sys.modules["micropython"] = machine.Board  # pyright: ignore
shim = next(iter([path for path in sys.path if path.endswith("/shim")]))
image = rom(code) if code != "-" else None
mount_partition: "Any" = None
if getenv("PARTITION"):
    import romfs

    romfs.install(getenv("PARTITION"), mapped(getenv("PARTITION")))
    mount_partition = romfs.mount
vfs.umount("/")
vfs.mount(flash, "/")
sys.path[:] = ["/lib"]
if image is not None:
    vfs.mount(image, "/rom")
    sys.path[:] = ["/rom"]
elif mount_partition:
    mount_partition()
start()
