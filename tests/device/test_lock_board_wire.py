"""One bus and the boards on it: bytes take time, collide, come back as echo, and are lost behind a driver that was
turned too soon. And the chips that hang on I2C and SPI."""

import random

import pytest
from lock_metal import Springs

from tools.locker.boards.board import Board
from tools.locker.boards.board8a import Board8A
from tools.locker.boards.cu16 import CU16
from tools.locker.boards.hc595 import HC595
from tools.locker.boards.mcp23017 import GPIO as GPIO_A
from tools.locker.boards.mcp23017 import GPPU, IODIR, MCP23017, OLAT
from tools.locker.boards.wire import Wire
from tools.locker.boards.wkly import WKLY

STATUS = bytes.fromhex("02 00 30 03 35")
REPLY = bytes.fromhex("02 00 35 FF FF 00 00 03 38")
BUS_STATUS = bytes.fromhex("02 F0 32 03 27")


def cu16s(*addresses: int) -> list[Board]:
    return [CU16(address, 16, Springs()) for address in addresses]


def test_a_byte_takes_ten_bits_and_an_answer_comes_byte_by_byte():
    wire = Wire(cu16s(0), baud=19200)
    assert wire.send(0, STATUS) == pytest.approx(5 * 10 / 19.2)
    sent_ms = 5 * 10 / 19.2
    first_ms = sent_ms + 3 + 10 / 19.2
    assert wire.take(first_ms - 0.1) == b""
    assert wire.take(first_ms + 0.1) == REPLY[:1]
    assert wire.take(1000) == REPLY[1:]


def test_what_is_sent_while_something_is_still_going_out_waits_for_it():
    wire = Wire(cu16s(0, 1), baud=9600)
    out_ms = wire.send(0, STATUS)
    assert wire.send(1, STATUS) == pytest.approx(2 * out_ms)


def test_an_echo_brings_back_what_was_sent_before_the_answer():
    wire = Wire(cu16s(0), baud=19200, echo=True)
    wire.send(0, STATUS)
    assert wire.take(1000) == STATUS + REPLY


def test_a_failed_opening_and_its_echo_look_the_same_on_an_8a_bus():
    metal = Springs()
    metal.jammed.add(1)
    wire = Wire([Board8A(1, 24, metal)], echo=True)
    request = bytes.fromhex("8A 01 01 11 9B")
    wire.send(0, request)
    assert wire.take(1000) == request + request


def test_boards_that_answer_all_at_once_take_their_turns():
    wire = Wire(cu16s(0, 1, 2), baud=19200)
    wire.send(0, BUS_STATUS)
    heard = wire.take(1000)
    assert [heard[start + 1] for start in (0, 9, 18)] == [0x00, 0x10, 0x20] and len(heard) == 27
    assert wire.collisions == 0


def test_two_boards_of_one_address_talk_each_other_down():
    wire = Wire(cu16s(0, 0), baud=19200)
    wire.send(0, STATUS)
    assert wire.take(1000) != REPLY and wire.collisions


def test_who_sends_into_an_answer_hears_nothing_of_it_and_is_not_understood():
    wire = Wire(cu16s(0, 1), baud=9600)
    out_ms = wire.send(0, STATUS)
    wire.send(out_ms + 5, bytes.fromhex("02 10 30 03 45"))
    heard = wire.take(1000)
    assert wire.collisions and len(heard) < len(REPLY), "and board 1 judged what it heard by its sum"


def test_a_request_that_the_wire_damages_is_not_obeyed():
    metal = Springs()
    wire = Wire([CU16(0, 16, metal)])
    wire.damage = lambda data: data[:1] + bytes([data[1] ^ 1]) + data[2:]
    wire.send(0, bytes.fromhex("02 00 31 03 36"))
    wire.tick(1000)
    assert metal.log == []
    wire.damage = None
    wire.send(1000, bytes.fromhex("02 00 31 03 36"))
    wire.tick(2000)
    assert metal.log == [(1, True), (1, False)]


def test_noise_comes_between_frames_and_damages_none():
    chance = random.Random(5)
    wire = Wire(cu16s(0), baud=19200, noise=lambda: chance.randbytes(chance.randrange(1, 3)))
    for moment in range(0, 2000, 100):
        wire.send(moment, STATUS)
        heard = wire.take(moment + 90)
        assert REPLY in heard and len(heard) > len(REPLY)
    assert wire.collisions == 0


def test_a_driver_that_is_turned_off_too_soon_cuts_the_request():
    for early_ms, answered in ((-1.0, False), (0.5, True)):
        wire = Wire(cu16s(0), baud=19200, has_enable=True)
        wire.enable(0, True)
        out_ms = wire.send(0, STATUS)
        wire.enable(out_ms + early_ms, False)
        assert (wire.take(1000) == REPLY) == answered


def test_a_driver_that_is_left_on_talks_the_answer_down():
    wire = Wire(cu16s(0), baud=19200, has_enable=True)
    wire.enable(0, True)
    wire.send(0, STATUS)
    wire.enable(100, False)
    assert wire.take(1000) == b"" and wire.collisions == len(REPLY)


def test_a_board_that_tells_by_itself_can_collide_with_a_question():
    metal = Springs()
    board = WKLY(0, 24, metal)
    wire = Wire([board])
    metal.opened.add(2)
    wire.send(0, bytes.fromhex("57 4B 4C 59 08 00 84 85"))
    wire.tick(4)
    assert wire.take(1000) != b"" and wire.collisions


def test_a_board_can_be_taken_off_the_bus_and_put_back():
    boards = cu16s(0)
    wire = Wire(boards, baud=19200)
    wire.boards.remove(boards[0])
    wire.send(0, STATUS)
    assert wire.take(500) == b""
    wire.boards.append(boards[0])
    wire.send(500, STATUS)
    assert wire.take(1000) == REPLY


# ------------------------------------------------------------------ MCP23017
def test_an_mcp23017_has_inputs_only_until_it_is_told_otherwise():
    metal = Springs()
    chip = MCP23017(0x20, 16, metal)
    chip.write(bytes([IODIR]))
    assert chip.read(2) == b"\xff\xff"
    chip.write(bytes([OLAT, 0xFF, 0xFF]))
    assert metal.on == set()
    chip.write(bytes([IODIR, 0xF0]))
    assert metal.on == {1, 2, 3, 4}
    chip.power_on()
    assert metal.on == set()


def test_an_mcp23017_reads_its_switches_with_a_pull_up_and_its_outputs_as_they_are():
    metal = Springs(10)
    chip = MCP23017(0x20, 16, metal)
    chip.write(bytes([GPIO_A]))
    assert chip.read(2) == b"\x00\x00", "nothing pulls an input up yet"
    chip.write(bytes([GPPU, 0xFF, 0xFF]))
    chip.write(bytes([GPIO_A]))
    assert chip.read(2) == b"\x00\x02", "pin 10 is open, the rest close to ground"
    chip.write(bytes([IODIR, 0xFE]))
    chip.write(bytes([GPIO_A, 0x01]))
    assert metal.on == {1}
    chip.write(bytes([GPIO_A]))
    assert chip.read(1) == b"\x01"


def test_an_mcp23017_goes_on_with_the_next_register():
    chip = MCP23017(0x20, 16, Springs())
    chip.write(bytes([OLAT, 0x11, 0x22]))
    chip.write(bytes([OLAT]))
    assert chip.read(3) == b"\x11\x22\xff", "and begins again behind the last"


# ------------------------------------------------------------------ 74HC595
def test_the_outputs_of_a_595_are_anything_at_power_up_and_off_while_its_enable_is_high():
    wild = Springs()
    chip = HC595(1, 16, wild)
    assert wild.on == set()
    chip.enable(0)
    assert wild.on, "enabled before anything was latched"
    tame = Springs()
    chip = HC595(1, 16, tame)
    chip.shift(b"\x00\x00")
    chip.latch(1)
    chip.enable(0)
    assert tame.log == []


def test_a_595_puts_out_what_was_shifted_when_its_latch_rises():
    metal = Springs()
    chip = HC595(1, 16, metal)
    chip.shift(b"\x00\x00")
    chip.latch(1)
    chip.enable(0)
    chip.shift(b"\x80\x01")
    assert metal.on == set()
    chip.latch(0)
    chip.latch(1)
    assert metal.on == {1, 16}
    chip.enable(1)
    assert metal.on == set()
