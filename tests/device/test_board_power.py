"""The virtual board's power, in the moments when there is no board yet."""

import asyncio
from pathlib import Path

from locker_on_table import town_locker

from tools import micropython
from tools.locker.controller import Controller

STARTS_S = 120  # another may be making the ROM just now


class Nobody:
    """No cabinet around the board."""

    def drive(self, pin: int, level: int, at_ms: float) -> None: ...
    def transmit(self, uart: int, data: bytes) -> None: ...
    def sound(self, pin: int, hertz: int) -> None: ...
    def printed(self, data: bytes) -> None: ...
    def power_lost(self, at_ms: float) -> None: ...
    def power_came(self) -> None: ...


def test_a_board_whose_power_goes_while_it_is_being_started_does_not_live_on(tmp_path: Path):
    board = Controller(micropython.find(), town_locker(tmp_path / "one"), [], 0, Nobody())

    async def play() -> None:
        board.power(True)
        await asyncio.sleep(0)  # it is being made: there is nothing to kill yet
        assert not board.powered
        await asyncio.wait_for(board.stop(), STARTS_S)

    asyncio.run(play())
    assert not board.powered
