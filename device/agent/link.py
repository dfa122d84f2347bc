"""The link to the gateway: dial, introduce ourselves, seal what goes up, open what comes down.

Whoever is on the other side of the broker is believed only by MAC, and only while we can tell that it is fresh.
Nothing here waits, and nothing here decides about doors: commands are handed up, verified and decoded. Bytes are
gathered and leave with tick(), the last call of a lap: one Send, and a PUBACK follows what it acknowledges.
"""

from typing import TYPE_CHECKING

from device.agent.effects import Dial, Forget, HangUp, ReadJournal, Send
from device.agent.mqtt import NEVER, Broken, Client, Connected, Incoming, Subscribed
from device.agent.outbox import Outbox
from protocol.cose import mac0, open_mac0
from protocol.errors import CODES, ProtocolError, number_of
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.limits import (
    BACKOFF_FIRST_MS,
    BACKOFF_MS_MAX,
    BACKOFF_MS_MIN,
    BACKOFF_OFFLINE_MS,
    CLOCK_SYNC_MS,
    DIAL_WAIT_MS,
    LINK_STABLE_MS,
    MESSAGE_SIZE_MAX,
    PRESENCE_MS,
    REFUSAL_PAUSE_MS,
    TIME_ANSWER_MS,
)
from protocol.messages import (
    FIRST_REMEMBERED_COMMAND,
    Ack,
    Layout,
    Lost,
    MessageRefused,
    Reject,
    Resend,
    SetTime,
    Up,
    decode_down,
    encode,
)
from protocol.topics import topic

if TYPE_CHECKING:
    from typing import Any

    from device.agent.config import Config
    from device.agent.drbg import Drbg
    from device.agent.effects import Effect
    from protocol.messages import Birth, Down, Message
    from protocol.record import Record

_FIRST = (0, BACKOFF_FIRST_MS)
_AGAIN = (BACKOFF_MS_MIN, BACKOFF_MS_MAX)


class Link:
    """`state`: off, waiting, dialling, connecting, subscribing, online (as the console shows it)."""

    def __init__(self, config: "Config", boot: int, drbg: "Drbg", last_seq: int) -> None:
        self._locker = config.locker
        self._boot = boot
        self._drbg = drbg
        self._kid = bytes([config.generation])
        self._up_key = HmacKey(sub_key(config.key, "up"))
        self._down_key = HmacKey(sub_key(config.key, "down"))
        self._password = sub_key(config.key, "mqtt").hex()
        self._up, self._state = topic(config.locker, "up"), topic(config.locker, "state")
        self._down = topic(config.locker, "down")
        self._client = Client(MESSAGE_SIZE_MAX)
        self.outbox = Outbox(last_seq)
        self.state = "off"
        self.birth_due = False
        self.last_error = ""
        self.refused = 0
        self.connects = 0
        self.modules = b""  # what messages.Layout says
        self.floor_s = 0  # the last time of day that the books know
        self._waits = _FIRST  # the next wait lies between these
        self._present_at = 0  # from when on somebody at the panel makes us dial
        self._due = NEVER  # to dial, or for the dialling to have ended
        self._online_at = 0
        self._nonce: bytes | None = None
        self._born_at = 0
        self._birth_again_at = NEVER
        self._wall_offset_s: int | None = None
        self._talk_at = 0  # when a refusal may be told again

    # -------------------------------------------------------------- what others ask
    @property
    def online(self) -> bool:
        return self.state == "online"

    @property
    def acked(self) -> int:
        return self.outbox.acked

    def wall_s(self, now: int) -> "int | None":
        """Unix time, once the gateway or a technician has told it."""
        return None if self._wall_offset_s is None else now // 1000 + self._wall_offset_s

    def set_wall(self, now: int, now_s: int) -> None:
        self._wall_offset_s = now_s - now // 1000

    def new_nonce(self) -> bytes:
        return self._drbg.bytes(8)

    def deadline(self) -> int:
        return min(self._due, self._client.deadline(), self.outbox.due, self._birth_again_at)

    def facts(self, now: int) -> "dict[str, Any]":
        """For a technician's eyes."""
        return {
            "state": self.state,
            "retry_ms": max(0, self._due - now) if self.state == "waiting" else 0,
            "last_error": self.last_error,
            "connects": self.connects,
            "refused": self.refused,
            "ignored": self._client.ignored,
            "acked": self.outbox.acked,
            "sent": self.outbox.sent,
            "last": self.outbox.last,
        }

    # -------------------------------------------------------------- the connection's life
    def start(self, now: int, effects: "list[Effect]", at_once: bool = True) -> None:
        """Not at once when the power came: it does so for a whole town in one second."""
        if at_once:
            self._dial(now, effects)
        else:
            self._wait(now)

    def somebody_came(self, now: int, asks: bool = False) -> None:
        """A courier gets the better service while we are online; and people do not come in the same second.
        `asks`: a technician does, and waits for the answer."""
        if self.state == "waiting" and (asks or now >= self._present_at):
            self._present_at = now + PRESENCE_MS
            self._due = now

    def _wait(self, now: int) -> None:
        self.state = "waiting"
        low, high = self._waits
        self._due = now + low + self._drbg.below(high - low + 1)
        self._waits = _AGAIN

    def _dial(self, now: int, effects: "list[Effect]") -> None:
        self.state = "dialling"
        self._due = now + DIAL_WAIT_MS
        wall = self.wall_s(now)
        effects.append(Dial(self.floor_s if wall is None else wall, wall is not None))

    def opened(self, now: int, effects: "list[Effect]") -> None:
        if self.state != "dialling":
            effects.append(HangUp())
            self.closed(now, "unexpected", effects)
            return
        self.state = "connecting"
        self._due = NEVER
        self._client.connect(now, self._locker, self._password, self._state, self._seal(now, Lost()))

    def closed(self, now: int, reason: str, _effects: "list[Effect]") -> None:
        """It broke, or never came to be: try again after a while, so that a town's lockers do not all come back in
        the same second. A link that stood gives the right to one shorter wait."""
        if self.state in ("off", "waiting"):
            return
        if self.state == "online" and now - self._online_at >= LINK_STABLE_MS:
            self._waits = _FIRST
        elif reason == "no_network":
            self._waits = BACKOFF_OFFLINE_MS
        self._wait(now)
        self._birth_again_at = NEVER
        self.last_error = reason
        self.birth_due = False
        self._client.reset()
        self.outbox.stop()

    def _hang_up(self, now: int, reason: str, effects: "list[Effect]") -> None:
        effects.append(HangUp())
        self.closed(now, reason, effects)

    def tick(self, now: int, effects: "list[Effect]") -> None:
        if now >= self._due:
            if self.state == "waiting":
                self._dial(now, effects)
            else:
                self._hang_up(now, "timeout", effects)
        for happened in self._client.tick(now):
            self._on_client(now, happened, effects)
        if now >= self._birth_again_at:
            self._birth_again_at = NEVER
            self.birth_due = True
        self.outbox.tick(now)
        self._pump(effects)
        out = self._client.take()
        if out:
            effects.append(Send(out))

    def received(self, now: int, data: bytes, effects: "list[Effect]") -> "list[Down]":
        """The commands in `data` that are for the locker itself: verified, decoded, in order."""
        commands: list[Down] = []
        for happened in self._client.feed(now, data):
            if isinstance(happened, Incoming):
                down = self._open(now, happened, effects)
                if down is not None:
                    answer = _LINK_ORDERS.get(down.command.TYPE)
                    if answer is None:
                        commands.append(down)
                    else:
                        answer(self, now, down.command, effects)
                self._client.handled(happened.packet_id)
            else:
                self._on_client(now, happened, effects)
        self._pump(effects)
        return commands

    def _on_client(self, now: int, happened: "Record", effects: "list[Effect]") -> None:
        if isinstance(happened, Broken):
            self._hang_up(now, happened.reason, effects)
        elif isinstance(happened, Connected):
            self.state = "subscribing"
            self._client.subscribe(now, self._down)
        elif isinstance(happened, Subscribed):
            self.birth_due = True

    # -------------------------------------------------------------- up
    def _seal(self, now: int, message: "Message") -> bytes:
        up = Up(self._boot, 0, now, self.wall_s(now), message)
        return mac0(self._up_key, self._kid, encode(up))

    def give_birth(self, now: int, birth: "Birth", _effects: "list[Effect]") -> None:
        """Introduce ourselves, retained; from here on the link is up. `birth.nonce` must be a new one."""
        if not self.birth_due:
            return
        if self.modules and not self._client.publish(now, self._up, self._seal(now, Layout(self.modules)), 1, False):
            return
        if self._client.publish(now, self._state, self._seal(now, birth), 1, True):
            self.birth_due = False
            self._nonce = birth.nonce
            self._born_at = now
            self._birth_again_at = now + CLOCK_SYNC_MS
            if self.state != "online":
                self.state = "online"
                self._online_at = now
                self.connects += 1

    def again(self, when: int) -> None:
        """A new birth: how the doors stand has changed in a way that no event tells. Not all the time, because of a
        board on a loose plug."""
        if self.online:
            self._birth_again_at = min(self._birth_again_at, max(when, self._born_at + LINK_STABLE_MS))

    def tell(self, now: int, message: "Message", _effects: "list[Effect]") -> bool:
        """Say something that is not journalled; False when it is lost."""
        return self.online and self._client.publish(now, self._up, self._seal(now, message), 1, False)

    def saved(self, now: int, seq: int, record: bytes, effects: "list[Effect]") -> None:
        """A custody event was journalled: send it at once when all before it are sent."""
        if self.outbox.saved(seq):
            self._send_record(now, seq, record)
        self._pump(effects)

    def journal_read(self, now: int, first: int, records: "list[bytes]", effects: "list[Effect]") -> None:
        for seq, record in self.outbox.fetched(now, first, records):
            if not self._send_record(now, seq, record):
                break
        if self.outbox.hole:
            self.birth_due = self.online
        self._pump(effects)

    def _send_record(self, now: int, seq: int, record: bytes) -> bool:
        if not self._client.publish(now, self._up, mac0(self._up_key, self._kid, record), 1, False):
            return False
        self.outbox.went(now, seq)
        return True

    def _pump(self, effects: "list[Effect]") -> None:
        wanted = self.outbox.wanted()
        if wanted is not None and self._client.has_room():
            self.outbox.reading = True
            effects.append(ReadJournal(wanted[0], wanted[1]))

    # -------------------------------------------------------------- down
    def _open(self, now: int, incoming: "Incoming", effects: "list[Effect]") -> "Down | None":
        """Verify, then decode. None for what must not be acted on, which is counted and told."""
        try:
            if incoming.payload is None:
                raise ProtocolError("too_large")
            if incoming.retain:
                raise ProtocolError("retained")
            if incoming.topic != self._down.encode():
                raise ProtocolError("malformed", "topic")
            return decode_down(open_mac0(self._down_key, self._kid, incoming.payload))
        except ProtocolError as error:
            self._refuse(now, error.code, effects)
            return None

    def _refuse(self, now: int, code: str, effects: "list[Effect]") -> None:
        self.refused += 1
        self.last_error = code
        if now >= self._talk_at and self.tell(now, MessageRefused(number_of(code)), effects):
            self._talk_at = now + REFUSAL_PAUSE_MS

    def _on_ack(self, now: int, order: "Ack", effects: "list[Effect]") -> None:
        before = self.outbox.acked
        if not self.outbox.acknowledged(now, order.seq):
            self._refuse(now, "bad_value", effects)
        elif self.outbox.acked > before:
            effects.append(Forget(order.seq))

    def _on_resend(self, now: int, order: "Resend", effects: "list[Effect]") -> None:
        if not self.outbox.rewind(now, order.seq):
            self._refuse(now, "bad_value", effects)

    def _on_reject(self, now: int, order: "Reject", _effects: "list[Effect]") -> None:
        if order.seq:  # 0: something told once, that is gone
            self.outbox.rejected(now, order.seq)
        self.last_error = "rejected_" + CODES.get(order.code, "unknown_type")

    def _on_time(self, now: int, order: "SetTime", effects: "list[Effect]") -> None:
        """One answer to each nonce, and only a fresh one: the broker may hold messages back. A late one is met
        with a new birth, that is a new question."""
        late = now - self._born_at > TIME_ANSWER_MS
        if order.nonce == self._nonce and not late:
            self.set_wall(now, order.now_s)
            self._nonce = None
            return
        self._refuse(now, "stale", effects)
        if late and self.online:
            self.birth_due = True


_LINK_ORDERS: "dict[int, Any]" = {
    Ack.TYPE: Link._on_ack,
    Resend.TYPE: Link._on_resend,
    SetTime.TYPE: Link._on_time,
    Reject.TYPE: Link._on_reject,
}
assert all([number < FIRST_REMEMBERED_COMMAND for number in _LINK_ORDERS])
