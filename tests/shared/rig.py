"""A locker in memory: the real agent, with doors, a journal and a gateway that are lists. No clock but ours.

It stands for the metal and the wire alone. Every pulse is checked as it is performed: its authorisation must
already be in the journal.
"""

from tokens_of_rig import COURIER_TOKEN, PUBLIC_KEY

from device.agent import effects as do
from device.agent import events as on
from device.agent.books import Books
from device.agent.config import Config
from device.agent.core import Agent
from device.agent.panel import COURIER_READY
from protocol import cbor, cose, messages
from protocol.ed25519_tables import prepare
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.otp import typed_code
from protocol.tokens import key_id
from protocol.topics import topic

LOCKER = "test-1"
KEY = bytes(range(32))
_ENDS = (messages.Collected, messages.Deposited, messages.DepositAbandoned, messages.DoorClosed)
_AUTHORISATIONS = (
    messages.DepositAuthorised,
    messages.OfflineDepositAuthorised,
    messages.PickupAuthorised,
    messages.OpeningAuthorised,
)
_TABLES: "dict[bytes, bytes]" = {}


def trusted() -> "dict[bytes, bytes]":
    if not _TABLES:
        public = bytes.fromhex(PUBLIC_KEY)
        _TABLES[key_id(public)] = prepare(public)
    return _TABLES


def config(
    numbers: "list[int]", trust: "dict[bytes, bytes]", digits: int = 12, sizes: "bytes | None" = None
) -> Config:
    """All compartments are small unless `sizes` says otherwise."""
    return Config(LOCKER, 1, KEY, numbers, trust, digits, True, sizes or bytes(len(numbers)))


class Flash:
    """What survives a power cut."""

    def __init__(self) -> None:
        self.records: "list[bytes]" = []
        self.boots = 0  # device.journal keeps the count in a file
        self.trusted = dict(trusted())

    def events(self) -> "list[messages.Message]":
        return [messages.decode_up(record).event for record in self.records]


class Gateway:
    """Broker and gateway in one: speaks MQTT to the agent's client and seals what it says."""

    def __init__(self) -> None:
        self.up: "list[messages.Up]" = []
        self.births: "list[messages.Birth]" = []
        self.acknowledges = True
        self.seq = 0
        self._in = bytearray()
        self._up_key = HmacKey(sub_key(KEY, "up"))
        self._down_key = HmacKey(sub_key(KEY, "down"))
        self._count = 0
        self.now_ms = 1_800_000_000_000

    @property
    def now_s(self) -> int:
        return self.now_ms // 1000

    def connected(self) -> None:
        self._in = bytearray()

    def take(self, data: bytes) -> bytes:
        """Bytes from the locker; the bytes that go back."""
        self._in.extend(data)
        out = b""
        while True:
            packet = self._packet()
            if packet is None:
                return out
            out += self._answer(packet[0], packet[1])

    def _packet(self) -> "tuple[int, bytes] | None":
        if len(self._in) < 2:
            return None
        size, shift, place = 0, 0, 1
        while True:
            if place >= len(self._in):
                return None
            byte = self._in[place]
            size |= (byte & 0x7F) << shift
            shift += 7
            place += 1
            if byte < 0x80:
                break
        if len(self._in) < place + size:
            return None
        packet = self._in[0], bytes(self._in[place : place + size])
        self._in = self._in[place + size :]
        return packet

    def _answer(self, first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == 1:
            return b"\x20\x02\x00\x00"
        if kind == 8:
            return b"\x90\x03" + body[:2] + b"\x01"
        if kind == 12:
            return b"\xd0\x00"
        if kind != 3:
            return b""
        size = int.from_bytes(body[:2], "big")
        place = 2 + size
        out = b""
        if first & 6:
            out = b"\x40\x02" + body[place : place + 2]
            place += 2
        return out + self._read(body[place:])

    def _read(self, payload: bytes) -> bytes:
        up = messages.decode_up(cose.open_mac0(self._up_key, b"\x01", payload))
        if isinstance(up.event, messages.Birth):
            self.births.append(up.event)
            time = messages.SetTime(up.event.nonce, self.now_s)
            return self.say(time) + self.say(messages.Ack(self.seq))
        if up.seq == 0:
            self.up.append(up)
            return b""
        if up.seq > self.seq + 1:
            return self.say(messages.Resend(self.seq + 1))
        if up.seq == self.seq + 1:
            self.seq = up.seq
            self.up.append(up)
        return self.say(messages.Ack(self.seq)) if self.acknowledges else b""

    def say(self, command: messages.Message, ttl_s: int = 60, name: "bytes | None" = None, age_s: int = 0) -> bytes:
        """A command as an MQTT packet."""
        self._count += 1
        down = messages.Down(name or self._count.to_bytes(8, "big"), self.now_s - age_s, ttl_s, command)
        return self.publish(cose.mac0(self._down_key, b"\x01", messages.encode(down)))

    def publish(self, payload: bytes, first: int = 0x32) -> bytes:
        name = topic(LOCKER, "down").encode()
        body = len(name).to_bytes(2, "big") + name + b"\x00\x07" + payload
        size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        return bytes([first]) + size + body

    def heard(self, kind: "type") -> "list[messages.Message]":
        return [up.event for up in self.up if isinstance(up.event, kind)]


class Rig:
    def __init__(
        self,
        numbers: "list[int] | None" = None,
        flash: "Flash | None" = None,
        digits: int = 12,
        watched: "set[int] | None" = None,
        sizes: "bytes | None" = None,
    ) -> None:
        self.flash = flash or Flash()
        self.config = config(numbers or [1, 2, 3], dict(self.flash.trusted), digits, sizes)
        self.gateway = Gateway()
        self.online = False
        self.closed = {number: True for number in self.config.numbers}
        self.jammed: "set[int]" = set()
        self.mute: "set[int]" = set()  # whose sensor tells nothing any more
        self.wires: "dict[int, int]" = {}  # coil -> the door that it really opens
        self.pulses: "list[int]" = []
        self.screen: "tuple[str, tuple[str, ...]]" = ("", ())
        self.screens: "list[str]" = []
        self.written = b""
        self.now = 0
        self.cut_at = -1  # perform so many effects more, then the power goes
        self.dead = False
        self.boots = 0
        self._queue: "list[object]" = []
        self.trace = None  # a hash that is fed every effect
        self._last_word: "dict[int, messages.Message]" = {}
        self.inside: "set[int]" = set()  # where a parcel really lies
        self.watched = watched or set()  # where an occupancy sensor sees it
        self.power_on()

    def power_on(self) -> None:
        """A start from what the flash holds; the doors are as people left them."""
        self.now = 0
        self.make_agent("power")

    def make_agent(self, cause: str) -> None:
        """At `now`, which is not 0 where the shell makes an agent anew."""
        self.boots += 1
        self.dead = False
        self.cut_at = -1
        self._queue = []
        books = Books.replay(self.config.numbers, None, self.flash.records)
        seed = bytes([self.boots]) * 32
        self.flash.boots += 1
        self.agent = Agent(self.config, books, self.flash.boots, seed, 1)
        self._perform(self.agent.start(self.now, cause))
        self._queue.append(on.JournalMeasured(100_000))
        for number in sorted(self.watched):
            self._queue.append(on.ContentsSensed(number, None))
        for number in self.config.numbers:
            self._queue.append(on.DoorSensed(number, self.closed[number]))
        for number in sorted(self.watched):
            self._queue.append(on.ContentsSensed(number, number in self.inside))
        self.settle()

    def step(self, event: object) -> None:
        if not self.dead:
            self._perform(self.agent.step(self.now, event))

    def settle(self) -> None:
        """Let everything that is under way happen, at this moment."""
        while self._queue and not self.dead:
            event = self._queue.pop(0)
            self.step(event)

    def do(self, event: object) -> None:
        self.step(event)
        self.settle()

    def wait(self, ms: int) -> None:
        """Let time pass, stopping at each of the agent's deadlines."""
        end = self.now + ms
        while self.now < end and not self.dead:
            then = min(end, max(self.now + 1, self.agent.deadline_ms(self.now)))
            self.gateway.now_ms += then - self.now
            self.now = then
            self.do(on.Ticked())

    def _perform(self, effects: "list[object]") -> None:
        for effect in effects:
            if self.dead:
                return
            if self.cut_at == 0:
                self.dead = True
                return
            self.cut_at -= 1
            if self.trace is not None:
                self.trace.update(cbor.encode((type(effect).__name__, effect.values())))
            self._perform_one(effect)

    def _perform_one(self, effect: "object") -> None:
        if isinstance(effect, do.Save):
            self._save(effect)
        elif isinstance(effect, do.Pulse) and effect.ms:
            self._pulse(effect.compartment)
        elif isinstance(effect, do.Show):
            self.screen = (effect.screen, effect.arguments)
            self.screens.append(effect.screen)
        elif isinstance(effect, do.Write):
            self.written += effect.data
        elif isinstance(effect, do.KeepTrust):
            self.flash.trusted[effect.kid] = self.config.trusted[effect.kid] = effect.table
        elif isinstance(effect, do.DropTrust):
            del self.flash.trusted[effect.kid], self.config.trusted[effect.kid]
        else:
            self._wire(effect)

    def _wire(self, effect: "object") -> None:
        if isinstance(effect, do.Dial):
            self.gateway.connected()
            self._queue.append(on.LinkOpened() if self.online else on.LinkClosed("refused"))
        elif isinstance(effect, do.Send):
            answer = self.gateway.take(effect.data)
            if answer:
                self._queue.append(on.Received(answer))
        elif isinstance(effect, do.ReadJournal):
            start = effect.first - 1
            self._queue.append(on.JournalRead(effect.first, self.flash.records[start : start + effect.count]))

    def _save(self, effect: "do.Save") -> None:
        assert effect.seq == len(self.flash.records) + 1
        self.flash.records.append(effect.record)
        event = messages.decode_up(effect.record).event
        if isinstance(event, _AUTHORISATIONS + _ENDS):
            self._last_word[event.compartment] = event

    def _pulse(self, number: int) -> None:
        """A coil fires: the newest authorisation for this door must already lie in the flash."""
        assert isinstance(self._last_word.get(number), _AUTHORISATIONS), "a pulse without an authorisation that holds"
        self.pulses.append(number)
        number = self.wires.get(number, number)
        if number not in self.jammed:
            self.closed[number] = False
            if number not in self.mute:
                self._queue.append(on.DoorSensed(number, False))

    # ---------------------------------------------------------- people
    def connect(self) -> None:
        self.online = True
        for _ in range(400):
            if not self.agent.link.online:
                self.wait(1_000)
        assert self.agent.link.online

    def push(self, number: int) -> None:
        self.closed[number] = True
        self.do(on.DoorSensed(number, True))

    def pull(self, number: int) -> None:
        self.closed[number] = False
        self.do(on.DoorSensed(number, False))

    def put(self, number: int, there: bool) -> None:
        """Something is put in, or taken out; its sensor, if it has one, settles at once."""
        if there:
            self.inside.add(number)
        else:
            self.inside.discard(number)
        if number in self.watched:
            self.do(on.ContentsSensed(number, there))

    def keys(self, keys: str) -> None:
        for key in keys:
            self.do(on.KeyPressed(key))

    def code(self, number: int, deposit: int) -> str:
        return typed_code(HmacKey(sub_key(KEY, "code")), number, deposit, self.config.code_digits)

    def say(self, packet: bytes) -> None:
        """Something arrives from the broker."""
        self.do(on.Received(packet))

    def deposit(self, number: int, parcel: int = 77) -> None:
        """A courier's whole deposit; the courier has shown a badge already."""
        if self.agent.panel.mode < COURIER_READY:
            self.do(on.Scanned(COURIER_TOKEN.encode()))
        self.do(on.Scanned(b"LABEL-1"))
        request = self.gateway.heard(messages.DepositRequested)[-1].request
        self.say(self.gateway.say(messages.Assign(self.agent.boot, request, number, parcel)))
        self.push(number)
