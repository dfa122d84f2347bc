"""Prints what is said of each wrong description of a lock board. Run by test_lock_wiring.py in MicroPython."""

from device.agent.config import ConfigError
from device.drivers.locks.wiring import buses

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


def said(document):
    try:
        found, made = buses(document, lambda _part, _size: None, lambda: 0)
    except ConfigError as error:
        return str(error)
    return f"{len(found)} on {len(made)}"


def changed(change):
    module = dict(WELL)
    module.update(change)
    return module


for change in WRONG:
    print(said({"buses": [{"uart": 1}], "modules": [changed(change)]}))
print(said({"buses": [{"uart": 1, "baud": 1200}], "modules": [WELL]}))
nameless = changed({"name": "B", "compartments": [{"number": 2, "lock": 2}]})
del nameless["address"]
print(said({"buses": [{"uart": 1}], "modules": [WELL, nameless]}))
print(said({"buses": [{"uart": 1}], "modules": [WELL, changed({"name": "B", "address": 1})]}))
