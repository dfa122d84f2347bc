"""What a locker's console says, from bytes in any cut and with any noise between them.

A line is kept while it fits. The console speaks ASCII: every other byte is noise and is dropped, so nothing that a
port says can move the cursor of whoever reads it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

LINE_SIZE_MAX = 256 * 1024  # a locker that never ends its line must not fill our memory

_BACKSPACE, _LF, _SPACE, _LAST = 0x08, 0x0A, 0x20, 0x7E
_ANSWER = re.compile(r"(?:OK|ERR)(?: |\Z)")
_BANNER = re.compile(r"Consigne, locker ([A-Za-z0-9-]+)\. Type help\.\Z")
# Where, how many alarms, service mode, who: `mairie-1!2/service anne# `
_PROMPT = re.compile(rb"(?!OK |ERR )([A-Za-z0-9-]{1,64})(?:!\d{1,4})?(?:/service)?(?:> | ([!-~]{1,64})# )")
_FOR_PEOPLE = "  "  # lines before the answer, as `help` gives them


class Kind(Enum):
    ANSWER = "answer"  # `OK …` or `ERR code …`
    TOLD = "told"  # a line for people, before its answer
    BANNER = "banner"  # the locker has just started
    PROMPT = "prompt"  # its prompt stands there; `actor` is who is logged in
    ECHO = "echo"  # what was typed behind the prompt
    OTHER = "other"  # anything else: boot messages, a traceback, noise
    TOO_LONG = "too_long"  # a line that was given up


@dataclass(frozen=True)
class Heard:
    kind: Kind
    text: str = ""
    locker: str = ""
    actor: str = ""


@dataclass
class Reader:
    """Feed it what the port gave; it hands out what that was, in order."""

    size_max: int = LINE_SIZE_MAX
    _line: bytearray = field(default_factory=bytearray)
    _prompt_end: int = 0  # where the prompt of this line ends; 0: it has none
    _skipping: bool = False

    def feed(self, data: bytes) -> Iterator[Heard]:
        for byte in data:
            if byte == _LF:
                yield from self._end_line()
            elif byte == _BACKSPACE:
                if len(self._line) > self._prompt_end:
                    self._line.pop()
            elif _SPACE <= byte <= _LAST and not self._skipping:
                yield from self._take(byte)

    def _take(self, byte: int) -> Iterator[Heard]:
        self._line.append(byte)
        if len(self._line) > self.size_max:
            self._line.clear()
            self._prompt_end = 0
            self._skipping = True
            yield Heard(Kind.TOO_LONG)
        elif byte == _SPACE and not self._prompt_end and (found := _PROMPT.fullmatch(self._line)):
            self._prompt_end = len(self._line)
            locker, actor = found[1].decode(), (found[2] or b"").decode()
            yield Heard(Kind.PROMPT, found[0].decode(), locker, actor)

    def _end_line(self) -> Iterator[Heard]:
        typed = self._line[self._prompt_end :].decode("ascii")
        prompted, self._prompt_end = bool(self._prompt_end), 0
        skipped, self._skipping = self._skipping, False
        self._line.clear()
        if prompted:
            yield Heard(Kind.ECHO, typed)
        elif typed and not skipped:
            yield _told(typed)


def _told(text: str) -> Heard:
    if _ANSWER.match(text):
        return Heard(Kind.ANSWER, text)
    if banner := _BANNER.match(text):
        return Heard(Kind.BANNER, text, locker=banner[1])
    return Heard(Kind.TOLD if text.startswith(_FOR_PEOPLE) else Kind.OTHER, text)
