"""One MQTT 5 connection to the broker, driven by its owner's loop: take what arrived, send, acknowledge.

A message is acknowledged by acknowledge() and by nothing else, so what was not committed comes again. The
session outlives the connection for some minutes: what lockers send while we are away waits at the broker.
"""

import contextlib
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import frames, limits, log
from gateway.buffered import BufferedSocket
from gateway.config import Address
from gateway.frames import Received
from protocol.topics import PREFIX

_QOS = 1
_MIDS = 0x10000
# On `up` nothing is ever retained: the broker shall send none that is, and say so of one that comes. On `state`
# the retained births are wanted at every subscription: they tell a gateway that was away who is there.
_SUBSCRIPTIONS = [
    (f"{PREFIX}/+/+/up", SubscribeOptions(_QOS, retainAsPublished=True, retainHandling=2)),
    (f"{PREFIX}/+/+/state", SubscribeOptions(_QOS)),
]


class _Client(paho.Client):
    """paho, over a BufferedSocket. It has no public way to be given a socket; a test holds this one in place."""

    def _create_socket(self) -> Any:
        inner: Any = super()._create_socket()
        if isinstance(inner, socket.socket):
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # with Nagle on, an answer takes 57 ms
        return BufferedSocket(inner)


def _leave_writing_to_us(*_: Any) -> None:
    pass


class Connection:
    """For one thread, except wake()."""

    def __init__(self, address: Address, client_id: str = "consigne-gateway") -> None:
        self.address = address
        self.ready = False  # connected and subscribed
        self.last_error = ""
        self._arrived: list[Received] = []
        self._splitter = frames.Splitter(limits.BROKER_PACKET_SIZE_MAX)
        self._waiting: deque[tuple[str, bytes]] = deque()  # until the broker's Receive Maximum has room
        self._outstanding: dict[int, bytes] = {}  # packet id -> PUBLISH without its PUBACK
        self._outstanding_max = limits.PUBLISH_OUTSTANDING_MAX
        self._mid = 0
        self._seldom = log.Seldom(limits.STRANGER_LOG_EVERY_S)
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._client = self._made(address.user or client_id)

    def _made(self, client_id: str) -> _Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = limits.CONNECT_WAIT_S
        if self.address.user:
            client.username_pw_set(self.address.user, self.address.password)
        if self.address.tls:
            client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        # With this set, paho queues packets and leaves the writing to us: one write a lap.
        client.on_socket_register_write = _leave_writing_to_us
        return client

    def open(self) -> bool:
        """Connect and subscribe; False (and last_error) when that failed. Waits at most CONNECT_WAIT_S."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = limits.BROKER_SESSION_EXPIRY_S
        properties.ReceiveMaximum = limits.RECEIVE_MAXIMUM
        properties.MaximumPacketSize = limits.BROKER_PACKET_SIZE_MAX
        self.ready = False
        self.last_error = ""
        self._splitter = frames.Splitter(limits.BROKER_PACKET_SIZE_MAX)
        self._arrived.clear()
        until = time.monotonic() + limits.CONNECT_WAIT_S
        try:
            self._client.connect(
                self.address.host, self.address.port, limits.KEEPALIVE_S, clean_start=False, properties=properties
            )
            self.flush()
            while not self.ready and not self.last_error and time.monotonic() < until:
                self.wait(0.05)
                self._read()
                self.flush()
        except OSError as error:
            self.last_error = type(error).__name__
        if not self.ready:
            self.last_error = self.last_error or "no answer"
            self.drop()
        return self.ready

    # -------------------------------------------------------------- a lap
    def wait(self, timeout_s: float) -> None:
        """Until something arrived, wake() was called, or the time is over. Woken early for nothing is harmless."""
        buffered = self._buffered()
        poll = select.poll()
        poll.register(self._wake_in, select.POLLIN)
        if buffered is not None:
            writes = select.POLLOUT if buffered.unsent or self._client.want_write() else 0
            poll.register(buffered, select.POLLIN | writes)
            if buffered.pending():
                timeout_s = 0
        ready = [fd for fd, _ in poll.poll(timeout_s * 1000)]
        if self._wake_in.fileno() in ready:
            self._wake_in.recv(4096)

    def take(self) -> Sequence[Received]:
        """What has arrived by now, one piece of READ_SIZE at most; nothing while the broker takes less from us
        than we make of it (what arrives meanwhile is kept: at most RECEIVE_MAXIMUM messages)."""
        self._read()
        buffered = self._buffered()
        if buffered is None or buffered.unsent > limits.UNSENT_BYTES_MAX:
            return ()
        if len(self._waiting) > limits.PUBLISH_WAITING_MAX:
            return ()
        arrived, self._arrived = self._arrived, []
        return arrived

    def publish(self, topic: str, payload: bytes) -> None:
        self._waiting.append((topic, payload))

    def acknowledge(self, received: Sequence[Received]) -> None:
        buffered = self._buffered()
        if buffered is not None:
            buffered.send(b"".join([frames.puback(one.mid) for one in received if one.mid]))

    def flush(self) -> None:
        """Hand everything to the kernel, in one piece where it takes it."""
        self._client.loop_misc()  # keepalive
        buffered = self._buffered()
        if buffered is None:
            return
        if self.ready:
            while self._waiting and len(self._outstanding) < self._outstanding_max:
                topic, payload = self._waiting.popleft()
                mid = self._free_mid()
                packet = self._outstanding[mid] = frames.publish(topic, payload, mid)
                buffered.send(packet)
        try:
            self._client.loop_write()
            buffered.flush()
        except OSError as error:
            self.last_error = type(error).__name__
            self.drop()

    def wake(self) -> None:
        """From any thread."""
        with contextlib.suppress(OSError):  # as many wakes as fit are already waiting, or it is closed
            self._wake_out.send(b"\0")

    def drop(self) -> None:
        """Without a word: the broker keeps the session, and gives again what was not acknowledged."""
        self.ready = False
        self._arrived.clear()
        if self._buffered() is not None:
            self._client._sock_close()  # public disconnect() would tell the broker that all is well

    def close(self) -> None:
        """A proper goodbye; the session stays."""
        if self.ready:
            self._client.disconnect()
            self.flush()
        self.drop()
        self._wake_in.close()
        self._wake_out.close()

    # -------------------------------------------------------------- inside
    def _buffered(self) -> BufferedSocket | None:
        inner: Any = self._client.socket()
        return inner

    def _free_mid(self) -> int:
        """Never 0, never one that waits for its PUBACK; there are twice as many as may be outstanding."""
        while True:
            self._mid = (self._mid + 1) % _MIDS
            if self._mid and self._mid not in self._outstanding:
                return self._mid

    def _read(self) -> None:
        buffered = self._buffered()
        if buffered is None:
            self.ready = False
            return
        try:
            found = self._splitter.split(buffered.read())
        except (OSError, frames.MalformedError) as error:
            self._lost(type(error).__name__)
            return
        self._arrived += found.messages
        for mid in found.acknowledged:
            self._outstanding.pop(mid, None)
        for reason in found.refused:
            if self._seldom.allows(f"refused {reason}"):
                log.event("mqtt_publish_refused", reason=reason)
        buffered.leave_to_paho(found.others)
        while self._buffered() is not None and buffered.has_news_for_paho:
            done = self._client.loop_read()
            if done != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost(paho.error_string(done))

    def _lost(self, why: str) -> None:
        self.last_error = self.last_error or why
        if self.ready:
            log.event("mqtt_disconnected", broker=str(self.address), reason=self.last_error)
        self.drop()

    # -------------------------------------------------------------- paho's side
    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.last_error = str(reason)
            return
        allowed = getattr(properties, "ReceiveMaximum", limits.RECEIVE_MAXIMUM)
        self._outstanding_max = min(limits.PUBLISH_OUTSTANDING_MAX, allowed)
        client.subscribe(_SUBSCRIPTIONS)  # pyright: ignore[reportArgumentType]

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self.last_error = refused[0]
            return
        buffered = self._buffered()
        assert buffered is not None
        for packet in self._outstanding.values():  # whether the broker still knows them we cannot know
            buffered.send(frames.again(packet))
        self.ready = True
        log.event("mqtt_connected", broker=str(self.address))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        """A DISCONNECT of the broker's, or the end of its stream."""
        self.last_error = self.last_error or str(reason)
