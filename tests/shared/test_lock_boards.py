"""Lock boards' frames, byte for byte, and what the bus makes of them: both interpreters."""

from device.agent.events import ContentsSensed, DoorSensed, ModuleSensed
from device.drivers.locks import board8a, cu16, cu48, modbus, wkly
from device.drivers.locks.bus import Bus, Station
from device.drivers.locks.guard import Guard
from device.drivers.locks.heard import LOSS_MS


def h(text):
    return bytes([int(word, 16) for word in text.split()])


class Line:
    """A port whose answers are said by the test: `answer(request)` gives the bytes that come back."""

    def __init__(self, answer, echo=False):
        self.answer = answer
        self.sent = []
        self.waiting = b""
        self.echo = echo

    def send(self, request):
        self.sent.append(request)
        if self.echo:
            self.waiting += request
        self.waiting += self.answer(request)

    def take(self):
        said, self.waiting = self.waiting, b""
        return said


def rig(driver, answer, *, address=0, channels=None, echo=False, items=(), polarity=1, **part):
    count = channels or driver.CHANNELS
    codec = driver.Codec(address, count, part)
    boxes = [(100 + channel, channel, channel) for channel in range(1, count + 1)]
    station = Station(0, codec, boxes, list(items), polarity, driver.OWN_MS)
    line = Line(answer, echo)
    return Bus(line, driver.BAUD, echo, [station]), station, line


def play(bus, ms, start=0, guard=None):
    events = []
    for now in range(start, start + ms, 10):
        if guard is not None:
            guard.tick(now)
        bus.gather(now, events)
    return events


def closed(events):
    return sorted([event.compartment - 100 for event in events if type(event) is DoorSensed and event.closed])


def opened(events):
    return sorted([event.compartment - 100 for event in events if type(event) is DoorSensed and not event.closed])


def faults(events):
    return [event.fault for event in events if type(event) is ModuleSensed]


def test_cu16_requests_are_those_of_the_table():
    assert cu16.Codec(0, 16, {}).poll == h("02 00 30 03 35")
    assert cu16.Codec(1, 16, {}).poll == h("02 10 30 03 45")
    for channel, frame in ((1, "02 00 31 03 36"), (2, "02 01 31 03 37"), (16, "02 0F 31 03 45")):
        assert cu16.Codec(0, 16, {}).opening(channel, 300) == h(frame)
    assert cu16.Codec(1, 16, {}).opening(1, 300) == h("02 10 31 03 46")
    assert cu16.Codec(0, 16, {}).setting(300) == h("02 00 37 00 1E 03 5A")


def test_cu16_entries_with_a_wrong_sum_are_not_sound():
    assert not cu16.Codec.sound(h("02 10 30 03 3E")) and not cu16.Codec.sound(h("02 0F 31 03 49"))
    assert cu16.Codec.sound(h("02 00 35 01 01 01 00 03 3D")) and cu16.Codec.sound(h("02 00 36 00 00 00 00 03 3B"))


def test_cu16_status_tells_doors_and_what_lies_inside_and_announces_the_sensors_first():
    bus, _station, _line = rig(cu16, lambda _request: h("02 00 35 01 01 01 00 03 3D"), items=[(101, 1), (102, 2)])
    events = play(bus, 300)
    assert closed(events) == [1, 9] and len(opened(events)) == 14 and faults(events) == [""]
    contents = [(event.compartment, event.occupied) for event in events if type(event) is ContentsSensed]
    assert contents == [(101, None), (102, None), (101, True), (102, False)]
    assert type(events[1]) is ContentsSensed, "before any door"


def test_both_polarities_are_told_right():
    bus, _station, _line = rig(cu16, lambda _request: h("02 00 35 01 01 01 00 03 3D"), polarity=0)
    events = play(bus, 300)
    assert opened(events) == [1, 9] and len(closed(events)) == 14


def test_start_and_end_bytes_inside_a_frame_are_content():
    frame = cu16.summed(2, 0, 0x35, 0x03, 0x02, 0x03, 0x02, 3)
    bus, _station, _line = rig(cu16, lambda _request: b"\x02\x03\x02" + frame)
    assert closed(play(bus, 300)) == [1, 2, 10]


def test_noise_before_an_answer_is_skipped_and_an_answer_with_a_bad_sum_says_nothing():
    good = h("02 00 35 01 01 01 00 03 3D")
    bus, _station, _line = rig(cu16, lambda _request: b"\x00\xff\x02" + good)
    assert closed(play(bus, 300)) == [1, 9]
    bus, _station, _line = rig(cu16, lambda _request: good[:-1] + b"\x3e")
    events = play(bus, 2_000)
    assert closed(events) == opened(events) == [] and faults(events) == ["garbled"]


def test_cu48_requests_and_replies_are_those_of_the_table():
    codec = cu48.Codec(0, 48, {})
    assert codec.poll == h("02 00 00 60 03 65")
    for channel, frame in ((1, "02 00 00 61 03 66"), (2, "02 00 01 61 03 67"), (5, "02 00 04 61 03 6A")):
        assert codec.opening(channel, 300) == h(frame)
    zeros = " 00 00 00 00 00 00 00 00 00 00"
    for shut, frame in (
        ([], "00 00" + zeros + " 03 7A"),
        ([1], "01 00" + zeros + " 03 7B"),
        ([5], "10 00" + zeros + " 03 8A"),
        ([14], "00 20" + zeros + " 03 9A"),
        ([1], "01 00 00 00 00 00 01 00 00 00 00 00 03 7C"),
    ):
        bus, _station, _line = rig(cu48, lambda _request, frame=frame: h("02 00 00 75 " + frame))
        assert closed(play(bus, 300)) == shut


def test_cu48_type_77_is_ignored():
    strange = cu48.summed(2, 0, 0x0A, 0x77, *bytes(12), 3)
    codec = cu48.Codec(0, 48, {})
    assert codec.size(strange) == 18 and codec.sound(strange) and codec.read(strange) == ""
    bus, _station, _line = rig(cu48, lambda _request: strange + h("02 00 00 75 01" + " 00" * 11 + " 03 7B"))
    assert closed(play(bus, 300)) == [1]


def test_8a_requests_are_those_of_the_table():
    for board, lock, frame in (
        (1, 1, "8A 01 01 11 9B"),
        (1, 2, "8A 01 02 11 98"),
        (1, 10, "8A 01 0A 11 90"),
        (1, 12, "8A 01 0C 11 96"),
        (2, 10, "8A 02 0A 11 93"),
        (3, 12, "8A 03 0C 11 94"),
    ):
        assert board8a.Codec(board, 24, {}).opening(lock, 300) == h(frame)
    assert board8a.Codec(1, 24, {}).poll == h("80 01 00 33 B2")
    for frame in ("80 01 01 00 80", "80 01 01 11 91", "8A 03 02 00 8B", "90 01 02 02 02 93", "9B 01 01 11 8A"):
        assert board8a.Codec.sound(h(frame))


def test_8a_groups_come_highest_first_and_boards_of_12_send_two():
    reply = board8a.checked(0x80, 1, 0b100, 0b10, 0b1, 0x33)
    bus, _station, _line = rig(board8a, lambda _request: reply, address=1)
    assert closed(play(bus, 300)) == [1, 10, 19]
    bus, _station, _line = rig(board8a, lambda _request: h("80 01 01 01 01 33 B3"), address=1)
    assert closed(play(bus, 300)) == [1, 9, 17]
    bus, _station, _line = rig(board8a, lambda _request: board8a.checked(0x80, 1, 8, 1, 0x33), address=1, channels=12)
    assert closed(play(bus, 300)) == [1, 12]


def test_8a_feedback_wired_the_other_way_round_is_configured():
    reply = h("80 01 01 01 01 33 B3")
    bus, _station, _line = rig(board8a, lambda _request: reply, address=1, feedback="open_short")
    assert opened(play(bus, 300)) == [1, 9, 17]


def test_8a_failure_equal_to_its_request_is_told_from_an_echo_by_counting():
    """With echo, one copy is our own and no answer at all; the second is the board's. Without, the first is."""
    for echo in (False, True):
        for answers in (False, True):

            def answer(request, answers=answers):
                return h("80 01 01 01 01 33 B3") if request[0] == 0x80 else request if answers else b""

            bus, station, line = rig(board8a, answer, address=1, echo=echo)
            guard = Guard([station])
            events = play(bus, 300)
            guard.pulse(300, 101, 300)
            events += play(bus, 300, 300, guard)
            asked_again = len([request for request in line.sent[-5:] if request[0] == 0x80]) == 5
            assert asked_again == answers, "an answer ends the wait, an echo does not"
            play(bus, 900, 600, guard)
            assert line.sent.count(h("8A 01 01 11 9B")) == 1, "never by itself a second time"
            assert closed(events) == [1, 9, 17]


def test_8a_answer_to_open_all_ten_seconds_later_is_nobodys_and_all_at_once_is_never_ordered():
    bus, station, line = rig(board8a, lambda _request: h("80 01 01 01 01 33 B3"), address=1)
    play(bus, 300)
    line.waiting += h("8A 01 00 11 9A")
    events = play(bus, 300, 10_300)
    assert events == []
    assert all([h("8A 01 00 11 9A") != station.codec.opening(channel, 300) for channel in range(1, 25)])


def test_8a_unsolicited_change_asks_at_once_and_settles_with_the_poll():
    state = [h("80 01 01 01 01 33 B3")]
    bus, _station, line = rig(board8a, lambda _request: state[0], address=1)
    play(bus, 300)
    line.waiting += board8a.checked(0x82, 1, 1, 0)
    assert play(bus, 10, 300) == [], "alone it settles nothing"
    state[0] = board8a.checked(0x80, 1, 1, 1, 0, 0x33)
    assert opened(play(bus, 60, 310)) == [1]


def test_wkly_requests_are_those_of_the_table():
    assert wkly.Codec(0, 4, {}).opening(1, 300) == h("57 4B 4C 59 09 00 82 01 83")
    assert wkly.Codec(1, 4, {}).opening(1, 300) == h("57 4B 4C 59 09 01 82 01 82")
    assert wkly.Codec(10, 4, {}).opening(1, 300) == h("57 4B 4C 59 09 0A 82 01 89")
    assert wkly.Codec(0, 4, {}).poll == h("57 4B 4C 59 08 00 84 85")
    for frame in ("0B 00 82 00 05 01 84", "0B 00 83 00 01 00 80", "0A 00 81 00 01 83", "09 00 86 00 86"):
        assert wkly.Codec.sound(h("57 4B 4C 59 " + frame))
    assert not wkly.Codec.sound(h("57 4B 4C 59 09 00 80 00 00")), "bad XOR"


def test_wkly_states_are_read_also_behind_half_a_header():
    reply = h("57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87")
    for before in (b"", b"\x57", b"\x57\x4b", b"\x57\x57\x4b\x4c"):
        bus, _station, _line = rig(wkly, lambda _request, before=before: before + reply, channels=4)
        events = play(bus, 300)
        assert closed(events) == [2, 3] and opened(events) == [1, 4], before


def test_wkly_channel_with_an_error_says_nothing_and_a_failure_is_busy():
    reply = wkly.checked(h("57 4B 4C 59 0E 00 84 00 04 FF 01 01 00"))
    bus, _station, _line = rig(wkly, lambda _request: reply, channels=4)
    events = play(bus, 300)
    assert closed(events) == [2, 3] and opened(events) == [4]
    bus, _station, _line = rig(wkly, lambda _request: wkly.checked(h("57 4B 4C 59 09 00 84 FF")), channels=4)
    assert faults(play(bus, 2_000)) == ["busy"]


def test_wkly_push_is_taken_up():
    bus, station, line = rig(wkly, lambda _request: h("57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87"), channels=4)
    play(bus, 300)
    assert station.codec.read(h("57 4B 4C 59 0A 00 85 02 00 84")) == "push" and station.codec.closed == 0
    line.waiting += h("57 4B 4C 59 0A 00 85 02 00 84")
    events = play(bus, 200, 300)
    assert closed(events) == [2], "a glimpse of open is told as what it was: closed again"


def test_modbus_frames_are_those_of_the_table_with_the_low_byte_of_the_crc_first():
    codec = modbus.Codec(1, 8, {})
    assert codec.poll == h("01 02 00 00 00 08 79 CC")
    assert codec.opening(1, 700) == h("01 05 02 00 00 07 8D B0")
    assert codec.opening(2, 800) == h("01 05 02 01 00 08 9C 74")
    assert codec.opening(1, 201) == modbus.checked(1, 5, 2, 0, 0, 3), "never shorter than asked"
    relays = modbus.Codec(1, 1, {"variant": "r421a08"})
    assert relays.opening(1, 300) == h("01 06 00 01 05 00 DB 5A") and relays.poll == h("01 03 00 01 00 01 D5 CA")
    for frame in ("01 01 01 55 91 B7", "01 02 01 03 E1 89", "01 85 03 02 91", "01 05 00 00 FF 00 8C 3A"):
        assert modbus.Codec.sound(h(frame))
        swapped = h(frame)[:-2] + bytes([h(frame)[-1], h(frame)[-2]])
        assert not modbus.Codec.sound(swapped)


def test_modbus_inputs_are_doors_and_an_exception_is_busy():
    bus, _station, _line = rig(modbus, lambda _request: h("01 02 01 03 E1 89"), address=1)
    assert closed(play(bus, 300)) == [1, 2]
    bus, _station, _line = rig(modbus, lambda _request: modbus.checked(1, 0x82, 6), address=1)
    assert faults(play(bus, 2_000)) == ["busy"]


def test_a_silent_board_is_told_within_two_seconds_and_found_again():
    alive = [True]
    bus, _station, _line = rig(cu16, lambda _request: h("02 00 35 01 01 01 00 03 3D") if alive[0] else b"")
    assert faults(play(bus, 1_000)) == [""]
    alive[0] = False
    assert faults(play(bus, 2_000, 1_000)) == ["silent"] and LOSS_MS < 2_000
    alive[0] = True
    events = play(bus, 2_000, 3_000)
    assert faults(events) == [""] and type(events[0]) is ModuleSensed
    assert closed(events) == [1, 9] and len(opened(events)) == 14, "every door is told again"


def test_another_boards_answers_are_no_answers():
    bus, _station, _line = rig(cu16, lambda _request: cu16.summed(2, 0x10, 0x35, 1, 0, 0, 0, 3))
    events = play(bus, 2_000)
    assert faults(events) == ["wrong_board"] and closed(events) == []


def test_cu16_is_told_the_time_once_and_asked_after_every_opening():
    def answer(request):
        if request[2] == 0x37:
            return cu16.summed(2, 0, 0x38, request[3], request[4], 3)
        return h("02 00 35 01 01 01 00 03 3D") if request[2] == 0x30 else b""

    bus, station, line = rig(cu16, answer)
    guard = Guard([station])
    play(bus, 300)
    for start in (300, 1_300):
        guard.pulse(start, 101, 300)
        play(bus, 1_000, start, guard)
    commands = [request[2] for request in line.sent]
    assert commands.count(0x37) == 1 and commands.count(0x31) == 2
    assert all([commands[place + 1] == 0x30 for place, command in enumerate(commands) if command == 0x31])


def test_a_door_that_was_just_opened_is_closed_only_by_two_answers_to_later_questions():
    shut, apart = h("02 00 35 01 01 01 00 03 3D"), h("02 00 35 00 01 01 00 03 3C")
    state = [apart]

    def answer(request):
        return state[0] if request[2] == 0x30 else b""

    bus, station, line = rig(cu16, answer)
    station.set_ms = -1
    guard = Guard([station])
    play(bus, 300)
    station.set_ms = -1
    guard.pulse(300, 101, 300)
    state[0] = shut
    events = []
    for now in range(300, 600, 10):
        before = len(line.sent)
        bus.gather(now, events)
        if closed(events):
            polls = [request for request in line.sent[line.sent.index(h("02 00 31 03 36")) : before]]
            assert len([request for request in polls if request[2] == 0x30]) >= 3
            return
    raise AssertionError("it was never told")


def test_an_opening_that_is_taken_back_before_the_bus_had_a_turn_for_it_is_never_sent():
    bus, station, line = rig(cu48, lambda _request: b"")
    guard = Guard([station])
    bus.gather(0, [])  # a poll is under way
    guard.pulse(10, 101, 300)
    guard.pulse(10, 101, 0)
    assert not guard.busy
    play(bus, 2_000, 20, guard)
    assert [request for request in line.sent if request[3] == 0x61] == []
