"""Flashed as /boot.py: every lock's output low, before anything else is even imported. No network, no waiting.

Between reset and this, only resistors keep the coils off: on the outputs, and on the wires that let go of a chip's.
Where another configuration is about to be tried, a pin that it may have for something else is only pulled to its
level: that keeps a coil off, and does not fight whatever hangs there now.
"""

import json

import machine


def drive(pin: int, level: int) -> None:
    try:
        if pin in other:
            machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP if level else machine.Pin.PULL_DOWN)
        else:
            machine.Pin(pin, machine.Pin.OUT, value=level)
    except ValueError as error:  # the others are driven all the same
        print("ERR lock", error)


other = ()
try:
    with open("/config.try") as file:
        import device.desk.tried

        other = device.desk.tried.pins(file)
except Exception:  # there is none, which is the rule; or none that can be read, and what holds counts
    pass
try:
    with open("/config.json") as file:
        document = json.load(file)
    off = 1 - document.get("lock_on", 1)
    for module in document["modules"]:
        for name, level in (("reset", 0), ("enable", 1)):  # of a chip: it lets go of all its outputs
            if name in module:
                drive(module[name], level)
        if module.get("driver", "gpio") == "gpio":  # else `lock` is a channel of a board or chip
            for box in module["compartments"]:
                drive(box.get("lock", -1), off)
    for bus in document.get("buses", []):
        if "de" in bus:
            drive(bus["de"], 0)
    del document
except (OSError, ValueError, KeyError) as error:
    print("ERR unconfigured", error)  # not provisioned yet: no pin is known, and none is driven
del drive
other = ()
