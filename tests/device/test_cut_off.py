"""The independent timer of the locks, where it has to run: in a MicroPython whose loop is stuck."""

from on_board import run

from protocol.limits import PULSE_MS, PULSE_MS_MAX


def test_a_stuck_loop_leaves_no_coil_on():
    on_ms = int(run("stuck_loop.py")[-1])
    assert PULSE_MS <= on_ms < PULSE_MS_MAX
