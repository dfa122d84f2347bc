"""Frozen builds, in MicroPython's manifest language: make BOARD=… FROZEN_MANIFEST=…/device/manifest.py.

Never with opt=1 or more: it would take our asserts out. The screens' texts stay files: copy device/screens to
/lib/device/screens on the board, and boot.py and main.py to /. protocol/*_viper.py need a port whose build gives
mpy-cross an -march (ESP32, RP2, STM32 do); on another, remove the two files: protocol/paths.py does without.
"""
# pyright: reportUndefinedVariable=false

include("$(PORT_DIR)/boards/manifest.py")
package("protocol", base_path="..")
package("device", base_path="..")
module("typing.py", base_path="lib")
