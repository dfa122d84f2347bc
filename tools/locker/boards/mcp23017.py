"""The MCP23017: 16 pins on I2C. Locks hang on outputs (high: on), and door switches close to ground.

At power-up and after its RESET every pin is an input, so no lock is on. It keeps what it was told while the controller
is reset, unless RESET hangs on a pin of that. Runs in MicroPython too.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.locker.boards.board import Metal

IODIR, IPOL, GPINTEN, DEFVAL, INTCON, IOCON, GPPU, INTF, INTCAP, GPIO, OLAT = range(0, 22, 2)
REGISTERS = 22
PINS = 16
READ_ONLY = (INTF, INTCAP)
BANK, SEQOP = 0x80, 0x20
NACK = 19  # ENODEV, as MicroPython says it


class MCP23017:
    """Pins count from 1: GPA0 is 1, GPB0 is 9. `silent`: it does not acknowledge its address; `damage`: what becomes
    of bytes on their way, both ways."""

    def __init__(self, address: int, channels: int, metal: "Metal") -> None:
        self.address = address
        self.channels = channels
        self.silent = False
        self.inverted = False
        self.damage: Callable[[bytes], bytes] | None = None
        self._metal = metal
        self._on: set[int] = set()
        self._pointer = 0
        self._held = False  # its RESET is low
        self._registers = bytearray(REGISTERS)
        self.power_on()

    def power_on(self) -> None:
        self._registers[:] = bytes(REGISTERS)
        self._registers[IODIR : IODIR + 2] = b"\xff\xff"
        self._pointer = 0
        self._drive()

    power_off = power_on  # without a supply no output holds anything

    def reset(self, level: int) -> None:
        """The pin of that name: low holds it as at power-up."""
        self._held = not level
        self.power_on()

    # -------------------------------------------------------------- I2C
    def transfer(self, written: bytes, size: int) -> bytes:
        """One access: what is written, then so many bytes read. Raises OSError without an acknowledgement."""
        if self.silent or self._held:
            raise OSError(NACK)
        self.write(self._came(written))
        return self._came(self.read(size)) if size else b""

    def _came(self, data: bytes) -> bytes:
        return data if self.damage is None else self.damage(data)

    def write(self, data: bytes) -> None:
        """The register's number, then what goes into it and those after it."""
        if not data:
            return
        self._pointer = data[0]
        for byte in data[1:]:
            self._put(self._place(self._pointer), byte)
            self._next()
        self._drive()

    def read(self, size: int) -> bytes:
        found = bytearray()
        for _place in range(size):
            register = self._place(self._pointer)
            found.append(self._get(register) if register >= 0 else 0)
            self._next()
        return bytes(found)

    def _place(self, number: int) -> int:
        """Of a register's number, in the layout without banks; -1: there is none."""
        if self._registers[IOCON] & BANK:
            port, place = number >> 4, number & 15
            return place * 2 + port if port < 2 and place < REGISTERS // 2 else -1
        return number % REGISTERS

    def _next(self) -> None:
        if not self._registers[IOCON] & SEQOP:
            self._pointer = (self._pointer + 1) % (256 if self._registers[IOCON] & BANK else REGISTERS)

    def _put(self, register: int, byte: int) -> None:
        if register < 0 or register & ~1 in READ_ONLY:
            return
        if register & ~1 == GPIO:
            register += OLAT - GPIO
        if register & ~1 == IOCON:
            self._registers[IOCON] = self._registers[IOCON + 1] = byte
        self._registers[register] = byte

    def _get(self, register: int) -> int:
        if register & ~1 != GPIO:
            return self._registers[register]
        port = register & 1
        inputs = self._registers[IODIR + port]
        levels = sum([self._level(port * 8 + place + 1) << place for place in range(8)])
        return (inputs & (levels ^ self._registers[IPOL + port])) | (~inputs & self._registers[OLAT + port])

    # -------------------------------------------------------------- pins
    def _level(self, pin: int) -> bool:
        """An input that nothing pulls up reads as low as one whose switch is closed."""
        port, place = divmod(pin - 1, 8)
        pulled_up = bool(self._registers[GPPU + port] >> place & 1)
        return pulled_up and self._metal.closed(pin) == self.inverted

    def _drive(self) -> None:
        for pin in range(1, PINS + 1):
            port, place = divmod(pin - 1, 8)
            on = bool(~self._registers[IODIR + port] & self._registers[OLAT + port] & 1 << place)
            if on != (pin in self._on):
                (self._on.add if on else self._on.discard)(pin)
                self._metal.coil(pin, on)
