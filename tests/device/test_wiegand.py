"""A Wiegand keypad, with two wires that a test pulls low."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from device.agent.events import KeyPressed
from device.drivers.wiegand import BITS_MAX, FRAME_MS, KEYS, Wiegand


class Wire:
    IRQ_FALLING = 2
    knows_hard = True

    def irq(self, handler: Callable[[object], None], _trigger: int, **options: bool) -> None:
        if options and not self.knows_hard:
            raise TypeError("extra keyword arguments given")
        self.fall = lambda: handler(self)


class SoftWire(Wire):
    knows_hard = False


class Reader:
    def __init__(self, bits: int = 4, wire: type[Wire] = Wire) -> None:
        self.zero, self.one = wire(), wire()
        self.keypad = Wiegand(self.zero, self.one, bits)
        self.now = 0

    def burst(self, bits: str) -> None:
        for bit in bits:
            (self.one if bit == "1" else self.zero).fall()

    def wait(self, ms: int) -> str:
        events: list[Any] = []
        for _ in range(0, ms, 10):
            self.now += 10
            self.keypad.gather(self.now, events)
        return "".join(event.key for event in events if isinstance(event, KeyPressed))


def eight(key: str) -> str:
    value = KEYS.index(key)
    return f"{(15 - value) << 4 | value:08b}"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("wire", [Wire, SoftWire])
def test_each_key_is_itself_in_four_bits_and_in_eight(key: str, wire: type[Wire]):
    reader = Reader(4, wire)
    reader.burst(f"{KEYS.index(key):04b}")
    assert reader.wait(100) == key
    reader = Reader(8, wire)
    reader.burst(eight(key))
    assert reader.wait(100) == key


def test_a_burst_may_fall_into_several_laps():
    reader = Reader()
    reader.burst("01")
    assert reader.wait(FRAME_MS - 10) == ""
    reader.burst("01")
    assert reader.wait(100) == "5"


def test_two_keys_that_a_long_lap_left_standing_are_both_read():
    reader = Reader()
    reader.burst("0001" + "1011")
    assert reader.wait(100) == "1#"


@pytest.mark.parametrize("spoilt", range(8))
def test_eight_bits_of_which_one_is_wrong_are_no_key(spoilt: int):
    bits = list(eight("7"))
    bits[spoilt] = "0" if bits[spoilt] == "1" else "1"
    reader = Reader(8)
    reader.burst("".join(bits))
    assert reader.wait(100) == ""
    assert reader.keypad.dropped == 1


def card(bits: int, number: int) -> str:
    inside = f"{number:0{bits - 2}b}"
    half = (bits - 2) // 2
    return f"{inside[:half].count('1') % 2}{inside}{1 - inside[half:].count('1') % 2}"


@pytest.mark.parametrize("bits", [26, 34])
@pytest.mark.parametrize("width", [4, 8])
def test_a_card_is_no_code_and_one_wrong_bit_makes_it_noise(bits: int, width: int):
    reader = Reader(width)
    whole = card(bits, 0xABCDEF)
    reader.burst(whole)
    assert reader.wait(100) == ""
    assert (reader.keypad.cards, reader.keypad.dropped) == (1, 0)
    for place in range(bits):
        reader.burst(whole[:place] + ("0" if whole[place] == "1" else "1") + whole[place + 1 :])
        assert reader.wait(100) == ""
    assert (reader.keypad.cards, reader.keypad.dropped) == (1, bits)


def test_a_storm_of_bits_neither_raises_nor_grows_and_the_next_key_is_read():
    seed = 20_261_124
    dice = random.Random(seed)
    for width in (4, 8):
        reader = Reader(width)
        for _ in range(300):
            reader.burst(format(dice.getrandbits(200), "b")[: dice.randrange(1, 200)])
            assert set(reader.wait(dice.choice((10, 60)))) <= set(KEYS), seed
        reader.wait(100)
        reader.burst("0" * (BITS_MAX + 8))
        assert reader.wait(100) == "", "a frame that is longer than the buffer is no row of keys"
        reader.burst(eight("9") if width == 8 else "1001")
        assert reader.wait(100) == "9", seed
