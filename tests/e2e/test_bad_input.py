"""Bad input, on the running system: each has its clear answer, and none opens a door.

The broker of this module is a hostile one: anybody may publish anything on it.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from scene import Scene

from gateway.broker import find_mosquitto
from gateway.keys import Keys
from gateway.ports import lasting_port
from protocol import cbor, damm, messages, otp, tokens
from protocol.errors import number_of
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.limits import MESSAGE_SIZE_MAX, REFUSAL_PAUSE_MS
from protocol.topics import topic
from tools.console import Session, open_port
from tools.demo.stack import Stack, description
from tools.locker.cabinets import CABINETS

LOCKER = "mairie-1"
DOWN = topic(LOCKER, "down")
SIX_HOURS = 6 * 3600


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("broker")
    port = lasting_port("127.0.0.1")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    found = find_mosquitto()
    environment = {"LD_LIBRARY_PATH": found.libraries} if found.libraries else {}
    process = subprocess.Popen([str(found.binary), "-c", str(config)], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def stack(broker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, flags=["--broker", f"mqtt://127.0.0.1:{broker}"]) as running:
        running.add_locker(CABINETS[LOCKER](LOCKER))
        running.wait_online()
        Scene(running, LOCKER).wait_event("Booted", 0)
        yield running


@pytest.fixture
def scene(stack: Stack) -> Iterator[Scene]:
    """No door opens in any of these tests but for the one that says so."""
    scene = Scene(stack, LOCKER)
    before = scene.pulses()
    yield scene
    state = scene.cabinet.state()
    assert len(state["pulses"]) == before
    assert all(place["door"] == "closed" for place in state["compartments"])
    scene.assert_books_exact()
    assert stack.api.get(f"/v1/lockers/{LOCKER}")["online"]


class Mallory:
    """Somebody who holds the broker."""

    def __init__(self, port: int) -> None:
        self.refused: list[int] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="mallory")
        self.client.on_message = self._heard
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, name: str, payload: bytes, retain: bool = False) -> None:
        self.client.publish(name, payload, qos=1, retain=retain).wait_for_publish(60)

    def listen(self) -> None:
        """What is published on this connection afterwards is answered after the broker knows of it."""
        self.client.subscribe(topic(LOCKER, "up"), qos=1)

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        payload = cbor.decode(message.payload).value[2]
        event = messages.decode_up(payload).event
        if isinstance(event, messages.MessageRefused):
            self.refused.append(event.code)

    def close(self) -> None:
        self.client.loop_stop()
        self.client.disconnect()


@pytest.fixture
def mallory(broker: int) -> Iterator[Mallory]:
    one = Mallory(broker)
    yield one
    one.close()


def wait_until(true: Callable[[], object], wait_s: float = 60) -> None:
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def refuses(mallory: Mallory, payload: bytes, word: str) -> None:
    """The locker tells the word for a message that has no id to answer by. It talks of such things once a second at
    most, and may just have done so: then it is said again. What it still had to say of others' is passed over."""
    mallory.listen()
    again = 0.0

    def told() -> bool:
        nonlocal again
        if time.monotonic() > again:
            mallory.publish(DOWN, payload)
            again = time.monotonic() + 2 * REFUSAL_PAUSE_MS / 1000
        return number_of(word) in mallory.refused

    wait_until(told)


def open_door(compartment: int = 1) -> messages.Message:
    return messages.Open(compartment, "test")


def offline(scene: Scene) -> None:
    """The cable is cut, and the gateway knows that it is alone."""
    scene.cabinet.cable("reset")
    scene.stack.wait_for("the will", lambda: not scene.stack.api.get(f"/v1/lockers/{LOCKER}")["online"])


# ------------------------------------------------------------------ commands
def test_a_command_issued_six_hours_ago_and_delivered_at_reconnect_is_expired(scene: Scene, mallory: Mallory) -> None:
    since = scene.last_seq()
    command = os.urandom(8)
    old = scene.sealed(open_door(), command, issued_s=int(time.time()) - SIX_HOURS)
    offline(scene)
    scene.cabinet.cable("none")
    scene.knock()
    scene.stack.wait_online(LOCKER)
    mallory.publish(DOWN, old)
    done = scene.wait_event("CommandDone", since)
    assert (done["fields"]["command"], done["fields"]["code"]) == (command.hex(), number_of("expired"))


def test_a_repeated_command_takes_effect_once(scene: Scene, mallory: Mallory) -> None:
    since = scene.last_seq()
    sealed = scene.sealed(messages.OutOfService(2, True), os.urandom(8))
    again = scene.sealed(messages.OutOfService(2, False), os.urandom(8))
    for payload in (sealed, sealed, again, sealed):
        mallory.publish(DOWN, payload)
    last = os.urandom(8)
    mallory.publish(DOWN, scene.sealed(messages.OutOfService(2, False), last))

    def results() -> list[dict[str, Any]]:
        events = [event for event in scene.events() if event["seq"] > since and event["type"] == "CommandDone"]
        return [event["fields"] for event in events]

    wait_until(lambda: last.hex() in [result["command"] for result in results()])
    assert [(result["code"], result["value"]) for result in results()] == [(0, 1), (0, 0), (0, 0)]


def test_a_retained_command_is_refused(scene: Scene, mallory: Mallory) -> None:
    """It comes right behind the subscription, most often before the locker is online and could tell anybody."""
    sealed = scene.sealed(open_door(), os.urandom(8))
    before = scene.link()["refused"]
    offline(scene)
    mallory.publish(DOWN, sealed, retain=True)
    scene.cabinet.cable("none")  # at its next subscription the broker hands it the retained one
    scene.knock()
    wait_until(lambda: scene.link()["refused"] > before)
    assert (scene.link()["refused"], scene.link()["last_error"]) == (before + 1, "retained")
    mallory.publish(DOWN, b"", retain=True)
    scene.stack.wait_online(LOCKER)


def test_a_wrong_mac_is_refused(scene: Scene, mallory: Mallory) -> None:
    sealed = bytearray(scene.sealed(open_door(), os.urandom(8)))
    sealed[-1] ^= 1
    refuses(mallory, bytes(sealed), "bad_mac")


def test_an_unknown_version_is_refused(scene: Scene, mallory: Mallory) -> None:
    future = cbor.encode([9, os.urandom(8), int(time.time()), 60, 18, [1, "test"]])
    refuses(mallory, scene.envelope(future), "unknown_version")


@pytest.mark.usefixtures("scene")
def test_what_is_no_cbor_is_refused(mallory: Mallory) -> None:
    refuses(mallory, b"\xff\x00open the doors", "malformed")


def test_an_oversize_packet_costs_the_locker_its_connection_and_nothing_else(scene: Scene, mallory: Mallory) -> None:
    mallory.publish(DOWN, bytes(16 * MESSAGE_SIZE_MAX))
    scene.knock()
    scene.stack.wait_online(LOCKER)
    part = scene.part()
    part.expect("S")
    before = scene.screen()
    part.show_badge()  # it still works
    assert scene.screen() != before
    part.close()
    scene.cabinet.keys("*")


def test_the_gateway_tells_who_sends_it_nonsense_and_goes_on(scene: Scene, mallory: Mallory) -> None:
    mallory.publish(topic(LOCKER, "up"), b"nonsense")
    mallory.publish(topic("nobody-9", "up"), b"nonsense")
    mallory.publish(topic(LOCKER, "up"), bytes(16 * MESSAGE_SIZE_MAX))
    scene.knock()
    log = scene.stack.folder / "gateway.log"
    wait_until(lambda: "malformed" in log.read_text() and "unknown_locker" in log.read_text())
    assert scene.stack.api.get("/health")


# ------------------------------------------------------------------ people
def wrong_code() -> str:
    digits = "73019284655"
    return digits + damm.check_digit(digits)


def journalled(scene: Scene) -> int:
    """The last event that the locker saved, whether or not the books have it yet."""
    with open_port(scene.locker.console) as port:
        return int(Session(port).ask("journal")["last"])


def test_a_typo_is_told_at_once_and_costs_nothing(scene: Scene) -> None:
    before = journalled(scene)
    code = wrong_code()
    scene.cabinet.keys(code[:-1] + str((int(code[-1]) + 1) % 10))
    scene.cabinet.wait_for_screen("frappe")
    assert journalled(scene) == before
    assert scene.types_since(before) == []


def test_a_wrong_code_costs_a_pause_and_a_try(scene: Scene) -> None:
    since = scene.last_seq()
    scene.cabinet.keys(wrong_code())
    scene.cabinet.wait_for_screen("non valable")
    refused = scene.wait_event("CodeRefused", since)
    assert refused["fields"]["code"] == number_of("wrong_code")
    time.sleep(5.2)  # the pause


def test_a_code_and_a_token_of_another_locker_open_nothing_here(scene: Scene) -> None:
    since = scene.last_seq()
    scene.stack.api.post("/v1/lockers", description(CABINETS["gare-1"]("gare-1")))
    key = bytes.fromhex(scene.stack.api.post("/v1/lockers/gare-1/provisioning", {})["key"])
    scene.cabinet.keys(otp.typed_code(HmacKey(sub_key(key, "code")), 1, 1))
    refused = scene.wait_event("CodeRefused", since)
    assert refused["fields"]["code"] == number_of("wrong_code")
    keys = Keys.load(scene.stack.data / "keys", {})
    token = tokens.Token("x", "gare-1", int(time.time()) + 3600, os.urandom(8), tokens.PICKUP, 1, 1)
    scene.cabinet.scan(tokens.seal(token, keys.kid, keys.sign))
    scene.cabinet.wait_for_screen("autre")
    refused = scene.wait_event("CodeRefused", refused["seq"])
    assert refused["fields"]["code"] == number_of("wrong_locker")


def test_a_noisy_scanner_is_ignored(scene: Scene) -> None:
    since = scene.last_seq()
    for noise in (b"\r", b"\x00\xff\xfe\r", os.urandom(64).replace(b"\r", b"") + b"\r", b"A" * 3000 + b"\r"):
        scene.cabinet.scan_raw(noise)
    part = scene.part()
    part.show_badge()  # and it still reads
    scene.wait_event("CourierIdentified", since)
    assert [kind for kind in scene.types_since(since) if kind != "CodeRefused"] == ["CourierIdentified"]
    part.courier_leaves()
    part.close()
