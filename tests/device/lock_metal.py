"""Doors for an emulated lock board in memory: a coil that comes on lets its door spring open at once."""

from tools.locker.boards.board import Answers, Board


class Springs:
    """All doors are closed at first. `jammed`: channels whose coil moves nothing; `log`: (channel, on)."""

    def __init__(self, *opened: int) -> None:
        self.opened = set(opened)
        self.items: set[int] = set()
        self.jammed: set[int] = set()
        self.on: set[int] = set()
        self.log: list[tuple[int, bool]] = []

    def coil(self, channel: int, on: bool) -> None:
        self.log.append((channel, on))
        if on:
            self.on.add(channel)
            if channel not in self.jammed:
                self.opened.add(channel)
        else:
            self.on.discard(channel)

    def closed(self, channel: int) -> bool:
        return channel not in self.opened

    def full(self, channel: int) -> bool:
        return channel in self.items


def played(board: Board, request: str | bytes, at_ms: float = 1000.0, for_ms: float = 15_000.0) -> Answers:
    """Everything a board says to a request, and when (milliseconds after it)."""
    data = bytes.fromhex(request) if isinstance(request, str) else request
    said = board.receive(at_ms, data)
    while (moment := board.next_ms()) is not None and moment <= at_ms + for_ms:
        said += [(moment - at_ms + ms, frame) for ms, frame in board.tick(moment)]
    return said


def answers(board: Board, request: str | bytes, at_ms: float = 1000.0) -> list[str]:
    """The same without the times, in hex."""
    return [frame.hex(" ").upper() for _ms, frame in played(board, request, at_ms)]
