"""The technician's cable: a pseudo-terminal whose far end is the board's console."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable


class SerialPort:
    """`typed` gets what someone types. What nobody reads is lost, as on a cable that is not plugged in."""

    def __init__(self, typed: Callable[[bytes], None]) -> None:
        self._typed = typed
        # Our own handle on the far end keeps the port alive while nobody has it open.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def print(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _readable(self) -> None:
        with contextlib.suppress(OSError):
            self._typed(os.read(self._master, 256))
