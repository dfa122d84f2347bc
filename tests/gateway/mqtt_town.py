"""A real Mosquitto, a real database and small lockers made of paho, for the tests of the gateway's MQTT side."""

import contextlib
import os
import signal
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from empty_books import open_books
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from patience import WAIT_S, wait_for

from gateway.broker import Broker, find_mosquitto
from gateway.config import Address, Settings
from gateway.domain.lockers import NewCompartment, NewLocker, NewModule
from gateway.domain.people import GATEWAY
from gateway.envelopes import Envelopes
from gateway.keys import Keys
from gateway.mqtt import Connection
from gateway.outbox import Outbox
from gateway.pipeline import Pipeline
from gateway.services import commands, lockers, trust_orders
from gateway.services.desk import Desk
from gateway.services.take_up import take_up
from protocol import cose, messages, topics
from protocol.messages import Birth, Down, Message, Up

MASTER, SEED = bytes(range(32)), bytes(32)
KEYS = Keys.from_secrets(MASTER, SEED)


class TinyLocker:
    """Speaks as a locker does: MQTT 3.1.1, clean session, everything sealed."""

    def __init__(
        self,
        address: Address,
        locker: str,
        *,
        keys: Keys = KEYS,
        generation: int = 1,
        password: str | None = None,
        client_id: str = "",
        listens_to: str = "",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.locker = locker
        self.down_topic = listens_to or f"consigne/1/{topics.shard(locker)}/{locker}/down"
        self.kid = bytes([generation])
        self._up = keys.hmac(locker, generation, "up")
        self._down = keys.hmac(locker, generation, "down")
        self.heard: list[Down] = []
        self.raw: list[tuple[str, bytes]] = []
        self.granted: list[int] = []
        self.refused = ""
        self._ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id or locker, clean_session=True)
        self.client.username_pw_set(locker, keys.mqtt_password(locker, generation) if password is None else password)
        if context is not None:
            self.client.tls_set_context(context)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._got
        self.client.connect(address.host, address.port, 30)
        self.client.loop_start()
        self._ready.wait(WAIT_S)

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, reason: object, _properties: object
    ) -> None:
        if getattr(reason, "is_failure", False):
            self.refused = str(reason)
            client.disconnect()
            self._ready.set()
        else:
            client.subscribe(self.down_topic, 1)

    def _got(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.raw.append((message.topic, message.payload))
        if message.topic == self.down_topic and message.payload.startswith(b"\xd1"):
            self.heard.append(messages.decode_down(cose.open_mac0(self._down, self.kid, message.payload)))

    def say(self, seq: int, event: Message, *, boot: int = 1, leaf: str = "up", retain: bool = False) -> None:
        self.say_bytes(messages.encode(Up(boot, seq, 1000, None, event)), leaf=leaf, retain=retain)

    def say_bytes(self, inside: bytes, *, leaf: str = "up", retain: bool = False) -> None:
        self.throw(topics.topic(self.locker, leaf), cose.mac0(self._up, self.kid, inside), retain=retain)

    def throw(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, 1, retain).wait_for_publish(WAIT_S)

    def birth(self, *, last_seq: int = 0, boot: int = 1, doors: bytes = b"\x01" * 3, retain: bool = True) -> None:
        self.say(0, Birth("test", b"nonce123", 1, last_seq, doors), boot=boot, leaf="state", retain=retain)

    def orders(self, kind: type[Message]) -> list[Message]:
        return [down.command for down in list(self.heard) if isinstance(down.command, kind)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass
class Town:
    folder: Path
    broker: Broker
    desk: Desk
    pipeline: Pipeline
    tiny: list[TinyLocker]

    def locker(self, name: str, **more: object) -> TinyLocker:
        one = TinyLocker(self.broker.address, name, **{"keys": self.desk.keys, **more})
        self.tiny.append(one)
        return one

    def kill_broker(self) -> None:
        """It is back, and listens."""
        before, self.broker._running = self.broker.pid, threading.Event()  # the next one sets it
        assert before is not None
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: self.broker._running.is_set() and self.broker.pid not in (None, before))

    def last_seq(self, name: str) -> int:
        with self.desk.store.reading() as tx:
            found = tx.locker(name)
        assert found is not None
        return found.last_seq

    def events(self) -> list[tuple[str, int]]:
        with self.desk.store.reading() as tx:
            rows = tx.sql.execute("SELECT locker, seq FROM events ORDER BY id")
            return [(row[0], row[1]) for row in rows]


def open_desk(folder: Path, keys: Keys = KEYS) -> Desk:
    return Desk(open_books(folder), keys, Settings.default(folder))


def register(desk: Desk, locker: str, count: int = 3) -> None:
    boxes = [
        NewCompartment(
            number=number, size="M", width_mm=400, height_mm=300, depth_mm=500, x_mm=0, bottom_mm=100 * number
        )
        for number in range(1, count + 1)
    ]
    lockers.register_locker(desk, GATEWAY, NewLocker(locker, "Test", [NewModule("A", boxes)]))
    lockers.provision_locker(desk, GATEWAY, locker)


def make_pipeline(desk: Desk, address: Address) -> Pipeline:
    envelopes = Envelopes(desk.keys, lambda locker: lockers.generation_of(desk, locker))
    outbox = Outbox(
        envelopes,
        due=lambda limit: commands.due_commands(desk, limit),
        sent=lambda ids: commands.mark_sent(desk, ids),
        ahead=lambda order: trust_orders.ahead_of(order, desk.keys.trusted),
    )
    return Pipeline(lambda arrivals: take_up(desk, list(arrivals)), envelopes, outbox, Connection(address))


@contextlib.contextmanager
def running_broker(
    folder: Path, names: tuple[str, ...] = ("mairie-1", "gare-1"), keys: Keys = KEYS
) -> Iterator[Broker]:
    broker = Broker(folder / "broker", find_mosquitto(), Address("127.0.0.1", 0), keys)
    broker.start([(name, 1) for name in names])
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def running_town(folder: Path, keys: Keys | None = None) -> Iterator[Town]:
    """`keys`: some that may change under way, and are nobody else's."""
    keys = keys or Keys.from_secrets(MASTER, SEED)
    desk = open_desk(folder, keys)
    for name in ("mairie-1", "gare-1"):
        register(desk, name)
    with running_broker(folder, keys=keys) as broker:
        town = Town(folder, broker, desk, make_pipeline(desk, broker.address), [])
        town.pipeline.start()
        try:
            wait_for(lambda: town.pipeline.connected)
            yield town
        finally:
            for one in town.tiny:
                one.close()
            town.pipeline.stop()
            desk.store.close()
