"""The page's end of one locker's console: what was said so far, and orders with their answers.

It goes through the control socket: the serial port is for a person with a terminal, and two readers of one port
would each get half of the answers.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any, cast

KEPT = 40_000  # characters of the past, for a page that opens later
ANSWER_WAIT_S = 5.0
_ANSWER = re.compile(r"(?:^|[\r\n>] ?)(OK|ERR)([^\r\n]*)\r?\n")


class SerialLine:
    """`write` types on the console; what it says comes in by hear()."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.type = write
        self._past = ""
        self._total = 0  # characters heard since the start
        self._news = threading.Condition()

    @property
    def past(self) -> str:
        return self._past

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

    def hear(self, text: str) -> None:
        with self._news:
            self._past = (self._past + text)[-KEPT:]
            self._total += len(text)
            self._news.notify_all()
