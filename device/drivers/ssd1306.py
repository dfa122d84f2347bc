"""An SSD1306 of 128 x 64 dots on I2C, or an SH1106, which has 132 columns. Loaded only where /config.json names one.

Four lines of twenty characters, six dots wide and, each row doubled, sixteen high. No picture is kept: what stands in
each cell is, and a few cells are drawn a lap (2 to 3 ms), so that none is held up. Switched on only once each
dot was written, since its memory holds noise at first. It cannot be asked whether it lost its power meanwhile: once a
minute it is told everything anew, which nobody sees, and the text moves by a dot so that it does not burn in. One that
does not answer is told as Sensed("display", 0) and tried again.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed
from device.drivers.display import HEIGHT, WIDTH, latin1
from device.drivers.dots import ACCENTED, COLUMNS

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.display import Texts

CELL = 6  # columns of a character, with the gap behind it
SPARE = 8  # columns beside twenty characters
HZ = 400_000  # of its bus, unless told
PER_LAP = 6  # characters at that pace; on a slower bus fewer
AGAIN_MS = 5_000
ANEW_MS = 60_000
_CONTROL, _DATA = b"\x00", b"\x40"  # what a message begins with
_PAGE, _LOW, _HIGH = 0xB0, 0x00, 0x10  # then the page, the column's lower and upper half
_ON = b"\xaf"
# SSD1306 data sheet, "software initialization", for 64 rows. By pages: the one way that an SH1106 has too.
_BEGIN = (
    b"\x20\x02"  # by pages
    b"\xa8\x3f\xd3\x00\x40"  # 64 rows, from the first on
    b"\xda\x12\xd5\x80\xd9\xf1\xdb\x40"  # wiring of its rows; clock, charging and level as its pump needs them
    b"\x8d\x14"  # the pump, from 3.3 V
    b"\x2e\xa4\xa6"  # no scrolling; what is in its memory, and lit where that is 1
)
_UPRIGHT, _TURNED = b"\xa1\xc8", b"\xa0\xc0"  # where its first column and row are
_CONTRAST = b"\x81"
_DOUBLED = b"\x00\x03\x0c\x0f\x30\x33\x3c\x3f\xc0\xc3\xcc\xcf\xf0\xf3\xfc\xff"  # each of four bits twice
_GLYPH = 5
_UNKNOWN = 0  # stands in no text


class Ssd1306:
    """`i2c`: a machine.I2C. Of `part`: `offset`, the column that is the first on its glass (2 of an SH1106's);
    `contrast`, 0 to 255; `turned`, it hangs upside down. A display (show) and a source (gather) in one.
    """

    def __init__(self, i2c: "Any", part: "dict[str, Any]", texts: "Texts") -> None:
        self._i2c = i2c
        self._address: int = part.get("address", 0x3C)
        self._texts = texts
        self._offset: int = part.get("offset", 0)
        way = _TURNED if part.get("turned") else _UPRIGHT
        self._setup = _CONTROL + _BEGIN + way + _CONTRAST + bytes([part.get("contrast", 127)])
        self._per_lap = max(1, PER_LAP * part.get("freq", HZ) // HZ)
        self._wanted = b" " * (WIDTH * HEIGHT)
        self._cells = bytearray(WIDTH * HEIGHT)  # what stands there
        self._margin = SPARE // 2
        self._begun = False
        self._to_draw = True
        self._on = False
        self._told = -1
        self._due = 50  # its supply and its reset come with ours
        self._anew_at = 0

    def show(self, screen: str, arguments: "tuple[str, ...]") -> None:
        lines = self._texts.take(screen, arguments)
        self._wanted = b"".join([latin1(line + " " * (WIDTH - len(line))) for line in lines])
        self._to_draw = True

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        try:
            self._step(now_ms, events)
        except OSError:
            self._begun = False
            self._due = now_ms + AGAIN_MS
            self._tell(0, events)

    def _step(self, now_ms: int, events: "list[Any]") -> None:
        """One message, or two, a lap."""
        if not self._begun:
            self._i2c.writeto(self._address, self._setup)
            self._begun = self._to_draw = True
            self._on = False
            for cell in range(len(self._cells)):
                self._cells[cell] = _UNKNOWN
        elif self._to_draw:
            self._to_draw = self._draw()
        elif not self._on:
            self._i2c.writeto(self._address, _CONTROL + _ON)
            self._on = True
            self._anew_at = now_ms + ANEW_MS
            self._tell(1, events)
        elif now_ms >= self._anew_at:
            self._begun = False
            self._margin = self._margin % CELL + 1

    def _tell(self, value: int, events: "list[Any]") -> None:
        if self._told != value:
            self._told = value
            events.append(Sensed("display", value))

    def _draw(self) -> bool:
        """The next characters of one line that are not as they should be; whether there were any."""
        wanted, cells = self._wanted, self._cells
        first = 0
        while first < len(cells) and cells[first] == wanted[first]:
            first += 1
        if first == len(cells):
            return False
        end = first
        while end < len(cells) and end - first < self._per_lap and cells[end] != wanted[end]:
            end += 1
            if end % WIDTH == 0:
                break
        row, column = divmod(first, WIDTH)
        ends_line = end % WIDTH == 0
        start = self._offset + (self._margin + CELL * column if column else 0)
        before = 0 if column else self._margin
        for half in (0, 1):
            dots = bytearray(before)
            for cell in range(first, end):
                dots.extend(half_of(wanted[cell], half))
            if ends_line:
                dots.extend(bytes(SPARE - self._margin))
            at = bytes([_PAGE | 2 * row + half, _LOW | start & 15, _HIGH | start >> 4])
            self._i2c.writeto(self._address, _CONTROL + at)
            self._i2c.writeto(self._address, _DATA + dots)
        cells[first:end] = wanted[first:end]
        return True


def half_of(code: int, half: int) -> bytes:
    """The upper (0) or lower (1) eight dots of a character's columns, and the gap behind it."""
    place = place_of(code)
    if place < 0:
        return bytes(CELL)
    columns = COLUMNS[place : place + _GLYPH]
    return bytes([_DOUBLED[column >> 4 * half & 15] for column in columns]) + b"\x00"


def place_of(code: int) -> int:
    """Where the columns of a Latin-1 character begin; -1: it is a space. What is not drawn is a question mark."""
    if code == 0x20:
        return -1
    if 0x20 < code < 0x7F:
        return _GLYPH * (code - 0x21)
    for place in range(len(ACCENTED)):
        if ACCENTED[place] == code:
            return _GLYPH * (0x7F - 0x21 + place)
    return _GLYPH * (0x3F - 0x21)
