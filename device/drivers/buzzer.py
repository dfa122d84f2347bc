"""Tunes on a buzzer, played between the laps of the loop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# (hertz, milliseconds); 0 Hz is a rest
TUNES = {
    "key": ((2400, 20),),
    "ok": ((1800, 80), (2400, 120)),
    "error": ((500, 250), (0, 60), (500, 250)),
    "attention": ((2400, 150), (0, 100), (2400, 150), (0, 100), (2400, 150)),
}
_HALF = 32768


class Buzzer:
    """`pwm`: a machine.PWM."""

    def __init__(self, pwm: "Any") -> None:
        self._pwm = pwm
        self._notes: tuple[tuple[int, int], ...] = ()
        self._place = 0
        self._until = 0
        self._pwm.duty_u16(0)

    def play(self, now_ms: int, tune: str) -> None:
        self._notes = TUNES.get(tune, ())
        self._place = 0
        self._until = now_ms
        self.tick(now_ms)

    def off(self) -> None:
        self._notes = ()
        self._pwm.duty_u16(0)

    def tick(self, now_ms: int) -> None:
        if not self._notes or now_ms < self._until:
            return
        if self._place >= len(self._notes):
            self._notes = ()
            self._pwm.duty_u16(0)
            return
        hertz, ms = self._notes[self._place]
        self._place += 1
        self._until = now_ms + ms
        if hertz:
            self._pwm.freq(hertz)
            self._pwm.duty_u16(_HALF)
        else:
            self._pwm.duty_u16(0)
