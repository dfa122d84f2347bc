"""Which serial port is the locker's, and why one does not open: each refusal with what to do about it."""

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports

from tools.client import UNREACHABLE, USAGE, Failed

BAUD = 115_200
READ_WAIT_S = 0.1
WRITE_WAIT_S = 5

# (USB vendor, product) -> what it is. None: whatever that vendor sells as a serial port.
KNOWN: dict[tuple[int, int | None], str] = {
    (0x10C4, None): "CP210x",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, None): "CH34x or CH91xx",
    (0x0403, None): "FTDI",
    (0x067B, None): "PL2303",
    (0x303A, 0x1001): "ESP32, its own USB",
    (0x303A, None): "ESP32, its own USB",
    (0x2E8A, None): "RP2, its own USB",
}


@dataclass(frozen=True)
class Adapter:
    """One serial port of this machine. `known`: what the table above calls it, "" for a stranger."""

    name: str
    known: str
    description: str


def usb_ports() -> list[Adapter]:
    """The serial ports behind USB; a laptop's own modem or ttyS0 is none."""
    return [
        Adapter(found.device, KNOWN.get((found.vid, found.pid), KNOWN.get((found.vid, None), "")), found.description)
        for found in sorted(list_ports.comports())
        if found.vid is not None
    ]


def choose(found: Iterable[Adapter]) -> str:
    """The only one; a stranger (a phone, a GPS) does not stand in the way of a known one. Raises Failed."""
    every = list(found)
    fitting = [adapter for adapter in every if adapter.known] or every
    if len(fitting) == 1:
        return fitting[0].name
    if not fitting:
        raise Failed("no USB serial port is there", NONE_FOUND, UNREACHABLE)
    named = "\n".join(f"  {adapter.name}  {adapter.known or adapter.description}" for adapter in fitting)
    raise Failed(
        f"{len(fitting)} USB serial ports are there:\n{named}",
        f"name one: consigne console {fitting[0].name}",
        USAGE,
    )


NONE_FOUND = """\
check in this order:
  the cable carries data, not power alone, and sits at both ends
  the driver: `sudo dmesg | tail` names the adapter after plugging it in (CP210x, CH340, FTDI)
  brltty, on some systems, takes a CH340 for a Braille display: remove it
  the locker has another kind of port: name it, consigne console /dev/ttyS0"""


def open_port(name: str, found: Callable[[], list[Adapter]] = usb_ports) -> serial.Serial:
    """Ours alone: two programs on one port take each other's answers. Raises Failed."""
    try:
        return serial.Serial(name, BAUD, timeout=READ_WAIT_S, write_timeout=WRITE_WAIT_S, exclusive=True)
    except (OSError, ValueError) as problem:  # serial.SerialException is an OSError
        raise _refused(name, getattr(problem, "errno", None), found)


def _refused(name: str, number: int | None, found: Callable[[], list[Adapter]]) -> Failed:
    why, remedy = _WHY.get(number or 0, _NO_PORT)
    there = ", ".join(adapter.name for adapter in found()) or "none behind USB"
    return Failed(f"cannot open {name}: {why}", remedy.format(name=name, group=_group(name), there=there), UNREACHABLE)


def _group(name: str) -> str:
    """Who may use it: dialout on Debian, uucp on Arch."""
    try:
        return Path(name).group()
    except (OSError, KeyError, RuntimeError):  # the last: a system without groups
        return "dialout"


_NO_PORT = ("it is no serial port", "check the cable and the name; there is: {there}")
_BUSY = ("another program has it", "close it (a second console, mpremote, minicom); `fuser -v {name}` names it")
_GONE = ("there is no such port", "check the cable and the name; there is: {there}")
_WHY = {
    errno.EACCES: (
        "you may not use it",
        "sudo usermod -aG {group} $USER, then log out of this machine and in again (once is enough)",
    ),
    errno.EPERM: ("you may not use it", "sudo usermod -aG {group} $USER, then log out of this machine and in again"),
    errno.EBUSY: _BUSY,
    errno.EAGAIN: _BUSY,
    errno.ENOENT: _GONE,
    errno.ENODEV: _GONE,
    errno.ENXIO: _GONE,
    errno.EIO: ("it does not answer", "pull the cable out and plug it in again"),
}
