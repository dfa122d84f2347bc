"""Modbus RTU relay boards: `waveshare` (05, 0F, 01, flash-on at 0200, inputs 02) and `r421a08` (06 and 03, no inputs).

A relay that is switched on stays on until it is switched off: only flash-on and momentary end by themselves.
"""

from collections.abc import Callable

from tools.locker.boards.board import ANSWER_MS, Answers, Board, Metal, bits_of

READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COIL, WRITE_REGISTER, WRITE_COILS = 0x01, 0x02, 0x03, 0x05, 0x06, 0x0F
NO_SUCH_FUNCTION, NO_SUCH_ADDRESS, NO_SUCH_VALUE, BUSY = 1, 2, 3, 6
ON, OFF, TOGGLE = 0xFF00, 0x0000, 0x5500
ALL, FLASH_ON, FLASH_MAX, FLASH_UNIT_MS = 0x00FF, 0x0200, 0x7FFF, 100.0
R_ON, R_OFF, R_TOGGLE, R_MOMENTARY = 0x0100, 0x0200, 0x0300, 0x0500
MOMENTARY_MS = 1000.0
TO_ALL = 0
HELD = float("inf")


class RefusedError(Exception):
    """The board answers with an exception of this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def with_crc(frame: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _bit in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return frame + crc.to_bytes(2, "little")


class Modbus(Board):
    """Its inputs are as many as its relays, and closed contacts read 1. A board of 32 relays or less."""

    GAP_MS = 4.0  # 3.5 characters end a frame

    def __init__(self, address: int, channels: int, metal: Metal, variant: str = "waveshare") -> None:
        super().__init__(address, channels, metal)
        self._functions = _FUNCTIONS[variant]

    def size_of(self, head: bytes) -> int | None:
        if len(head) < 2:
            return None
        if head[1] != WRITE_COILS:
            return 8
        return None if len(head) < 7 else 9 + head[6]

    def sound(self, frame: bytes) -> bool:
        return with_crc(frame[:-2]) == frame

    def obey(self, now_ms: float, frame: bytes) -> Answers:
        slave, function = frame[:2]
        if slave not in (self.address, TO_ALL):
            return []
        first, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        act = self._functions.get(function)
        try:
            if act is None:
                raise RefusedError(NO_SUCH_FUNCTION)
            content = act(self, now_ms, frame, first, value)
        except RefusedError as refused:
            function, content = function | 0x80, bytes([refused.code])
        if slave == TO_ALL:
            return []
        return [(ANSWER_MS, with_crc(bytes([self.address, function]) + content))]

    # -------------------------------------------------------------- both variants
    def _set(self, now_ms: float, relay: int, on: bool, ms: float = HELD) -> None:
        """`relay` counts from 0."""
        if on and self.busy():
            raise RefusedError(BUSY)
        if on:
            self.fire(now_ms, relay + 1, ms)
        elif self.is_on(relay + 1):
            self.release(relay + 1)

    def _span(self, first: int, count: int) -> range:
        if not 1 <= count <= self.channels:
            raise RefusedError(NO_SUCH_VALUE)
        if first + count > self.channels:
            raise RefusedError(NO_SUCH_ADDRESS)
        return range(first, first + count)

    # -------------------------------------------------------------- waveshare
    def write_coil(self, now_ms: float, frame: bytes, first: int, value: int) -> bytes:
        if FLASH_ON <= first < FLASH_ON + self.channels:
            if not 1 <= value <= FLASH_MAX:
                raise RefusedError(NO_SUCH_VALUE)
            self._set(now_ms, first - FLASH_ON, True, value * FLASH_UNIT_MS)
            return frame[2:6]
        if first >= self.channels and first != ALL:
            raise RefusedError(NO_SUCH_ADDRESS)
        if value not in (ON, OFF, TOGGLE):
            raise RefusedError(NO_SUCH_VALUE)
        for relay in range(self.channels) if first == ALL else (first,):
            self._set(now_ms, relay, value == ON or (value == TOGGLE and not self.is_on(relay + 1)))
        return frame[2:6]

    def write_coils(self, now_ms: float, frame: bytes, first: int, value: int) -> bytes:
        if frame[6] != (value + 7) // 8:
            raise RefusedError(NO_SUCH_VALUE)
        wanted = int.from_bytes(frame[7 : 7 + frame[6]], "little")
        for place, relay in enumerate(self._span(first, value)):
            self._set(now_ms, relay, bool(wanted >> place & 1))
        return frame[2:6]

    def read_coils(self, _now_ms: float, _frame: bytes, first: int, value: int) -> bytes:
        self.asked()
        flags = bits_of([self.is_on(relay + 1) for relay in self._span(first, value)])
        return bytes([len(flags)]) + flags

    def read_inputs(self, _now_ms: float, _frame: bytes, first: int, value: int) -> bytes:
        self.asked()
        flags = bits_of([self.closed(relay + 1) for relay in self._span(first, value)])
        return bytes([len(flags)]) + flags

    # -------------------------------------------------------------- r421a08: registers count from 1
    def write_register(self, now_ms: float, frame: bytes, first: int, value: int) -> bytes:
        if not 1 <= first <= self.channels:
            raise RefusedError(NO_SUCH_ADDRESS)
        if value == R_MOMENTARY:
            self._set(now_ms, first - 1, True, MOMENTARY_MS)
        elif value in (R_ON, R_OFF, R_TOGGLE):
            self._set(now_ms, first - 1, value == R_ON or (value == R_TOGGLE and not self.is_on(first)))
        else:
            raise RefusedError(NO_SUCH_VALUE)
        return frame[2:6]

    def read_registers(self, _now_ms: float, _frame: bytes, first: int, value: int) -> bytes:
        self.asked()
        words = b"".join(self.is_on(relay + 1).to_bytes(2, "big") for relay in self._span(first - 1, value))
        return bytes([len(words)]) + words


_Function = Callable[[Modbus, float, bytes, int, int], bytes]
_FUNCTIONS: dict[str, dict[int, _Function]] = {
    "waveshare": {
        READ_COILS: Modbus.read_coils,
        READ_INPUTS: Modbus.read_inputs,
        WRITE_COIL: Modbus.write_coil,
        WRITE_COILS: Modbus.write_coils,
    },
    "r421a08": {READ_REGISTERS: Modbus.read_registers, WRITE_REGISTER: Modbus.write_register},
}
