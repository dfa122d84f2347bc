"""Virtual lockers for tests: provisioned without a gateway, their journal already holding deposits if asked for."""

import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from device.agent.books import Books
from device.journal import Journal
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.messages import Booted, DepositAuthorised, Deposited, Up, decode_up, encode
from protocol.otp import typed_code
from tools.console import Session, open_port
from tools.locker import cabinets
from tools.locker.client import VirtualLocker
from tools.locker.flash import read_files, write_files
from tools.locker.provision import Bundle, provision

KEY = bytes(range(32))
FLASH_BLOCK = 4096
FILLER = 8  # blocks a file
LINKS = 256  # bytes of it that LittleFS needs for itself
WAIT_S = 60.0
ONLINE_WAIT_S = 150.0  # a locker waits for up to 40 before it dials, and up to 90 more should that fail
NOBODY = ("127.0.0.1", 1)  # no broker: a port where nothing listens


def town_locker(
    folder: Path,
    held: Sequence[int] = (),
    broker: tuple[str, int] = NOBODY,
    trusted: Mapping[bytes, bytes] | None = None,
    *,
    filler_blocks: int = 0,
    authorities: tuple[bytes, ...] = (),
    **changes: Any,
) -> Path:
    """A folder for tools.locker. `held`: compartments with a parcel; `filler_blocks`: of its flash that are taken;
    `authorities`: CAs of its broker; `changes`: of the hardware."""
    hardware = cabinets.mairie("test-1") | changes
    tables = {kid.hex(): table for kid, table in (trusted or {}).items()}
    provision(folder, hardware, Bundle("test-1", 1, KEY, broker, tables, authorities=authorities))
    numbers = [box["number"] for module in hardware["modules"] for box in module["compartments"]]
    if held:
        write_files(folder / "flash.img", deposits(folder, numbers, held))
    if filler_blocks:
        write_files(folder / "flash.img", filler(filler_blocks))
    return folder


def filler(blocks: int) -> dict[str, bytes]:
    return {f"/filler/{place}": bytes(FILLER * FLASH_BLOCK - LINKS) for place in range(blocks // FILLER)}


def deposits(folder: Path, numbers: list[int], held: Sequence[int]) -> dict[str, bytes]:
    """The journal of a locker whose compartments `held` hold a parcel (deposit 1 each), as files of its flash."""
    kept = folder / "journal"
    kept.mkdir()
    journal = Journal(str(kept))
    journal.load()
    journal.count_boot(0)
    journal.rotate(Books(numbers).snapshot())
    events: list[Any] = [Booted("0.1.0", "power")]
    for number in held:
        events += [DepositAuthorised(number, 1, 1, 100 + number, None, None), Deposited(number, 1, 100 + number)]
    for seq, event in enumerate(events, 1):
        journal.append(seq, encode(Up(1, seq, 0, None, event)))
    journal.close()
    return {f"/journal/{path.name}": path.read_bytes() for path in kept.iterdir()}


def code_of(compartment: int, deposit: int = 1) -> str:
    return typed_code(HmacKey(sub_key(KEY, "code")), compartment, deposit)


def journal_of(folder: Path) -> list[Up]:
    """What a stopped locker's flash says happened, oldest first."""
    unpacked = folder / "unpacked"
    unpacked.mkdir(exist_ok=True)
    for old in unpacked.iterdir():
        old.unlink()
    for name, content in read_files(folder / "flash.img").items():
        if name.startswith("/journal/"):
            (unpacked / name.removeprefix("/journal/")).write_bytes(content)
    journal = Journal(str(unpacked))
    journal.load()
    return [decode_up(record) for record in journal.read(1, 10_000)]


def story_of(folder: Path) -> list[str]:
    return [type(up.event).__name__ for up in journal_of(folder)]


def wait_for_word(locker: VirtualLocker, number: int, *words: str) -> None:
    """Until the locker itself says one of these of a door on its console (protocol.numbers.DOOR_STATES)."""
    with open_port(locker.console) as port:
        session = Session(port)
        until = time.monotonic() + WAIT_S
        while (word := session.ask(f"doors {number}")["door"]) not in words:
            assert time.monotonic() < until, f"door {number} is {word}, not {words}"
            time.sleep(0.05)


class ListeningBroker:
    """Something that takes TCP connections where a broker would be, and says nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(ONLINE_WAIT_S)
        self.address: tuple[str, int] = self._socket.getsockname()

    def accept(self) -> socket.socket:
        connection = self._socket.accept()[0]
        connection.settimeout(60)
        return connection

    def close(self) -> None:
        self._socket.close()
