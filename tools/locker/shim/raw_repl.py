"""What is left of a board when its program has ended: a prompt, and the raw mode in which tools send programs.

Loaded only then, since a board has it in its firmware. As MicroPython's shared/runtime/pyexec.c: Ctrl-A enters the
raw mode, Ctrl-B leaves it, Ctrl-C forgets what was typed, Ctrl-D runs it; what it printed and what it raised come
back behind `OK`, each ended by a byte 4. Ctrl-E A Ctrl-A: a program whose sender waits until there is room for more.
"""

import gc
import sys

import machine

_RAW, _FRIENDLY, _FORGET, _RUN = 1, 2, 3, 4
_PASTE = b"\x05A"
_WINDOW = 128  # bytes, half of what a board's buffer holds
_PROMPT = b"\r\n>>> "
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"


def serve() -> None:
    """Until the board is reset, or its cabinet is gone."""
    names = {"__name__": "__main__"}
    typed = bytearray()
    raw = False
    _say(b"\r\nMicroPython on a virtual board" + _PROMPT)
    while True:
        try:
            byte = sys.stdin.buffer.read(1)
            if not byte:
                return
            if byte[0] == _RAW:
                _enter_raw(names, raw and bytes(typed) == _PASTE)
                raw = True
            elif byte[0] == _FRIENDLY:
                raw = False
                _say(_PROMPT)
            elif byte[0] == _RUN and (not raw or not typed):
                machine.reset()  # a soft reboot is none here: the board's power is the cabinet's
            elif byte[0] == _RUN:
                _say(b"OK")
                _run(bytes(typed), names)
            elif byte[0] != _FORGET and raw:
                typed.extend(byte)
                continue
            elif byte == b"\r":
                _say(_PROMPT)
            typed = bytearray()
        except KeyboardInterrupt:
            typed = bytearray()


def _enter_raw(names: "dict[str, str]", pasting: bool) -> None:
    if pasting:
        _run(_pasted(), names)
    else:
        _say(_RAW_PROMPT)


def _pasted() -> bytes:
    """A byte 1 says that a window of it was taken, and that as much may come."""
    _say(b"R\x01" + bytes((_WINDOW, 0, 1)))
    program = bytearray()
    while (byte := sys.stdin.buffer.read(1)) and byte[0] != _RUN:
        program.extend(byte)
        if len(program) % _WINDOW == 0:
            _say(b"\x01")
    _say(b"\x04")
    return bytes(program)


def _run(code: bytes, names: "dict[str, str]") -> None:
    error: BaseException | None = None
    try:
        exec(compile(str(code, "utf-8"), "<stdin>", "exec"), names)
    except BaseException as raised:  # whatever it is: it is told, and the prompt comes again
        error = raised
    _say(b"\x04")
    if error is not None:
        sys.print_exception(error, sys.stdout)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    _say(b"\x04>")
    gc.collect()


def _say(data: bytes) -> None:
    sys.stdout.buffer.write(data)
