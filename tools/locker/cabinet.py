"""One virtual locker, put together: front, board, screen, cable, console, and what can be done to it from outside."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tools.locker.buses import Buses, on_board
from tools.locker.cable import CUTS, Cable
from tools.locker.chips import Chips, wires
from tools.locker.controller import Controller, now_ms
from tools.locker.lamps import Lamps
from tools.locker.panel import bursts, display_of, scanner_of
from tools.locker.physics import CabinetError, Front
from tools.locker.senses import Senses
from tools.locker.serial_port import SerialPort
from tools.micropython import Interpreter

KEYPAD_PINS = 8
KEY_HOLD_MS = 90  # as people do
LEAN_MS, LEAN_MS_MAX = 20, 2000
KEY_PACE_MS = 150  # a brisk typist
KEY_SEEN_S = 2.0  # who sees that nothing happens goes on all the same, and waits no more
PACE_MS_MIN = KEY_HOLD_MS + 50  # the keypad's debouncing needs the pause
SCAN_SIZE_MAX = 4096
_CHUNK = 16  # bytes that a scanner sends at a time; at 9600 baud, 17 ms
REPL = b">>> "
SCREEN_SETTLE_MS = 30  # a screen is drawn line by line; watchers see it whole

Watcher = Callable[[dict[str, Any]], None]


class Cabinet:
    def __init__(self, folder: Path, interpreter: Interpreter) -> None:
        hardware: dict[str, Any] = json.loads((folder / "hardware.json").read_text())
        cable: dict[str, Any] = json.loads((folder / "cable.json").read_text())
        self._loop = asyncio.get_running_loop()
        self._hardware = hardware
        self.locker: str = hardware["locker"]
        self._watchers: set[Watcher] = set()
        self._qr = ""  # as watchers know it
        self._drawing: asyncio.TimerHandle | None = None
        on_pins = [module for module in hardware["modules"] if not on_board(module)]
        pins = [box["lock"] for module in on_pins for box in module["compartments"]]
        self._lamps = Lamps(hardware)
        enables = [bus["de"] for bus in hardware.get("buses", []) if "de" in bus]
        watched = pins + self._lamps.pins + wires(hardware) + enables
        count, has_rom = 2 * len(pins) + KEYPAD_PINS, hardware.get("rom", True)
        self._controller = Controller(interpreter, folder, watched, count, self, has_rom=has_rom)
        self._front = Front(hardware, self._controller, self._later, self._tell)
        self._buses = Buses(hardware, self._front, self._controller.receive, self._later, now_ms)
        self._chips = Chips(hardware, self._front, now_ms)
        self._senses = Senses(hardware, self._front, self._controller, self._chips, now_ms)
        self._display: dict[str, Any] = hardware.get("display") or {}
        self._keypad: dict[str, Any] = hardware.get("keypad") or {}
        self._screen = display_of(self._display, self._chips.hang, self._draw_soon)
        self._scanner = scanner_of(hardware.get("scanner") or {})
        self._cable = Cable("127.0.0.1", cable["listen"], (cable["broker"][0], cable["broker"][1]))
        self._port = SerialPort(self._controller.typed)
        self._typing = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self.first_screen = asyncio.Event()

    @property
    def console(self) -> str:
        return self._port.path

    @property
    def failed(self) -> str:
        return self._controller.failed

    async def start(self) -> None:
        await self._cable.start()
        self._controller.power(True)

    async def stop(self) -> None:
        await self._controller.stop()
        await self._cable.stop()
        self._port.close()

    def watch(self, watcher: Watcher) -> None:
        self._watchers.add(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def _tell(self, event: dict[str, Any]) -> None:
        event.setdefault("at", round(now_ms(), 1))
        for watcher in list(self._watchers):
            watcher(event)

    def _later(self, ms: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_later(ms / 1000, act)

    # -------------------------------------------------------------- the board's outputs
    def drive(self, pin: int, level: int, at_ms: float) -> None:
        others = self._chips.drive(pin, level) or self._lamps.drive(pin, level)
        if not others and not self._buses.enable(pin, level, at_ms):
            self._front.drive(pin, level, at_ms)

    def shine(self, pin: int, data: bytes) -> None:
        self._lamps.shine(pin, data)

    def access(self, bus: int, address: int, data: bytes, size: int) -> bytes | None:
        return self._chips.access(bus, address, data, size)

    def shift(self, bus: int, data: bytes) -> bytes:
        return self._chips.shift(bus, data)

    def one_wire(self, pin: int, data: bytes, size: int) -> bytes:
        return self._senses.one_wire(pin, data, size)

    def transmit(self, uart: int, data: bytes, at_ms: float) -> None:
        if self._buses.transmit(uart, data, at_ms):
            return
        if uart == self._display.get("uart"):
            self._screen.feed(data)
            self._draw_soon()
        elif self._scanner is not None and uart == self._hardware["scanner"]["uart"]:
            self._controller.receive(uart, self._scanner.feed(data))

    def sound(self, pin: int, hertz: int) -> None:
        if pin == self._hardware.get("buzzer") and hertz:
            self._tell({"event": "beep", "hz": hertz})

    def printed(self, data: bytes) -> None:
        """What the board says on its console: to the port, and to watchers, who must not read the port empty."""
        self._port.print(data)
        if REPL in data:  # not provisioned: no screen will come
            self.first_screen.set()
        self._tell({"event": "console", "text": data.decode("utf-8", "replace")})

    def power_lost(self, at_ms: float) -> None:
        self._buses.power_lost()
        self._chips.power_lost()
        self._senses.power_lost()
        self._lamps.power_lost()
        self._front.power_lost(at_ms)
        self._cable.break_all()
        self._screen.clear()
        self._draw_soon()
        self._tell({"event": "power", "on": False})

    def power_came(self) -> None:
        self._front.power_came(now_ms())
        self._tell({"event": "power", "on": True})

    def _draw_soon(self) -> None:
        if self._drawing is None:
            self._drawing = self._later(SCREEN_SETTLE_MS, self._drawn)

    def _drawn(self) -> None:
        self._drawing = None
        if any(self._screen.lines):
            self.first_screen.set()
        self._tell({"event": "screen", "lines": self._screen.lines})
        if self._screen.qr != self._qr:
            self._qr = self._screen.qr
            self._tell({"event": "qr", "text": self._qr})

    # -------------------------------------------------------------- orders from outside
    async def do(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request of the control socket. Raises CabinetError; KeyError, TypeError: badly asked."""
        order = _ORDERS.get(request.get("do", ""))
        if order is None:
            raise CabinetError(f"unknown order {request.get('do')!r}; there are: {', '.join(sorted(_ORDERS))}")
        return await order(self, request) or {}

    async def _keys(self, request: dict[str, Any]) -> dict[str, Any]:
        """With a hand that feels each key: a board that a busy PC does not let run would miss one."""
        pace_ms = max(float(request.get("pace_ms") or KEY_PACE_MS), PACE_MS_MIN)
        at = now_ms()
        looks = True
        async with self._typing:
            for key in str(request["keys"]):
                at = now_ms()
                if self._keypad.get("kind") == "wiegand":
                    for pin in bursts(self._keypad, key):
                        self._controller.fall(pin)
                    await asyncio.sleep(KEY_HOLD_MS / 1000)
                else:
                    looks = looks and await self._controller.seen(KEY_SEEN_S)  # that the key before was let go
                    self._front.key(key, True)
                    await asyncio.sleep(KEY_HOLD_MS / 1000)
                    looks = looks and await self._controller.seen(KEY_SEEN_S)
                    self._front.key(key, False)
                await asyncio.sleep((pace_ms - KEY_HOLD_MS) / 1000)
        return {"at": round(at, 1)}

    async def _type(self, request: dict[str, Any]) -> None:
        self._controller.typed(str(request["text"]).encode())

    async def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._scan_bytes(str(request["text"]).encode("latin-1", "replace") + b"\r")

    async def _scan_raw(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._scan_bytes(bytes.fromhex(request["hex"]))

    async def _scan_bytes(self, data: bytes) -> dict[str, Any]:
        """At the pace of the wire. `at` is when the last byte was on it."""
        scanner = self._hardware.get("scanner")
        if not scanner or len(data) > SCAN_SIZE_MAX:
            raise CabinetError("no scanner" if not scanner else f"at most {SCAN_SIZE_MAX} bytes at once")
        byte_s = 10 / scanner.get("baud", 9600)
        async with self._scanning:
            for start in range(0, len(data), _CHUNK):
                chunk = data[start : start + _CHUNK]
                await asyncio.sleep(byte_s * len(chunk))
                self._controller.receive(scanner["uart"], chunk)
        return {"at": round(now_ms(), 1)}

    async def _push(self, request: dict[str, Any]) -> None:
        """A door does not catch while its coil is on: whoever pushes it leans on it that long."""
        box = self._front.box(int(request["compartment"]))
        for _moment in range(LEAN_MS_MAX // LEAN_MS):
            if box.coil_since is None:
                break
            await asyncio.sleep(LEAN_MS / 1000)
        self._front.push(box.number)

    async def _pull(self, request: dict[str, Any]) -> None:
        self._front.pull(int(request["compartment"]))

    async def _jam(self, request: dict[str, Any]) -> None:
        self._front.jam(int(request["compartment"]), bool(request.get("on", True)))

    async def _weld(self, request: dict[str, Any]) -> None:
        self._front.weld(int(request["compartment"]), bool(request.get("on", True)))

    async def _swap(self, request: dict[str, Any]) -> None:
        self._front.swap(int(request["compartment"]), int(request["other"]))

    async def _fill(self, request: dict[str, Any]) -> None:
        self._front.fill(int(request["compartment"]), bool(request.get("on", True)))

    async def _stick(self, request: dict[str, Any]) -> None:
        self._front.stick(int(request["compartment"]), bool(request.get("on", True)))

    async def _board(self, request: dict[str, Any]) -> None:
        """A fault of a module's lock board, on or off: `silent` is its plug pulled out."""
        module, fault, on = str(request["module"]), str(request["fault"]), request.get("on", True)
        if not self._chips.fault(module, fault, on):
            self._buses.fault(module, fault, on)

    async def _sense(self, request: dict[str, Any]) -> None:
        """What there is to sense from now on: `name` (supply_mv, temperature_dc, tamper) and `value`."""
        self._senses.set(str(request["name"]), int(request["value"]))

    async def _sensor(self, request: dict[str, Any]) -> None:
        """A fault of a sensor (`part`: meter, thermometer), on or off."""
        self._senses.fault(str(request["part"]), str(request["fault"]), bool(request.get("on", True)))

    async def _rewire(self, request: dict[str, Any]) -> None:
        """Another lock board in the place of a module's: `driver`, and its `bus`, `address` and `channels`."""
        wiring = {name: request[name] for name in ("driver", "bus", "address", "channels") if name in request}
        self._buses.replace(str(request["module"]), wiring)

    async def _cut(self, request: dict[str, Any]) -> None:
        if request["cut"] not in CUTS:
            raise CabinetError(f"cut: one of {', '.join(CUTS)}")
        await self._cable.set_cut(request["cut"])

    async def _power(self, request: dict[str, Any]) -> None:
        self._controller.power(bool(request["on"]))

    async def _kill(self, _request: dict[str, Any]) -> None:
        self._controller.kill()

    async def _state(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {
            "locker": self.locker,
            "powered": self._controller.powered,
            "failed": self._controller.failed,
            "board_pid": self._controller.pid,
            "link": "up" if self._cable.connected else "down",
            "cut": self._cable.cut,
            "screen": self._screen.lines,
            "qr": self._screen.qr,
            "compartments": self._front.state(),
            "lit": self._lamps.lit,
            "pulses": list(self._front.pulses),
            "outputs_off_ms": self._front.safe_ms,
        }


_ORDERS: dict[str, Callable[[Cabinet, dict[str, Any]], Awaitable[dict[str, Any] | None]]] = {
    "keys": Cabinet._keys,
    "type": Cabinet._type,
    "scan": Cabinet._scan,
    "scan_raw": Cabinet._scan_raw,
    "push": Cabinet._push,
    "pull": Cabinet._pull,
    "jam": Cabinet._jam,
    "stick": Cabinet._stick,
    "weld": Cabinet._weld,
    "swap": Cabinet._swap,
    "fill": Cabinet._fill,
    "board": Cabinet._board,
    "rewire": Cabinet._rewire,
    "sense": Cabinet._sense,
    "sensor": Cabinet._sensor,
    "cable": Cabinet._cut,
    "power": Cabinet._power,
    "kill": Cabinet._kill,
    "state": Cabinet._state,
}
