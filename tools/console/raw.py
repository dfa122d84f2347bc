"""--raw: keys go to the locker as they are typed, its bytes to the screen. For a locker that only says noise, or has
fallen into MicroPython's own prompt."""

import os
import select
import sys
import termios
import tty

import serial

from tools.client import OK
from tools.console.dialogue import Dialogue
from tools.console.reader import Reader
from tools.console.session import gone

LEAVE = b"\x1d"  # Ctrl-], as telnet


def interact(port: serial.Serial, log: Dialogue) -> int:
    """Until Ctrl-]. Raises Failed when the port is gone."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    print("Ctrl-] leaves.", file=sys.stderr)
    try:
        tty.setraw(keyboard)
        port.write(b"\r")
        return _pump(port, keyboard, log)
    except OSError:  # serial.SerialException is one
        raise gone()
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        print(file=sys.stderr)


def _pump(port: serial.Serial, keyboard: int, log: Dialogue) -> int:
    """The log gets whole lines only: a secret that comes letter by letter is known by its line alone."""
    reader = Reader()
    while True:
        ready, _, _ = select.select([keyboard, port.fileno()], [], [])
        if port.fileno() in ready:
            said = port.read(max(1, port.in_waiting))
            sys.stdout.buffer.write(said)
            sys.stdout.buffer.flush()
            for heard in reader.feed(said):
                log.heard(heard)
        if keyboard in ready:
            typed = os.read(keyboard, 256)
            if not typed or LEAVE in typed:
                return OK
            port.write(typed)
