"""Flashed as /main.py."""

import gc

import micropython

# A Ctrl-C is for the locker's console; four end the program (device/drivers/console.py).
micropython.kbd_intr(-1)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
# Importing leaves garbage between what stays; collected often, what stays lies together.
gc.threshold(4096)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

from device.board import Board  # noqa: E402
from device.shell import Shell  # noqa: E402

try:
    board = Board()
except Exception as error:  # outermost: no locker stays off because of a configuration that was only tried
    from device.desk.trial import fail

    fail(error)
    raise
Shell(board).run()
