"""python -m tools.locker FOLDER: one virtual locker, until it is told to end (SIGTERM, SIGINT).

FOLDER is what tools.locker.provision made. The first line on stdout is JSON, when the locker's first screen is up.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tools import micropython
from tools.locker import rom, sockets
from tools.locker.cabinet import Cabinet
from tools.locker.control import Control

READY_S = 100  # from power to the first screen, on a very busy machine


async def serve(folder: Path) -> int:
    interpreter = micropython.find()
    rom.build(interpreter)  # before there is power: compiling may take longer than a locker has to start
    with sockets.private() as place:
        return await _serve(folder, interpreter, place / "control")


async def _serve(folder: Path, interpreter: micropython.Interpreter, socket: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cabinet = Cabinet(folder, interpreter)
    control = Control(cabinet, socket)
    try:
        await cabinet.start()
        await control.start()
        await wait_for_screen(cabinet)
        if cabinet.failed or not cabinet.first_screen.is_set():
            print(cabinet.failed or f"no screen after {READY_S} s; see {folder / 'locker.log'}", file=sys.stderr)
            return 1
        ready = {
            "locker": cabinet.locker,
            "control": str(socket),
            "console": cabinet.console,
            "pid": os.getpid(),
        }
        print(json.dumps(ready), flush=True)
        await stop.wait()
        return 0
    finally:
        await control.stop()
        await cabinet.stop()


async def wait_for_screen(cabinet: Cabinet) -> None:
    """Until the first screen is up, the board has failed for good, or time is up."""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY_S
    while not cabinet.first_screen.is_set() and not cabinet.failed and loop.time() < until:
        await asyncio.sleep(0.01)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return asyncio.run(serve(Path(arguments[0])))
    except (OSError, micropython.MicroPythonError) as error:
        print(f"virtual locker: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
