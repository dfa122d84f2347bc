"""The agent in a real MicroPython, in a cabinet: what its hands do, measured from outside."""

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import serial
from locker_on_table import KEY, ListeningBroker, code_of, journal_of, story_of, town_locker, wait_for_word
from rig import trusted
from tokens_of_rig import COURIER_TOKEN, FOREIGN_SIGNER_TOKEN

from protocol.keys import console_answer
from protocol.limits import PULSE_MS_MAX
from tools.locker import cabinets
from tools.locker.client import CabinetClient, VirtualLocker, door_of, start

Make = Callable[..., VirtualLocker]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Start virtual lockers in tmp_path/<name>; all of them end with the test."""
    running: list[VirtualLocker] = []

    def started(name: str = "one", **options: Any) -> VirtualLocker:
        locker = start(town_locker(tmp_path / name, **options))
        running.append(locker)
        return locker

    yield started
    for locker in running:
        locker.stop()


def wait(test: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


@contextlib.contextmanager
def typing(client: CabinetClient, keys: str) -> Iterator[None]:
    """Somebody types beside what the block looks at: a coil is on before they have let go of the last key."""
    with ThreadPoolExecutor(1) as hand:
        typed = hand.submit(client.keys, keys)
        yield
        typed.result()


def coils(state: dict[str, Any]) -> list[int]:
    return [box["number"] for box in state["compartments"] if box["coil"]]


# ------------------------------------------------------------------ pickups, with no network at all
def test_a_locker_without_any_network_serves_a_pickup_within_seconds_of_power(make: Make, tmp_path: Path):
    client = make(held=[3, 5, 8]).client
    assert client.wait_for_screen("Bienvenue")
    assert cpu_s(client.state()["board_pid"]) < 5
    for number in (3, 5, 8):
        took = served(client, number)
        if took["ms"] <= 400 and took["to_pulse_ms"] < 250:  # from the last key's contact to the coil
            break
    else:
        raise AssertionError(f"late three times: {took}")  # once or twice, the machine had something else to do
    client.power(False)
    wait(lambda: not client.state()["powered"])
    story = story_of(tmp_path / "one")
    first = story.index("PickupAuthorised")
    assert story[first : first + 4] == ["PickupAuthorised", "Booted", "DoorOpened", "Collected"]


def served(client: CabinetClient, number: int) -> dict[str, float]:
    """A parcel is fetched; how long the coil was on, and how long after the last key: by the clock or, should the
    machine have had something else to do, by what the board had of a processor."""
    *keys, last = code_of(number)
    client.keys("".join(keys))
    before = client.state()
    used_s = cpu_s(before["board_pid"])
    pressed_ms = client.keys(last)
    client.wait_for_door(number, "open")
    client.wait_for_screen("Prenez votre colis")
    old = len(before["pulses"])
    (pulse,) = client.wait_until(lambda state: len(state["pulses"]) > old)["pulses"][old:]
    used_ms = (cpu_s(before["board_pid"]) - used_s) * 1000
    assert pulse["compartment"] == number and pulse["ms"] >= 250
    client.push(number)
    client.wait_for_screen("Merci")
    return pulse | {"to_pulse_ms": min(pulse["at"] - pressed_ms, used_ms)}


def test_a_jammed_door_is_tried_again_and_then_said_to_be_jammed(make: Make, tmp_path: Path):
    client = make(held=[3]).client
    client.jam(3)
    for times in range(1, 4):  # again, should the machine have had something else to do
        client.wait_for_screen("Bienvenue")
        client.keys(code_of(3))
        client.wait_for_screen("coince")
        pulses = client.state()["pulses"]
        assert [pulse["compartment"] for pulse in pulses] == [3, 3, 3] * times
        if all(250 <= pulse["ms"] <= 400 for pulse in pulses[-3:]):
            break
    assert all(250 <= pulse["ms"] <= 400 for pulse in pulses[-3:])
    client.jam(3, False)
    client.keys(code_of(3))
    client.wait_for_door(3, "open")
    client.power(False)
    wait(lambda: not client.state()["powered"])
    assert "DoorFaulted" in story_of(tmp_path / "one")


def test_a_wrong_code_opens_nothing(make: Make):
    client = make(held=[3]).client
    client.keys(code_of(4))
    client.wait_for_screen("Code non valable")
    assert client.state()["pulses"] == []


def test_the_screen_changes_its_language_at_the_key(make: Make):
    client = make().client
    client.keys("A")
    client.wait_for_screen("Welcome")
    client.keys("A")
    client.wait_for_screen("Bienvenue")


# ------------------------------------------------------------------ power, watchdog, coils
def test_a_locker_killed_in_mid_pulse_drops_the_coil_and_opens_nothing_by_itself_afterwards(make: Make):
    client = make(held=[3]).client
    client.jam(3)  # so that nothing but the coil would tell
    with typing(client, code_of(3)):
        client.wait_until(lambda state: coils(state) == [3])
        client.watch()
        client.kill()
    ended = client.wait_for(lambda event: event["event"] == "pulse" or (event["event"] == "power" and event["on"]))
    assert ended["event"] == "pulse", "the coil is off before there is power again"
    assert ended["ms"] < 400
    state = client.state()
    pulses = len(state["pulses"])
    assert coils(state) == []
    client.jam(3, False)
    client.wait_for_screen("Bienvenue")
    time.sleep(1.5)
    state = client.state()
    assert len(state["pulses"]) == pulses and door_of(state, 3) == "closed", "no pulse without a person"
    client.keys(code_of(3))
    client.wait_for_door(3, "open")


def test_the_watchdog_ends_a_locker_that_stands_still_with_its_coil_on(make: Make, tmp_path: Path):
    locker = make(held=[3], watchdog_ms=1000)
    client = locker.client
    client.jam(3)  # it tries three times
    for _time in range(3):  # again, should the machine have had something else to do
        with typing(client, code_of(3)):
            state = client.wait_until(lambda state: coils(state) == [3])
            board = state["board_pid"]
            os.kill(board, signal.SIGSTOP)  # not even a timer runs
        client.wait_until(lambda later, board=board: later["board_pid"] not in (None, board))
        client.wait_for_screen("Bienvenue")
        pulse = client.state()["pulses"][-1]
        if pulse["ms"] < PULSE_MS_MAX + 400:
            break
    assert pulse["ms"] < PULSE_MS_MAX + 400, "the watchdog's second, and a little for the machine"
    wait_for_word(locker, 9, "closed")
    client.pull(9)  # a start is journalled with the first thing that happens
    wait_for_word(locker, 9, "forced")
    client.power(False)
    wait(lambda: not client.state()["powered"])
    boots = [up.event.cause for up in journal_of(tmp_path / "one") if type(up.event).__name__ == "Booted"]
    assert boots[-1] == "watchdog"


def test_power_cuts_at_random_moments_lose_nothing_and_open_nothing(make: Make, tmp_path: Path):
    seed = 7
    dice = random.Random(seed)
    client = make(held=[3, 5, 8, 11]).client
    for number in (3, 5, 8, 11):
        client.keys(code_of(number)[:11])
        client.ask("keys", keys=code_of(number)[11:])
        time.sleep(dice.uniform(0, 0.5))
        client.kill()
        client.wait_for_screen("Bienvenue")
    opened = [box["number"] for box in client.state()["compartments"] if box["door"] == "open"]
    client.power(False)
    wait(lambda: not client.state()["powered"])
    ups = journal_of(tmp_path / "one")
    assert [up.seq for up in ups] == list(range(1, len(ups) + 1)), seed
    authorised = {up.event.compartment for up in ups if type(up.event).__name__ == "PickupAuthorised"}
    assert set(opened) <= authorised, f"seed {seed}: a door opened without a durable authorisation"
    boots = [up.boot for up in ups]
    assert boots == sorted(boots), seed
    assert len([up for up in ups if type(up.event).__name__ == "Booted"]) <= 6, "those that saved something, and once"


def test_a_reset_from_the_board_itself_restarts_it(make: Make):
    locker = make()
    client = locker.client
    client.watch()
    os.kill(client.state()["board_pid"], signal.SIGINT)  # Ctrl-C: the agent ends, and the board with it
    client.wait_for(lambda event: event["event"] == "power" and not event["on"])
    client.wait_for(lambda event: event["event"] == "power" and event["on"])
    client.wait_for_screen("Bienvenue")


# ------------------------------------------------------------------ noise
def test_keys_typed_fast_on_bouncing_contacts_arrive_each_once(make: Make):
    client = make().client
    client.keys("12345678901", pace_ms=110)
    client.wait_for_screen("123 456 789 01")


def test_a_scanner_that_sends_noise_disturbs_nothing(make: Make):
    seed = 11
    noise = random.Random(seed).randbytes(2000).replace(b"\r", b"").replace(b"\n", b"")
    client = make(held=[3]).client
    client.scan_raw(noise)
    client.scan_raw(b"A" * 1500 + b"\r")
    client.scan_raw(b"\x1b[2J\x00\x07evil\r")
    client.wait_for_screen("Bienvenue")
    client.scan("XX123456789FR")
    client.wait_for_screen("badge")
    client.keys(code_of(3))
    client.wait_for_door(3, "open")


def test_a_door_forced_open_and_a_stuck_switch_are_seen(make: Make, tmp_path: Path):
    locker = make(held=[3])
    client = locker.client
    wait_for_word(locker, 3, "closed")
    client.stick(5)
    client.pull(5)
    client.pull(3)
    wait_for_word(locker, 3, "forced")
    client.power(False)
    wait(lambda: not client.state()["powered"])
    seen = [(type(up.event).__name__, getattr(up.event, "compartment", 0)) for up in journal_of(tmp_path / "one")]
    assert any(number == 3 for _name, number in seen[3:])
    assert not any(number == 5 for _name, number in seen[3:]), "a stuck switch tells nothing"


# ------------------------------------------------------------------ the console
def ask(port: serial.Serial, line: bytes) -> str:
    port.reset_input_buffer()
    port.write(line + b"\r")
    text = b""
    until = time.monotonic() + 60
    while not (text.endswith((b"> ", b"# ")) and (b"OK" in text or b"ERR" in text)):
        text += port.read(1)
        assert time.monotonic() < until, text
    return text.decode()


def test_the_console_answers_over_the_serial_port(make: Make):
    locker = make(held=[3, 5])
    with serial.Serial(locker.console, 115200, timeout=1) as port:
        assert '"locker":"test-1"' in ask(port, b"status")
        assert '"held":2' in ask(port, b"status")
        assert "ERR" in ask(port, b"no such order")
        assert "ERR" in ask(port, b"open 3"), "not without a login"
        assert "OK" in ask(port, b"doors")
    assert locker.client.state()["pulses"] == []


def test_noise_on_the_console_does_not_stop_the_locker(make: Make):
    seed = 5
    locker = make(held=[3])
    with serial.Serial(locker.console, 115200, timeout=1) as port:
        port.write(random.Random(seed).randbytes(3000).replace(b"\x03", b""))
        port.write(b"\xc3\r\r\n" * 20 + b"x" * 5000 + b"\r")
        wait(lambda: '"locker"' in ask(port, b"status"))  # what was noise is answered before
    locker.client.keys(code_of(3))
    locker.client.wait_for_door(3, "open")


# ------------------------------------------------------------------ the cable
def test_a_locker_dials_again_after_the_cable_was_cut(make: Make):
    broker = ListeningBroker()
    try:
        locker = make(broker=broker.address)
        client = locker.client
        with broker.accept() as connection:
            assert connection.recv(1)[:1] == b"\x10", "an MQTT CONNECT"
            client.wait_until(lambda state: state["link"] == "up")
            client.cable("reset")
            client.wait_until(lambda state: state["link"] == "down")
        with serial.Serial(locker.console, 115200, timeout=1) as port:
            wait(lambda: '"state":"waiting"' in ask(port, b"net"))
        client.cable("none")
        client.keys("*")
        with broker.accept() as connection:
            assert connection.recv(1) == b"\x10"
    finally:
        broker.close()


def test_a_black_hole_is_noticed_and_pickups_go_on_in_it(make: Make):
    broker = ListeningBroker()
    try:
        client = make(broker=broker.address, held=[3]).client
        client.keys("*")
        with broker.accept() as connection:
            connection.recv(1)
            client.cable("hole")
            client.keys(code_of(3))
            client.wait_for_door(3, "open")
    finally:
        broker.close()


# ------------------------------------------------------------------ size and thrift
def hundred() -> dict[str, Any]:
    """Five modules of twenty."""
    heights = {"S": 85}
    return cabinets._locker("test-1", "Hundred", heights, (("S" * 20,),) * 5)


@pytest.mark.parametrize("hardware", [cabinets.gare("test-1"), hundred()], ids=["48", "100"])
def test_a_big_locker_works_in_the_heap_of_a_board(make: Make, hardware: dict[str, Any]):
    numbers = [box["number"] for module in hardware["modules"] for box in module["compartments"]]
    last = numbers[-1]
    client = make(held=numbers, **hardware).client
    client.keys(code_of(last))
    client.wait_for_door(last, "open")
    client.push(last)
    client.wait_for_screen("Merci")


def test_an_idle_locker_takes_little_of_a_processor(make: Make):
    locker = make()
    time.sleep(1)
    board_pid = locker.client.state()["board_pid"]
    for _try in range(3):  # a core that others share gets less done in a second
        before = cpu_s(board_pid) + cpu_s(locker.pid)
        time.sleep(3)
        used = cpu_s(board_pid) + cpu_s(locker.pid) - before
        if used / 3 < 0.05:
            return
    raise AssertionError(f"{used:.2f} s of a processor in three: two lockers are to take less than a tenth of a core")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------ technician, courier, a full flash
def log_in(port: serial.Serial) -> None:
    challenge = bytes.fromhex(json.loads(ask(port, b"login anna").partition("OK ")[2].splitlines()[0])["challenge"])
    assert "OK" in ask(port, b"answer " + console_answer(KEY, challenge, "anna").encode())


def test_a_technician_who_logged_in_opens_a_door_and_reboots(make: Make, tmp_path: Path):
    locker = make()
    client = locker.client
    with serial.Serial(locker.console, 115200, timeout=1) as port:
        log_in(port)
        assert "OK" in ask(port, b"open 6")
        client.wait_for_door(6, "open")
        client.push(6)
        wait(lambda: '"closed"' in ask(port, b"doors 6"))
        client.watch()
        port.write(b"reboot\r")
        client.wait_for(lambda event: event["event"] == "power" and not event["on"])
    client.wait_for_screen("Bienvenue")
    client.power(False)
    wait(lambda: not client.state()["powered"])
    ups = journal_of(tmp_path / "one")
    assert [up.event.cause for up in ups if type(up.event).__name__ == "Booted"] == ["power"], "the last saved nothing"
    assert "OpeningAuthorised" in [type(up.event).__name__ for up in ups]


def test_a_courier_s_badge_is_verified_with_no_network_and_in_time(make: Make):
    client = make(trusted=trusted()).client
    for _try in range(3):  # once or twice, the machine had something else to do
        at = client.scan(COURIER_TOKEN)
        client.wait_for_screen("Bonjour")
        took_ms = time.monotonic() * 1000 - at
        if took_ms < 1000:
            break
        client.keys("*")
        client.wait_for_screen("Bienvenue")
    assert took_ms < 1000
    client.scan(FOREIGN_SIGNER_TOKEN)
    client.wait_for_screen("QR non valable")


def test_a_full_flash_refuses_deposits_and_not_pickups(make: Make):
    client = make(held=[3], trusted=trusted(), filler_blocks=456).client
    client.scan(COURIER_TOKEN)
    client.wait_for_screen("pleine")
    client.keys("*" + code_of(3))
    client.wait_for_door(3, "open")


def test_a_flash_full_to_the_brim_starts_opens_nothing_and_says_whom_to_call(make: Make):
    """Filled by something else than the journal, which would have kept the room for this pickup."""
    locker = make(held=[3], filler_blocks=488)
    client = locker.client
    client.wait_for_screen("Bienvenue")
    client.keys(code_of(3))
    client.wait_for_screen("fermés")  # a wrong one could not be charged
    with serial.Serial(locker.console, 115200, timeout=1) as port:
        assert '"free":0' in ask(port, b"journal")
    assert client.state()["pulses"] == []
