"""The lock driver: the last line of defence for coils, whatever the agent asks for."""

from typing import Any

from device.drivers.locks.gpio import CUT_OFF_SLACK_MS, GpioCoils
from device.drivers.locks.guard import QUEUE_AGE_MS_MAX, REST_MS, Guard
from protocol.limits import PULSE_DUTY_MS_MAX, PULSE_DUTY_WINDOW_MS, PULSE_MS, PULSE_MS_MAX


class Coil:
    def __init__(self) -> None:
        self.level = 0

    def value(self, level: int) -> None:
        self.level = level


class Supply:
    """Coils, the timer that guards them, and what happened in which order."""

    def __init__(self, count: int = 3) -> None:
        self.coils = {number: Coil() for number in range(1, count + 1)}
        self.armed: list[int] = []
        self.action: Any = None
        self.locks = Guard([GpioCoils(self.coils, 1, self.arm)])

    def arm(self, ms: int, action: Any) -> None:
        assert ms == 0 or self.on() == [], "armed before the coil is energised"
        self.armed.append(ms)
        self.action = action

    def on(self) -> list[int]:
        return [number for number, coil in self.coils.items() if coil.level]


def test_a_pulse_begins_at_once_and_ends_on_time():
    supply = Supply()
    supply.locks.pulse(0, 2, PULSE_MS)
    assert supply.on() == [2] and supply.locks.deadline_ms() == PULSE_MS
    supply.locks.tick(PULSE_MS - 1)
    assert supply.on() == [2]
    supply.locks.tick(PULSE_MS)
    assert supply.on() == []


def test_a_second_timer_cuts_off_when_the_loop_does_not():
    supply = Supply()
    supply.locks.pulse(0, 2, PULSE_MS)
    assert supply.armed == [PULSE_MS + CUT_OFF_SLACK_MS]
    supply.action(None)
    assert supply.on() == []
    supply.locks.tick(5_000)
    assert supply.on() == [] and not supply.locks.busy


def test_the_second_timer_is_disarmed_after_an_ordinary_pulse():
    supply = Supply()
    supply.locks.pulse(0, 2, PULSE_MS)
    supply.locks.tick(PULSE_MS)
    assert supply.armed == [PULSE_MS + CUT_OFF_SLACK_MS, 0]


def test_pulses_that_are_dropped_end_now_or_never_begin():
    supply = Supply()
    supply.locks.pulse(0, 2, PULSE_MS)
    supply.locks.pulse(0, 3, PULSE_MS)
    supply.locks.drop(50)
    assert supply.on() == [] and supply.armed[-1] == 0 and not supply.locks.busy
    supply.locks.tick(50 + REST_MS)
    assert supply.on() == []


def test_one_coil_at_a_time_and_the_supply_rests_in_between():
    supply = Supply()
    for number in (1, 2, 3):
        supply.locks.pulse(0, number, PULSE_MS)
    seen: list[int] = []
    for now in range(0, 2_000, 10):
        supply.locks.tick(now)
        assert len(supply.on()) <= 1
        if supply.on() and supply.on()[0] not in seen:
            seen.append(supply.on()[0])
            assert now >= (len(seen) - 1) * (PULSE_MS + REST_MS)
    assert seen == [1, 2, 3] and not supply.locks.busy


def test_a_pulse_longer_than_a_coil_bears_is_not_begun():
    supply = Supply()
    for ms in (PULSE_MS_MAX + 1, -5, 1 << 31):
        supply.locks.pulse(0, 1, ms)
    assert supply.on() == [] and supply.locks.refused == 3


def test_what_waits_for_its_turn_can_be_taken_back_and_what_is_on_goes_on():
    supply = Supply()
    for number in (1, 2, 3, 2):
        supply.locks.pulse(0, number, PULSE_MS)
    for number in (1, 2):
        supply.locks.pulse(0, number, 0)
    assert supply.on() == [1] and supply.locks.refused == 0
    seen = set[int]()
    for now in range(0, 3_000, 10):
        supply.locks.tick(now)
        seen.update(supply.on())
    assert seen == {1, 3}


def test_no_timer_runs_longer_than_a_coil_bears():
    supply = Supply()
    supply.locks.pulse(0, 1, PULSE_MS_MAX)
    assert supply.armed == [PULSE_MS_MAX]


def test_a_coil_gets_no_more_than_its_duty_in_any_window():
    supply = Supply()
    on_ms: list[int] = []  # every ms of the first four minutes at which coil 1 was on
    for now in range(0, 240_000, 50):
        supply.locks.pulse(now, 1, 1_000)
        supply.locks.tick(now)
        if supply.on():
            on_ms.append(now)
    assert supply.locks.refused > 0
    for start in range(0, 180_000, 1_000):
        within = sum(50 for at in on_ms if start <= at < start + PULSE_DUTY_WINDOW_MS)
        assert within <= PULSE_DUTY_MS_MAX + 50, start


def test_another_coil_is_not_held_back_by_a_worn_out_one():
    supply = Supply()
    now = 0
    for _ in range(6):
        supply.locks.pulse(now, 1, 1_000)
        supply.locks.tick(now + 1_000)
        now += 1_200
    supply.locks.pulse(now, 1, 1_000)
    assert supply.on() == []
    supply.locks.pulse(now, 2, PULSE_MS)
    assert supply.on() == [2]


def test_the_duty_of_each_coil_holds_while_all_are_tested_however_long_the_locker_has_run():
    for begins in (0, 2**32 - PULSE_DUTY_WINDOW_MS // 2, 2**41):
        supply = Supply(40)
        now = begins
        given: list[tuple[int, int]] = []  # (ended at, coil) of each pulse that was carried out
        for turn in range(600):
            number = turn % 40 + 1 if turn % 3 else 7
            spent = PULSE_MS * sum(one == number and now - ended < PULSE_DUTY_WINDOW_MS for ended, one in given)
            refused = supply.locks.refused
            supply.locks.pulse(now, number, PULSE_MS)
            assert (supply.locks.refused == refused) == (spent + PULSE_MS <= PULSE_DUTY_MS_MAX), (begins, turn)
            now += PULSE_MS
            supply.locks.tick(now)
            if supply.locks.refused == refused:
                given.append((now, number))
            now += REST_MS
        assert supply.locks.refused > 0


def test_a_pulse_that_waited_too_long_is_not_begun():
    supply = Supply()
    supply.locks.pulse(0, 1, PULSE_MS)
    supply.locks.pulse(0, 2, PULSE_MS)
    supply.locks.tick(QUEUE_AGE_MS_MAX + 1)  # a lap that took seconds
    supply.locks.tick(QUEUE_AGE_MS_MAX + 1 + REST_MS)
    assert supply.on() == [] and supply.locks.refused == 1


def test_a_compartment_that_is_not_there_is_refused():
    supply = Supply()
    supply.locks.pulse(0, 99, PULSE_MS)
    assert supply.on() == [] and supply.locks.refused == 1


def test_off_cuts_whatever_is_on():
    supply = Supply()
    supply.locks.pulse(0, 2, PULSE_MS)
    supply.locks.off(10)
    assert supply.on() == []
