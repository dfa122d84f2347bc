"""What the desk asks of the board itself: texts, small files on its flash. The only file of the desk that does I/O."""

from typing import TYPE_CHECKING

from device.drivers.display import text_of

if TYPE_CHECKING:
    from typing import Any


class Hands:
    """`board`: a device.board.Board."""

    def __init__(self, board: "Any") -> None:
        self._board = board

    def text(self, language: str, name: str) -> str:
        """What the table of the desk's texts says under that name, in ASCII; "" when it says nothing."""
        screens = self._board.screens
        found = text_of(f"{screens}/desk/{language or self._board.language}.json", name)
        return ascii_text(found) if found else ""


def ascii_text(text: str) -> str:
    """The console speaks ASCII: every other byte of a serial line is noise."""
    return "".join([_letter(letter) for letter in text.replace("œ", "oe")])


def _letter(letter: str) -> str:
    if ord(letter) < 0x7F:
        return letter
    place = _ACCENTED.find(letter)
    return _PLAIN[place] if place >= 0 else "?"


_ACCENTED = "àâäçéèêëîïôöùûüÀÂÇÉÈÊËÎÏÔÙÛ’«»–"
_PLAIN = 'aaaceeeeiioouuuAACEEEEIIOUU\'""-'
assert len(_ACCENTED) == len(_PLAIN)
