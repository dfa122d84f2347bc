"""The MQTT client against a broker played by hand, byte for byte, with every fault a broker can have."""

from device.agent.mqtt import CONNECTED, OFF, Broken, Client, Connected, Incoming, Subscribed
from protocol.limits import (
    CONNECT_WAIT_MS,
    INFLIGHT_MAX,
    KEEPALIVE_S,
    MQTT_TOPIC_SIZE_MAX,
    PING_WAIT_MS,
    PUBACK_WAIT_MS,
)

PAYLOAD_MAX = 100
CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"


def connected(now=0):
    client = Client(PAYLOAD_MAX)
    client.connect(now, "mairie-1", "secret", "state", b"will")
    client.take()
    assert client.feed(now, CONNACK) == [Connected()]
    return client


def length(size):
    out = []
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out)


def publication(payload, topic=b"t", packet_id=7, flags=2):
    body = len(topic).to_bytes(2, "big") + topic
    if flags & 6:
        body += packet_id.to_bytes(2, "big")
    return bytes([0x30 | flags]) + length(len(body) + len(payload)) + body + payload


def puback(number):
    return b"\x40\x02" + number.to_bytes(2, "big")


def reason(client, data):
    """The word for which the client hangs up on these bytes."""
    last = client.feed(1, data)[-1]
    assert isinstance(last, Broken), last
    assert client.state == OFF and client.take() == b""
    return last.reason


def test_connect_is_the_packet_of_the_standard():
    client = Client(PAYLOAD_MAX)
    client.connect(0, "m1", "pw", "st", b"w!")
    assert client.take() == (
        b"\x10\x1e\x00\x04MQTT\x04\xee" + KEEPALIVE_S.to_bytes(2, "big")
        + b"\x00\x02m1" + b"\x00\x02st" + b"\x00\x02w!" + b"\x00\x02m1" + b"\x00\x02pw"
    )  # fmt: skip
    assert client.take() == b""


def test_a_subscription_is_accepted_with_its_suback():
    client = connected()
    client.subscribe(5, "down")
    assert client.take() == b"\x82\x09\x00\x01\x00\x04down\x01"
    assert client.feed(6, b"\x90\x03\x00\x01\x01") == [Subscribed()]


def test_every_refusal_of_the_broker_has_its_word():
    words = ("bad_mqtt_version", "id_refused", "server_unavailable", "bad_credentials", "not_authorised")
    for place in range(5):
        client = Client(PAYLOAD_MAX)
        client.connect(0, "m", "p", "s", b"")
        client.take()
        assert reason(client, b"\x20\x02\x00" + bytes([place + 1])) == words[place]


def test_a_refused_subscription_is_noticed():
    client = connected()
    client.subscribe(0, "down")
    client.take()
    assert reason(client, b"\x90\x03\x00\x01\x80") == "subscription_refused"


def test_a_session_that_the_broker_kept_is_no_error():
    client = Client(PAYLOAD_MAX)
    client.connect(0, "m", "p", "s", b"")
    assert client.feed(0, b"\x20\x02\x01\x00") == [Connected()]


def test_publications_carry_ids_and_flags():
    client = connected()
    assert client.publish(0, "t", b"x", 0, False)
    assert client.publish(0, "t", b"x", 1, False)
    assert client.publish(0, "t", b"x", 1, True)
    assert client.take() == b"\x30\x04\x00\x01tx" + b"\x32\x06\x00\x01t\x00\x01x" + b"\x33\x06\x00\x01t\x00\x02x"


def test_long_packets_have_a_length_of_two_bytes():
    client = connected()
    for size, head in ((124, b"\x30\x7f\x00"), (125, b"\x30\x80\x01"), (200, b"\x30\xcb\x01")):
        assert client.publish(0, "t", bytes(size), 0, False)
        assert client.take()[:3] == head


def test_the_largest_message_on_the_longest_topic_fits():
    name = b"t" * MQTT_TOPIC_SIZE_MAX
    got = connected().feed(0, publication(b"x" * PAYLOAD_MAX, topic=name))
    assert got == [Incoming(name, b"x" * PAYLOAD_MAX, False, False, 7)]


def test_no_more_are_in_flight_than_the_limit():
    client = connected()
    for _ in range(INFLIGHT_MAX):
        assert client.publish(0, "t", b"", 1, False)
    assert not client.publish(0, "t", b"", 1, False)
    assert client.publish(0, "t", b"", 0, False)
    client.feed(0, puback(3))
    assert client.publish(0, "t", b"", 1, False)
    assert not client.has_room()


def test_ids_wrap_at_65535_and_skip_those_in_flight():
    client = connected()
    assert client.publish(0, "t", b"", 1, False)  # id 1 stays in flight
    for number in range(2, 65536):
        client.publish(0, "t", b"", 1, False)
        client.take()
        client.feed(0, puback(number))
    assert client.publish(0, "t", b"", 1, False)
    assert client.take() == b"\x32\x05\x00\x01t\x00\x02"
    assert client.ignored == 0


def test_late_and_unknown_acknowledgements_are_counted_and_harmless():
    client = connected()
    client.publish(0, "t", b"", 1, False)
    assert client.feed(0, puback(1) + puback(1) + puback(999) + b"\x90\x03\x00\x09\x01") == []
    assert client.ignored == 3 and client.state == CONNECTED


def test_an_acknowledgement_between_subscribe_and_suback_is_taken():
    client = connected()
    client.publish(0, "t", b"", 1, False)
    client.subscribe(0, "d")
    assert client.feed(0, puback(1) + b"\x90\x03\x00\x02\x00") == [Subscribed()]


def test_incoming_messages_are_surfaced_with_their_flags():
    client = connected()
    got = client.feed(0, publication(b"a", flags=0) + publication(b"b", flags=3) + publication(b"c", flags=10))
    assert got == [
        Incoming(b"t", b"a", False, False, 0),
        Incoming(b"t", b"b", True, False, 7),
        Incoming(b"t", b"c", False, True, 7),
    ]


def test_nothing_is_acknowledged_before_it_is_handled():
    client = connected()
    client.feed(0, publication(b"a"))
    assert client.take() == b""
    client.handled(7)
    client.handled(0)
    assert client.take() == b"\x40\x02\x00\x07"


def test_a_stream_cut_anywhere_gives_the_same_messages():
    stream = publication(b"first") + PINGRESP + publication(bytes(PAYLOAD_MAX)) + puback(4) + publication(b"", flags=0)
    whole = connected().feed(0, stream)
    assert len(whole) == 3
    for size in range(1, len(stream)):
        client = connected()
        got = []
        for start in range(0, len(stream), size):
            got.extend(client.feed(0, stream[start : start + size]))
        assert got == whole


def test_an_oversize_message_is_drained_and_the_next_one_is_read():
    for size in (PAYLOAD_MAX + 1, 300, 9_000):
        client = connected()
        got = client.feed(0, publication(bytes(size)) + publication(b"next", packet_id=8))
        assert got == [Incoming(b"t", None, False, False, 7), Incoming(b"t", b"next", False, False, 8)]


def test_a_message_that_a_long_topic_pushes_out_of_the_buffer_is_oversize():
    client = connected()
    got = client.feed(0, publication(bytes(PAYLOAD_MAX), topic=b"t" * 90))
    assert got == [Incoming(b"t" * 90, None, False, False, 7)]


def test_oversize_messages_allocate_nothing():
    client = connected()
    client.feed(0, b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x07")
    for _ in range(50):
        assert client.feed(0, bytes(512)) == []
    assert len(client._buffer) < 2 * PAYLOAD_MAX


def test_broken_packets_end_the_connection_with_a_word():
    cases = (
        (publication(b"x", flags=4), "bad_qos"),  # QoS 2 was not asked for
        (publication(b"x", flags=6), "bad_qos"),
        (publication(b"x", flags=8), "bad_qos"),  # DUP at QoS 0
        (publication(b"x", packet_id=0), "bad_packet_id"),
        (publication(b"x", topic=b""), "bad_topic"),
        (publication(b"x", topic=b"t" * 300), "bad_topic"),
        (b"\x30\x00", "bad_topic"),
        (b"\x30\x02\x00\x01", "bad_topic"),
        (b"\x30\x03\x00\x05t", "bad_topic"),
        (b"\x32\x04\x00\x01t\x00", "bad_topic"),
        (b"\x30\xff\xff\xff\xff\x01", "bad_length"),
        (b"\x40\x03\x00\x01\x00", "bad_length"),
        (b"\x40\x00", "bad_length"),
        (b"\xd0\x01\x00", "bad_length"),
        (b"\xd1\x00", "unexpected_packet"),
        (CONNACK, "unexpected_packet"),  # the second one
        (b"\x00\x00", "unexpected_packet"),
        (b"\x10\x00", "unexpected_packet"),  # what only clients say
        (b"\x50\x02\x00\x01", "unexpected_packet"),  # PUBREC
        (b"\xf0\x00", "unexpected_packet"),
    )
    for data, word in cases:
        assert reason(connected(), data) == word, data


def test_nothing_but_a_connack_may_come_first():
    for data in (publication(b"x"), puback(1), PINGRESP, b"\x90\x03\x00\x01\x01"):
        client = Client(PAYLOAD_MAX)
        client.connect(0, "m", "p", "s", b"")
        client.take()
        assert reason(client, data) == "unexpected_packet"


def test_an_impossible_connack_is_malformed():
    for data in (b"\x20\x02\x02\x00", b"\x20\x02\x00\x06"):
        client = Client(PAYLOAD_MAX)
        client.connect(0, "m", "p", "s", b"")
        client.take()
        assert reason(client, data) == "bad_connack"


def test_what_came_before_the_break_is_not_lost():
    got = connected().feed(0, publication(b"good") + b"\xf0\x00" + publication(b"after"))
    assert got == [Incoming(b"t", b"good", False, False, 7), Broken("unexpected_packet")]


def test_a_silent_broker_is_noticed_at_every_stage():
    client = Client(PAYLOAD_MAX)
    client.connect(0, "m", "p", "s", b"")
    client.take()
    assert client.deadline() == CONNECT_WAIT_MS
    assert client.tick(CONNECT_WAIT_MS - 1) == []
    assert client.tick(CONNECT_WAIT_MS) == [Broken("connack_timeout")]
    client = connected()
    client.subscribe(0, "d")
    client.take()
    assert client.tick(CONNECT_WAIT_MS) == [Broken("suback_timeout")]


def test_a_half_open_link_is_noticed_before_the_keepalive_ends():
    client = connected()
    now = client.deadline()
    assert client.tick(now) == [] and client.take() == b"\xc0\x00"
    assert client.tick(now + PING_WAIT_MS - 1) == []
    late = client.deadline()
    assert late < KEEPALIVE_S * 1000
    assert client.tick(late) == [Broken("pingresp_timeout")]


def test_an_answered_ping_keeps_the_link():
    client = connected()
    now = 0
    for _ in range(5):
        now = client.deadline()
        assert client.tick(now) == [] and client.take() == b"\xc0\x00"
        assert client.feed(now + 5, PINGRESP) == []
    assert now < 5 * KEEPALIVE_S * 1000


def test_a_broker_that_acknowledges_nothing_is_left():
    client = connected()
    client.publish(0, "t", b"", 1, False)
    client.take()
    now = 0
    while now < PUBACK_WAIT_MS:
        now = client.deadline()
        got = client.tick(now)
        client.take()
        if not got:
            client.feed(now, PINGRESP)
    assert got == [Broken("puback_timeout")]


def test_a_broker_that_acknowledges_slowly_is_kept():
    client = connected()
    client.publish(0, "t", b"", 1, False)
    for number in range(1, 10):  # there is always one in flight
        now = number * (PUBACK_WAIT_MS - 1)
        client.publish(now, "t", b"", 1, False)
        client.feed(now, puback(number) + PINGRESP)
        client._ping_at = now + 10**6  # pings are not the point here
        assert client.tick(now + PUBACK_WAIT_MS - 2) == []
    assert client.state == CONNECTED


def test_waiting_bytes_ask_for_a_lap_at_once():
    client = connected()
    assert client.deadline() > 0
    client.publish(0, "t", b"", 0, False)
    assert client.deadline() == 0
    client.take()
    assert client.deadline() > 0


def test_a_client_that_is_off_says_and_hears_nothing():
    client = connected()
    client.reset()
    assert not client.publish(0, "t", b"", 1, False)
    client.handled(3)
    assert client.feed(0, publication(b"x")) == [] and client.tick(10**9) == [] and client.take() == b""
