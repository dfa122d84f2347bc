"""A lock board that is described wrongly is refused at the start, by the field's name."""

from on_board import run

SAID = """
modules[0].driver: must be gpio, cu16, cu48, board8a, wkly, modbus, mcp23017 or hc595
modules[0].address: must be 0 to 14
modules[0].address: must be 0 to 14
modules[0].bus: must be the place of one of buses
modules[0].channels: must be 1 to 16
modules[0].closed_when: must be 0 or 1
modules[0].pulse_ms: must be 1 to 1000
modules[0].lock: must be 1 to 16
modules[0].lock: must be 1 to 16
modules[0].lock: must be used once
modules[0].feedback: must be close_short or open_short
modules[0].occupied: must be left out: this board has no such inputs
modules[0].door: must be 1 to 8
buses[0].baud: must be one of (9600, 19200, 38400, 57600, 115200)
modules[1].address: must be another than the other board's
2 on 1
modules[0].address: must be 32 to 39
modules[0].i2c: must be the number of an I2C bus
modules[0].reset: must be the pin at the chip's reset
modules[0].closed_when: must be 0 or 1
modules[0].lock: must be 1 to 16
modules[0].door: must be 1 to 16
modules[0].door: must be another pin: 8 and 16 can be outputs only
modules[0].occupied: must be used once
modules[0].spi: must be the number of an SPI bus
modules[0].channels: must be 8, 16 and so on to 64
modules[0].enable: must be the pin at the chip's enable
modules[0].latch: must be the pin at the chip's latch
modules[0].lock: must be 1 to 8
modules[0].lock: must be used once
modules[1].address: must be another than the other chip's
modules[1].latch: must be another than the other chip's
3 chips
"""


def test_each_wrong_field_of_a_lock_board_is_named_and_right_ones_are_built():
    assert run("broken_wiring.py") == SAID.strip().splitlines()
