"""A GM65-class scanner on a wire: what it answers to orders is not what somebody holds in front of it."""

import random
from typing import Any

import pytest

from device.agent.events import Scanned, Sensed
from device.drivers.gm65 import AGAIN_MS, ANSWER_MS, ASK, TRIES, Gm65, crc16, framed
from protocol.limits import SCAN_SIZE_MAX

ACK = bytes.fromhex("02000001003331")
BAUD = bytes.fromhex("020000023901") + crc16(bytes.fromhex("0000023901")).to_bytes(2, "big")
VECTORS = [
    ("0801000201", "7E000801000201 02DA"),
    ("0802002A3901", "7E000802002A3901A7EA"),
    ("0701002A02", "7E000701002A02D80F"),
    ("0901000000", "7E000901000000DEC8"),
    ("080100D955", "7E00080100D955D176"),
]


class Wire:
    """A UART; `answers`: what comes back for each order."""

    def __init__(self, answers: bytes | None = None) -> None:
        self.waiting = b""
        self.sent: list[bytes] = []
        self.answers = answers

    def any(self) -> int:
        return len(self.waiting)

    def read(self, size: int) -> bytes | None:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken or None

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self.waiting += self.answers or b""


def run(scanner: Gm65, start: int, ms: int) -> list[Any]:
    events: list[Any] = []
    for now in range(start, start + ms, 10):
        scanner.gather(now, events)
    return events


def fed(pieces: list[bytes]) -> tuple[list[bytes], int]:
    """What is scanned when the bytes come in these pieces, a lap each; and the frames dropped."""
    wire = Wire()
    scanner = Gm65(wire, [])
    events: list[Any] = []
    for lap, piece in enumerate(pieces):
        wire.waiting += piece
        while wire.waiting:
            scanner.gather(lap, events)
    return [event.data for event in events if isinstance(event, Scanned)], scanner.dropped


@pytest.mark.parametrize(("order", "frame"), VECTORS)
def test_an_order_is_framed_as_captured(order: str, frame: str):
    assert framed(bytes.fromhex(order)) == bytes.fromhex(frame)


def test_the_captured_acknowledgement_and_its_checksum_agree():
    assert crc16(ACK[1:5]).to_bytes(2, "big") == ACK[5:]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("place", range(6))
def test_an_acknowledgement_anywhere_in_a_scan_is_cut_out(place: int, end: bytes):
    scan = b"HELLO"
    assert fed([scan[:place] + ACK + scan[place:] + end]) == ([scan], 0)


def test_any_split_of_the_same_bytes_gives_the_same_scans():
    seed = 20_261_125
    dice = random.Random(seed)
    data = (
        ACK
        + b"ONE"
        + ACK
        + ACK
        + b"TWO\r"
        + ACK[:4]
        + b"BAD\r"
        + BAUD
        + b"GOOD\r\n"
        + b"\x02\x02"
        + ACK
        + b"X\rLAST\r"
    )
    whole = fed([data])
    assert whole[0] == [b"ONETWO", b"GOOD", b"LAST"]
    for _ in range(300):
        cuts = sorted(dice.sample(range(len(data)), dice.randrange(1, 12)))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert fed(pieces) == whole, seed


def test_any_bytes_give_clean_frames_and_raise_nothing():
    seed = 20_261_126
    dice = random.Random(seed)
    parts = [ACK, BAUD, b"\x02", b"\x02\x00", b"\x02\x00\x00", b"\x02\x00\x00\xff", b"\r", b"A1", b"\x00", b"\xff"]
    for _ in range(200):
        frames, _dropped = fed([dice.choice(parts) + dice.randbytes(dice.randrange(3)) for _ in range(60)])
        assert all(0 < len(frame) <= SCAN_SIZE_MAX for frame in frames), seed
        assert all(0x20 <= byte <= 0x7E for frame in frames for byte in frame), seed


def test_what_only_looks_like_an_acknowledgement_spoils_the_frame_it_stands_in():
    assert fed([b"A" + ACK[:-1] + b"0" + b"B\rGOOD\r"]) == ([b"GOOD"], 1)


def test_a_scanner_that_answers_is_told_once_and_asked_again_later():
    wire = Wire(BAUD)
    scanner = Gm65(wire, [])
    assert run(scanner, 0, 5_000) == [Sensed("scanner", 1)]
    assert wire.sent == [framed(ASK)]
    assert run(scanner, 5_000, AGAIN_MS) == []
    assert len(wire.sent) == 2


@pytest.mark.parametrize("answers", [None, b"\x00\xff\x80", b"?!"])
def test_a_scanner_that_is_silent_or_answers_garbage_is_told(answers: bytes | None):
    wire = Wire(answers)
    scanner = Gm65(wire, [])
    assert run(scanner, 0, (TRIES + 1) * ANSWER_MS) == [Sensed("scanner", 0)]
    wire.answers = BAUD
    assert run(scanner, 10_000, AGAIN_MS) == [Sensed("scanner", 1)]


def test_the_orders_of_its_setup_go_first_each_once_it_is_acknowledged():
    setup = [bytes.fromhex("0802002A3901"), bytes.fromhex("0801000001")]
    wire = Wire(ACK)
    scanner = Gm65(wire, setup)
    assert run(scanner, 0, 1_000) == [Sensed("scanner", 1)]
    assert wire.sent == [framed(order) for order in (*setup, ASK)]


def test_a_scanner_may_scan_while_it_answers():
    wire = Wire(b"PAR" + BAUD + b"CEL\r")
    scanner = Gm65(wire, [])
    assert run(scanner, 0, 1_000) == [Sensed("scanner", 1), Scanned(b"PARCEL")]
    assert scanner.dropped == 0


def test_a_lone_byte_that_begins_like_an_answer_does_not_spoil_a_later_scan():
    wire = Wire()
    scanner = Gm65(wire, [])
    wire.waiting = b"\x02"
    run(scanner, 0, 1_000)
    wire.waiting = b"GOOD\r"
    assert Scanned(b"GOOD") in run(scanner, 1_000, 100)
