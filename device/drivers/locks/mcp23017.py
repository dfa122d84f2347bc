"""The MCP23017 (I2C): locks on some of its 16 pins, door switches to ground on others, sensors of what lies inside.

Between pulses every pin is an input, as its RESET leaves it: resistors hold the locks off. For a pulse the levels are
latched first, one pin high, and read back; then one write makes that pin alone an output, so damaged it may open
nothing, but no other lock. RESET ends the pulse. Each poll reads the whole chip, since one that its supply reset has
no pull-ups any more, and a door read without them would look closed.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.locks.heard import Heard

ADDRESSES = (0x20, 0x27)
PINS = 16
OUTPUT_ONLY = (8, 16)  # GPA7 and GPB7: as inputs they may damage what is sent (datasheet DS20001952, revision D)
_IODIR, _IPOL, _GPPU, _GPIO, _OLAT = 0x00, 0x02, 0x0C, 0x12, 0x14
_SIZE = 0x16
_BEFORE = _SIZE - _GPIO  # read from GPIO on, past the end and once around: so it is in the answer twice
_INPUTS = 0xFFFF
_TRIES = 3
_STRANGE_MAX = 2  # answers in a row: one may have been damaged on its way


class Mcp23017:
    """`i2c`: a machine.I2C; `reset`: the pin at RESET; `heard`: where what it says goes; `inlets`: the pin of
    the door behind each lock; `pulls`: all pins (bits) with a switch."""

    def __init__(  # noqa: PLR0917 - a chip, its wires and what hangs on it
        self, i2c: "Any", address: int, reset: "Any", heard: "Heard", inlets: "dict[int, int]", pulls: int
    ) -> None:
        self._i2c = i2c
        self._address = address
        self._reset = reset
        self.heard = heard
        self._inlets = inlets
        self._pulls = pulls
        self._ready = False
        self._live = 0  # the pin (bit) whose coil is on
        self._strange = 0
        self._due = -1
        self.known = pulls
        self.closed = self.full = 0

    # -------------------------------------------------------------- locks
    def fire(self, channel: int) -> None:
        """Raises OSError; whether its coil is on is not known then."""
        self.heard.doors.pulsed(self._inlets[channel])  # what its switch said before says nothing now
        bit = 1 << (channel - 1)
        for left in range(_TRIES - 1, -1, -1):  # nothing is on yet
            try:
                if self._latched(bit):
                    break
            except OSError:
                if not left:
                    raise
        else:
            raise OSError(5)  # EIO
        self._put(_IODIR, _INPUTS ^ bit)
        self._live = bit

    def _latched(self, bit: int) -> bool:
        if not self._ready:
            self._begin()
        self._put(_OLAT, bit)
        return self._get(_OLAT, 2) == two(bit) and self._get(_IODIR, 2) == two(_INPUTS)

    def ended(self) -> None:
        """Its RESET is low: it is set up anew with the next poll."""
        self._ready = False
        self._live = 0

    # -------------------------------------------------------------- doors
    def forget(self) -> None:
        self.heard.forget()

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if self._due < 0:
            self.heard.heard_ms = now_ms
        if now_ms < self._due:
            return
        self._due = now_ms + self.heard.pause_ms()
        try:
            if not self._ready:
                self._begin()
            fault = self._poll(now_ms, events)
        except OSError:
            fault = "silent"
        self._strange = self._strange + 1 if fault else 0
        if fault:
            self.heard.failed(fault)
        if self._strange >= _STRANGE_MAX:  # whatever is on goes off
            self._reset.value(0)
            self.ended()
        self.heard.look(now_ms, events)

    def _poll(self, now_ms: int, events: "list[Any]") -> str:
        """ "" or why its answer does not count."""
        twice = self._get(_GPIO, _BEFORE + _SIZE)
        said = twice[_BEFORE:]
        as_set = (
            said[_IODIR : _IODIR + 2] == two(_INPUTS ^ self._live)
            and said[_IPOL : _IPOL + 2] == two(0)
            and said[_GPPU : _GPPU + 2] == two(self._pulls)
            and said[_OLAT:] == two(self._live)
        )
        levels = said[_GPIO] | said[_GPIO + 1] << 8
        if not as_set or (twice[0] | twice[1] << 8) & self._pulls != levels & self._pulls:
            return "garbled"  # it was reset, or something disturbed it
        self.closed = self.full = levels ^ _INPUTS
        self.heard.answered(now_ms, self, events)
        return ""

    # -------------------------------------------------------------- the bus
    def _begin(self) -> None:
        """From its RESET on, which ends whatever it was left with, also its other layout of registers (BANK)."""
        self._reset.value(0)
        self._reset.value(1)
        self._put(_GPPU, self._pulls)
        self._ready = True

    def _put(self, register: int, value: int) -> None:
        self._i2c.writeto(self._address, bytes([register]) + two(value))

    def _get(self, register: int, size: int) -> bytes:
        return self._i2c.readfrom_mem(self._address, register, size)


def two(value: int) -> bytes:
    return bytes([value & 255, value >> 8])
