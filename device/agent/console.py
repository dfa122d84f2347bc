"""The serial console without a port: bytes in, echo and orders out. One line in, one line out: `OK {json}` or
`ERR code text`, the same for people and for scripts.

Whoever acts must first answer a challenge (protocol.keys.console_answer); noise on the line can neither fill the
memory nor end a session, nor keep one open.
"""

from typing import TYPE_CHECKING

from device.agent.effects import Write
from protocol.hmac import equal
from protocol.keys import console_answer
from protocol.limits import CONSOLE_IDLE_MS, CONSOLE_LINE_MAX
from protocol.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.agent.config import Config
    from device.agent.drbg import Drbg
    from device.agent.effects import Effect

_CTRL_C, _BACKSPACE, _LF, _CR, _CTRL_U, _ESC, _DELETE = 0x03, 0x08, 0x0A, 0x0D, 0x15, 0x1B, 0x7F
# An arrow key sends ESC [ letter or ESC O letter: three bytes that mean nothing here.
_PLAIN, _ESCAPED, _SEQUENCE = 0, 1, 2


class Order(Record):
    """One line: its first word, its other words, and all that stood behind the first as it was typed. Who gives it is
    Console.actor at the moment it is carried out."""

    FIELDS = ("name", "arguments", "rest")
    name: str
    arguments: "list[str]"
    rest: str


class Console:
    """`actor` is who is logged in; "" for nobody."""

    def __init__(self, config: "Config", drbg: "Drbg") -> None:
        self._locker = config.locker
        self._key = config.key
        self._drbg = drbg
        self.actor = ""
        self._line = bytearray()
        self._too_long = False
        self._last = 0
        self._escape = _PLAIN
        self._idle_at = 0
        self._challenge = b""
        self._asker = ""
        self._badge = b""  # the token that the actor came with, if it was one

    # -------------------------------------------------------------- typing
    def typed(self, now: int, data: bytes, effects: "list[Effect]") -> "Iterator[Order]":
        """Echo the bytes and hand out the lines that ended. One at a time, so that each answer stands under its
        own line, and a login holds from the next line on."""
        self._log_out_when_idle(now, effects)
        echo = bytearray()
        for byte in data:
            if byte not in (_CR, _LF):
                self._edit(byte, echo)
            elif byte == _CR or self._last != _CR:
                echo.extend(b"\r\n")
                order = self._take_line(now)
                if order is None:
                    echo.extend(self._prompt())
                else:
                    _write(echo, effects)
                    echo = bytearray()
                    yield order
            self._last = byte
        _write(echo, effects)

    def _edit(self, byte: int, echo: bytearray) -> None:
        line = self._line
        if self._escape:
            ends = 0x40 <= byte <= 0x7E and not (self._escape == _ESCAPED and byte in b"[O")
            self._escape = _PLAIN if ends else _SEQUENCE
        elif byte == _ESC:
            self._escape = _ESCAPED
        elif byte in (_BACKSPACE, _DELETE):
            if line:
                line[:] = line[:-1]
                echo.extend(b"\b \b")
        elif byte == _CTRL_U:
            echo.extend(b"\b \b" * len(line))
            line[:] = b""
            self._too_long = False
        elif byte == _CTRL_C:
            echo.extend(b"^C\r\n" + self._prompt())
            line[:] = b""
            self._too_long = False
        elif 0x20 <= byte <= 0x7E:
            if len(line) < CONSOLE_LINE_MAX:
                line.append(byte)
                echo.append(byte)
            else:
                self._too_long = True

    def _take_line(self, now: int) -> "Order | None":
        line = str(bytes(self._line), "ascii")
        words = line.split()
        self._line[:] = b""
        self._escape = _PLAIN
        if self._too_long:
            self._too_long = False
            return Order("", ["too_large", f"at most {CONSOLE_LINE_MAX} letters a line"], "")
        if not words:
            return None
        self._idle_at = now + CONSOLE_IDLE_MS
        return Order(words[0].lower(), words[1:], line[line.find(words[0]) + len(words[0]) + 1 :])

    # -------------------------------------------------------------- answering
    def greet(self, effects: "list[Effect]") -> None:
        _write(b"\r\nConsigne, locker " + self._locker.encode() + b". Type help.\r\n" + self._prompt(), effects)

    def say(self, text: str, effects: "list[Effect]") -> None:
        """A line for people before the answer; it never starts with OK or ERR."""
        _write(b"  " + text.encode() + b"\r\n", effects)

    def ok(self, effects: "list[Effect]", document: "dict[str, Any]") -> None:
        _write(b"OK " + to_json(document).encode() + b"\r\n" + self._prompt(), effects)

    def err(self, effects: "list[Effect]", code: str, text: str) -> None:
        _write(b"ERR " + code.encode() + b" " + text.encode() + b"\r\n" + self._prompt(), effects)

    def prompt_again(self, effects: "list[Effect]") -> None:
        """Somebody came or went meanwhile: a new prompt, and what was typed so far behind it."""
        _write(b"\r\n" + self._prompt() + bytes(self._line), effects)

    def _prompt(self) -> bytes:
        who = " " + self.actor + "# " if self.actor else "> "
        return (self._locker + who).encode()

    # -------------------------------------------------------------- who is there
    def challenge(self, name: str) -> str:
        """What `name` must answer, in hex."""
        self._challenge = self._drbg.bytes(8)
        self._asker = name
        return self._challenge.hex()

    def answer(self, now: int, answer: str) -> str:
        """ "" and the asker is logged in, or why not. A challenge is good for one answer; what a wrong one costs is
        Access's business."""
        challenge, self._challenge = self._challenge, b""
        if not challenge:
            return "wrong_state"
        if not equal(answer.lower().encode(), console_answer(self._key, challenge, self._asker).encode()):
            return "wrong_code"
        self.log_in(now, self._asker, b"")
        return ""

    def log_in(self, now: int, name: str, badge: bytes) -> None:
        self.actor = name
        self._badge = badge
        self._idle_at = now + CONSOLE_IDLE_MS

    def log_out(self) -> None:
        self.actor = ""
        self._badge = b""
        self._challenge = b""

    def token_revoked(self, token: bytes) -> None:
        if self._badge == token:
            self.log_out()

    def _log_out_when_idle(self, now: int, effects: "list[Effect]") -> None:
        """Only whole lines count as activity: noise keeps no session open."""
        if now >= self._idle_at and (self.actor or self._challenge):
            self.log_out()
            self.prompt_again(effects)


def _write(data: "bytes | bytearray", effects: "list[Effect]") -> None:
    if data:
        effects.append(Write(bytes(data)))


# ------------------------------------------------------------------ JSON, the same bytes on both interpreters
def to_json(value: "Any") -> str:
    """Compact, ASCII, keys sorted."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join([_letter(letter) for letter in value]) + '"'
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return "[" + ",".join([to_json(item) for item in items]) + "]"
    names: list[str] = sorted(value)
    return "{" + ",".join([to_json(str(name)) + ":" + to_json(value[name]) for name in names]) + "}"


def _letter(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    number = ord(letter)
    if 0x20 <= number <= 0x7E:
        return letter
    return f"\\u{number:04x}" if number <= 0xFFFF else "?"
