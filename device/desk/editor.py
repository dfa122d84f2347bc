"""What is typed, byte by byte, becomes a line: a cursor, a history, and an echo that needs no more of a terminal than
backspace. Noise can neither fill the memory nor end a session."""

from protocol.limits import CONSOLE_HISTORY_LINE_MAX, CONSOLE_HISTORY_MAX, CONSOLE_LINE_MAX

# What take() asks for. COMPLETE: the Tab key; EXPLAIN: a question mark where a word begins.
LINE, BREAK, COMPLETE, EXPLAIN = 1, 2, 3, 4
_CTRL_A, _CTRL_C, _CTRL_E, _BACKSPACE, _TAB, _LF, _CTRL_K, _CR = 0x01, 0x03, 0x05, 0x08, 0x09, 0x0A, 0x0B, 0x0D
_CTRL_N, _CTRL_P, _CTRL_U, _CTRL_V, _CTRL_W, _ESC, _DELETE = 0x0E, 0x10, 0x15, 0x16, 0x17, 0x1B, 0x7F
_UP, _DOWN, _RIGHT, _LEFT, _HOME, _END, _TILDE = 0x41, 0x42, 0x43, 0x44, 0x48, 0x46, 0x7E
_QUESTION = 0x3F
_PLAIN, _ESCAPED, _SEQUENCE, _QUOTED = 0, 1, 2, 3


class Editor:
    """`line`: what stands there; `cursor`: before which letter of it; `too_long`: more was typed than a line takes."""

    def __init__(self) -> None:
        self.line = b""
        self.cursor = 0
        self.too_long = False
        self._history: list[bytes] = []
        self._shown = 0  # of the history; its length: none
        self._last = 0
        self._state = _PLAIN
        self._digit = 0  # of a sequence such as ESC [ 3 ~

    def feed(self, data: bytes, place: int, echo: bytearray) -> "tuple[int, int]":
        """From `place` on: (what there is to do now, or 0; where to go on). Letters in a row are drawn once: one by
        one in front of a long line, each would draw all of it."""
        end = place
        while self._state == _PLAIN and end < len(data) and 0x20 <= data[end] <= 0x7E and data[end] != _QUESTION:
            end += 1
        if end == place:
            return self.take(data[place], echo), place + 1
        self._last = data[end - 1]
        self._letters(data[place:end], echo)
        return 0, end

    def take(self, byte: int, echo: bytearray) -> int:
        """One byte. What there is to do now, or 0."""
        last, self._last = self._last, byte
        if byte in (_CR, _LF):
            self._state = _PLAIN
            if byte == _LF and last == _CR:
                return 0
            echo.extend(b"\r\n")
            return LINE
        if self._state == _QUOTED:
            self._state = _PLAIN
            if 0x20 <= byte <= 0x7E:
                self._letters(bytes([byte]), echo)
        elif self._state:
            self._sequence(byte, echo)
        elif 0x20 <= byte <= 0x7E:
            if byte == _QUESTION and self.line[: self.cursor][-1:] in (b"", b" "):
                return EXPLAIN
            self._letters(bytes([byte]), echo)
        else:
            return self._control(byte, echo)
        return 0

    def _control(self, byte: int, echo: bytearray) -> int:
        if byte in (_BACKSPACE, _DELETE):
            self._remove(self.cursor - 1, self.cursor, echo)
        elif byte == _TAB:
            return COMPLETE if self.line[: self.cursor].strip() else 0
        elif byte == _CTRL_C:
            echo.extend(b"^C\r\n")
            self.clear()
            return BREAK
        elif byte == _ESC:
            self._state = _ESCAPED
            self._digit = 0
        elif byte == _CTRL_V:
            self._state = _QUOTED
        elif byte == _CTRL_U:
            self.replace(b"", echo)
            self.too_long = False
        elif byte == _CTRL_W:
            kept = self.line[: self.cursor].rstrip()
            self._remove(kept.rfind(b" ") + 1, self.cursor, echo)
        elif byte == _CTRL_K:
            self._remove(self.cursor, len(self.line), echo)
        else:
            self._go(byte, echo)
        return 0

    def _go(self, byte: int, echo: bytearray) -> None:
        if byte in (_CTRL_A, _CTRL_E):
            self._move(0 if byte == _CTRL_A else len(self.line), echo)
        elif byte in (_CTRL_P, _CTRL_N):
            self._recall(-1 if byte == _CTRL_P else 1, echo)

    def _sequence(self, byte: int, echo: bytearray) -> None:
        """An arrow key sends ESC [ letter or ESC O letter, others ESC [ digits ~."""
        if self._state == _ESCAPED and byte in b"[O":
            self._state = _SEQUENCE
            return
        if not 0x40 <= byte <= 0x7E:
            self._state = _SEQUENCE
            self._digit = byte - 0x30 if self._digit == 0 else -1
            return
        known = self._state == _SEQUENCE
        self._state = _PLAIN
        if not known:
            return
        if byte in (_UP, _DOWN):
            self._recall(-1 if byte == _UP else 1, echo)
        elif byte in (_LEFT, _RIGHT):
            self._move(self.cursor + (1 if byte == _RIGHT else -1), echo)
        elif byte == _HOME or (byte == _TILDE and self._digit in (1, 7)):
            self._move(0, echo)
        elif byte == _END or (byte == _TILDE and self._digit in (4, 8)):
            self._move(len(self.line), echo)
        elif byte == _TILDE and self._digit == 3:
            self._remove(self.cursor, self.cursor + 1, echo)

    # -------------------------------------------------------------- the line
    def _letters(self, letters: bytes, echo: bytearray) -> None:
        if len(self.line) + len(letters) > CONSOLE_LINE_MAX:
            self.too_long = True
        self.insert(letters, echo)

    def insert(self, letters: bytes, echo: bytearray) -> None:
        """At the cursor; as many as fit."""
        letters = letters[: CONSOLE_LINE_MAX - len(self.line)]
        rest = self.line[self.cursor :]
        self.line = self.line[: self.cursor] + letters + rest
        self.cursor += len(letters)
        echo.extend(letters + rest + b"\b" * len(rest))

    def _remove(self, start: int, end: int, echo: bytearray) -> None:
        start, end = max(0, start), min(end, len(self.line))
        if start >= end:
            return
        rest = self.line[end:]
        echo.extend(b"\b" * (self.cursor - start) + rest + b" " * (end - start))
        echo.extend(b"\b" * (len(rest) + end - start))
        self.line = self.line[:start] + rest
        self.cursor = start

    def _move(self, cursor: int, echo: bytearray) -> None:
        cursor = min(max(cursor, 0), len(self.line))
        if cursor < self.cursor:
            echo.extend(b"\b" * (self.cursor - cursor))
        else:
            echo.extend(self.line[self.cursor : cursor])
        self.cursor = cursor

    def replace(self, line: bytes, echo: bytearray) -> None:
        """Another line in the place of this one."""
        self._move(len(self.line), echo)
        echo.extend(b"\b \b" * len(self.line) + line)
        self.line = line
        self.cursor = len(line)

    def _recall(self, step: int, echo: bytearray) -> None:
        place = self._shown + step
        if 0 <= place <= len(self._history):
            self._shown = place
            self.replace(self._history[place] if place < len(self._history) else b"", echo)

    # -------------------------------------------------------------- a line is over
    def finish(self, kept: bool) -> None:
        """The line was taken; `kept`: it may stand in the history."""
        kept = kept and len(self.line) <= CONSOLE_HISTORY_LINE_MAX
        if kept and self.line.strip() and self.line not in self._history[-1:]:
            self._history = (self._history + [self.line])[-CONSOLE_HISTORY_MAX:]  # noqa: RUF005 - no stars there
        self.clear()

    def clear(self) -> None:
        self.line = b""
        self.cursor = 0
        self.too_long = False
        self._state = _PLAIN
        self._shown = len(self._history)
