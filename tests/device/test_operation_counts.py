"""How long a comparison takes must tell nothing: counted in executed bytecodes, so that no clock is needed.

The hashes underneath run in C over inputs that have nothing to do with the guess; their calls are counted with the
bytecodes around them.
"""

import gc
import random
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from rig import Rig

from device.agent import events as on
from device.agent.books import Books
from device.agent.console import unload
from device.agent.core import Agent
from protocol import damm
from protocol.hmac import equal
from protocol.keys import console_answer

HELD = 7  # whose parcel is guessed at
RANDOM_GUESSES = 60


class Operations:
    """Bytecodes executed by all that `run` calls, in any module; but for unload(), which looks through all modules
    that the other tests have loaded."""

    def __init__(self) -> None:
        self.count = 0

    def _trace(self, frame: FrameType, event: str, _argument: object) -> object:
        if frame.f_code is unload.__code__:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        self.count += event == "opcode"
        return self._trace

    def of(self, run: Callable[[], object]) -> int:
        self.count = 0
        before = sys.gettrace()
        gc.disable()  # what is told of a collection (hypothesis asks to be) runs in between, and would be counted
        sys.settrace(self._trace)
        try:
            run()
        finally:
            sys.settrace(before)
            gc.enable()
        return self.count


def full_locker(digits: int) -> tuple[Rig, bytes]:
    """A locker of twelve with used codes behind some and live ones in all but one; and its books."""
    rig = Rig(list(range(1, 13)), digits=digits)
    rig.connect()
    for number in (1, HELD):
        rig.deposit(number)
        rig.keys("*" + rig.code(number, 1))
        rig.push(number)
    for number in range(1, 12):
        rig.deposit(number)
    rig.keys("*")
    return rig, rig.agent.snapshot()


def started(rig: Rig, snapshot: bytes) -> Agent:
    """The same agent in the same state, as often as wanted."""
    agent = Agent(rig.config, Books.replay(rig.config.numbers, snapshot, []), 2, bytes(32), 1)
    agent.start(0, "power")
    for number in rig.config.numbers:
        agent.step(1, on.DoorSensed(number, True))
    return agent


def typing(rig: Rig, snapshot: bytes, code: str) -> int:
    """Operations of the lap in which the last digit is pressed, up to its last effect."""
    agent = started(rig, snapshot)
    for key in code[:-1]:
        agent.step(2, on.KeyPressed(key))
    return Operations().of(lambda: agent.step(2, on.KeyPressed(code[-1])))


def answering(rig: Rig, snapshot: bytes, guess: Callable[[str], str]) -> int:
    """The same for an answer on the console; `guess` is told the right one."""
    agent = started(rig, snapshot)
    effects = agent.step(2, on.Typed(b"login eve\r"))
    said = b"".join([getattr(effect, "data", b"") for effect in effects]).decode()
    challenge = bytes.fromhex(said.split('"challenge":"')[1][:16])
    line = f"answer {guess(console_answer(rig.config.key, challenge, 'eve'))}\r".encode()
    return Operations().of(lambda: agent.step(2, on.Typed(line)))


def well_formed(front: str) -> str:
    return front + damm.check_digit(front)


def another(digit: str) -> str:
    return str((int(digit) + 3) % 10)


@pytest.mark.parametrize("digits", [12, 16])
def test_a_wrong_code_takes_as_long_however_much_of_it_is_right(digits: int):
    rig, snapshot = full_locker(digits)
    right = rig.code(HELD, 2)
    guesses = [well_formed(right[:same] + another(right[same]) + right[same + 1 : -1]) for same in range(digits - 1)]
    guesses += [well_formed(right[:same] + "0" * (digits - 1 - same)) for same in range(digits - 1)]
    chance = random.Random(1)
    guesses += [
        well_formed(str(chance.randrange(10 ** (digits - 1))).zfill(digits - 1)) for _ in range(RANDOM_GUESSES)
    ]
    assert right not in guesses
    counts = {typing(rig, snapshot, guess) for guess in guesses}
    assert len(counts) == 1, f"{len(guesses)} wrong codes took {sorted(counts)} operations"


@pytest.mark.parametrize("digits", [12, 16])
def test_a_right_code_is_not_known_sooner_than_a_wrong_one_is_charged(digits: int):
    """Else the power is cut in between: right ones would open, and wrong ones would be free."""
    rig, snapshot = full_locker(digits)
    right = typing(rig, snapshot, rig.code(HELD, 2))
    wrong = typing(rig, snapshot, well_formed("1" * (digits - 1)))
    assert wrong <= right
    assert right - wrong < right * 0.1, "nor much later, which the screen would show"


def test_an_answer_to_the_console_takes_as_long_however_much_of_it_is_right():
    rig, snapshot = full_locker(12)

    def wrong_at(place: int) -> Callable[[str], str]:
        return lambda right: right[:place] + ("0" if right[place] != "0" else "1") + right[place + 1 :]

    guesses = [wrong_at(place) for place in range(12)] + [lambda _right: "0" * 12, lambda _right: "f" * 12]
    answering(rig, snapshot, guesses[0])  # loads what the console needs
    counts = {answering(rig, snapshot, guess) for guess in guesses}
    assert len(counts) == 1, sorted(counts)
    assert counts.pop() <= answering(rig, snapshot, lambda right: right), "nor is a right one known sooner"


def test_two_tags_take_as_long_wherever_they_differ():
    tag = bytes(range(32))
    others = [tag[:place] + bytes([tag[place] ^ 0x80]) + tag[place + 1 :] for place in range(32)]
    counts = {Operations().of(lambda other=other: equal(tag, other)) for other in [tag, bytes(32), *others]}
    assert len(counts) == 1, sorted(counts)


def test_a_comparison_that_stops_early_would_be_seen():
    def hasty(left: bytes, right: bytes) -> bool:
        return all(one == other for one, other in zip(left, right, strict=True))

    tag = bytes(range(32))
    counts = [
        Operations().of(lambda place=place: hasty(tag, tag[:place] + bytes([255]) + tag[place + 1 :]))
        for place in range(32)
    ]
    assert counts == sorted(counts) and len(set(counts)) == 32
