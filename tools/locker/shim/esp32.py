"""`esp32` for a virtual locker whose hardware asks for the chip's own temperature."""


def mcu_temperature() -> int:
    return 41
