"""Broker, books and the gateway's own MQTT lap in a process of their own; or in place of the lap, a bare echo.

`durable` is what runs in production: verify, decode, take up, commit with synchronous=FULL, acknowledge, answer.
`echo` is the same connection, driven by the same kind of lap, with none of it: the most that could be reached.
"""

import sys
import threading
import time
from pathlib import Path

from gateway.broker import Broker, find_mosquitto
from gateway.config import Address, Settings
from gateway.domain.lockers import NewCompartment, NewLocker, NewModule
from gateway.domain.people import GATEWAY
from gateway.envelopes import Envelopes
from gateway.mqtt import Connection
from gateway.outbox import Outbox
from gateway.pipeline import Pipeline
from gateway.services import commands, lockers
from gateway.services.desk import Desk
from gateway.services.take_up import take_up
from gateway.store.sqlite import SqliteStore
from protocol import topics
from protocol.messages import Ack, Down
from tools.bench import town
from tools.bench.worker import Document, serve

CONNECT_S = 60


class Echo:
    """Answers every message with bytes of an Ack's size, and acknowledges it."""

    def __init__(self, connection: Connection, answer: bytes) -> None:
        self._connection = connection
        self._answer = answer
        self._answered: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def connected(self) -> bool:
        return self._connection.ready

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._connection.wake()
        self._thread.join(CONNECT_S)
        self._connection.close()

    def _run(self) -> None:
        self._connection.open()
        while not self._stopping.is_set():
            self._connection.wait(1.0)
            self._lap()

    def _lap(self) -> None:
        received = self._connection.take()
        for one in received:
            self._connection.publish(self._down(one.topic), self._answer)
        self._connection.acknowledge(received)
        self._connection.flush()

    def _down(self, topic: str) -> str:
        down = self._answered.get(topic)
        if down is None:
            down = self._answered[topic] = topics.topic(topics.locker_of(topic)[0], "down")
        return down


class UnderTest:
    def __init__(self, folder: Path, count: int) -> None:
        self._keys = town.keys()
        self._store = SqliteStore.open(folder / "bench.db")
        self._desk = Desk(self._store, self._keys, Settings.default(folder))
        self._names = town.names(count)
        with self._desk.store.transaction():
            for name in self._names:
                lockers.register_locker(self._desk, GATEWAY, _drawing(name))
                lockers.provision_locker(self._desk, GATEWAY, name)
        self._folder = folder / "broker"
        self.broker_up({})
        # One for all runs, as in production: each locker's key is worked out once, not once a run.
        self._envelopes = Envelopes(self._keys, lambda locker: lockers.generation_of(self._desk, locker))
        self._running: Pipeline | Echo | None = None
        self._cpu = 0.0

    def broker_down(self, _order: Document) -> Document:
        self.broker.stop()
        return {}

    def broker_up(self, _order: Document) -> Document:
        """Also again: on the port that it had."""
        self.broker = Broker(self._folder, find_mosquitto(), Address("127.0.0.1", 0), self._keys)
        self.broker.start(lockers.provisioned(self._desk))
        return {}

    def durable(self, _order: Document) -> Document:
        desk = self._desk
        envelopes = self._envelopes
        outbox = Outbox(
            envelopes,
            due=lambda limit: commands.due_commands(desk, limit),
            sent=lambda ids: commands.mark_sent(desk, ids),
        )
        connection = Connection(self.broker.address)
        return self._run(Pipeline(lambda arrivals: take_up(desk, list(arrivals)), envelopes, outbox, connection))

    def echo(self, _order: Document) -> Document:
        answer = self._envelopes.seal(self._names[0], Down(bytes(8), int(time.time()), 60, Ack(1_000)))
        return self._run(Echo(Connection(self.broker.address), answer))

    def stop(self, _order: Document) -> Document:
        """End what runs; what it took."""
        assert self._running is not None
        self._running.stop()
        cpu_s = time.process_time() - self._cpu
        batches = self._running.counts.batches if isinstance(self._running, Pipeline) else 0
        self._running = None
        return {"cpu_s": cpu_s, "batches": batches}

    def books(self, _order: Document) -> Document:
        """What has been kept: the log's length, and the lowest and highest last_seq of all lockers."""
        seqs = [locker.last_seq for locker in lockers.list_lockers(self._desk, GATEWAY)]
        with self._store.reading() as tx:
            events = tx.sql.execute("SELECT count(*) FROM events").fetchone()[0]
        return {"events": events, "lowest": min(seqs), "highest": max(seqs)}

    def close(self) -> None:
        if self._running is not None:
            self._running.stop()
        self.broker.stop()
        self._store.close()

    def _run(self, wanted: Pipeline | Echo) -> Document:
        self._running = wanted
        wanted.start()
        until = time.monotonic() + CONNECT_S
        while not wanted.connected:
            if time.monotonic() > until:
                raise TimeoutError("no connection to the broker")
            time.sleep(0.005)
        self._cpu = time.process_time()
        return {}


def _drawing(name: str) -> NewLocker:
    numbers = range(1, town.COMPARTMENTS + 1)
    boxes = tuple(NewCompartment(number, "M", 400, 300, 500, 0, 100 * number) for number in numbers)
    return NewLocker(name, "Bench", (NewModule("A", boxes),))


def main() -> None:
    tested = UnderTest(Path(sys.argv[1]), int(sys.argv[2]))
    try:
        orders = {"durable": tested.durable, "echo": tested.echo, "stop": tested.stop, "books": tested.books}
        orders |= {"broker_down": tested.broker_down, "broker_up": tested.broker_up}
        serve({"broker": f"127.0.0.1:{tested.broker.address.port}", "broker_pid": tested.broker.pid}, orders)
    finally:
        tested.close()


if __name__ == "__main__":
    main()
