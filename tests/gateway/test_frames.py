"""PUBLISH and PUBACK, read and written past paho: the same bytes as paho's own, and no stream that trips us up."""

import contextlib
import random

import pytest
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion

from gateway.frames import MalformedError, Received, Splitter, again, puback, publish

V5 = MQTTProtocolVersion.MQTTv5


def splitter() -> Splitter:
    return Splitter(8192)


def delivered(topic: bytes, payload: bytes, mid: int = 7, first: int = 0x32, properties: bytes = b"\x00") -> bytes:
    inside = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if first & 6 else b"") + properties
    inside += payload
    size = bytearray()
    length = len(inside)
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    size.append(length)
    return bytes((first,)) + bytes(size) + inside


def test_what_we_publish_reads_back():
    for size in (0, 1, 100, 110, 120, 127, 128, 1000):
        (message,) = splitter().split(publish("consigne/1/00/é/down", bytes(size), 65_535)).messages
        assert message == Received("consigne/1/00/é/down", bytes(size), False, 65_535)


def test_paho_reads_what_we_publish():
    packet = publish("a/b", b"payload", 513)
    read = _packet.decode_publish(packet[0], bytearray(packet[2:]), V5)
    assert (read.topic, read.payload, read.mid, read.qos, read.retain, read.dup) == (
        b"a/b", b"payload", 513, 1, False, False,
    )  # fmt: skip
    assert _packet.decode_publish(again(packet)[0], bytearray(packet[2:]), V5).dup
    acknowledged = puback(513)
    assert _packet.decode_puback(acknowledged[0], bytearray(acknowledged[2:]), V5).mid == 513


def test_a_stream_cut_anywhere_gives_the_same_packets():
    rng = random.Random(7)
    stream = b""
    for mid in range(1, 60):
        stream += delivered(b"t/%d" % mid, rng.randbytes(rng.randrange(300)), mid)
        stream += puback(mid) + b"\xd0\x00"
    whole = splitter().split(stream)
    for _ in range(30):
        apart, place = splitter(), 0
        messages, acknowledged, others = [], [], b""
        while place < len(stream):
            step = rng.choice([1, 2, 3, 7, 100, 1000])
            found = apart.split(stream[place : place + step])
            messages += found.messages
            acknowledged += found.acknowledged
            others += bytes(found.others)
            place += step
        assert (messages, acknowledged, others) == (whole.messages, whole.acknowledged, bytes(whole.others))
    assert len(whole.messages) == len(whole.acknowledged) == 59
    assert whole.others == b"\xd0\x00" * 59


def test_properties_are_skipped_and_flags_are_read():
    properties = b"\x05\x02\x00\x00\x00\x09"  # message expiry interval
    (message,) = splitter().split(delivered(b"t", b"inside", 9, 0x3B, properties)).messages
    assert message == Received("t", b"inside", True, 9)
    (message,) = splitter().split(delivered(b"t", b"inside", 0, 0x30)).messages
    assert message == Received("t", b"inside", False, 0)


def test_a_publish_that_the_broker_did_not_want_is_told_apart():
    found = splitter().split(b"\x40\x03\x00\x05\x97" + b"\x40\x03\x00\x06\x10" + b"\x40\x04\x00\x07\x00\x00")
    assert found.acknowledged == [5, 6, 7]
    assert found.refused == [0x97]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x32\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x32\xff\xff\xff\x7f",  # 256 MB
        b"\x32\x81\x40" + bytes(3),  # 8193 bytes
        b"\x32\x00",  # nothing inside
        b"\x32\x01\x00",
        b"\x32\x05\x00\x09abc",  # a topic longer than its packet
        b"\x32\x05\x00\x01t\x00\x01",  # no properties
        b"\x32\x06\x00\x01t\x00\x01\x05",  # properties longer than the packet
        b"\x32\x06\x00\x01t\x00\x01\x80",  # properties whose length is cut
        b"\x32\x06\x00\x01\xff\x00\x01\x00",  # a topic that is no UTF-8
        b"\x34\x06\x00\x01t\x00\x01\x00",  # QoS 2
        b"\x36\x06\x00\x01t\x00\x01\x00",  # QoS 3
        b"\x40\x01\x00",
    ],
)
def test_a_stream_that_breaks_the_rules_is_given_up(stream: bytes):
    with pytest.raises(MalformedError):
        splitter().split(stream)


def test_no_garbage_raises_anything_else():
    rng = random.Random(8)
    good = delivered(b"consigne/1/00/x/up", bytes(40))
    for _ in range(3000):
        stream = bytearray(good * 2 + puback(1))
        for _ in range(rng.randrange(1, 4)):
            stream[rng.randrange(len(stream))] = rng.randrange(256)
        with contextlib.suppress(MalformedError):
            splitter().split(bytes(stream))
