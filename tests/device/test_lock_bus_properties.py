"""Whatever comes over the bus: it raises nothing, opens nothing, and is understood alike however it is cut up."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_metal import Springs
from test_lock_boards import play, rig

from device.agent.events import DoorSensed
from device.drivers.locks import board8a, cu16, cu48, modbus, wkly
from device.drivers.locks.settle import TOLD_MAX, Settle
from tools.locker.boards.board8a import Board8A
from tools.locker.boards.cu16 import CU16
from tools.locker.boards.cu48 import CU48
from tools.locker.boards.modbus import Modbus
from tools.locker.boards.wkly import WKLY

FAMILIES: dict[str, tuple[Any, Any]] = {
    "cu16": (cu16, CU16),
    "cu48": (cu48, CU48),
    "board8a": (board8a, Board8A),
    "wkly": (wkly, WKLY),
    "modbus": (modbus, Modbus),
}


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(said=st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_raise_or_open_anything(name: str, said: list[bytes]):
    driver = FAMILIES[name][0]
    left = list(said)
    bus, station, line = rig(driver, lambda _request: left.pop(0) if left else b"", address=driver.ADDRESSES[0])
    play(bus, 1_000)
    assert set(line.sent) == {station.codec.poll}


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(opened=st.sets(st.integers(1, 8)), noise=st.binary(max_size=5), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_an_answer_is_understood_however_it_is_cut_up_and_whatever_noise_comes_first(
    name: str, opened: set[int], noise: bytes, cuts: list[int]
):
    driver, made = FAMILIES[name]
    address = driver.ADDRESSES[0]
    board = made(address, driver.CHANNELS, Springs(*opened))
    whole, line_now = b"", [0]

    def answer(request: bytes) -> bytes:
        nonlocal whole
        line_now[0] += 1_000
        whole = noise + b"".join(frame for _ms, frame in board.receive(float(line_now[0]), request))
        return b""

    bus, _station, line = rig(driver, answer, address=address)
    events: list[Any] = []
    for now in range(0, 1_200, 10):
        bus.gather(now, events)
        if whole:  # it comes in pieces, all of them in time
            ends = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
            for place, end in enumerate(ends):
                line.waiting += whole[ends[place - 1] if place else 0 : end]
                bus.gather(now + 1 + place, events)
            whole = b""
    told = {event.compartment - 100: event.closed for event in events if isinstance(event, DoorSensed)}
    if told or not noise:  # noise that looks like the head of a longer frame may swallow the answer behind it
        assert told == {channel: channel not in opened for channel in range(1, driver.CHANNELS + 1)}


def test_what_a_large_board_says_at_first_is_told_a_few_doors_at_a_time_each_as_it_is_then():
    boxes = [(100 + channel, channel) for channel in range(1, 49)]
    settle = Settle(boxes, DoorSensed)
    everything = (1 << 48) - 1
    told: dict[int, bool] = {}
    bits = everything
    for answer in range(8):
        events: list[DoorSensed] = []
        bits = everything & ~(1 << 47) if answer >= 2 else everything  # the last door opens before it was told of
        settle.see(bits, everything, True, events)
        assert len(events) <= TOLD_MAX
        told |= {event.compartment: event.closed for event in events}
    assert told == {number: number != 148 for number, _channel in boxes}
