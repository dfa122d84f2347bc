"""`network` for a virtual locker: Wi-Fi that is always there (cut cables are the cabinet's business)."""

STA_IF = 0


class WLAN:
    def __init__(self, _interface: int = STA_IF) -> None:
        self._active = False
        self._connected = False

    def active(self, on: bool) -> None:
        self._active = on

    def connect(self, _ssid: str, _password: "str | None" = None) -> None:
        if not self._active:
            raise OSError("Wifi not started")
        self._connected = True

    def ifconfig(self) -> "tuple[str, str, str, str]":
        """As of an access point that names no server."""
        return "127.0.0.1", "255.0.0.0", "127.0.0.1", "0.0.0.0"

    def isconnected(self) -> bool:
        return self._connected
