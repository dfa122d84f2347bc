"""The link against a broker and a gateway played by hand: how it lives, and what it believes."""

from played_gateway import KEY, KID, NOW_S, World

from device.agent.config import Config
from device.agent.drbg import Drbg
from device.agent.effects import Dial, HangUp, Send
from device.agent.link import Link
from protocol.cose import mac0, open_mac0
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
    Ack,
    Birth,
    Down,
    Heartbeat,
    Lost,
    Open,
    SetTime,
    Up,
    decode_up,
    encode,
)
from protocol.topics import topic


def test_going_online_ends_in_a_retained_birth_and_the_will_is_lost():
    world = World()
    assert world.link.state == "off"
    world.go_online()
    leaf, retained, up = world.said[0]
    assert (leaf, retained, up.boot, up.seq) == ("state", True, 5, 0)
    assert isinstance(up.event, Birth)
    name, will = world.will
    assert name == topic("mairie-1", "state").encode()
    assert decode_up(open_mac0(HmacKey(sub_key(KEY, "up")), KID, will)) == Up(5, 0, 0, None, Lost())


def test_nothing_is_told_before_the_birth():
    world = World()
    assert not world.link.tell(0, Heartbeat(1, 2, 3), world.effects)
    world.go_online()
    assert world.link.tell(0, Heartbeat(1, 2, 3), world.effects)
    world.lap()
    assert world.said[-1][2].event == Heartbeat(1, 2, 3)


def test_the_time_is_set_by_the_answer_to_our_nonce_once():
    world = World()
    world.go_online()
    assert world.link.wall_s(0) is None
    nonce = world.births()[0].nonce
    world.now = 5_000
    world.tell(SetTime(b"12345678", NOW_S))
    assert world.link.wall_s(world.now) is None and world.refusals() == ["stale"]
    world.tell(SetTime(nonce, NOW_S))
    assert world.link.wall_s(world.now) == NOW_S and world.link.wall_s(world.now + 90_000) == NOW_S + 90
    assert world.link.refused == 1
    world.now += 10_000
    world.tell(SetTime(nonce, NOW_S - 50_000))  # replayed
    assert world.link.wall_s(world.now) == NOW_S + 10
    assert len(world.births()) == 1


def test_a_time_that_was_held_back_is_refused_and_asked_for_anew():
    world = World()
    world.go_online()
    nonce = world.births()[0].nonce
    world.now = TIME_ANSWER_MS + 1
    world.tell(SetTime(nonce, NOW_S))
    assert world.link.wall_s(world.now) is None
    again = world.births()[-1].nonce
    assert again != nonce and len(world.births()) == 2
    world.tell(SetTime(again, NOW_S))
    assert world.link.wall_s(world.now) == NOW_S


def test_the_time_is_asked_for_again_after_hours():
    world = World()
    world.go_online()
    while world.now < CLOCK_SYNC_MS:
        world.now = world.link.deadline()
        world.lap()
    assert len(world.births()) == 2 and world.births()[0].nonce != world.births()[1].nonce


def test_the_clock_survives_a_break_of_the_link():
    world = World()
    world.go_online()
    world.tell(SetTime(world.births()[0].nonce, NOW_S))
    world.link.closed(world.now, "reset", world.effects)
    assert world.link.wall_s(world.now) == NOW_S


def test_commands_are_handed_up_and_acknowledged_after_they_are_handled():
    world = World()
    world.go_online()
    down = Down(b"abcdefgh", NOW_S, 60, Open(2, "test"))
    name = topic("mairie-1", "down").encode()
    body = len(name).to_bytes(2, "big") + name + b"\x00\x09" + world.seal(None, down=down)
    world.effects = []
    size = len(body)
    got = world.link.received(0, b"\x32" + bytes([size & 127 | 128, size >> 7]) + body, world.effects)
    assert got == [down] and world.effects == []
    world.link.tick(0, world.effects)
    assert world.effects == [Send(b"\x40\x02\x00\x09")]


def test_what_cannot_be_believed_is_refused_with_its_code():
    good = Open(1, "x")
    down = Down(bytes(8), NOW_S, 60, good)
    cases = (
        (lambda world: world.deliver(world.seal(good), retain=True), "retained"),
        (lambda world: world.deliver(world.seal(good, key=bytes(32))), "bad_mac"),
        (lambda world: world.deliver(world.seal(good, kid=b"\x04")), "unknown_key"),
        (lambda world: world.deliver(b"\xff\xff"), "malformed"),
        (lambda world: world.deliver(b""), "malformed"),
        (lambda world: world.deliver(world.seal(good), name="other/topic"), "malformed"),
        (lambda world: world.deliver(bytes(MESSAGE_SIZE_MAX + 1)), "too_large"),
        (lambda world: world.deliver(sealed(b"\x02" + encode(down)[2:])), "unknown_version"),
        (lambda world: world.deliver(sealed(encode(down)[1:-5] + b"\x0f\x82\x01\x61x")), "unknown_type"),
        (lambda world: world.deliver(sealed(encode(down)[1:] + b"\x00")), "malformed"),
        (lambda world: world.deliver(sealed(encode(down)[1:-3] + b"\x00\x61x")), "bad_value"),
    )

    def sealed(tail):
        return mac0(HmacKey(sub_key(KEY, "down")), KID, b"\x86" + tail)

    for act, code in cases:
        world = World()
        world.go_online()
        act(world)
        assert world.refusals() == [code] and world.link.last_error == code and world.link.refused == 1
        assert world.commands == [] and world.link.online


def test_refusals_are_told_at_most_once_a_second():
    world = World()
    world.go_online()
    for _ in range(30):
        world.deliver(b"rubbish")
    assert world.refusals() == ["malformed"] and world.link.refused == 30
    world.now += REFUSAL_PAUSE_MS
    world.deliver(b"rubbish")
    assert world.refusals() == ["malformed"] * 2


def test_the_first_wait_lies_anywhere_and_the_later_ones_between_two_bounds():
    world = World()
    world.link.start(0, world.effects)
    waits = []
    for _ in range(40):
        assert len(world.take(Dial)) == 1
        world.link.closed(world.now, "refused", world.effects)
        waits.append(world.link.deadline() - world.now)
        world.now = world.link.deadline()
        world.lap()
    world.now -= 1
    assert world.link.facts(world.now)["retry_ms"] == 0
    world.link.closed(world.now, "refused", world.effects)
    assert world.link.facts(world.now)["retry_ms"] == world.link.deadline() - world.now > 0
    assert waits[0] <= BACKOFF_FIRST_MS
    assert min(waits[1:]) >= BACKOFF_MS_MIN and max(waits) <= BACKOFF_MS_MAX
    assert max(waits[1:]) - min(waits[1:]) > (BACKOFF_MS_MAX - BACKOFF_MS_MIN) * 3 // 4
    assert len(set(waits)) > 30


def test_a_locker_whose_power_came_back_does_not_dial_at_once():
    world = World()
    world.link.start(0, world.effects, False)
    assert world.take(Dial) == [] and world.link.state == "waiting"
    assert world.link.deadline() <= BACKOFF_FIRST_MS
    world.come_back()
    assert world.link.online


def test_without_a_network_of_its_own_it_looks_again_sooner():
    world = World()
    world.link.start(0, world.effects)
    low, high = BACKOFF_OFFLINE_MS
    for _ in range(10):
        assert world.take(Dial)
        world.link.closed(world.now, "no_network", world.effects)
        assert low <= world.link.deadline() - world.now <= high
        world.now = world.link.deadline()
        world.lap()


def test_somebody_at_the_panel_makes_it_dial_at_once_but_not_with_every_key():
    world = World()
    world.go_online()
    world.link.somebody_came(world.now)
    assert world.link.online
    world.link.closed(world.now, "reset", world.effects)
    assert world.link.deadline() > world.now
    dialled = 0
    for _ in range(PRESENCE_MS // 1_000):
        world.link.somebody_came(world.now)
        world.lap()
        if world.take(Dial):
            dialled += 1
            world.link.closed(world.now, "refused", world.effects)
        world.now += 1_000
    assert dialled == 1
    world.link.somebody_came(world.now)
    world.lap()
    assert world.take(Dial)


def test_several_short_breaks_cost_no_more_than_one():
    world = World()
    world.go_online()
    for _ in range(10):
        world.now += LINK_STABLE_MS
        world.link.closed(world.now, "reset", world.effects)
        assert world.link.deadline() - world.now <= BACKOFF_FIRST_MS
        world.come_back()


def test_two_lockers_with_one_id_that_push_each_other_off_do_it_seldom():
    world = World()
    world.go_online()
    began, births = world.now, len(world.births())
    for _ in range(40):
        world.link.closed(world.now, "reset", world.effects)  # the other one came
        world.come_back()
        world.now += 1_000  # and comes again at once
    assert len(world.births()) - births == 40
    assert (world.now - began) // 40 > BACKOFF_MS_MIN


def test_two_lockers_do_not_come_back_together():
    calls = set()
    for seed in range(8):
        link = Link(Config("mairie-1", 3, KEY, [1], {}, 12, True, bytes(1)), 1, Drbg(bytes([seed])), 0)
        link.start(0, [])
        link.closed(0, "refused", [])
        calls.add(link.deadline())
    assert len(calls) == 8


def test_a_broker_that_accepts_and_drops_is_not_hammered():
    world = World()
    world.go_online()
    total = 0
    for _ in range(20):
        world.link.closed(world.now, "reset", world.effects)
        before = world.now
        world.come_back()
        total += world.now - before
    assert total > 19 * BACKOFF_MS_MIN


def test_a_link_that_stood_long_comes_back_fast():
    world = World()
    world.link.start(0, world.effects)
    for _ in range(10):
        world.link.closed(world.now, "refused", world.effects)
        world.now = world.link.deadline()
        world.lap()
    world.take(Dial)
    world.link.opened(world.now, world.effects)
    world.lap()
    for _ in range(10):
        world.now = world.link.deadline()
        world.lap()
    assert world.link.online
    world.link.closed(world.now, "reset", world.effects)
    assert world.link.deadline() - world.now <= BACKOFF_FIRST_MS


def test_a_call_that_is_never_answered_is_given_up():
    world = World()
    world.link.start(0, world.effects)
    world.take(Dial)
    world.now = world.link.deadline()
    assert world.now == DIAL_WAIT_MS
    world.lap()
    assert world.take(HangUp) and world.link.state == "waiting" and world.link.last_error == "timeout"


def test_a_broken_packet_hangs_up_with_its_reason_and_the_link_returns():
    world = World()
    world.go_online()
    world.receive(b"\xf0\x00")
    world.lap()
    assert world.take(HangUp) and world.link.last_error == "unexpected_packet" and not world.link.online
    world.come_back()
    assert world.link.online and world.link.connects == 2


def test_a_connection_nobody_waits_for_is_dropped():
    world = World()
    world.link.opened(0, world.effects)
    assert world.take(HangUp)
    world.link.closed(0, "reset", world.effects)
    assert world.link.state == "off"


def test_a_black_hole_is_noticed_and_left():
    world = World()
    world.go_online()
    world.broker = lambda _data: b""
    while not world.take(HangUp):
        world.now = max(world.now + 1, world.link.deadline())
        assert world.now < 30_000
        world.lap()
    assert world.link.last_error == "pingresp_timeout"


def test_facts_say_how_the_link_stands():
    world = World(last=4)
    world.go_online()
    world.tell(Ack(4))
    facts = world.link.facts(0)
    assert facts["retry_ms"] == 0
    assert facts["state"] == "online" and facts["acked"] == facts["last"] == 4 and facts["connects"] == 1
