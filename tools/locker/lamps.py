"""The lights at a cabinet's doors: each on a pin, or all of them in a row of WS2812."""

from typing import Any


class Lamps:
    def __init__(self, hardware: dict[str, Any]) -> None:
        boxes = [box for module in hardware["modules"] for box in module["compartments"] if "light" in box]
        strip: dict[str, int] = hardware.get("lights") or {}
        self._strip = strip.get("pin", -1)
        self._numbers = {box["light"]: box["number"] for box in boxes}  # by pin, or by place on the strip
        self._lit: set[int] = set()

    @property
    def pins(self) -> list[int]:
        return [] if self._strip >= 0 else list(self._numbers)

    @property
    def lit(self) -> list[int]:
        """Compartments."""
        return sorted(self._lit)

    def drive(self, pin: int, level: int) -> bool:
        """Whether a light hangs on that pin."""
        if pin not in self.pins:
            return False
        (self._lit.add if level else self._lit.discard)(self._numbers[pin])
        return True

    def shine(self, pin: int, data: bytes) -> None:
        """Three bytes a light."""
        if pin == self._strip:
            shining = {place for place in self._numbers if any(data[3 * place - 3 : 3 * place])}
            self._lit = {self._numbers[place] for place in shining}

    def power_lost(self) -> None:
        self._lit.clear()
