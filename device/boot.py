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
        if module.get("driver", "gpio") != "gpio":
            continue  # `lock` is a board's channel; it times its pulses itself
        for box in module["compartments"]:
            try:
                machine.Pin(box["lock"], machine.Pin.OUT, value=off)
            except (ValueError, KeyError) as error:  # the others are driven all the same
                print("ERR lock", error)
    for bus in document.get("buses", []):
        if "de" in bus:
            machine.Pin(bus["de"], machine.Pin.OUT, value=0)
    del document
except (OSError, ValueError, KeyError) as error:
    print("ERR unconfigured", error)  # not provisioned yet: no pin is known, and none is driven
