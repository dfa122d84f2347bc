"""Messages: the same bytes on both interpreters and for ever, and a code for everything that is none."""

import hashlib
from binascii import hexlify, unhexlify

from refusal import refusal_of
from samples import COMMANDS, DOWNS, EVENTS, ID, UPS

from protocol import cbor, cose, messages
from protocol.errors import CODES, ProtocolError, number_of
from protocol.hmac import HmacKey
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.record import Record
from protocol.topics import is_locker_id, locker_of, shard, topic

ALL = tuple(
    [(envelope, messages.decode_up) for envelope in UPS] + [(envelope, messages.decode_down) for envelope in DOWNS]
)


def test_every_message_has_a_sample():
    assert [type(event) for event in EVENTS] == [messages.EVENTS[number] for number in sorted(messages.EVENTS)]
    assert [type(command) for command in COMMANDS] == [
        messages.COMMANDS[number] for number in sorted(messages.COMMANDS)
    ]


def test_every_message_comes_back_as_it_was():
    for envelope, decode in ALL:
        data = messages.encode(envelope)
        again = decode(data)
        assert again == envelope and type(again) is type(envelope), repr(envelope)
        assert messages.encode(again) == data


def test_the_bytes_of_the_messages_never_change():
    """Journals and lockers in the field hold them. A new message gets a new number; an old one keeps its bytes."""
    whole = hashlib.sha256()
    for envelope, _decode in ALL:
        whole.update(messages.encode(envelope))
    assert str(hexlify(whole.digest()), "ascii") == "592d92a34a9ab04543b9c0299ceaf397efedacc814034f89c979b9a93db7ceea"


def test_the_agreement_itself_never_changes_by_accident():
    """Names, numbers, fields and what they may hold. A change of it is a new message, or a new version."""
    words = []
    for table in (messages.EVENTS, messages.COMMANDS):
        for number in sorted(table):
            cls = table[number]
            kinds = [(kind[0].__name__, kind[1], kind[2], kind[3]) for kind in cls.KINDS]
            words.append(repr((number, cls.__name__, cls.FIELDS, kinds)))
    digest = hashlib.sha256("\n".join(words).encode()).digest()
    assert str(hexlify(digest), "ascii") == "5b9a2384dca217862472ed517044c13c0ec1c343a7c63a5ab9e53accc088e263", (
        "then change this line too, and say so in the changelog"
    )


def test_an_event_has_exactly_these_bytes():
    up = messages.Up(2, 9, 61_000, None, messages.Deposited(3, 7, 4_000))
    assert messages.encode(up) == unhexlify(
        "87" + "01" + "02" + "09" + "19ee48" + "f6" + "16" + "8303" + "07" + "190fa0"
    )


def test_a_command_has_exactly_these_bytes():
    down = messages.Down(ID, 1_900_000_000, 60, messages.Open(3, "stuck"))
    wanted = "86" + "01" + "480001020304050607" + "1a713fb300" + "183c" + "12" + "82" + "03" + "65737475636b"
    assert messages.encode(down) == unhexlify(wanted)


def test_sealed_messages_fit_the_boards_buffer():
    widest = [messages.Up(1, 0, 0, None, messages.Birth("f" * 32, ID, 1, 1, bytes(400)))]
    widest.append(messages.Up(1, 0, 0, None, messages.DepositRequested(1, ID, "\u00e9" * 32, "\U0001f4e6" * 64, 0)))
    for envelope in [envelope for envelope, _decode in ALL] + widest:
        sealed = cose.mac0(HmacKey(b"key"), b"\x01", messages.encode(envelope))
        assert len(sealed) <= MESSAGE_SIZE_MAX, repr(envelope)


def test_another_version_is_told_apart_from_noise():
    for version in (0, 2, 255, "1", None, True, [1]):
        for decode in (messages.decode_up, messages.decode_down):
            assert refusal_of(decode, cbor.encode([version, 1, 2, 3])) == "unknown_version", version
            assert refusal_of(decode, cbor.encode([version])) == "unknown_version", version


def test_an_unknown_type_is_refused_by_its_code():
    for number in (0, 8, 15, 24, 35, 200, 1 << 40, -1, "17", None, True, [16], b"\x10"):
        assert refusal_of(messages.decode_up, cbor.encode([1, 1, 1, 1, None, number, []])) == "unknown_type", number
    for number in (0, 7, 15, 28, 200, "18", None, True):
        assert refusal_of(messages.decode_down, cbor.encode([1, ID, 1, 1, number, []])) == "unknown_type", number


def test_what_is_no_envelope_is_malformed():
    for value in ([], {}, 1, "x", b"x", None, True, [1], [1, 2], [1] * 8, [1] * 6, cbor.Tag(1, [1])):
        assert refusal_of(messages.decode_up, cbor.encode(value)) == "malformed", repr(value)
    for value in ([], {}, [1], [1] * 7, [1] * 5):
        assert refusal_of(messages.decode_down, cbor.encode(value)) == "malformed", repr(value)
    assert refusal_of(messages.decode_up, b"") == "malformed"


def test_a_message_with_more_or_fewer_fields_is_malformed():
    for envelope, decode in ALL:
        items = cbor.decode(messages.encode(envelope))
        values = items[-1]
        for fields in ([0] * (len(values) + 1), values[:-1] if values else None, {}, None, "x", 0):
            items[-1] = fields
            assert refusal_of(decode, cbor.encode(items)) == "malformed", (repr(envelope), fields)


WRONG = (None, True, -1, 1 << 63, b"", b"1234567", b"123456789", "", "x" * 65, [], {}, cbor.Tag(1, 1))


def test_a_field_outside_its_kind_is_refused_on_both_sides():
    """Each field in turn takes each wrong value: what decodes is what its kind allows, and encodes again."""
    refused = 0
    for envelope, decode in ALL:
        items = cbor.decode(messages.encode(envelope))
        head = len(items) - 2
        for place in range(1, head + len(items[-1])):
            for wrong in WRONG:
                row = cbor.decode(messages.encode(envelope))
                if place < head:
                    row[place] = wrong
                else:
                    row[-1][place - head] = wrong
                data = cbor.encode(row)
                code = refusal_of(decode, data)
                refused += code != "accepted"
                assert code == "bad_value" or messages.encode(decode(data)) == data, (repr(envelope), place, wrong)
    assert refused > 1000, refused


def test_what_is_outside_its_kind_is_not_sent():
    assert refusal_of(messages.encode, messages.Up(1, 1, 1, 1, messages.DoorOpened(0))) == "bad_value"
    assert refusal_of(messages.encode, messages.Up(1, 1, 1, 1, messages.DoorOpened(401))) == "bad_value"
    assert refusal_of(messages.encode, messages.Up(-1, 1, 1, 1, messages.DoorOpened(1))) == "bad_value"
    assert refusal_of(messages.encode, messages.Down(b"short", 1, 1, messages.Identify())) == "bad_value"
    assert refusal_of(messages.encode, messages.Down(ID, 1, 1, messages.OutOfService(1, 1))) == "bad_value"


def test_custody_events_alone_are_numbered():
    custody = messages.Up(1, 0, 1, None, messages.DoorOpened(1))
    assert refusal_of(messages.decode_up, messages.encode(custody)) == "bad_value"
    told = messages.Up(1, 5, 1, None, messages.Lost())
    assert refusal_of(messages.decode_up, messages.encode(told)) == "bad_value"


def test_an_event_is_no_command_and_a_command_no_event():
    for envelope in UPS:
        assert refusal_of(messages.decode_down, messages.encode(envelope)) != "accepted"
    for envelope in DOWNS:
        assert refusal_of(messages.decode_up, messages.encode(envelope)) != "accepted"


def test_a_message_cut_short_is_malformed():
    for envelope, decode in ALL:
        data = messages.encode(envelope)
        for size in range(len(data)):
            assert refusal_of(decode, data[:size]) == "malformed"


def test_records_are_equal_by_type_and_fields():
    assert messages.DoorOpened(1) == messages.DoorOpened(compartment=1)
    assert messages.DoorOpened(1) != messages.DoorOpened(2) and messages.DoorOpened(1) != messages.DoorClosed(1)
    assert messages.Release(1) != 1 and hash(messages.Release(1)) == hash(messages.Release(1))
    assert repr(messages.Revoke(1, deposit=2)) == "Revoke(compartment=1, deposit=2)"
    assert Record() == Record()
    for wrong in ((), (1, 2, 3)):
        try:
            messages.Revoke(*wrong)
        except TypeError:
            continue
        raise AssertionError("a record with a field too many or too few")


def test_every_error_code_has_one_word():
    assert CODES[0] == "ok" and sorted(CODES) == list(range(len(CODES)))
    assert len({word: 0 for word in CODES.values()}) == len(CODES)
    for number, word in CODES.items():
        assert number_of(word) == number and ProtocolError(word).number == number
    assert str(ProtocolError("bad_mac", "why")) == "bad_mac: why" and str(ProtocolError("bad_mac")) == "bad_mac"


def test_topics_lead_there_and_back():
    assert topic("mairie-1", "up") == "consigne/1/9f/mairie-1/up"
    for leaf in ("up", "down", "state"):
        assert locker_of(topic("gare-1", leaf)) == ("gare-1", leaf)


def test_a_topic_of_another_make_is_malformed():
    for name in (
        "",
        "consigne",
        "consigne/1/00/mairie-1/up",  # not its shard
        "consigne/2/" + shard("mairie-1") + "/mairie-1/up",
        "consigne/1/" + shard("mairie-1") + "/mairie-1",
        "consigne/1/" + shard("mairie-1") + "/mairie-1/up/more",
        "consigne/1/" + shard("") + "//up",
        "consigne/1/" + shard("+") + "/+/up",
        "$SYS/broker/uptime/x/y",
    ):
        assert refusal_of(locker_of, name) == "malformed", name


def test_locker_ids_are_safe_in_topics_files_and_urls():
    for good in ("a", "mairie-1", "0", "x" * 32):
        assert is_locker_id(good), good
    for bad in ("", "-a", "A", "a_b", "a/b", "+", "#", "..", "a b", "\u00e9", "x" * 33, "a\n"):
        assert not is_locker_id(bad), bad
