"""The false network: a broker that does what MQTT promises and no more, and a line to each locker that breaks.

Every message, up or down, may be lost, doubled, held back for up to a day or overtaken, although a PUBACK was given
for it: that is what a broker without its disk, or a hostile one, does. Bytes within one connection keep their order.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.frames import Received
from protocol.topics import topic
from tools import mqtt_wire
from tools.sim.world import DAY, SECOND, World


@dataclass
class Habits:
    """How bad it is: probabilities, and how long a message takes (ms)."""

    lose: float = 0.0
    double: float = 0.0
    hold: float = 0.0
    delay_ms: int = 40


class Line:
    """One locker's TCP connection. `deliver(data)` and `hung_up(reason)` reach the board."""

    def __init__(self, broker: "Broker", locker: str) -> None:
        self._broker = broker
        self.locker = locker
        self.up = True  # the network between locker and broker
        self.deaf = False  # half open: what is sent goes nowhere, and nobody says so
        self.connected = False
        self.subscribed = False
        self.deliver: Callable[[bytes], None] = lambda _data: None
        self.hung_up: Callable[[str], None] = lambda _reason: None
        self.opened: Callable[[], None] = lambda: None
        self.back: Callable[[], None] = lambda: None  # somebody answers again
        self._packets = mqtt_wire.Packets()
        self._will = b""
        self._session = 0

    def dial(self, _wall_s: int = 0, _known: bool = False) -> None:
        self._session += 1
        session = self._session
        world = self._broker.world

        def answer() -> None:
            if session != self._session:
                return
            if self.up and self._broker.running:
                self.connected = True
                self.opened()
            else:
                self.hung_up("refused")

        world.after(self._broker.habits.delay_ms, answer)

    def hang_up(self) -> None:
        """By the locker. The broker publishes the will."""
        self._session += 1
        if self.connected:
            self._gone()

    def cut(self, reason: str = "reset") -> None:
        """By the network or the broker."""
        if self.connected:
            self._session += 1
            self._gone()
            self.hung_up(reason)

    def _gone(self) -> None:
        will, self._will = self._will, b""
        self.connected = self.subscribed = self.deaf = False
        self._packets = mqtt_wire.Packets()
        if will:
            self._broker.publish(self.locker, "state", will, True)

    # -------------------------------------------------------------- MQTT 3.1.1, the broker's side of it
    def send(self, data: bytes) -> None:
        if not self.connected or self.deaf or not self._broker.running:
            return
        back = b"".join([self._answer(first, body) for first, body in self._packets.feed(data)])
        if back:
            self._to_locker(back)

    def _answer(self, first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == mqtt_wire.CONNECT:
            self._keep_will(body)
            return mqtt_wire.CONNACK
        if kind == mqtt_wire.SUBSCRIBE:
            self.subscribed = True
            return mqtt_wire.suback(body)
        if kind == mqtt_wire.PING:
            return mqtt_wire.PINGRESP
        if kind != mqtt_wire.PUBLISH:
            return b""
        name, payload, back = mqtt_wire.published(first, body)
        self._broker.publish(self.locker, name.rpartition("/")[2], payload, bool(first & 1))
        return back

    def _keep_will(self, body: bytes) -> None:
        """CONNECT: protocol name, level, flags, keepalive, then client id, will topic, will."""
        at = 10
        fields: list[bytes] = []
        for _ in range(3):
            size = int.from_bytes(body[at : at + 2], "big")
            fields.append(body[at + 2 : at + 2 + size])
            at += 2 + size
        self._will = fields[2]

    def publish(self, payload: bytes) -> None:
        """A message for this locker; a clean session keeps none for one that is not there."""
        if not self.connected or not self.subscribed or self.deaf:
            return
        self._to_locker(mqtt_wire.publish(topic(self.locker, "down").encode(), payload))

    def _to_locker(self, data: bytes) -> None:
        session = self._session

        def arrive() -> None:
            if session == self._session and self.connected and not self.deaf:
                self.deliver(data)

        self._broker.world.after(self._broker.habits.delay_ms, arrive)


class Broker:
    """`arrived()` is called when the gateway has something to take."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.habits = Habits()
        self.running = True
        self.served = False  # a gateway is there
        self.lines: dict[str, Line] = {}
        self.retained: dict[str, bytes] = {}
        self.queue: list[Received] = []  # for the gateway, not yet acknowledged by it
        self.waiting: list[Received] = []  # of those, what it has not been given yet
        self.arrived: Callable[[], None] = lambda: None
        self.overheard: list[tuple[str, bytes]] = []  # commands, for whoever replays them
        self._mid = 0

    def line(self, locker: str) -> Line:
        return self.lines.setdefault(locker, Line(self, locker))

    # -------------------------------------------------------------- up
    def publish(self, locker: str, leaf: str, payload: bytes, retained: bool) -> None:
        if not self.running:
            return
        name = topic(locker, leaf)
        if retained:
            self.retained[name] = payload
        for ms in self._times():
            self.world.after(ms, lambda: self._enqueue(name, payload))

    def _times(self) -> list[int]:
        """After how long this message arrives; never, once, or more often."""
        chance, habits = self.world.chance, self.habits
        if chance.random() < habits.lose:
            return []
        times = [habits.delay_ms]
        if chance.random() < habits.hold:
            times = [chance.randrange(30 * SECOND, DAY if chance.random() < 0.2 else 600 * SECOND)]
        if chance.random() < habits.double:
            times.append(chance.randrange(1, 90 * SECOND))
        return times

    def _enqueue(self, name: str, payload: bytes, retained: bool = False) -> None:
        if not self.running:
            return
        self._mid += 1
        message = Received(name, payload, retained, self._mid)
        self.queue.append(message)
        self.waiting.append(message)
        self.arrived()

    def take(self) -> list[Received]:
        taken, self.waiting = self.waiting, []
        return taken

    def acknowledged(self, received: list[Received]) -> None:
        done = {message.mid for message in received}
        self.queue = [message for message in self.queue if message.mid not in done]

    def subscribe(self) -> None:
        """The gateway is (back) here: what it has not acknowledged, then every retained state."""
        self.waiting = list(self.queue)
        for name, payload in list(self.retained.items()):
            self._enqueue(name, payload, True)

    # -------------------------------------------------------------- down
    def to_locker(self, name: str, payload: bytes) -> None:
        if not self.running:
            return
        locker = name.split("/")[3]
        self.overheard.append((locker, payload))
        for ms in self._times():
            self.world.after(ms, lambda: self._hand_down(locker, payload))

    def _hand_down(self, locker: str, payload: bytes) -> None:
        if self.running:
            self.line(locker).publish(payload)

    # -------------------------------------------------------------- its own faults
    def stop(self, wipe: bool) -> None:
        """Killed; `wipe`: with all that it had."""
        self.running = False
        if wipe:
            self.queue, self.waiting, self.retained = [], [], {}
        for line in self.lines.values():
            line._will = b""
            line.cut()

    def start(self) -> None:
        self.running = True
        self.nudge()

    def nudge(self) -> None:
        for line in self.lines.values():
            line.back()
