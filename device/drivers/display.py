"""A serial text display of four lines of twenty characters, and the texts it shows.

The agent names a screen; the words live in one JSON table a language (screens/fr.json, …), one screen a line so
that only the line that is shown is ever read into memory. A screen whose first argument is a code may have words
for one code alone ("declined:wrong_state"). A name that is in no table is shown as it is.
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

WIDTH = 20
HEIGHT = 4
CLEAR = b"\x0c"
MOVE = b"\x1f\x24"  # then column and row, from 1
LANGUAGES = ("fr", "en")
BY_CODE = ("declined",)  # screens that may have words for one code alone


class Texts:
    """The table of one language. The line in use is remembered: a typed code shows one screen twelve times."""

    def __init__(self, folder: str, language: str) -> None:
        self._folder = folder
        self._language = language if language in LANGUAGES else LANGUAGES[0]
        self._name = ""
        self._lines: list[str] = []

    def speak(self, language: str) -> None:
        if language in LANGUAGES:
            self._language = language
            self._name = ""

    def lines(self, screen: str, arguments: "tuple[str, ...]") -> "list[str]":
        """Four lines, filled in, at most WIDTH characters each."""
        name = screen
        if screen in BY_CODE:
            name = f"{screen}:{arguments[0]}"
        if name != self._name:
            self._lines = self._find(name) or self._find(screen) or [screen]
            self._name = name
        filled = [_fill(line, arguments)[:WIDTH] for line in self._lines[:HEIGHT]]
        return filled + [""] * (HEIGHT - len(filled))

    def _find(self, screen: str) -> "list[str]":
        start = f'"{screen}":'
        try:
            with open(f"{self._folder}/{self._language}.json", "rb") as file:
                for raw in file:
                    line = str(raw, "utf-8").strip()
                    if line.startswith(start):
                        return json.loads(line[len(start) :].rstrip(","))
        except (OSError, ValueError):
            pass  # a display without its words shows the screen's name
        return []


class Display:
    """`uart`: a machine.UART."""

    def __init__(self, uart: "Any", texts: Texts) -> None:
        self._uart = uart
        self._texts = texts
        self._shown: list[str] = []
        self._screen = ""
        self._arguments: tuple[str, ...] = ()

    def show(self, screen: str, arguments: "tuple[str, ...]") -> None:
        if screen == "language":
            self._texts.speak(arguments[0])
        else:
            self._screen = screen
            self._arguments = arguments
        self._draw(self._texts.lines(self._screen, self._arguments))

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


def latin1(text: str) -> bytes:
    """MicroPython encodes UTF-8 only."""
    return bytes([ord(letter) if ord(letter) < 256 else 0x3F for letter in text])


def _fill(line: str, arguments: "tuple[str, ...]") -> str:
    for place in range(len(arguments)):
        line = line.replace("{" + str(place) + "}", arguments[place])
    return line
