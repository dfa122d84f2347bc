"""A broker, a gateway and a journal played by hand around the real link. Not a test file: test_link and test_outbox
stand on it."""

from device.agent.config import Config
from device.agent.drbg import Drbg
from device.agent.effects import Dial, ReadJournal, Send
from device.agent.link import Link
from protocol.cose import mac0, open_mac0
from protocol.errors import CODES
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.messages import (
    Birth,
    DoorOpened,
    Down,
    MessageRefused,
    Up,
    decode_up,
    encode,
)
from protocol.topics import topic

KEY = bytes(range(32))
KID = b"\x03"
NOW_S = 1_900_000_000


class World:
    """A broker that acknowledges, a gateway that says what the test wants, a journal, and the link between."""

    def __init__(self, last=0, boot=5):
        config = Config("mairie-1", 3, KEY, [1, 2], {}, 12, True, bytes(2))
        self.boot = boot
        self.link = Link(config, boot, Drbg(b"seed"), last)
        self.journal = {seq: self.record(seq) for seq in range(1, last + 1)}
        self.seq = last
        self.now = 0
        self.said = []  # (topic leaf, retained, message), in order
        self.effects = []
        self.will = None
        self.commands = []
        self.puback = True
        self._packet_id = 0

    def record(self, seq):
        return encode(Up(self.boot, seq, 0, None, DoorOpened(1)))

    # ---- the lap of the core
    def lap(self):
        """End the lap: perform what was ordered until nothing new comes of it."""
        while True:
            self.link.tick(self.now, self.effects)
            if self.link.birth_due:
                birth = Birth("0.1.0", self.link.new_nonce(), max(1, self.link.outbox.hole), self.seq, b"\x00\x00")
                self.link.give_birth(self.now, birth, self.effects)
                continue
            sends = [effect for effect in self.effects if isinstance(effect, Send)]
            self.effects = [effect for effect in self.effects if not isinstance(effect, Send)]
            if not sends:
                return
            for send in sends:
                answer = self.broker(send.data)
                if answer:
                    self.receive(answer)

    def receive(self, data):
        self.commands.extend(self.link.received(self.now, data, self.effects))

    def take(self, kind):
        found = [effect for effect in self.effects if isinstance(effect, kind)]
        self.effects = [effect for effect in self.effects if not isinstance(effect, kind)]
        return found

    def read_journal(self):
        """Answer the questions to the journal until there are none."""
        asked = []
        for _ in range(100):
            reads = self.take(ReadJournal)
            if not reads:
                return asked
            assert len(reads) == 1, "more than one outstanding"
            first, count = reads[0].first, reads[0].count
            asked.append((first, count))
            records = [self.journal[seq] for seq in sorted(self.journal) if seq >= first][:count]
            self.link.journal_read(self.now, first, records, self.effects)
            self.lap()
        raise AssertionError("the journal is asked in a circle")

    def save(self, count=1):
        for _ in range(count):
            self.seq += 1
            self.journal[self.seq] = self.record(self.seq)
            self.link.saved(self.now, self.seq, self.journal[self.seq], self.effects)
        self.lap()

    # ---- the broker
    def broker(self, data):
        answer = b""
        place = 0
        while place < len(data):
            head, size, shift, place = data[place], 0, 0, place + 1
            while True:
                size |= (data[place] & 127) << shift
                shift += 7
                place += 1
                if data[place - 1] < 128:
                    break
            body = data[place : place + size]
            place += size
            assert len(body) == size, "a packet is sent whole"
            answer += self.packet(head, body)
        return answer

    def packet(self, head, body):
        kind = head >> 4
        if kind == 1:
            fields, place = [], 10
            while place < len(body):
                size = int.from_bytes(body[place : place + 2], "big")
                fields.append(body[place + 2 : place + 2 + size])
                place += 2 + size
            assert fields[0] == fields[3] == b"mairie-1"
            assert fields[4] == sub_key(KEY, "mqtt").hex().encode()
            self.will = (fields[1], fields[2])
            return b"\x20\x02\x00\x00"
        if kind == 8:
            assert body[4:-1] == topic("mairie-1", "down").encode()
            return b"\x90\x03" + body[:2] + b"\x01"
        if kind == 12:
            return b"\xd0\x00"
        if kind == 3:
            size = int.from_bytes(body[:2], "big")
            name = str(body[2 : 2 + size], "utf-8")
            up = decode_up(open_mac0(HmacKey(sub_key(KEY, "up")), KID, body[4 + size :]))
            self.said.append((name.rsplit("/", 1)[-1], bool(head & 1), up))
            return b"\x40\x02" + body[2 + size : 4 + size] if self.puback else b""
        assert kind == 4  # PUBACK
        return b""

    # ---- the gateway
    def seal(self, command, key=None, kid=KID, down=None):
        down = down or Down(bytes(8), NOW_S, 60, command)
        return mac0(HmacKey(sub_key(key or KEY, "down")), kid, encode(down))

    def deliver(self, payload, retain=False, name=None):
        name = (name or topic("mairie-1", "down")).encode()
        self._packet_id += 1
        body = len(name).to_bytes(2, "big") + name + self._packet_id.to_bytes(2, "big") + payload
        size = len(body)
        head = bytes([0x32 | retain, size & 127 | 128, size >> 7]) if size > 127 else bytes([0x32 | retain, size])
        self.receive(head + body)
        self.lap()

    def tell(self, command):
        self.deliver(self.seal(command))

    def go_online(self):
        self.link.start(self.now, self.effects)
        assert self.take(Dial)
        self.link.opened(self.now, self.effects)
        self.lap()
        assert self.link.online

    def come_back(self):
        self.now = max(self.now, self.link.deadline())
        self.lap()
        assert self.take(Dial)
        self.link.opened(self.now, self.effects)
        self.lap()

    def births(self):
        return [up.event for leaf, _retained, up in self.said if leaf == "state"]

    def seqs(self):
        """The journal numbers sent since the last look."""
        seqs = [up.seq for leaf, _retained, up in self.said if leaf == "up" and up.seq]
        self.said = []
        return seqs

    def refusals(self):
        return [CODES[up.event.code] for _l, _r, up in self.said if isinstance(up.event, MessageRefused)]
