"""The MQTT parser under arbitrary bytes: it never raises, never grows, and how the stream is cut changes nothing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device.agent.mqtt import OFF, Broken, Client, Connected, Incoming, Subscribed
from protocol.record import Record

CONNACK = b"\x20\x02\x00\x00"
PAYLOAD_MAX = 64


def connected() -> Client:
    client = Client(PAYLOAD_MAX)
    client.connect(0, "mairie-1", "secret", "state", b"will")
    assert client.feed(0, CONNACK) == [Connected()]
    client.subscribe(0, "down")
    client.publish(0, "up", b"x", 1, False)
    return client


def framed(first: int, body: bytes) -> bytes:
    size, head = len(body), bytearray([first])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes([*head, size]) + body


def fed(pieces: list[bytes]) -> tuple[list[Record], Client]:
    client = connected()
    happened: list[Record] = []
    for piece in pieces:
        happened += client.feed(1, piece)
    return happened, client


# Packets that look right from afar: a real type, a body of any bytes.
packets = st.builds(
    framed,
    st.sampled_from([0x20, 0x30, 0x31, 0x32, 0x33, 0x34, 0x3A, 0x40, 0x90, 0xD0, 0xF0]),
    st.binary(max_size=200),
)


def publication(topic: bytes, number: int, payload: bytes) -> bytes:
    return framed(0x32, len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + payload)


publications = st.builds(
    publication, st.binary(min_size=1, max_size=30), st.integers(1, 65535), st.binary(max_size=300)
)
acknowledgements = st.integers(0, 65535).map(lambda number: framed(0x40, number.to_bytes(2, "big")))
streams = st.lists(st.one_of(publications, acknowledgements, packets, st.binary(max_size=20)), max_size=8).map(
    b"".join
)


@given(streams)
def test_no_bytes_make_the_client_raise_or_grow(stream: bytes) -> None:
    happened, client = fed([stream])
    assert len(client._buffer) == len(connected()._buffer)
    for record in happened:
        assert isinstance(record, Subscribed | Incoming | Broken)
        if isinstance(record, Incoming) and record.payload is not None:
            assert len(record.payload) <= PAYLOAD_MAX
    broken = [place for place, record in enumerate(happened) if isinstance(record, Broken)]
    assert broken in ([], [len(happened) - 1])
    assert (client.state == OFF) == bool(broken)


@given(streams, st.lists(st.integers(0, 2000), max_size=12))
def test_how_the_stream_is_cut_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *[cut for cut in cuts if cut < len(stream)]})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    assert fed(pieces)[0] == fed([stream])[0]


@given(st.lists(publications, max_size=6))
def test_every_publication_comes_out_whole_or_as_too_large(stream: list[bytes]) -> None:
    happened, client = fed([b"".join(stream)])
    assert len(happened) == len(stream) and client.state != OFF
    for record, packet in zip(happened, stream, strict=True):
        assert isinstance(record, Incoming)
        assert record.payload is None or packet.endswith(record.payload)
        assert record.packet_id.to_bytes(2, "big") in packet
