"""The kinds of lock boards, by the names that /config.json has for them."""

from typing import TYPE_CHECKING

from device.agent.console import load

if TYPE_CHECKING:
    from typing import Any

_KINDS = ("cu16", "cu48", "board8a", "wkly", "modbus")


def driver(name: str) -> "Any":
    """The module of that driver, loaded only now; None: there is none."""
    return load(name, "device.drivers.locks.") if name in _KINDS else None
