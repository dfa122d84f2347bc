"""Flashed as /boot.py: every lock's output low, before anything else is even imported. No network, no waiting.

Between reset and this, only resistors keep the coils off: on the outputs, and on the wires that let go of a chip's.
Where another configuration is about to be tried, a pin that it may have for something else is only pulled to its
level: that keeps a coil off, and does not fight whatever hangs there now.
"""

import json

import machine


def set_off(pin: int, level: int, mine: bool) -> None:
    kind = machine.Pin
    try:
        if mine:
            kind(pin, kind.OUT, value=level)
        else:
            kind(pin, kind.IN, kind.PULL_UP if level else kind.PULL_DOWN)
    except ValueError as error:  # the others are set all the same
        print("ERR lock", error)


def outputs(path: str, start: int = 0):
    """(pin, its level when off, its module's name or None) of what must be off: in a module, its chip first."""
    with open(path) as file:
        file.seek(start)
        document = json.load(file)
    off = 1 - document.get("lock_on", 1)
    for module in document["modules"]:
        name = module.get("name")
        for wire, level in (("reset", 0), ("enable", 1)):  # of a chip: it lets go of all its outputs
            if wire in module:
                yield module[wire], level, name
        if module.get("driver", "gpio") == "gpio":  # else `lock` is a channel of a board or chip
            for box in module["compartments"]:
                yield box.get("lock", -1), off, name
    for bus in document.get("buses", []):
        if "de" in bus:
            yield bus["de"], 0, ""


try:
    with open("/config.try") as file:
        import device.desk.tried

        doubt = device.desk.tried.unsure(file, outputs)
except Exception:  # there is none, which is the rule; or none that can be read, and what holds counts
    doubt = None
try:
    for row in outputs("/config.json"):
        set_off(row[0], row[1], doubt is None or not doubt(row))
except (OSError, ValueError, KeyError) as error:
    print("ERR unconfigured", error)  # not provisioned yet: no pin is known, and none is driven
del set_off, outputs, doubt
