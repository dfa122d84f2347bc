"""Flashed as /boot.py: every lock's output low, before anything else is even imported. No network, no waiting.

Between reset and this, only the pull-down resistors on the outputs keep the coils off.
"""

import json

import machine

try:
    with open("/config.json") as file:
        document = json.load(file)
    off = 1 - document.get("lock_on", 1)
    for module in document["modules"]:
        for box in module["compartments"]:
            try:
                machine.Pin(box["lock"], machine.Pin.OUT, value=off)
            except (ValueError, KeyError) as error:  # the others are driven all the same
                print("ERR lock", error)
    del document
except (OSError, ValueError, KeyError) as error:
    print("ERR unconfigured", error)  # not provisioned yet: no pin is known, and none is driven
