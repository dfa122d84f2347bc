"""Prints what is said of each wrong description of a lock board. Run by test_lock_wiring.py in MicroPython."""

from device.agent.config import ConfigError
from device.drivers.locks.chips import chips
from device.drivers.locks.wiring import buses

__import__("extras").install()  # I2C and SPI, of the shim
WELL = {"name": "A", "driver": "cu16", "address": 0, "compartments": [{"number": 1, "lock": 1}]}
WRONG = (
    {"driver": "cu17"},
    {"address": 15},
    {"address": True},
    {"bus": 1},
    {"channels": 17},
    {"closed_when": 2},
    {"pulse_ms": 1_001},
    {"compartments": [{"number": 1, "lock": 0}]},
    {"compartments": [{"number": 1, "lock": 17}]},
    {"compartments": [{"number": 1, "lock": 3}, {"number": 2, "lock": 3}]},
    {"driver": "board8a", "address": 1, "feedback": "open"},
    {"driver": "board8a", "address": 1, "compartments": [{"number": 1, "lock": 1, "occupied": True}]},
    {"driver": "modbus", "address": 1, "compartments": [{"number": 1, "lock": 1, "door": 9}]},
)


CHIP = {"driver": "mcp23017", "i2c": 0, "reset": 30, "compartments": [{"number": 1, "lock": 1, "door": 9}]}
ROW = {"driver": "hc595", "spi": 1, "latch": 31, "enable": 32, "compartments": [{"number": 1, "lock": 1, "door": 40}]}
WRONG_CHIPS = (
    (CHIP, {"address": 0x28}),
    (CHIP, {"i2c": None}),
    (CHIP, {"reset": None}),
    (CHIP, {"closed_when": 2}),
    (CHIP, {"compartments": [{"number": 1, "lock": 17, "door": 9}]}),
    (CHIP, {"compartments": [{"number": 1, "lock": 1}]}),
    (CHIP, {"compartments": [{"number": 1, "lock": 1, "door": 8}]}),
    (CHIP, {"compartments": [{"number": 1, "lock": 1, "door": 9, "occupied": 9}]}),
    (ROW, {"spi": True}),
    (ROW, {"channels": 12}),
    (ROW, {"enable": None}),
    (ROW, {"latch": None}),
    (ROW, {"compartments": [{"number": 1, "lock": 9}]}),
    (ROW, {"compartments": [{"number": 1, "lock": 1}, {"number": 2, "lock": 1}]}),
)


def said(document):
    try:
        found, made = buses(document, lambda _part, _size: None, lambda: 0)
    except ConfigError as error:
        return str(error)
    return f"{len(found)} on {len(made)}"


def said_of_chips(*modules):
    try:
        made = chips({"modules": modules}, lambda _supply: None)
    except ConfigError as error:
        return str(error)
    return f"{len(made)} chips"


def changed(change, well=WELL):
    module = dict(well)
    module.update(change)
    return module


for change in WRONG:
    print(said({"buses": [{"uart": 1}], "modules": [changed(change)]}))
print(said({"buses": [{"uart": 1, "baud": 1200}], "modules": [WELL]}))
nameless = changed({"name": "B", "compartments": [{"number": 2, "lock": 2}]})
del nameless["address"]
print(said({"buses": [{"uart": 1}], "modules": [WELL, nameless]}))
print(said({"buses": [{"uart": 1}], "modules": [WELL, changed({"name": "B", "address": 1})]}))
for well, change in WRONG_CHIPS:
    print(said_of_chips(changed(change, well)))
print(said_of_chips(CHIP, CHIP))
print(said_of_chips(ROW, ROW))
print(said_of_chips(CHIP, changed({"address": 0x21}, CHIP), ROW, WELL))
