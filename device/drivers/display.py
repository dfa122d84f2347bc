"""A serial text display of four lines of twenty characters, and the texts it shows.

The agent names a screen; the words live in one JSON table a language (screens/fr.json, …), one screen a line so
that only the line that is shown is ever read into memory. A screen whose first argument is a code may have words
for one code alone ("declined:wrong_state"). A name that is in no table is shown as it is. On a display that draws QR
codes (ESC/POS) the last argument of some screens is one, and stays until the next screen clears it.
"""

import json
from typing import TYPE_CHECKING

from protocol.numbers import LANGUAGES

if TYPE_CHECKING:
    from typing import Any

WIDTH = 20
HEIGHT = 4
CLEAR = b"\x0c"
MOVE = b"\x1f\x24"  # then column and row, from 1
AT_REST = ("welcome", "service")  # screens that wait for whoever comes
BY_CODE = ("declined",)  # screens that may have words for one code alone
WITH_QR = ("receipt", "receipt_again")  # screens whose last argument is the text of a QR code
QR = b"\x1d(k"  # GS ( k: a length of two bytes, low one first, and what it counts: "1", the function, its data


class Texts:
    """The table of one language. The line in use is remembered: a typed code shows one screen twelve times."""

    def __init__(self, folder: str, language: str, kept: str = "") -> None:
        """`kept`: the file of the language to greet in, where one was ordered."""
        self._folder = folder
        self._kept = kept
        self._first = language if language in LANGUAGES else LANGUAGES[0]
        self._language = self._first
        self._name = ""
        self._lines: list[str] = []
        self.screen = ""
        self.arguments: tuple[str, ...] = ()

    def take(self, screen: str, arguments: "tuple[str, ...]") -> "list[str]":
        """The lines of what is to be shown from now on; of `language`, those of what is shown, in that language, or in
        the next one (""). With a second argument it is the one to greet in from now on, also after a restart."""
        if screen == "language":
            if arguments[1:]:
                self._greet(arguments[0])
            else:
                self.speak(arguments[0] or LANGUAGES[LANGUAGES.index(self._language) - 1])
        else:
            if screen in AT_REST:  # whoever comes next is greeted as everybody is
                self.speak(self._first)
            self.screen = screen
            self.arguments = arguments
        return self.lines(self.screen, self.arguments)

    def _greet(self, language: str) -> None:
        self._first = language
        if self.screen in AT_REST:  # who is being served reads on
            self.speak(language)
        try:
            with open(self._kept, "w") as file:
                file.write(language)
        except OSError:
            pass  # a flash that is full is no reason to start anew; the order comes again with the next wish

    def speak(self, language: str) -> None:
        if language in LANGUAGES and language != self._language:
            self._language = language
            self._name = ""

    def lines(self, screen: str, arguments: "tuple[str, ...]") -> "list[str]":
        """Four lines, filled in, at most WIDTH characters each."""
        name = screen
        if screen in BY_CODE:
            name = f"{screen}:{arguments[0]}"
        if name != self._name:
            path = f"{self._folder}/{self._language}.json"
            self._lines = text_of(path, name) or text_of(path, screen) or [screen]
            self._name = name
        filled = [_fill(line, arguments)[:WIDTH] for line in self._lines[:HEIGHT]]
        return filled + [""] * (HEIGHT - len(filled))


def text_of(path: str, name: str) -> "Any":
    """What a table of texts says under that name; None when it does not, or is not there."""
    start = f'"{name}":'
    try:
        with open(path, "rb") as file:
            for raw in file:
                line = str(raw, "utf-8").strip()
                if line.startswith(start):
                    return json.loads(line[len(start) :].rstrip(","))
    except (OSError, ValueError):
        pass  # a display without its words shows the screen's name
    return None


class Display:
    """`uart`: a machine.UART. `draws_qr`: whether this display can."""

    def __init__(self, uart: "Any", texts: Texts, draws_qr: bool = False) -> None:
        self._uart = uart
        self._draws_qr = draws_qr
        self._has_qr = False
        self._texts = texts
        self._shown: list[str] = []

    def show(self, screen: str, arguments: "tuple[str, ...]") -> None:
        if self._has_qr:
            self._shown = []  # clears all of it
        self._draw(self._texts.take(screen, arguments))
        self._has_qr = self._draws_qr and self._texts.screen in WITH_QR
        if self._has_qr:
            self._uart.write(qr(self._texts.arguments[-1]))

    def _draw(self, lines: "list[str]") -> None:
        """Only the lines that changed: a whole screen takes 90 ms at 9600 baud, and would flicker."""
        if not self._shown:
            self._uart.write(CLEAR)
            self._shown = [""] * HEIGHT
        for row in range(HEIGHT):
            if lines[row] != self._shown[row]:
                text = lines[row] + " " * (WIDTH - len(lines[row]))
                self._uart.write(MOVE + bytes([1, row + 1]) + latin1(text))
        self._shown = lines


def qr(text: str) -> bytes:
    """Draw a QR code: the size of a module (function 167), level M (169), the text (180), go (181)."""
    data = text.encode()
    size = len(data) + 3
    return b"".join(
        [
            QR,
            b"\x03\x001C\x03",
            QR,
            b"\x03\x001E1",
            QR,
            bytes([size & 255, size >> 8]),
            b"1P0",
            data,
            QR,
            b"\x03\x001Q0",
        ]
    )


def latin1(text: str) -> bytes:
    """MicroPython encodes UTF-8 only. By bytes: a letter that is taken out of a text stays in its table of names."""
    out = bytearray()
    lead = 0
    for byte in text.encode():
        if byte < 0x80:
            out.append(byte)
        elif byte >= 0xC0:
            lead = byte
            out.append(0x3F)
        elif lead in (0xC2, 0xC3):  # U+0080 to U+00FF
            out[-1] = (lead & 3) << 6 | byte & 0x3F
    return bytes(out)


def _fill(line: str, arguments: "tuple[str, ...]") -> str:
    for place in range(len(arguments)):
        line = line.replace("{" + str(place) + "}", arguments[place])
    return line
