"""A technician's cable into one locker's console: what it writes goes to the page, what the page types goes in."""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import serial

KEPT = 40_000  # characters of the past, for a page that opens later
ANSWER_WAIT_S = 5.0
_ANSWER = re.compile(r"(?:^|[\r\n>] ?)(OK|ERR)([^\r\n]*)\r?\n")


class SerialLine:
    def __init__(self, path: str, heard: Callable[[str], None]) -> None:
        self._port = serial.Serial(path, 115_200, timeout=0.2, write_timeout=5)
        self._heard = heard
        self._past = ""
        self._total = 0  # characters heard since the start
        self._news = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def past(self) -> str:
        return self._past

    def type(self, text: str) -> None:
        self._port.write(text.encode())

    def order(self, line: str) -> tuple[bool, str]:
        """Type one line; (whether it was OK, the rest of its answer). Raises TimeoutError."""
        with self._news:
            start = self._total
        self.type(line + "\r")
        deadline = time.monotonic() + ANSWER_WAIT_S
        with self._news:
            while time.monotonic() < deadline:
                fresh = self._past[len(self._past) - (self._total - start) :] if self._total > start else ""
                said = _ANSWER.search(fresh)
                if said:
                    return said[1] == "OK", said[2].strip()
                self._news.wait(0.2)
        raise TimeoutError("the console does not answer")

    def log_in(self, name: str, answer: Callable[[str], str]) -> bool:
        """`answer` works out what the challenge asks for."""
        granted, rest = self.order(f"login {name}")
        if not granted:
            return False
        challenge = cast("dict[str, Any]", json.loads(rest))["challenge"]
        return self.order(f"answer {answer(str(challenge))}")[0]

    def close(self) -> None:
        self._open = False
        self._thread.join(1)
        self._port.close()

    def _listen(self) -> None:
        while self._open:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (OSError, serial.SerialException):
                return  # the locker's process has ended
            if not data:
                continue
            text = data.decode("utf-8", "replace")
            with self._news:
                self._past = (self._past + text)[-KEPT:]
                self._total += len(text)
                self._news.notify_all()
            self._heard(text)
