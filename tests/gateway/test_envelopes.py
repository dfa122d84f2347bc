"""The fast opener and sealer against the plain ones: the same bytes, the same verdicts."""

import random

import pytest

from gateway.envelopes import Codec, Envelopes
from gateway.keys import Keys
from gateway.limits import PAYLOAD_SIZE_MAX
from protocol import cbor, cose, messages
from protocol.errors import ProtocolError

KEYS = Keys.from_secrets(bytes(range(32)), bytes(32))
CODEC = Codec()
WORDS = ("", "a", "x" * 23, "y" * 24, "été" * 9, "z" * 32)
NUMBERS = (0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1)


def opener(generations: dict[str, int] | None = None) -> Envelopes:
    known = {"mairie-1": 1, "gare-1": 7} if generations is None else generations
    return Envelopes(KEYS, known.get)


def sample(kind, rng: random.Random):
    wanted, lowest, highest, optional = kind
    if optional and rng.random() < 0.3:
        return None
    if wanted is bool:
        return rng.random() < 0.5
    if wanted is int:
        return rng.choice([lowest, highest, *[number for number in NUMBERS if lowest <= number <= highest]])
    if wanted is bytes:
        return rng.randbytes(rng.choice([lowest, highest, min(highest, max(lowest, 30))]))
    return rng.choice([word for word in WORDS if lowest <= len(word) <= highest])


def an_up(rng: random.Random) -> messages.Up:
    cls = rng.choice(sorted(messages.EVENTS.values(), key=lambda one: one.TYPE))
    event = cls(*[sample(kind, rng) for kind in cls.KINDS])
    seq = rng.choice(NUMBERS[1:]) if cls.TYPE >= messages.FIRST_CUSTODY_TYPE else 0
    return messages.Up(rng.randrange(2**32), seq, rng.choice(NUMBERS), rng.choice([None, *NUMBERS]), event)


def a_down(rng: random.Random) -> messages.Down:
    cls = rng.choice(sorted(messages.COMMANDS.values(), key=lambda one: one.TYPE))
    command = cls(*[sample(kind, rng) for kind in cls.KINDS])
    return messages.Down(rng.randbytes(8), rng.choice(NUMBERS), rng.randrange(2**32), command)


def plain_open(locker: str, generation: int, data: bytes) -> messages.Up:
    payload = cose.open_mac0(KEYS.hmac(locker, generation, "up"), bytes([generation]), data)
    return messages.decode_up(payload)


def verdict(call, *arguments):
    try:
        return call(*arguments)
    except ProtocolError as error:
        return error.code


def mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        place = rng.randrange(len(changed) or 1)
        act = rng.randrange(4)
        if act == 0 and changed:
            changed[place] ^= 1 << rng.randrange(8)
        elif act == 1:
            changed.insert(place, rng.randrange(256))
        elif act == 2 and changed:
            del changed[place]
        elif changed:
            changed[place] = rng.choice(
                [0, 0x18, 0x19, 0x1B, 0x40, 0x58, 0x5F, 0x80, 0x9F, 0xA0, 0xC2, 0xF6, 0xF9, 0xFB]
            )
    return bytes(changed)


def test_the_fast_opener_gives_what_the_plain_one_gives():
    rng = random.Random(1)
    fast = opener()
    for _ in range(800):
        up = an_up(rng)
        data = cose.mac0(KEYS.hmac("gare-1", 7, "up"), b"\x07", messages.encode(up))
        assert fast.open("gare-1", data) == plain_open("gare-1", 7, data) == up


def test_damaged_envelopes_get_the_plain_openers_verdict():
    rng = random.Random(2)
    fast = opener()
    for _ in range(3000):
        data = cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", messages.encode(an_up(rng)))
        broken = mutated(data, rng)
        assert verdict(fast.open, "mairie-1", broken) == verdict(plain_open, "mairie-1", 1, broken)


def test_authentic_nonsense_inside_gets_the_plain_decoders_verdict():
    rng = random.Random(3)
    for _ in range(6000):
        payload = mutated(messages.encode(an_up(rng)), rng)
        assert verdict(CODEC.decode_up, payload) == verdict(messages.decode_up, payload)


@pytest.mark.parametrize(
    "payload",
    [
        "87f93c000100000011811801",  # version 1.0
        "8701010100f61a000000118101",  # type in five bytes
        "8701010100f6c241118101",  # type as a bignum
        "8701010100f611810a00",  # trailing byte
        "9f01010100f6118101ff",  # indefinite length
        "d9d9f78701010100f6118101",  # self-described
        "8701010100f611811801",  # compartment in two bytes
        "87f501010000f6118101",  # version true
        "8701010100f7118101",  # undefined for null
        "8701010100f61181f5",  # compartment true
        "8701010100f611a10101",  # fields as a map
        "8701010100f61181d81c01",  # shared value
    ],
)
def test_look_alikes_of_a_door_opening_are_refused_like_the_plain_decoder_does(payload: str):
    data = bytes.fromhex(payload)
    assert isinstance(verdict(CODEC.decode_up, data), str)
    assert verdict(CODEC.decode_up, data) == verdict(messages.decode_up, data)


def test_the_fast_sealer_writes_the_same_bytes():
    rng = random.Random(4)
    fast = opener()
    for _ in range(800):
        down = a_down(rng)
        assert fast.seal("gare-1", down) == cose.mac0(KEYS.hmac("gare-1", 7, "down"), b"\x07", messages.encode(down))


def test_a_command_outside_its_kinds_is_not_sealed():
    down = messages.Down(bytes(8), 0, 60, messages.Open(0, "test"))
    assert verdict(opener().seal, "gare-1", down) == "bad_value"


def test_every_payload_length_around_the_head_boundaries_opens():
    fast = opener()
    for size in [*range(20, 30), *range(250, 262), 400]:
        inside = messages.encode(messages.Up(1, 0, 0, None, messages.Birth("f", bytes(8), 1, 1, bytes(size))))
        data = cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", inside)
        assert fast.open("mairie-1", data).event.doors == bytes(size)


def test_a_locker_nobody_registered_is_told_apart():
    assert verdict(opener().open, "other-1", b"x") == "unknown_locker"


def test_one_lockers_message_does_not_open_as_anothers():
    data = cose.mac0(KEYS.hmac("gare-1", 1, "up"), b"\x01", messages.encode(an_up(random.Random(5))))
    assert verdict(opener({"gare-1": 1, "mairie-1": 1}).open, "mairie-1", data) == "bad_mac"


def test_a_locker_provisioned_again_is_heard_with_its_new_key_only():
    generations = {"mairie-1": 1}
    fast = opener(generations)
    inside = messages.encode(an_up(random.Random(6)))
    old = cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", inside)
    new = cose.mac0(KEYS.hmac("mairie-1", 2, "up"), b"\x02", inside)
    assert fast.open("mairie-1", old)
    generations["mairie-1"] = 2
    assert fast.open("mairie-1", new)
    assert verdict(fast.open, "mairie-1", old) == "unknown_key"


def test_an_oversize_envelope_is_refused_before_any_work():
    assert verdict(opener().open, "mairie-1", bytes(PAYLOAD_SIZE_MAX + 1)) == "too_large"


def test_deeply_nested_and_huge_counts_are_refused_like_the_plain_decoder_does():
    for payload in (b"\x81" * 500 + b"\x01", b"\x9b" + b"\xff" * 8, b"\x5b" + b"\xff" * 8, b"\xbf" * 200, b""):
        assert verdict(CODEC.decode_up, payload) == verdict(messages.decode_up, payload)


def test_tags_that_cbor2_would_turn_into_objects_never_raise_anything_of_their_own():
    fields = (b"\x00", b"\x61(", b"\x82\x01\x00", b"\x41a", b"\x80", b"\xa0", b"\xf6", b"\xfb\x7f\xf0" + bytes(6))
    for number in [*range(64), 100, 256, 258, 260, 261, 1004, 43000, 55799]:
        for field in fields:
            payload = b"\x87\x01\x01\x01\x00\xf6\x11\x81\xd9" + number.to_bytes(2, "big") + field
            assert verdict(CODEC.decode_up, payload) == verdict(messages.decode_up, payload)


def test_an_encoded_map_anywhere_is_no_event():
    payload = cbor.encode([1, 1, 1, 0, None, 17, [{1: 2}]])
    assert verdict(CODEC.decode_up, payload) == verdict(messages.decode_up, payload) == "bad_value"
