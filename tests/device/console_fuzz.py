"""`make fuzz-console`: random and hostile bytes at the console of a locker in a real MicroPython, over its pty.

The first half is typed by nobody, the second by a technician who is logged in. There must be no restart, no prompt of
somebody who never logged in, no login that noise ends, and no byte of the heap lost for good.
"""

import os
import random
import re
import select
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from locker_on_table import KEY, town_locker

from protocol.keys import console_answer
from tools.locker.client import start

LOOK_EVERY = 2_500  # bytes between two looks at the heap and the prompt
CHUNK = 256
ANSWER_S = 120
AGAIN_S = 10
FLAT_BYTES = 2_048  # what is free may move by this (eight lines of history, what was asked last), and must not sink
# What each order needs once, for good: names.
ALL = (
    *(
        "help",
        "help cal",
        "status --h",
        "doors --h",
        "net",
        "time",
        "journal",
        "cal",
        "service",
        "language",
        "login a",
    ),
    *("answer 00", "badge A", "selftest", "log", "open 99", "frob"),
)
_WORDS = r"""help status doors net time journal log cal service language selftest open badge answer login frob
1 14 99 -1 99999999999999999999 on off export doors set fr en --h ? % {} {0} %s \ " ' ../"""
WORDS = [*_WORDS.split(), "\x1b[A", "\t", ""]
HOSTILE = [
    b"\x1b[",
    b"\x1bO",
    b"\x1b[3~\x1b[1;5C\x1b[999999999999999999A",
    b"\x16\x16?",
    b"\x01\x0b\x05\x17\x15",
    b"\x10\x10\x0e\x0e\x10",
    b"\t\t?\t",
    b"\xc3\xa9\xff\xfe\x00",
    b"\r\n\r\n\n\n\r",
    b"\r" * 310,
    b"\x03\x03",
    b"\x02\x04\x01",
    b"A" * 400,
    b" " * 330 + b"\r",
    b"answer 000000000000\r",
    b"answer \x80\xff\r",
    b"badge " + b"8" * 310 + b"\r",
    b"login " + b"n" * 40 + b"\r",
    b"OK {}\r\nERR x\r\n",
    b"test-1 anne# open 3\r",
    b"log export\r\x03",
    b"selftest doors\rhelp\r",
]
# What ends a visit on purpose, and what ends the program (device/drivers/console.py).
_ENDS, _BREAKS = re.compile(rb"(?i)reboot|logout"), re.compile(rb"\x03{4,}")
_PROMPT_OF = re.compile(rb"\ntest-1(?:!\d+)?(?:/service)? (\S+)# ")
_LOOK = re.compile(rb'OK {"free":(\d+),"tidied":\d+}\r\n(test-1[^\r\n]*[#>] )\Z')


@dataclass
class Fuzz:
    """`free`: bytes of heap at each look, while nobody was logged in and then while somebody was."""

    console: str
    log: Path
    dice: random.Random
    sent: int = 0
    seen: bytes = b""
    names: set[bytes] = field(default_factory=set[bytes])
    _port: int = -1

    def __enter__(self) -> "Fuzz":
        self._port = os.open(self.console, os.O_RDWR | os.O_NOCTTY)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._port)

    def settle(self) -> None:
        """Pass over what it says until it is silent for a moment: its greeting, for one."""
        while select.select([self._port], [], [], 0.3)[0]:
            os.read(self._port, 65_536)

    # -------------------------------------------------------------- bytes
    def send(self, data: bytes) -> None:
        """Reads what is echoed meanwhile: neither side waits for the other."""
        while data:
            ready, writable, _ = select.select([self._port], [self._port], [], ANSWER_S)
            if ready:
                self._read()
            if writable:
                data = data[os.write(self._port, data[:CHUNK]) :]

    def _read(self) -> None:
        self.seen = self.seen[-100_000:] + os.read(self._port, 65_536)
        self.names.update(_PROMPT_OF.findall(self.seen))
        if b"Consigne, locker" in self.seen:
            said = self.log.read_text()
            raise AssertionError(f"{said}it restarted after {self.sent} bytes: {self.seen[-2000:]!r}")

    def look(self) -> tuple[int, str]:
        """(free bytes, the prompt), with all that was typed before it done, and said."""
        self._free(b"\x15\x03\x03\x15\r\nheap\r")
        return self._free(b"heap\r")

    def _free(self, order: bytes) -> tuple[int, str]:
        """What nobody reads in time is lost on such a line, so it is asked again."""
        self.seen = b""
        until = time.monotonic() + ANSWER_S
        again = 0.0
        while not (found := _LOOK.search(self.seen)):
            assert time.monotonic() < until, f"no answer after {self.sent} bytes: {self.seen[-500:]!r}"
            if time.monotonic() > again:
                self.send(order)
                again = time.monotonic() + AGAIN_S
            if select.select([self._port], [], [], 0.1)[0]:
                self._read()
        return int(found[1]), found[2].decode()

    def ask(self, order: str) -> bytes:
        self.settle()
        self.seen = b""
        self.send(order.encode() + b"\r")
        until = time.monotonic() + ANSWER_S
        while not (found := re.search(rb"\n((?:OK|ERR) [^\r\n]*)\r\n[^\r\n]*[#>] \Z", self.seen)) and (
            time.monotonic() < until
        ):
            if select.select([self._port], [], [], 0.1)[0]:
                self._read()
        assert found, self.seen
        return found[1]

    # -------------------------------------------------------------- noise
    def piece(self) -> bytes:
        kind = self.dice.randrange(4)
        if kind == 0:
            return self.dice.randbytes(self.dice.randrange(1, 60))
        if kind == 1:
            return self.dice.choice(HOSTILE)
        words = " ".join(self.dice.choices(WORDS, k=self.dice.randrange(1, 4)))
        return words.encode() + self.dice.choice([b"\r", b"\r\n", b"\t", b"?", b"\x7f" * 5])

    def storm(self, size: int, prompt: str) -> list[int]:
        """So many bytes; free at each look."""
        free: list[int] = []
        end = self.sent + size
        while self.sent < end:
            noise = b""
            while len(noise) < min(LOOK_EVERY, end - self.sent):
                noise += self.piece()
            noise = _BREAKS.sub(b"\x03\x03\x03", _ENDS.sub(b"", noise))
            self.send(noise)
            self.sent += len(noise)
            room, shown = self.look()
            free.append(room)
            assert shown.endswith(prompt), f"after {self.sent} bytes the prompt is {shown!r}"
        return free


def log_in(fuzz: Fuzz) -> None:
    until = time.monotonic() + ANSWER_S
    said = b"ERR throttled"
    while said.startswith(b"ERR throttled") and time.monotonic() < until:
        time.sleep(6)  # whatever was answered wrong before costs a pause
        challenge = re.search(rb'"challenge":"([0-9a-f]{16})"', fuzz.ask("login anne"))
        assert challenge
        answer = console_answer(KEY, bytes.fromhex(challenge[1].decode()), "anne")
        said = fuzz.ask(f"answer {answer}")
    assert said == b'OK {"actor":"anne"}', said


@contextmanager
def visited(place: Path, dice: random.Random) -> Generator[Fuzz]:
    """The console of a locker of its own, each order known to it. AssertionError: it restarted, or complained."""
    town_locker(place, held=[3, 5], code_digits=16)
    with start(place) as locker, Fuzz(locker.console, place / "locker.log", dice) as fuzz:
        fuzz.settle()
        for order in ALL:
            fuzz.ask(order)
        yield fuzz
        boots = re.search(rb'"boot":(\d+)', fuzz.ask("status"))
        assert boots and boots[1] == b"2", "it restarted"
    log = (place / "locker.log").read_text()
    assert not log, log


def by_a_technician(fuzz: Fuzz, size: int) -> list[int]:
    log_in(fuzz)
    for order in (*ALL, "log export"):
        fuzz.ask(order)
    free = fuzz.storm(size, " anne# ")
    assert fuzz.names == {b"anne"}, fuzz.names
    return free


def campaign(size: int, seed: int, folder: Path) -> tuple[list[int], list[int]]:
    """Free bytes at each look, without and with a login. Raises AssertionError."""
    dice = random.Random(seed)
    somebody: list[int] = []
    with visited(folder / "one", dice) as fuzz:
        nobody = fuzz.storm(size // 2, "> ")
        assert not fuzz.names, f"a prompt for {fuzz.names}, who never logged in"
        if b'"tries_left":0,' not in fuzz.ask("status"):
            somebody = by_a_technician(fuzz, size - size // 2)
    if not somebody:  # noise has guessed at ten challenges: no answer is taken there for eight hours
        with visited(folder / "two", dice) as fuzz:
            somebody = by_a_technician(fuzz, size - size // 2)
    for looks in (nobody, somebody):
        free = looks[len(looks) // 10 :]  # the first ones may be of what is needed once
        assert max(free) - min(free) <= FLAT_BYTES and free[-1] >= free[0] - FLAT_BYTES // 2, free
    return nobody, somebody


def main() -> None:
    size, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        nobody, somebody = campaign(size, seed, Path(folder) / "locker")
    for who, free in (("nobody logged in", nobody), ("a technician", somebody)):
        print(f"{who}: heap free {free[0]} at first, {min(free)} to {max(free)}, {free[-1]} in the end")
    print(f"{size} bytes, seed {seed}: no restart, no prompt without a login ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
