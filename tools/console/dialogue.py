"""--log FILE: the whole dialogue with the time of each line (UTC). What would let somebody in is not in it."""

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tools.client import USAGE, Failed
from tools.console.reader import Heard, Kind

HIDDEN = "***"
_SECRET_ORDER = re.compile(r"\b(answer|badge)(\s+)(?!(?:HEX|TOKEN)\Z)\S.*", re.IGNORECASE)
# Also where the word before it is misspelt or was eaten by noise: a token's Base45, a code's or an answer's digits.
_BASE45_RUN = re.compile(r"[0-9A-Z $%*+\-./:]{40,}")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{12}|[0-9A-F]{12}|[0-9a-f]{16}|[0-9A-F]{16})(?![0-9A-Za-z])")


def masked(text: str) -> str:
    """The same without tokens, answers and codes."""
    text = _SECRET_ORDER.sub(rf"\1\2{HIDDEN}", text)
    return _DIGITS.sub(HIDDEN, _BASE45_RUN.sub(HIDDEN, text))


def is_secret(order: str) -> bool:
    """Neither a log nor a history may hold it."""
    return masked(order) != order


class Dialogue:
    """An open log. A disk that fills up ends the log, not the visit."""

    def __init__(self, path: Path | None) -> None:
        """Appends; a new file is its owner's alone. Raises Failed."""
        self._secret_under_way = False
        self._file: TextIO | None = None
        if path is None:
            return
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as problem:
            raise Failed(f"cannot write {path}: {type(problem).__name__}", "name a file in your own folder", USAGE)
        self._file = os.fdopen(handle, "w", encoding="utf-8", buffering=1)

    def sent(self, order: str) -> None:
        self._secret_under_way = is_secret(order)
        self._write(">", masked(order))

    def heard(self, heard: Heard) -> None:
        if heard.kind is Kind.PROMPT or (heard.kind is Kind.ECHO and not heard.text):
            return
        text = masked(heard.text) if heard.kind is not Kind.TOO_LONG else "(a line without an end)"
        if heard.kind is Kind.ANSWER:
            self._secret_under_way = False
        elif self._secret_under_way and heard.kind in (Kind.ECHO, Kind.OTHER):
            text = HIDDEN  # noise may have bent it so that no rule knows it
        self._write("<", text)

    def note(self, text: str) -> None:
        """A word of our own."""
        self._write("#", masked(text))

    def close(self) -> None:
        if self._file is not None:
            self.note("end")
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, mark: str, text: str) -> None:
        if self._file is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            self._file.write(f"{now} {mark} {text}\n")
        except OSError as problem:
            print(f"consigne: the log has ended: {problem.strerror}", file=sys.stderr)
            self._give_up()

    def _give_up(self) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError:
            pass  # what could not be written is lost; that was said
