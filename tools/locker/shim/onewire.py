"""`onewire` as the firmware of every port has it, for lockers with a thermometer: the wire ends at the cabinet."""

from binascii import hexlify, unhexlify
from typing import TYPE_CHECKING

from wires import bundle

if TYPE_CHECKING:
    from typing import Any


class OneWire:
    def __init__(self, pin: "Any") -> None:
        self._pin = pin

    def reset(self) -> bool:
        return self._ask(-1, b"") == b"\x01"

    def writebyte(self, value: int) -> None:
        self._ask(0, bytes([value]))

    def readbyte(self) -> int:
        return self._ask(1, b"")[0]

    def _ask(self, size: int, data: bytes) -> bytes:
        return unhexlify(bundle.request(f"O {self._pin.number} {size} {hexlify(data).decode()}\n")[0])[1:]
