"""New signing keys for a locker in the field: only by a signed statement, durable before it is told, two at most."""

from rig import Rig
from signer import OTHER_SECRET, SECRET, public_key, sign

from device.agent import events as on
from protocol import messages, tokens, trust
from protocol.ed25519_tables import prepare
from protocol.errors import number_of

DAY = 86_400
OLD_KID, NEW_KID = [tokens.key_id(public_key(secret)) for secret in (SECRET, OTHER_SECRET)]
NEW_TABLE = prepare(public_key(OTHER_SECRET))


def connected() -> Rig:
    rig = Rig()
    rig.connect()
    return rig


def signed(statement: trust.Statement, secret: bytes = SECRET) -> bytes:
    kid = tokens.key_id(public_key(secret))
    return trust.seal(statement, kid, lambda message: sign(secret, message))


def send_parts(rig: Rig, table: bytes = NEW_TABLE, kid: bytes = NEW_KID) -> None:
    for offset, part in trust.parts(table):
        rig.say(rig.gateway.say(messages.TrustPart(kid, offset, part)))


def change(rig: Rig, statement: bytes) -> int:
    rig.say(rig.gateway.say(messages.Trust(statement), ttl_s=DAY))
    answer = rig.flash.events()[-1]
    assert isinstance(answer, messages.CommandDone) and answer.order == messages.Trust.TYPE
    return answer.code


def badge(secret: bytes) -> bytes:
    claims = tokens.Token("velo", None, 4_000_000_000, b"badge009", tokens.COURIER, None, None)
    return tokens.seal(claims, tokens.key_id(public_key(secret)), lambda message: sign(secret, message)).encode()


def is_taken(rig: Rig, secret: bytes) -> bool:
    rig.keys("*")
    rig.wait(10_000)
    rig.do(on.Scanned(badge(secret)))
    return rig.screen[0] == "courier_ready"


def test_a_whole_rotation_needs_no_visit():
    rig = connected()
    assert not is_taken(rig, OTHER_SECRET)
    send_parts(rig)
    assert not is_taken(rig, OTHER_SECRET), "a table alone proves nothing"
    assert change(rig, signed(trust.to_add(NEW_TABLE))) == 0
    assert rig.flash.events()[-1].value == int.from_bytes(NEW_KID, "big")
    for _boot in range(2):
        assert is_taken(rig, SECRET) and is_taken(rig, OTHER_SECRET), "both, while badges of the old one are about"
        rig.power_on()
    rig.connect()
    assert change(rig, signed(trust.Statement(None, None, OLD_KID), OTHER_SECRET)) == 0
    for _boot in range(2):
        assert is_taken(rig, OTHER_SECRET) and not is_taken(rig, SECRET)
        rig.power_on()
    rig.connect()
    assert change(rig, signed(trust.to_add(prepare(public_key(SECRET))))) == number_of("unknown_key"), "the old is out"


def test_the_table_is_on_flash_before_the_answer_is():
    """The power goes before each effect in turn: never is a key answered for that is not there after the restart."""
    statement = signed(trust.to_add(NEW_TABLE))
    for cut in range(6):
        rig = connected()
        send_parts(rig)
        records = len(rig.flash.records)
        rig.cut_at = cut
        rig.say(rig.gateway.say(messages.Trust(statement), ttl_s=DAY))
        told = len(rig.flash.records) > records
        assert sorted(rig.config.trusted) == sorted(rig.flash.trusted), "an agent made anew believes what is on flash"
        rig.power_on()
        assert not told or NEW_KID in rig.flash.trusted, cut
        rig.connect()
        if NEW_KID not in rig.flash.trusted:
            assert change(rig, statement) == number_of("wrong_state"), "the parts are gone with the power"
            send_parts(rig)
        assert change(rig, statement) == 0 and is_taken(rig, OTHER_SECRET)


def test_a_table_that_is_not_the_signed_one_is_not_believed():
    statement = signed(trust.to_add(NEW_TABLE))
    wrong = NEW_TABLE[:2_000] + bytes([NEW_TABLE[2_000] ^ 1]) + NEW_TABLE[2_001:]
    for table in (wrong, NEW_TABLE[:-1], NEW_TABLE[1:] + b"x", b"", prepare(public_key(SECRET))):
        rig = connected()
        send_parts(rig, table)
        assert change(rig, statement) == number_of("wrong_state")
        assert list(rig.flash.trusted) == [OLD_KID] and not is_taken(rig, OTHER_SECRET)


def test_parts_out_of_order_twice_or_of_another_key_make_no_table():
    parts = trust.parts(NEW_TABLE)
    statement = signed(trust.to_add(NEW_TABLE))
    for places in ((1, 2, 3), (0, 2, 1, 3), (0, 1, 3), (3, 2, 1, 0), (0, 1, 2)):
        rig = connected()
        for place in places:
            rig.say(rig.gateway.say(messages.TrustPart(NEW_KID, parts[place][0], parts[place][1])))
        assert change(rig, statement) == number_of("wrong_state"), places
    rig = connected()
    for place in (0, 0, 1, 1, 2, 0, 1, 2, 3, 3):  # begun again, and each part again: what a repeated delivery does
        rig.say(rig.gateway.say(messages.TrustPart(NEW_KID, parts[place][0], parts[place][1])))
        rig.say(rig.gateway.say(messages.TrustPart(OLD_KID, 776, bytes(776))))
    assert change(rig, statement) == 0


def test_a_statement_of_a_stranger_changes_nothing():
    rig = connected()
    send_parts(rig)
    assert change(rig, signed(trust.to_add(NEW_TABLE), OTHER_SECRET)) == number_of("unknown_key")
    forged = bytearray(signed(trust.to_add(NEW_TABLE)))
    forged[-1] ^= 1
    assert change(rig, bytes(forged)) == number_of("bad_signature")
    assert change(rig, b"rubbish") == number_of("malformed")
    assert list(rig.flash.trusted) == [OLD_KID]


def test_the_last_key_is_never_dropped_and_a_third_never_taken():
    rig = connected()
    assert change(rig, signed(trust.Statement(None, None, OLD_KID))) == number_of("wrong_state")
    send_parts(rig)
    assert change(rig, signed(trust.to_add(NEW_TABLE))) == 0
    third = prepare(bytes([0x58]) + b"\x66" * 31)
    send_parts(rig, third, tokens.key_id(third[:32]))
    assert change(rig, signed(trust.to_add(third))) == number_of("no_room")
    send_parts(rig, third, tokens.key_id(third[:32]))
    assert change(rig, signed(trust.to_add(third, OLD_KID), OTHER_SECRET)) == 0, "one for another, in one step"
    assert sorted(rig.flash.trusted) == sorted([NEW_KID, tokens.key_id(third[:32])])


def test_asked_again_it_is_answered_again():
    rig = connected()
    send_parts(rig)
    statement = signed(trust.to_add(NEW_TABLE))
    for _ in range(2):
        assert change(rig, statement) == 0
    rig.power_on()
    rig.connect()
    assert change(rig, statement) == 0 and is_taken(rig, OTHER_SECRET)


def test_an_opened_lockers_key_alone_brings_in_no_signing_key():
    """Whoever has the locker's own key can seal commands to it, and still cannot sign."""
    rig = connected()
    send_parts(rig)
    by_locker_key = trust.seal(trust.to_add(NEW_TABLE), OLD_KID, lambda _message: bytes(64))
    assert change(rig, by_locker_key) == number_of("bad_signature")
