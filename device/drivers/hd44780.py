"""An HD44780 of 20 x 4 behind a PCF8574 (I2C), four bits at a time. Loaded only where /config.json names one.

The controller's own characters have no accents: those that a screen needs are drawn into its eight free places, and
the rest fall back to the plain letter. Drawn as a source is gathered, a few characters a lap: a whole screen takes
30 ms at 100 kHz, which no lap has. A display that does not answer is told as Sensed("display", 0) and tried again.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed
from device.drivers.display import HEIGHT, WIDTH

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.display import Texts

ROWS = (0x00, 0x40, 0x14, 0x54)
PER_LAP = 6  # characters: 2.2 ms at 100 kHz
AGAIN_MS = 5_000
FREE = 8  # places for characters of one's own
_DATA, _ENABLE, _LIGHT = 0x01, 0x04, 0x08
_DDRAM, _CGRAM = 0x80, 0x40
# (wait before it in ms, byte, whether only its upper half is sent): three times "8 bits" wakes it in any state.
_BEGIN = (
    (50, 0x30, True),
    (10, 0x30, True),
    (10, 0x30, True),
    (0, 0x20, True),
    (0, 0x28, False),  # 4 bits, two lines (of 40: rows 0 and 2 are one)
    (0, 0x0C, False),  # on, no cursor
    (0, 0x01, False),  # clear: 1.5 ms
    (10, 0x06, False),  # from left to right
)
# The accent's upper two rows, and the letter below; a capital is squeezed under its own.
_ACUTE, _GRAVE, _HAT, _DOTS = b"\x02\x04", b"\x08\x04", b"\x04\x0a", b"\x0a\x00"
_A = b"\x0e\x01\x0f\x11\x0f\x00"
_E = b"\x0e\x11\x1f\x10\x0e\x00"
_I = b"\x0c\x04\x04\x04\x0e\x00"
_O = b"\x0e\x11\x11\x11\x0e\x00"
_U = b"\x11\x11\x11\x13\x0d\x00"
_CAPITAL_E = b"\x1f\x10\x1e\x10\x1f\x00"
ACCENTS = {
    "à": _GRAVE + _A,
    "â": _HAT + _A,
    "é": _ACUTE + _E,
    "è": _GRAVE + _E,
    "ê": _HAT + _E,
    "ë": _DOTS + _E,
    "î": _HAT + _I,
    "ï": _DOTS + _I,
    "ô": _HAT + _O,
    "ù": _GRAVE + _U,
    "û": _HAT + _U,
    "ç": b"\x00\x00\x0e\x10\x10\x11\x0e\x04",
    "É": _ACUTE + _CAPITAL_E,
    "È": _GRAVE + _CAPITAL_E,
    "Ê": _HAT + _CAPITAL_E,
    "À": _GRAVE + b"\x0e\x11\x1f\x11\x11\x00",
    "Ç": b"\x0e\x11\x10\x10\x11\x0e\x04\x08",
}
PLAIN = dict(zip("àâéèêëîïôùûçÉÈÊÀÇ", "aaeeeeiiouucEEEAC"))  # noqa: B905 - MicroPython's zip knows no strict


class Hd44780:
    """`i2c`: a machine.I2C; the display's interface (show) and a source's (gather) in one."""

    def __init__(self, i2c: "Any", address: int, texts: "Texts") -> None:
        self._i2c = i2c
        self._address = address
        self._texts = texts
        self._wanted = ["", "", "", ""]
        self._cells = bytearray(WIDTH * HEIGHT)  # what stands there; 0xFF: not known
        self._drawn = [""] * FREE  # the accent in each free place
        self._told = -1
        self._begin_at = 0
        self._due = 0

    def show(self, screen: str, arguments: "tuple[str, ...]") -> None:
        self._wanted = self._texts.take(screen, arguments)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        try:
            if self._begin_at < len(_BEGIN):
                self._begin(now_ms, events)
            elif self._wanted:
                self._draw()
        except OSError:
            self._begin_at = 0
            self._due = now_ms + AGAIN_MS
            self._tell(0, events)

    def _tell(self, value: int, events: "list[Any]") -> None:
        if self._told != value:
            self._told = value
            events.append(Sensed("display", value))

    def _begin(self, now_ms: int, events: "list[Any]") -> None:
        """One step a lap, each after its pause."""
        _wait, byte, half = _BEGIN[self._begin_at]
        self._i2c.writeto(self._address, nibble(byte >> 4, 0) if half else whole(byte, 0))
        self._begin_at += 1
        if self._begin_at < len(_BEGIN):
            self._due = now_ms + _BEGIN[self._begin_at][0]
            return
        for place in range(len(self._cells)):
            self._cells[place] = 0x20
        self._drawn = [""] * FREE
        self._tell(1, events)

    def _draw(self) -> None:
        """The next characters that are not as they should be."""
        left = PER_LAP
        for row in range(HEIGHT):
            line = self._wanted[row]
            for column in range(WIDTH):
                cell = row * WIDTH + column
                byte = self._byte_of(line[column : column + 1] or " ")
                if byte < 0:  # its accent was drawn just now: the letter follows in the next lap
                    return
                if byte != self._cells[cell]:
                    self._cells[cell] = 0xFF
                    self._i2c.writeto(self._address, whole(_DDRAM | ROWS[row] + column, 0) + whole(byte, _DATA))
                    self._cells[cell] = byte
                    left -= 1
                    if not left:
                        return

    def _byte_of(self, character: str) -> int:
        """Its code in the display; -1: not yet."""
        shape = ACCENTS.get(character)
        if shape is None:
            return ord(character) if " " <= character <= "}" and character != "\\" else 0x3F
        if character in self._drawn:
            return self._drawn.index(character)
        text = "".join(self._wanted)
        for place in range(FREE):
            if not self._drawn[place] or self._drawn[place] not in text:
                self._drawn[place] = ""
                self._i2c.writeto(
                    self._address, whole(_CGRAM | place * 8, 0) + b"".join([whole(b, _DATA) for b in shape])
                )
                self._drawn[place] = character
                for cell in range(len(self._cells)):  # whoever showed the old one is drawn again
                    if self._cells[cell] == place:
                        self._cells[cell] = 0xFF
                return -1
        return ord(PLAIN[character])


def nibble(half: int, kind: int) -> bytes:
    """Set up with E high, taken as E falls."""
    level = half << 4 | _LIGHT | kind
    return bytes((level | _ENABLE, level))


def whole(byte: int, kind: int) -> bytes:
    return nibble(byte >> 4, kind) + nibble(byte & 15, kind)
