"""Milliseconds that never wrap, whatever the board's ticks do."""

from device.clock import Clock

BOARD = 1 << 30


class Ticks:
    """A board's counter that a test sets."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __call__(self) -> int:
        return self.value


def test_time_begins_at_zero_whatever_the_ticks_say():
    assert Clock(Ticks(123_456), BOARD).now_ms() == 0


def test_time_goes_on_when_a_board_s_ticks_wrap():
    ticks = Ticks(BOARD - 5)
    clock = Clock(ticks, BOARD)
    ticks.value = 10
    assert clock.now_ms() == 15
    ticks.value = 20
    assert clock.now_ms() == 25


def test_time_goes_on_over_many_wraps():
    ticks = Ticks(7)
    clock = Clock(ticks, BOARD)
    step = 600_000_000
    for lap in range(1, 12):
        ticks.value = (7 + lap * step) % BOARD
        assert clock.now_ms() == lap * step


def test_time_stands_still_between_two_looks_within_a_millisecond():
    ticks = Ticks(99)
    clock = Clock(ticks, BOARD)
    assert clock.now_ms() == clock.now_ms() == 0
