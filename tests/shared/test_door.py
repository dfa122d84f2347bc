"""The door table: every state with every input, and what the timers make of it."""

from device.agent import door
from device.agent.door import Doors, transition
from protocol.limits import DOOR_FLAPS_MAX, LEFT_OPEN_MS, LEFT_OPEN_REMIND_MS, PULSE_RETRY_MS, PULSE_TRIES_MAX

TIMED = (door.OPENING, door.OPEN)


def table() -> "dict[tuple[int, int], tuple[int, int]]":
    """Every pair that can happen, with what it leads to."""
    pairs = {}
    for state in range(door.STATES):
        for stimulus in range(door.INPUTS):
            try:
                pairs[state, stimulus] = transition(state, stimulus)
            except KeyError:
                continue
    return pairs


TABLE = table()


def test_every_state_and_input_is_in_the_table_or_cannot_happen():
    for state in range(door.STATES):
        for stimulus in range(door.INPUTS):
            timer = stimulus in (door.WAITED, door.GAVE_UP)
            unseen = (state, stimulus) == (door.UNKNOWN, door.WAITED)
            assert ((state, stimulus) in TABLE) == (not timer or unseen or state in TIMED), (state, stimulus)


def test_a_pair_outside_the_table_is_an_error():
    doors = Doors(1)
    doors.states[0] = door.CLOSED
    try:
        doors._apply(0, 0, door.WAITED)
    except KeyError:
        return
    raise AssertionError("a closed door has no time to run out")


def test_the_table_is_the_one_we_mean():
    """The heart of it, said once more in plain words."""
    said = {
        (door.UNKNOWN, door.SENSED_OPEN): (door.OPEN, door.FOUND_OPEN),
        (door.UNKNOWN, door.SENSED_CLOSED): (door.CLOSED, door.FOUND_SHUT),
        (door.CLOSED, door.SENSED_OPEN): (door.FORCED, door.BROKEN_OPEN),
        (door.CLOSED, door.ORDERED): (door.OPENING, door.PULSE),
        (door.OPENING, door.SENSED_OPEN): (door.OPEN, door.OPENED),
        (door.OPENING, door.GAVE_UP): (door.JAMMED, door.STUCK),
        (door.OPEN, door.SENSED_CLOSED): (door.CLOSED, door.SHUT),
        (door.OPEN, door.GAVE_UP): (door.LEFT_OPEN, door.STAYS_OPEN),
        (door.LEFT_OPEN, door.SENSED_CLOSED): (door.CLOSED, door.SHUT),
        (door.JAMMED, door.ORDERED): (door.OPENING, door.PULSE),
        (door.FORCED, door.SENSED_CLOSED): (door.CLOSED, door.SHUT),
        (door.FAULTY, door.SENSED_OPEN): (door.FAULTY, door.NOTHING),
        (door.OUT_OF_SERVICE, door.ORDERED): (door.OUT_OF_SERVICE, door.REFUSED),
    }
    for pair, meant in said.items():
        assert TABLE[pair] == meant, pair
    for state in range(door.STATES):
        if state not in (door.FAULTY, door.OUT_OF_SERVICE):
            assert TABLE[state, door.FLAPPED] == (door.FAULTY, door.DOUBTED)
            assert TABLE[state, door._LOST] == (door.UNKNOWN, door.NOTHING)
        assert TABLE[state, door.DISABLED] == (door.OUT_OF_SERVICE, door.NOTHING)


def test_only_an_order_or_a_retry_after_an_order_ever_pulses():
    for pair, (_after, outcome) in TABLE.items():
        if outcome == door.PULSE:
            assert pair[1] == door.ORDERED or pair == (door.OPENING, door.WAITED)


def test_an_out_of_service_door_never_pulses_and_leaves_only_by_a_person():
    for stimulus in range(door.INPUTS):
        if (door.OUT_OF_SERVICE, stimulus) in TABLE:
            after, outcome = TABLE[door.OUT_OF_SERVICE, stimulus]
            assert outcome != door.PULSE
            assert (after == door.OUT_OF_SERVICE) == (stimulus != door.CLEARED)


def test_no_state_calls_a_closed_door_open_without_the_sensor():
    for pair, (after, _outcome) in TABLE.items():
        if after == door.OPEN and pair[0] != door.OPEN:
            assert pair[1] == door.SENSED_OPEN


def test_a_door_that_opens_without_an_order_was_forced():
    doors = Doors(1)
    assert doors.sense(0, 0, True) == door.FOUND_SHUT
    assert doors.sense(1, 0, False) == door.BROKEN_OPEN
    assert doors.states[0] == door.FORCED


def test_a_door_that_never_opens_is_pulsed_three_times_and_then_jammed():
    doors = Doors(1)
    doors.sense(0, 0, True)
    outcomes = [doors.order(0, 0)]
    now = 0
    for _ in range(PULSE_TRIES_MAX):
        now += PULSE_RETRY_MS
        assert doors.due(now) == [0]
        outcomes.append(doors.wait_over(now, 0))
    assert outcomes == [door.PULSE] * PULSE_TRIES_MAX + [door.STUCK]
    assert doors.states[0] == door.JAMMED and doors.deadline() is None


def test_a_door_left_open_is_reminded_and_then_reported():
    doors = Doors(1)
    doors.sense(0, 0, True)
    doors.order(0, 0)
    assert doors.sense(100, 0, False) == door.OPENED
    assert doors.deadline() == 100 + LEFT_OPEN_REMIND_MS
    assert doors.wait_over(100 + LEFT_OPEN_REMIND_MS, 0) == door.REMIND
    assert doors.deadline() == 100 + LEFT_OPEN_MS
    assert doors.wait_over(100 + LEFT_OPEN_MS, 0) == door.STAYS_OPEN
    assert doors.sense(300_000, 0, True) == door.SHUT


def test_a_sensor_that_flaps_is_not_believed_any_more():
    doors = Doors(1)
    doors.sense(0, 0, True)
    outcome = door.NOTHING
    for change in range(2 * DOOR_FLAPS_MAX + 2):
        outcome = doors.sense(100 + change, 0, change % 2 == 1)
        if outcome == door.DOUBTED:
            break
    assert outcome == door.DOUBTED and doors.states[0] == door.FAULTY
    assert doors.sense(5_000, 0, True) == door.NOTHING


def test_a_cleared_door_is_what_its_sensor_last_said():
    doors = Doors(2)
    doors.sense(0, 0, True)
    doors.disable(0, 0)
    doors.sense(5, 0, False)
    assert doors.clear(10, 0) == door.FOUND_OPEN
    doors.disable(0, 1)
    assert doors.clear(10, 1) == door.NOTHING and doors.states[1] == door.UNKNOWN
