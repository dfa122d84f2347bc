"""The campaign of lock_board_campaign.py for locks on chips: one byte in a hundred damaged both ways, and one access
in a hundred not acknowledged. Two chips on one bus.
"""

from typing import Any

from lock_board_campaign import Cabinet, Doors

from device.agent.events import DoorSensed
from device.drivers.doors import DoorSwitches
from device.drivers.locks.expander import Expander
from device.drivers.locks.guard import Guard
from device.drivers.locks.hc595 import Hc595
from device.drivers.locks.heard import Heard
from device.drivers.locks.mcp23017 import Mcp23017
from tools.locker.boards.hc595 import HC595
from tools.locker.boards.mcp23017 import MCP23017

NACKS = 0.01
FIRST_DOOR = 9  # the expander's upper eight pins, but for the last


class Pin:
    def __init__(self, told: Any) -> None:
        self.value = told


class Crossed:
    """A lock at one pin of the chip, its door at another."""

    def __init__(self, doors: Doors) -> None:
        self.coil = doors.coil
        self._doors = doors

    def closed(self, channel: int) -> bool:
        return channel < FIRST_DOOR or self._doors.closed(channel - FIRST_DOOR + 1)

    def full(self, _channel: int) -> bool:
        return False


class Chips(Cabinet):
    def pass_time(self) -> None:
        pass

    def arm(self, _ms: int, _action: Any) -> None:
        """The loop here never stands still."""

    def _doors(self) -> list[Doors]:
        return [Doors(self.coil_of(place), lambda: float(self.now)) for place in (0, 1)]

    def _driven(self, place: int, chip: Any, safe: Pin, level: int) -> Expander:
        channels = {self.number(place, channel): channel for channel in range(1, self.channels + 1)}
        return Expander(chip, channels, safe, level, self.arm)

    def _access(self) -> None:
        if self.chance.random() < NACKS:
            raise OSError(19)


class Expanders(Chips):
    """Seven doors a chip."""

    def _build(self, _name: str) -> None:
        self.channels = 7
        self.metal = self._doors()
        driven: list[Expander] = []
        self.sources: list[Any] = []
        for place, metal in enumerate(self.metal):
            chip = MCP23017(0x20 + place, 16, Crossed(metal))
            chip.damage = self.hurt
            self.boards.append(chip)
            doors = [(self.number(place, channel), channel + 8) for channel in range(1, 8)]
            inlets = {channel: channel + 8 for channel in range(1, 8)}
            reset = Pin(chip.reset)
            one = Mcp23017(self, chip.address, reset, Heard(place, doors, [], 1), inlets, 0x7F00)
            self.sources.append(one)
            driven.append(self._driven(place, one, reset, 0))
        self.guard = Guard(driven)

    def writeto(self, address: int, data: bytes) -> None:
        self._access()
        self.boards[address - 0x20].transfer(data, 0)

    def readfrom_mem(self, address: int, register: int, size: int) -> bytes:
        self._access()
        return self.boards[address - 0x20].transfer(bytes([register]), size)


class Registers(Chips):
    """Eight doors a chain; the switches are on pins."""

    tells_doors = False

    def _build(self, _name: str) -> None:
        self.channels = 8
        self.metal = self._doors()
        driven: list[Expander] = []
        self.sources: list[Any] = []
        pins: list[tuple[int, Pin]] = []
        for place, metal in enumerate(self.metal):
            chain = HC595(place, 8, metal)
            chain.damage = self.hurt
            self.boards.append(chain)
            enable = Pin(chain.enable)
            one = Hc595(Spi(self, chain), Pin(chain.latch), enable, 1, True, Heard(place, [], [], 1))
            self.sources.append(one)
            driven.append(self._driven(place, one, enable, 1))
            for channel in range(1, 9):
                door = Pin(lambda metal=metal, channel=channel: 1 - metal.closed(channel))
                pins.append((self.number(place, channel), door))
        self.sources.append(DoorSwitches(pins, 0, DoorSensed))
        self.guard = Guard(driven)


class Spi:
    def __init__(self, cabinet: Chips, chain: HC595) -> None:
        self._cabinet = cabinet
        self._chain = chain

    def write(self, data: bytes) -> None:
        self._chain.shift(data)

    def write_readinto(self, data: bytes, into: bytearray) -> None:
        into[:] = self._cabinet.hurt(self._chain.shift(data))


CHIPS = {"mcp23017": Expanders, "hc595": Registers}
