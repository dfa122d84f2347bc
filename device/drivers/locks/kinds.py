"""The kinds of lock boards, by the names that /config.json has for them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def driver(name: str) -> "Any":
    """The module of that driver; None: there is none."""
    # Imported one by one: their room in the heap only where it is needed.
    if name == "cu16":
        from device.drivers.locks import cu16 as found  # noqa: PLC0415
    elif name == "cu48":
        from device.drivers.locks import cu48 as found  # noqa: PLC0415
    elif name == "board8a":
        from device.drivers.locks import board8a as found  # noqa: PLC0415
    elif name == "wkly":
        from device.drivers.locks import wkly as found  # noqa: PLC0415
    elif name == "modbus":
        from device.drivers.locks import modbus as found  # noqa: PLC0415
    else:
        return None
    return found
