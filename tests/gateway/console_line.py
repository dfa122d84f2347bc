"""A serial line with a real locker's brain at its other end: the agent behind a pty, for the tests of the tools."""

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator

from patience import WAIT_S

from device.agent import effects as do
from device.agent import events as on
from device.agent.books import Books
from device.agent.config import Config
from device.agent.core import Agent


def config(locker: str, key: bytes) -> Config:
    return Config(locker, 1, key, [1, 2, 3], {}, 12, True, bytes(3))


class Line(threading.Thread):
    """What is typed goes to the agent; what it writes goes back. The console is deaf while `broken`."""

    def __init__(self, made: Config) -> None:
        super().__init__(daemon=True)
        self.agent = Agent(made, Books(made.numbers), 1, bytes(32), 1)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        self.typed = bytearray()
        self.ending = False
        self._perform(self.agent.start(0, "test"))

    def run(self) -> None:
        began = time.monotonic()
        while not self.ending:
            ready, _, _ = select.select([self.master], [], [], 0.02)
            now = int((time.monotonic() - began) * 1000)
            if ready:
                data = os.read(self.master, 4096)
                self.typed += data
                self._perform(self.agent.step(now, on.Typed(data)))
            while self.agent.deadline_ms(now) <= now:
                self._perform(self.agent.step(now, on.Ticked()))

    def _perform(self, effects: list) -> None:
        for effect in effects:
            if isinstance(effect, do.Write):
                os.write(self.master, effect.data)


@contextlib.contextmanager
def line(locker: str, key: bytes) -> Iterator[Line]:
    made = Line(config(locker, key))
    made.start()
    try:
        yield made
    finally:
        made.ending = True
        made.join(WAIT_S)
        os.close(made.master)
        os.close(made.slave)
