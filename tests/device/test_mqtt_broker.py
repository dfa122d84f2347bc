"""The client and the link against the real Mosquitto over a plain socket; paho-mqtt is the other side."""

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import CallbackAPIVersion

from device.agent import effects as do
from device.agent.config import Config
from device.agent.drbg import Drbg
from device.agent.link import Link
from device.agent.mqtt import Broken, Client, Connected, Incoming, Subscribed
from gateway.broker import Broker, Mosquitto, find_mosquitto
from gateway.config import Address
from gateway.keys import Keys
from gateway.ports import lasting_port
from protocol.cose import mac0, open_mac0
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.messages import Ack, Birth, DoorOpened, Down, Heartbeat, Identify, Lost, Message, Up, decode_up, encode
from protocol.record import Record
from protocol.topics import topic

WAIT_S = 60.0


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@pytest.fixture(scope="module")
def mosquitto() -> Mosquitto:
    return find_mosquitto()


@pytest.fixture
def open_broker(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[int]:
    """A Mosquitto with its defaults and no password: it lets more through than ours would."""
    port = lasting_port("127.0.0.1")
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    environment = dict(os.environ, LD_LIBRARY_PATH=mosquitto.libraries)
    process = subprocess.Popen([str(mosquitto.binary), "-c", str(conf)], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(WAIT_S)


def dial(port: int) -> socket.socket:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Wire:
    """The client on a real socket."""

    def __init__(self, port: int, name: str = "m1", password: str = "pw") -> None:
        self.client = Client(MESSAGE_SIZE_MAX)
        self.happened: list[Record] = []
        self._socket = dial(port)
        self.client.connect(now_ms(), name, password, "state", b"lost")

    def until(self, test: Callable[[list[Record]], bool], most: int = 1_000) -> list[Record]:
        """Run until what happened passes the test; at most so many of it, taken away."""
        end = time.monotonic() + WAIT_S
        while not test(self.happened):
            assert time.monotonic() < end, self.happened
            out = self.client.take()
            if out:
                self._socket.sendall(out)
            if select.select([self._socket], [], [], 0.01)[0]:
                self.happened += self.client.feed(now_ms(), self._socket.recv(300))
        got, self.happened = self.happened[:most], self.happened[most:]
        return got

    def one(self, kind: type[Record]) -> Record:
        return self.until(lambda happened: any(isinstance(record, kind) for record in happened))[-1]

    def settle(self) -> None:
        """Until everything published is acknowledged."""
        self.until(lambda _happened: not self.client._in_flight)

    def close(self) -> None:
        self._socket.close()


class Listener:
    """paho-mqtt on the other side."""

    def __init__(self, address: tuple[str, int], topics: str, user: str = "", password: str = "") -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self.paho = Paho(CallbackAPIVersion.VERSION2)
        if user:
            self.paho.username_pw_set(user, password)
        self.paho.on_connect = lambda client, *_rest: client.subscribe(topics, 1)
        self.paho.on_subscribe = lambda *_rest: self._ready.set()
        self.paho.on_message = self._heard
        self.paho.connect(*address)
        self.paho.loop_start()
        assert self._ready.wait(WAIT_S)

    def _heard(self, _client: object, _user: object, message: Any) -> None:
        self.messages.append((message.topic, message.payload, message.retain))

    def wait(self, count: int) -> list[tuple[str, bytes, bool]]:
        end = time.monotonic() + WAIT_S
        while len(self.messages) < count:
            assert time.monotonic() < end, self.messages
            time.sleep(0.005)
        return self.messages

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@contextmanager
def listening(port: int, topics: str) -> Generator[Listener]:
    dial(port).close()
    listener = Listener(("127.0.0.1", port), topics)
    try:
        yield listener
    finally:
        listener.close()


def test_the_client_and_mosquitto_understand_each_other(open_broker: int) -> None:
    with listening(open_broker, "#") as listener:
        wire = Wire(open_broker)
        assert wire.one(Connected) == Connected()
        wire.client.subscribe(now_ms(), "down")
        assert wire.one(Subscribed) == Subscribed()
        for place in range(300):  # more than the in-flight limit, by far
            wire.until(lambda _happened: wire.client.has_room())
            assert wire.client.publish(now_ms(), "up", b"%d" % place, 1, False)
        wire.settle()
        assert [payload for _topic, payload, _retain in listener.wait(300)] == [b"%d" % place for place in range(300)]
        for place in range(50):
            listener.paho.publish("down", bytes([place]) * (20 * place), 1)
        for place in range(50):
            (record,) = wire.until(bool, 1)
            assert isinstance(record, Incoming)
            wire.client.handled(record.packet_id)
            assert record.payload == bytes([place]) * (20 * place)
        assert wire.client.ignored == 0
        wire.close()


def test_an_oversize_message_is_skipped_and_the_link_lives(open_broker: int) -> None:
    with listening(open_broker, "nothing") as listener:
        wire = Wire(open_broker)
        wire.one(Connected)
        wire.client.subscribe(now_ms(), "down")
        wire.one(Subscribed)
        listener.paho.publish("down", bytes(1_000_000), 1)
        listener.paho.publish("down", b"small", 1)
        large, small = wire.until(lambda happened: len(happened) == 2)
        assert isinstance(large, Incoming) and large.payload is None
        assert isinstance(small, Incoming) and small.payload == b"small"
        wire.client.handled(large.packet_id)
        assert wire.client.publish(now_ms(), "up", b"alive", 1, False)
        wire.settle()
        wire.close()


def test_unhandled_messages_fill_the_brokers_window_and_no_more_come(open_broker: int) -> None:
    """Back-pressure is the broker's: what is not acknowledged is not followed by more than its window of 20."""
    with listening(open_broker, "nothing") as listener:
        wire = Wire(open_broker)
        wire.one(Connected)
        wire.client.subscribe(now_ms(), "down")
        wire.one(Subscribed)
        for place in range(30):
            listener.paho.publish("down", bytes([place]), 1)
        first = wire.until(lambda happened: len(happened) == 20)
        assert wire.client.publish(now_ms(), "up", b"a question, so that there is an answer to wait for", 1, False)
        wire.settle()
        assert wire.happened == [], "no more came before it"
        for record in first:
            assert isinstance(record, Incoming)
            wire.client.handled(record.packet_id)
        assert len(wire.until(lambda happened: len(happened) == 10)) == 10
        wire.close()


def test_the_will_is_published_when_the_socket_breaks(open_broker: int) -> None:
    with listening(open_broker, "state") as listener:
        wire = Wire(open_broker)
        wire.one(Connected)
        wire.close()
        assert listener.wait(1)[0][:2] == ("state", b"lost")
    with listening(open_broker, "state") as listener:
        assert listener.wait(1) == [("state", b"lost", True)]


# ------------------------------------------------------------------ the link, on our own broker with its own rules
class Locker:
    """The link on a real socket, with a journal in memory, in the place of core and shell."""

    def __init__(self, keys: Keys, port: int, generation: int = 1) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        config = Config("mairie-1", generation, keys.locker_key("mairie-1", generation), [1], {}, 12, True, bytes(1))
        self.link = Link(config, 1, Drbg(b"seed"), 0)
        self.journal: list[bytes] = []
        self.commands: list[Down] = []
        self.reasons: list[str] = []
        effects: "list[do.Effect]" = []
        self.link.start(now_ms(), effects)
        self._perform(effects)

    def lap(self) -> None:
        effects: "list[do.Effect]" = []
        if self._socket is not None and select.select([self._socket], [], [], 0.005)[0]:
            try:
                data = self._socket.recv(512)
            except OSError:
                data = b""
            if data:
                self.commands += self.link.received(now_ms(), data, effects)
            else:
                self._socket.close()
                self._socket = None
                self.link.closed(now_ms(), "reset", effects)
                self.reasons.append("reset")
        if self.link.birth_due:
            self.link.give_birth(now_ms(), Birth("0", self.link.new_nonce(), 1, len(self.journal), b"\0"), effects)
        self.link.tick(now_ms(), effects)
        self._perform(effects)

    def _perform(self, effects: "list[do.Effect]") -> None:
        for effect in effects:
            answers: "list[do.Effect]" = []
            if isinstance(effect, do.Send):
                assert self._socket is not None
                self._socket.sendall(effect.data)
            elif isinstance(effect, do.Dial):
                try:
                    self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=WAIT_S)
                    self.link.opened(now_ms(), answers)
                except OSError:
                    self.link.closed(now_ms(), "refused", answers)
            elif isinstance(effect, do.HangUp) and self._socket is not None:
                self.reasons.append(self.link.last_error)
                self._socket.close()
                self._socket = None
            elif isinstance(effect, do.ReadJournal):
                records = self.journal[effect.first - 1 : effect.first - 1 + effect.count]
                self.link.journal_read(now_ms(), effect.first, records, answers)
            self._perform(answers)

    def save(self) -> None:
        seq = len(self.journal) + 1
        self.journal.append(encode(Up(1, seq, now_ms(), None, DoorOpened(1))))
        effects: "list[do.Effect]" = []
        self.link.saved(now_ms(), seq, self.journal[-1], effects)
        self._perform(effects)

    def until(self, test: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not test():
            assert time.monotonic() < end, (self.link.facts(now_ms()), self.reasons)
            self.lap()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


@pytest.fixture
def keys() -> Keys:
    return Keys.from_secrets(bytes(32), bytes(32))


@pytest.fixture
def own_broker(mosquitto: Mosquitto, keys: Keys, tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker", mosquitto, Address("127.0.0.1", 0), keys)
    broker.start([("mairie-1", 1)])
    try:
        yield broker
    finally:
        broker.stop()


def gateway_on(broker: Broker) -> Listener:
    address = broker.address
    return Listener((address.host, address.port), "consigne/1/+/+/#", address.user, address.password)


def test_the_link_lives_on_our_own_broker_and_survives_its_death(own_broker: Broker, keys: Keys) -> None:
    up_key, down_key = keys.hmac("mairie-1", 1, "up"), keys.hmac("mairie-1", 1, "down")
    locker = Locker(keys, own_broker.address.port)
    gateway = gateway_on(own_broker)
    number = 0

    def tell(command: Message) -> None:
        nonlocal number
        number += 1
        down = Down(number.to_bytes(8, "big"), 0, 60, command)
        gateway.paho.publish(topic("mairie-1", "down"), mac0(down_key, b"\x01", encode(down)), 1)

    def heard() -> list[Up]:
        return [decode_up(open_mac0(up_key, b"\x01", payload)) for _topic, payload, _retain in gateway.messages]

    try:
        locker.until(lambda: any(isinstance(up.event, Birth) for up in heard()))
        tell(Ack(0))
        for _ in range(20):
            locker.save()
        while locker.link.acked < 20:
            locker.until(lambda: max([up.seq for up in heard()]) > locker.link.acked)
            before = locker.link.acked
            tell(Ack(max([up.seq for up in heard()])))
            locker.until(lambda before=before: locker.link.acked > before)
        assert [up.seq for up in heard() if up.seq] == list(range(1, 21))
        tell(Identify())
        locker.until(lambda: len(locker.commands) == 1)
        assert locker.link.tell(now_ms(), Heartbeat(1, 2, 3), [])
        killed = own_broker.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        locker.until(lambda: locker.link.state == "waiting")
        locker.until(lambda: own_broker.pid not in (None, killed))  # who is dying may still take a connection
        dial(own_broker.address.port).close()  # the broker is back
        locker.link.somebody_came(now_ms())
        locker.until(lambda: locker.link.connects == 2)
        assert locker.reasons[0] == "reset" and locker.link.refused == 0
    finally:
        locker.close()
        gateway.close()


def test_the_will_says_lost_with_the_boot_number(own_broker: Broker, keys: Keys) -> None:
    locker = Locker(keys, own_broker.address.port)
    gateway = gateway_on(own_broker)
    try:
        locker.until(lambda: len(gateway.messages) == 1)
        locker.close()
        name, payload, _retain = gateway.wait(2)[1]
        assert name == topic("mairie-1", "state")
        up = decode_up(open_mac0(keys.hmac("mairie-1", 1, "up"), b"\x01", payload))
        assert (up.boot, up.event) == (1, Lost())
    finally:
        gateway.close()


def test_a_wrong_password_has_its_word_on_the_console(own_broker: Broker, keys: Keys) -> None:
    locker = Locker(keys, own_broker.address.port, generation=2)
    locker.until(lambda: bool(locker.reasons))
    assert locker.link.last_error in ("bad_credentials", "not_authorised")
    locker.close()


def test_a_frozen_broker_is_left_before_the_keepalive_ends(open_broker: int) -> None:
    """Half-open: bytes are taken, nothing answers. Time is ours, so nobody waits for it."""
    wire = Wire(open_broker)
    wire.one(Connected)
    start = now_ms()
    ping_at = wire.client.deadline()
    assert wire.client.tick(ping_at) == []
    assert wire.client.take() == b"\xc0\x00"  # goes nowhere
    late = wire.client.deadline()
    assert wire.client.tick(late) == [Broken("pingresp_timeout")]
    assert late - start <= 30_000
    wire.close()
