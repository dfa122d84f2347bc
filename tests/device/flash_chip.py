"""A flash chip in memory, for LittleFS inside MicroPython: it writes down every operation, or fails at one of them.

A day is played once on a chip that keeps the list of its operations. What the cells held when the power went at any
of them is then made by doing that list again, up to there; a restart writes into copies of the blocks it touches.
"""

import protocol.paths  # noqa: F401 - native code is compiled here, while the stack is shallow

BLOCK = 4096
ERASED = b"\xff" * BLOCK
_EIO = -5
_BLOCK_COUNT, _BLOCK_SIZE, _ERASE = 4, 5, 6  # MicroPython's block device protocol


class PowerCutError(OSError):
    """The power goes, inside an operation."""


class Chip:
    """`blocks`: shared with others until written to. `left`: operations until the power goes; -1: it does not."""

    def __init__(self, blocks: "list[bytes | bytearray]") -> None:
        self.blocks = blocks
        self._own = bytearray(len(blocks))
        self.left = -1
        self.torn = False
        self.gone = (
            False  # the power went; what a forgotten file tries later, swept up with no memory left, is refused
        )
        self.operations: "list[tuple[int, int, bytes | None]] | None" = None  # (block, offset, data; None: erased)
        self.on_operation = None
        self.erases = None  # counts by block, when wanted

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> int:
        if self.gone:
            return _EIO
        buffer[:] = memoryview(self.blocks[block])[offset : offset + len(buffer)]
        return 0

    def writeblocks(self, block: int, buffer: bytearray, offset: int = 0) -> int:
        if self.gone:
            return _EIO
        if self.operations is not None:
            self.on_operation()
            self.operations.append((block, offset, bytes(buffer)))
        self._do(block, offset, buffer)
        return 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == _ERASE:
            if self.gone:
                return _EIO
            if self.erases is not None:
                self.erases[argument] += 1
            if self.operations is not None:
                self.on_operation()
                self.operations.append((argument, 0, None))
            self._do(argument, 0, ERASED)
        return {_BLOCK_COUNT: len(self.blocks), _BLOCK_SIZE: BLOCK}.get(operation, 0)

    def _do(self, block: int, offset: int, data: "bytes | bytearray") -> None:
        if self.left == 0:
            self.gone = True
            if self.torn:
                self.put(block, offset, memoryview(data)[: len(data) // 2])
            raise PowerCutError(5)
        self.left -= 1
        self.put(block, offset, data)

    def put(self, block: int, offset: int, data: "bytes | bytearray | memoryview") -> None:
        if not self._own[block]:
            self.blocks[block] = bytearray(self.blocks[block])
            self._own[block] = 1
        self.blocks[block][offset : offset + len(data)] = data

    def copy(self) -> "Chip":
        """As it is now; neither sees what the other writes from here on."""
        for place in range(len(self._own)):
            self._own[place] = 0
        return Chip(list(self.blocks))
