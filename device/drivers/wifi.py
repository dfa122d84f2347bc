"""Wi-Fi as a station. It never waits: ready() says whether the network can be used, and sees to it that it will."""

from typing import TYPE_CHECKING

import network

if TYPE_CHECKING:
    from typing import Any

RETRY_MS = 15_000  # a connection attempt takes up to 10 s; the port's own reconnects are not to be relied on


class Wifi:
    def __init__(self, ssid: str, password: str) -> None:
        self._ssid = ssid
        self._password = password
        self._asked_ms: int | None = None
        self._wlan: Any = network.WLAN(network.STA_IF)
        self.ready(0)  # it takes seconds: by the first call the network is there

    def ready(self, now_ms: int) -> bool:
        if self._wlan.isconnected():
            return True
        if self._asked_ms is None or now_ms - self._asked_ms >= RETRY_MS:
            self._asked_ms = now_ms
            try:
                self._wlan.active(True)
                self._wlan.connect(self._ssid, self._password)
            except OSError:
                pass  # an attempt is still under way, or the radio is not up yet: asked again later
        return False

    def name_server(self) -> str:
        """As the access point said; "" when it did not."""
        server: str = self._wlan.ifconfig()[3]
        return "" if server == "0.0.0.0" else server


class Wired:
    """A network that something else looks after (Ethernet, a PC)."""

    def ready(self, _now_ms: int) -> bool:
        return True

    def name_server(self) -> str:
        return ""
