"""A bad cable between a laptop and a locker: bytes come in any cut, with noise among them, until it is pulled out."""

import os
import pty
import random
import select
import threading
import tty
from typing import Self

NOISE = bytes([*range(1, 8), *range(0x80, 0x100)])  # no letter, no line end, no backspace
LINES = (b"\xff\x00rst:0x1 (POWERON_RESET)\r\n", b"x" * 300 + b"\r\n", b"\x1b[2J\x1b[31m!\r\n")


class NoisyCable(threading.Thread):
    """`with NoisyCable(locker.console, seed) as cable:` the laptop's end is `cable.port`."""

    def __init__(self, far_end: str, seed: int) -> None:
        super().__init__(daemon=True)
        self._dice = random.Random(seed)
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._locker = os.open(far_end, os.O_RDWR | os.O_NOCTTY)
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.is_set():
            ready, _, _ = select.select([self._master, self._locker], [], [], 0.02)
            if self._master in ready:
                os.write(self._locker, os.read(self._master, 4096))
            if self._locker in ready:
                for byte in os.read(self._locker, self._dice.randint(1, 200)):
                    os.write(self._master, self._noise() + bytes([byte]))
                    if byte == 0x0A and self._dice.random() < 0.5:
                        os.write(self._master, self._dice.choice(LINES))

    def _noise(self) -> bytes:
        return bytes(self._dice.choices(NOISE, k=self._dice.choice((0, 0, 0, 0, 0, 2))))

    def pull_out(self) -> None:
        self._ending.set()
        self.join(5)
        for end in (self._master, self._slave, self._locker):
            os.close(end)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ending.is_set():
            self.pull_out()
