"""Flashed as /boot.py: every lock's output low, before anything else is even imported. No network, no waiting.

Between reset and this, only the pull-down resistors on the outputs keep the coils off.
"""

import json

import machine

try:
    with open("/config.json") as file:
        document = json.load(file)
    for module in document["modules"]:
        for box in module["compartments"]:
            machine.Pin(box["lock"], machine.Pin.OUT, value=1 - document.get("lock_on", 1))
    del document
except (OSError, ValueError, KeyError) as error:
    print("ERR unconfigured", error)  # not provisioned yet: no pin is known, and none is driven
