"""The independent timer of the locks, where it has to run: in a MicroPython whose loop is stuck, or dead."""

from on_board import run

from protocol.limits import PULSE_MS, PULSE_MS_MAX


def test_a_stuck_loop_leaves_no_coil_on():
    on_ms = int(run("stuck_loop.py")[-1])
    assert PULSE_MS <= on_ms < PULSE_MS_MAX


def test_wherever_a_pulse_dies_its_coil_goes_off_in_time():
    """Before and after each of: arming the timer, the pin on, the pin off, disarming the timer."""
    lines = [line.split() for line in run("pulse_kills.py")]
    assert [done for done, _ms in lines] == ["nothing", "arm", "arm", "pin-1", "pin-1", "pin-0", "pin-0", "disarm"]
    on_ms = [int(ms) for _done, ms in lines]
    assert on_ms[:3] == [0, 0, 0], "never on before its cut-off is armed"
    assert all(PULSE_MS <= ms < PULSE_MS_MAX for ms in on_ms[3:])
