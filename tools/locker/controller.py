"""The controller board: a MicroPython process, its power, its watchdog, and the wires to it.

When it dies, of whatever cause, every output falls low at once and power comes back a moment later, as on a
board. It may use the heap of a board, and as much again as the shim itself takes (SHIM_KB, measured).
"""

import asyncio
import contextlib
import ctypes
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from tools.locker import rom, sockets
from tools.micropython import Interpreter

HEAP_KB = 110  # an ESP32 without PSRAM, before Wi-Fi
# What the shim itself takes, measured (README.md tells how): modules and file systems, what it has read of its wires
# while that is handled, and what a Pin costs here that is built into a board's firmware.
SHIM_KB = 10
# The same for what only some lockers need of it (shim/extras.py, onewire.py), and how /config.json and hardware.json
# say so.
EXTRAS_KB = 3
EXTRAS = ('"i2c"', '"spi"', '"lights"', '"wiegand"', '"de"', '"temperature"')
SHIM_PIN_BYTES = 72
ROMFS_SINCE = (1, 25)
# Before that, the code is compiled into the heap: what it takes there, and the compiler beside it, comes on top.
SOURCES_KB = 80
RESTART_S = 0.2
NO_ROM = "-"
PARTITION_KB = 2  # what shim/romfs.py takes, measured
PARTITION = "romfs.img"  # of a cabinet's folder, if its board has one for a ROMFS; as large as this file
CTRL_C = b"\x03"
BREAK_AGAIN_S = 0.2  # MicroPython for Unix dies of a second SIGINT while the first is still pending
PWRON, WDT, SOFT = 1, 3, 5  # machine.reset_cause()
CRASHES_MAX = 5  # in a row, each within CRASH_S of the start: then it stays off, and says so
CRASH_S = 2.0
_TICKS_MASK = (1 << 30) - 1
_PR_SET_PDEATHSIG = 1


class Hands(Protocol):
    """What the board's outputs are connected to."""

    def drive(self, pin: int, level: int, at_ms: float) -> None: ...
    def transmit(self, uart: int, data: bytes, at_ms: float) -> None: ...
    def access(self, bus: int, address: int, data: bytes, size: int) -> bytes | None: ...
    def shift(self, bus: int, data: bytes) -> bytes: ...
    def one_wire(self, pin: int, data: bytes, size: int) -> bytes: ...
    def sound(self, pin: int, hertz: int) -> None: ...
    def shine(self, pin: int, data: bytes) -> None: ...
    def printed(self, data: bytes) -> None: ...
    def power_lost(self, at_ms: float) -> None: ...
    def power_came(self) -> None: ...


def now_ms() -> float:
    """The cabinet's clock; MicroPython's ticks on the same machine are its lower bits."""
    return time.monotonic() * 1000


class Controller:
    def __init__(
        self,
        interpreter: Interpreter,
        folder: Path,
        pins: list[int],
        pin_count: int,
        hands: Hands,
        *,
        has_rom: bool = True,
    ) -> None:
        self._has_rom = has_rom  # else its code lies on its flash, once somebody brought it there
        self._interpreter = interpreter
        self._folder = folder
        self._pins = pins  # whose level matters to the cabinet
        self._pin_count = pin_count
        self._hands = hands
        self._process: asyncio.subprocess.Process | None = None
        self._wires: asyncio.StreamWriter | None = None
        self._log: IO[bytes] = open(folder / "locker.log", "ab")  # noqa: SIM115 - closed by stop()
        self._watchdog: asyncio.TimerHandle | None = None
        self._watchdog_s = 0.0
        self._cause = PWRON
        self._started = 0.0
        self._crashes = 0
        self._killed = False
        self._interrupts = False  # whether a Ctrl-C interrupts what runs
        self._broke_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._grounded: set[int] = set()
        self._joined: set[tuple[int, int]] = set()
        self._seen = asyncio.Event()
        self._seen.set()
        self._task: asyncio.Task[None] | None = None
        self.wanted = False
        self.failed = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def powered(self) -> bool:
        return self._process is not None

    # -------------------------------------------------------------- power
    def power(self, on: bool) -> None:
        self.wanted = on
        if not on:
            self.kill(PWRON)
        elif self._task is None or self._task.done():
            self._crashes = 0
            self.failed = ""
            self._task = asyncio.get_running_loop().create_task(self._run())

    def kill(self, cause: int = PWRON) -> None:
        """SIGKILL, in the middle of whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._cause = cause
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self) -> None:
        self.power(False)
        if self._task is not None:
            await self._task
        self._log.close()

    async def _run(self) -> None:
        """One life of the board after the other, while there is power."""
        while self.wanted:
            self._killed = False
            try:
                await self._live()
            except OSError as error:
                self._give_up(f"the board's code could not be made or started: {error}")
            died_early = time.monotonic() - self._started < CRASH_S and not self._killed
            self._crashes = self._crashes + 1 if died_early else 0
            if self._crashes >= CRASHES_MAX:
                self._give_up(f"MicroPython ended {CRASHES_MAX} times at once; see {self._folder / 'locker.log'}")
            if self.wanted:
                await asyncio.sleep(RESTART_S)

    def _give_up(self, why: str) -> None:
        self.failed = why
        self.wanted = False

    async def _live(self) -> None:
        with sockets.beside(self._folder) as place:
            await self._live_on(place / "wires")

    async def _live_on(self, wires: Path) -> None:
        """Once, from power to silence, with its wires at that socket."""
        wires.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._connected, str(wires))
        code = rom.build(self._interpreter)
        has_romfs = self._interpreter.version >= ROMFS_SINCE
        code_path = str(code / "rom.img" if has_romfs else code / "sources") if self._has_rom else NO_ROM
        partition = self._folder / PARTITION
        in_place = has_romfs and (self._has_rom or partition.exists())
        heap = self._interpreter.heap_options(self._heap_kb(in_place))
        image = str((self._folder / "flash.img").absolute())
        told = {"SOCKET": str(wires), "IMAGE": image, "ROM": code_path, "CAUSE": str(self._cause)}
        told["PARTITION"] = str(partition.absolute()) if has_romfs and partition.exists() else ""
        self._process = await asyncio.create_subprocess_exec(
            *self._interpreter.command,
            *heap,
            "-m",
            "launch",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            env=self._interpreter.environment(code / "shim") | told | {"EXTRAS": ",".join(EXTRAS)},
        )
        self._started = time.monotonic()
        self._interrupts = False
        self._cause = PWRON
        if not self.wanted:  # power went while it was being started, when there was nothing to kill yet
            self.kill()
        self._hands.power_came()
        await self._read_output(self._process)
        await self._process.wait()
        if self._reading is not None:
            await self._reading  # what the board still said before it died comes before its silence
        self._fell_silent()
        server.close()
        wires.unlink(missing_ok=True)

    def _heap_kb(self, in_place: bool) -> int:
        shim_kb = SHIM_KB + self._pin_count * SHIM_PIN_BYTES // 1024
        if any(word in (self._folder / "hardware.json").read_text() for word in EXTRAS):
            shim_kb += EXTRAS_KB
        if in_place and not self._has_rom:
            shim_kb += PARTITION_KB
        return HEAP_KB + shim_kb + (0 if in_place else SOURCES_KB)

    def _fell_silent(self) -> None:
        self._process = None
        self._wires = None
        self._reading = None
        self._seen.set()  # it looks at nothing any more
        self._feed(0)
        self._hands.power_lost(now_ms())

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while data := await process.stdout.read(1024):
            self._hands.printed(data)

    def typed(self, data: bytes) -> None:
        """Bytes on the board's console. As on a board a Ctrl-C interrupts what runs, and is no byte of it, unless that
        said micropython.kbd_intr(-1)."""
        if self._process is None or self._process.stdin is None:
            return
        if self._interrupts and CTRL_C in data:
            data = data.replace(CTRL_C, b"")
            if time.monotonic() - self._broke_at > BREAK_AGAIN_S:
                self._broke_at = time.monotonic()
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGINT)
        self._process.stdin.write(data)

    # -------------------------------------------------------------- the wires
    def ground(self, pin: int, on: bool) -> None:
        (self._grounded.add if on else self._grounded.discard)(pin)
        self._say(f"G {pin} {on:d} {now_ms():.0f}\n")

    def join(self, pin: int, other: int, on: bool) -> None:
        (self._joined.add if on else self._joined.discard)((pin, other))
        self._seen.clear()
        self._say(f"W {pin} {other} {on:d} {now_ms():.0f}\n")

    async def seen(self, wait_s: float) -> bool:
        """Until the board had a look at what was joined last; whether it had."""
        if self._wires is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), wait_s)
        return self._seen.is_set()

    def receive(self, uart: int, data: bytes) -> None:
        """Bytes arrive at a UART of the board."""
        self._say(f"U {uart} {data.hex()}\n")

    def fall(self, pin: int) -> None:
        """A pin falls for a moment, and is high again."""
        self._say(f"E {pin}\n")

    def _say(self, line: str) -> None:
        if self._wires is not None:
            self._wires.write(line.encode())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wires = writer
        self._reading = asyncio.current_task()
        self._say(f"S {' '.join(map(str, self._pins))}\n")
        for pin in sorted(self._grounded):
            self._say(f"G {pin} 1 {now_ms():.0f}\n")
        for pin, other in sorted(self._joined):
            self._say(f"W {pin} {other} 1 {now_ms():.0f}\n")
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                words = line.decode().split()
                _TAKE[words[0]](self, words[1:])
        writer.close()

    def _take_pin(self, words: list[str]) -> None:
        pin, level, ticks = map(int, words)
        self._hands.drive(pin, level, _moment(ticks))

    def _take_interrupts(self, words: list[str]) -> None:
        self._interrupts = words == ["3"]

    def _take_seen(self, _words: list[str]) -> None:
        self._seen.set()

    def _take_bytes(self, words: list[str]) -> None:
        if len(words) == 3:
            self._hands.transmit(int(words[0]), bytes.fromhex(words[1]), _moment(int(words[2])))

    def _take_access(self, words: list[str]) -> None:
        bus, address, size = map(int, words[:3])
        try:
            answer = self._hands.access(bus, address, bytes.fromhex("".join(words[3:])), size)
        except TimeoutError:
            self._say("A T\n")
            return
        self._say("A\n" if answer is None else f"A 00{answer.hex()}\n")  # a byte more: no answer is empty

    def _take_one_wire(self, words: list[str]) -> None:
        answer = self._hands.one_wire(int(words[0]), bytes.fromhex("".join(words[2:])), int(words[1]))
        self._say(f"A 00{answer.hex()}\n")

    def _take_shift(self, words: list[str]) -> None:
        self._say(f"A 00{self._hands.shift(int(words[0]), bytes.fromhex(words[1])).hex()}\n")

    def _take_sound(self, words: list[str]) -> None:
        self._hands.sound(int(words[0]), int(words[1]))

    def _take_strip(self, words: list[str]) -> None:
        self._hands.shine(int(words[0]), bytes.fromhex(words[1]))

    # -------------------------------------------------------------- watchdog and reset
    def _take_watchdog(self, words: list[str]) -> None:
        self._feed(int(words[0]) / 1000)

    def _take_feed(self, _words: list[str]) -> None:
        self._feed(self._watchdog_s)

    def _feed(self, seconds: float) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog_s = seconds
        loop = asyncio.get_running_loop()
        self._watchdog = loop.call_later(seconds, self.kill, WDT) if seconds else None

    def _take_reset(self, _words: list[str]) -> None:
        self.kill(SOFT)


_TAKE: dict[str, Callable[[Controller, list[str]], None]] = {
    "P": Controller._take_pin,
    "U": Controller._take_bytes,
    "K": Controller._take_interrupts,
    "J": Controller._take_seen,
    "I": Controller._take_access,
    "O": Controller._take_one_wire,
    "Q": Controller._take_shift,
    "Z": Controller._take_sound,
    "B": Controller._take_strip,
    "D": Controller._take_watchdog,
    "F": Controller._take_feed,
    "X": Controller._take_reset,
}


def _moment(ticks: int) -> float:
    """Of the board's ticks, in the cabinet's time, however late it hears of them."""
    now = now_ms()
    ago = (int(now) - ticks) & _TICKS_MASK
    return now - ago if ago <= _TICKS_MASK // 2 else now  # else it is rounding: a moment that has not come yet


def _die_with_parent() -> None:
    """A cabinet that is killed takes its board with it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
