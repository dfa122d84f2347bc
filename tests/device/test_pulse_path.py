"""An exception at every line that the lock driver runs, and a timer or a clock that does not do what it should."""

import sys
from types import FrameType
from typing import Any

from test_locks import Supply

from device.drivers.locks import gpio, guard
from protocol.limits import PULSE_DUTY_MS_MAX, PULSE_MS, PULSE_MS_MAX

LAP_MS = 10
LINES_MAX = 500


class FaultError(Exception):
    pass


class Played(Supply):
    """A supply in time: its timer fires unless it is dead, and how long its coils were on is counted."""

    def __init__(self, timer_works: bool = True) -> None:
        super().__init__()
        self.now = 0
        self.on_ms = 0
        self._fires_at: int | None = None
        self._timer_works = timer_works

    def arm(self, ms: int, action: Any) -> None:
        self._fires_at = self.now + ms if ms and self._timer_works else None
        self.action = action

    def live(self, ms: int, loop_works: bool = True, clock_works: bool = True) -> None:
        """So much time, lap by lap; what a lap raises is the shell's business, which goes on with the next."""
        for _lap in range(ms // LAP_MS):
            self.on_ms += LAP_MS * len(self.on())
            self.now += LAP_MS
            if self._fires_at is not None and self.now >= self._fires_at:
                self._fires_at = None
                self.action(None)
            if loop_works:
                self.locks.tick(self.now if clock_works else 0)


class FaultAt:
    """Raises FaultError when the driver is about to run its `count`-th line."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in (gpio.__file__, guard.__file__):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise FaultError
        return self


def pulse_with_fault(count: int, loop_works: bool) -> tuple[Played, bool]:
    """A whole pulse whose `count`-th line fails; whether it came so far."""
    supply = Played()
    fault = FaultAt(count)
    before = sys.gettrace()
    sys.settrace(fault)
    try:
        supply.locks.pulse(0, 1, PULSE_MS)
        supply.live(600)
    except FaultError:
        pass
    finally:
        sys.settrace(before)
    supply.live(5_000, loop_works)
    return supply, fault.left <= 0


def test_an_exception_at_any_line_of_the_pulse_path_leaves_no_coil_on_for_a_second():
    """Whether the loop goes on afterwards, or only the timer is left."""
    for loop_works in (True, False):
        count = 1
        while True:
            supply, came = pulse_with_fault(count, loop_works)
            if not came:
                break
            assert supply.on() == [] and supply.on_ms <= PULSE_MS_MAX, count
            count += 1
        assert 40 < count < LINES_MAX


def test_without_its_timer_the_loop_alone_ends_a_pulse_in_time():
    supply = Played(timer_works=False)
    supply.locks.pulse(0, 1, PULSE_MS)
    supply.live(2_000)
    assert PULSE_MS <= supply.on_ms <= PULSE_MS + LAP_MS


def test_a_clock_that_stands_still_lets_the_timer_end_the_pulse_and_no_other_begin():
    supply = Played()
    supply.locks.pulse(0, 1, PULSE_MS)
    supply.locks.pulse(0, 2, PULSE_MS)
    supply.live(3_000, clock_works=False)
    assert supply.on() == [] and supply.on_ms <= PULSE_MS_MAX and not supply.coils[2].level


def test_a_clock_that_jumps_ends_the_pulse_early_and_never_late():
    supply = Played()
    supply.locks.pulse(0, 1, PULSE_MS)
    supply.locks.tick(1 << 40)
    assert supply.on() == []


def test_a_timer_that_cannot_be_disarmed_does_not_hide_the_pulse_from_the_duty():
    supply = Played()
    coils: Any = supply.locks._drivers[0]  # pyright: ignore[reportPrivateUsage]
    good_arm = coils._arm

    def arm(ms: int, action: Any) -> None:
        if not ms:
            raise FaultError
        good_arm(ms, action)

    coils._arm = arm
    for _ in range(60):
        supply.locks.pulse(supply.now, 1, PULSE_MS)
        try:
            supply.live(1_000)
        except FaultError:
            supply.live(500, loop_works=False)
    assert supply.on_ms <= PULSE_DUTY_MS_MAX + 20 * LAP_MS and supply.locks.refused
