"""The gateway's lap over a real Mosquitto and a real database: what is told is committed, and nothing counts twice."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mqtt_town import KEYS, TinyLocker, Town, make_pipeline, running_broker, running_town
from patience import wait_for

from gateway.domain.people import GATEWAY
from gateway.keys import Keys
from gateway.pipeline import Pipeline
from gateway.services import commands, doors, lockers
from protocol import cbor, cose, messages, topics
from protocol.errors import number_of
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.messages import (
    Ack,
    Birth,
    CommandDone,
    DoorOpened,
    Heartbeat,
    Lost,
    Open,
    Reject,
    Resend,
    Reserved,
    SetTime,
    Up,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with running_town(tmp_path) as made:
        yield made


def acked(locker: TinyLocker) -> int:
    return max([ack.seq for ack in locker.orders(Ack)], default=-1)


def test_a_birth_is_answered_with_the_time_and_where_the_books_stand(town: Town):
    locker, before = town.locker("mairie-1"), int(time.time())
    locker.birth()
    wait_for(lambda: locker.orders(Ack))
    (time_set,) = locker.orders(SetTime)
    assert isinstance(time_set, SetTime)
    assert time_set.nonce == b"nonce123"
    assert before <= time_set.now_s <= time.time()
    assert locker.heard.index(next(d for d in locker.heard if d.command == time_set)) == 0
    assert acked(locker) == 0


def test_an_event_is_in_the_books_before_its_ack_is_sent(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    for seq in range(1, 31):
        locker.say(seq, DoorOpened(1 + seq % 3))
        wait_for(lambda seq=seq: acked(locker) == seq)
        assert town.last_seq("mairie-1") == seq
    assert town.events() == [("mairie-1", seq) for seq in range(1, 31)]


def test_a_repeated_event_is_acked_again_and_counts_once(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    for times in range(1, 5):
        locker.say(1, DoorOpened(1))
        wait_for(lambda times=times: locker.orders(Ack).count(Ack(1)) == times)
    assert town.events() == [("mairie-1", 1)]


def test_a_gap_is_asked_for(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    locker.say(1, DoorOpened(1))
    locker.say(4, DoorOpened(2))
    wait_for(lambda: locker.orders(Resend))
    assert locker.orders(Resend)[-1] == Resend(2)
    assert town.last_seq("mairie-1") == 1


def test_a_burst_of_two_lockers_is_taken_whole_and_in_order(town: Town):
    some = [town.locker("mairie-1"), town.locker("gare-1")]
    for locker in some:
        locker.birth()
    for seq in range(1, 401):
        for locker in some:
            inside = messages.encode(Up(1, seq, seq, None, DoorOpened(1)))
            payload = cose.mac0(KEYS.hmac(locker.locker, 1, "up"), b"\x01", inside)
            locker.client.publish(topics.topic(locker.locker, "up"), payload, 1)
    wait_for(lambda: all(acked(locker) == 400 for locker in some))
    for locker in some:
        assert [seq for name, seq in town.events() if name == locker.locker] == list(range(1, 401))
    assert town.pipeline.counts.batches < 802  # what had arrived together was committed together


# ------------------------------------------------------------------ crashes
CHILD = """
import os, signal, sys, time
sys.path[:0] = sys.argv[1].split(":")
from pathlib import Path
from gateway.config import Address
from gateway.services.take_up import take_up
from mqtt_town import make_pipeline, open_desk
desk = open_desk(Path(sys.argv[2]))
pipeline = make_pipeline(desk, Address("127.0.0.1", int(sys.argv[3]), "_gateway", sys.argv[4]))
def die_after_commit(arrivals):
    answers = take_up(desk, list(arrivals))
    if any(arrival.up.seq == 3 for arrival in arrivals):
        os.kill(os.getpid(), signal.SIGKILL)
    return answers
pipeline._take_up = die_after_commit
pipeline.start()
time.sleep(60)
"""


def test_a_gateway_killed_between_commit_and_ack_takes_nothing_twice(tmp_path: Path):
    with running_town(tmp_path) as town:
        town.pipeline.stop()  # another process plays the gateway now
        arguments = [str(town.folder), str(town.broker.address.port), town.broker.address.password]
        places = f"{ROOT}:{Path(__file__).parent}"
        with subprocess.Popen([sys.executable, "-c", CHILD, places, *arguments], stderr=subprocess.DEVNULL) as child:
            locker = town.locker("mairie-1")
            locker.birth()
            wait_for(lambda: acked(locker) == 0)
            for seq in (1, 2, 3):
                locker.say(seq, DoorOpened(seq))
            assert child.wait(60) == -signal.SIGKILL
        assert town.last_seq("mairie-1") == 3
        assert acked(locker) < 3

        again = make_pipeline(town.desk, town.broker.address)
        again.start()
        try:
            wait_for(lambda: acked(locker) == 3)  # the broker gave it again, the books knew it
            locker.say(4, DoorOpened(1))
            wait_for(lambda: acked(locker) == 4)
        finally:
            again.stop()
        assert town.events() == [("mairie-1", seq) for seq in (1, 2, 3, 4)]


def test_what_lockers_say_while_the_gateway_is_away_waits_for_it(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    wait_for(lambda: acked(locker) == 0)
    town.pipeline.stop()
    for seq in (1, 2):
        locker.say(seq, DoorOpened(seq))
    again = make_pipeline(town.desk, town.broker.address)
    again.start()
    try:
        wait_for(lambda: acked(locker) == 2)
    finally:
        again.stop()


def test_a_gateway_that_comes_late_finds_the_lockers_that_are_there(tmp_path: Path):
    """It has no session at the broker yet: the retained births tell."""
    with running_town(tmp_path) as town:
        town.pipeline.stop()
        town.kill_broker()  # and with it every session
        locker = town.locker("gare-1")
        locker.birth()
        again = make_pipeline(town.desk, town.broker.address)
        again.start()
        try:
            wait_for(lambda: acked(locker) == 0)
        finally:
            again.stop()


def test_after_a_killed_broker_everything_goes_on(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    locker.say(1, DoorOpened(1))
    wait_for(lambda: acked(locker) == 1)
    town.kill_broker()
    locker.close()
    locker = town.locker("mairie-1")
    locker.birth(last_seq=2)
    wait_for(lambda: Resend(2) in locker.orders(Resend))
    locker.say(2, DoorOpened(2))
    wait_for(lambda: acked(locker) == 2)
    assert town.events() == [("mairie-1", 1), ("mairie-1", 2)]


def test_what_the_database_would_not_take_is_not_acknowledged_and_comes_again(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    wait_for(lambda: acked(locker) == 0)
    real, failures = town.pipeline._take_up, [0]

    def full_disk(arrivals):
        if failures[0] < 2:
            failures[0] += 1
            raise sqlite3.OperationalError("database or disk is full")
        return real(arrivals)

    town.pipeline._take_up = full_disk
    locker.say(1, DoorOpened(1))
    wait_for(lambda: acked(locker) == 1)
    assert failures == [2]
    assert town.events() == [("mairie-1", 1)]


def test_one_event_that_trips_over_our_own_bug_does_not_hold_up_the_others(town: Town):
    locker, other = town.locker("mairie-1"), town.locker("gare-1")
    for one in (locker, other):
        one.birth()
        wait_for(lambda one=one: acked(one) == 0)
    real = town.pipeline._take_up

    def buggy(arrivals):
        if any(arrival.locker == "mairie-1" for arrival in arrivals):
            raise KeyError("bug")
        return real(arrivals)

    town.pipeline._take_up = buggy
    locker.say(1, DoorOpened(1))
    other.say(1, DoorOpened(1))
    wait_for(lambda: acked(other) == 1)
    wait_for(lambda: locker.orders(Reject))
    assert locker.orders(Reject) == [Reject(1, number_of("wrong_state"))]
    assert town.events() == [("gare-1", 1)]


# ------------------------------------------------------------------ bad input
def rejections(locker: TinyLocker) -> list[tuple[int, int]]:
    return [(order.seq, order.code) for order in locker.orders(Reject)]


def still_works(town: Town, locker: TinyLocker, seq: int = 1) -> None:
    locker.say(seq, DoorOpened(1))
    wait_for(lambda: acked(locker) == seq)
    assert town.events() == [(locker.locker, seq)]


def test_an_unknown_version_is_answered(town: Town):
    locker = town.locker("mairie-1")
    locker.say_bytes(cbor.encode([2, 1, 1, 0, None, 17, [1]]))
    wait_for(lambda: rejections(locker) == [(0, number_of("unknown_version"))])
    still_works(town, locker)


def test_an_unknown_type_is_answered_with_its_number(town: Town):
    locker = town.locker("mairie-1")
    locker.say_bytes(cbor.encode([1, 1, 7, 0, None, 99, [1]]))
    wait_for(lambda: rejections(locker) == [(7, number_of("unknown_type"))])
    still_works(town, locker)


@pytest.mark.parametrize(
    ("inside", "word"),
    [
        (b"\x9f\xff", "malformed"),
        (b"", "malformed"),
        (cbor.encode([1, 1, 1, 0, None, 17, [1]]) + b"\x00", "malformed"),
        (bytes.fromhex("8701010100f611811801"), "not_canonical"),
        (cbor.encode([1, 1, 1, 0, None, 17, [0]]), "bad_value"),
        (cbor.encode([1, 1, 1, 0, None, 17, [401]]), "bad_value"),
        (cbor.encode([1, 1, 0, 0, None, 17, [1]]), "bad_value"),
        (b"\x81" * 50 + b"\x01", "too_large"),
    ],
)
def test_what_is_authentic_but_broken_inside_is_answered_with_its_code(town: Town, inside: bytes, word: str):
    locker = town.locker("mairie-1")
    locker.say_bytes(inside)
    wait_for(lambda: rejections(locker))
    assert rejections(locker)[0][1] == number_of(word)
    still_works(town, locker)


def test_a_forged_message_is_logged_and_not_answered(town: Town, capfd: pytest.CaptureFixture[str]):
    locker = town.locker("mairie-1")
    inside = messages.encode(Up(1, 1, 0, None, DoorOpened(1)))
    forged = cose.mac0(Keys.from_secrets(bytes(32), bytes(32)).hmac("mairie-1", 1, "up"), b"\x01", inside)
    for payload in (forged, cose.mac0(KEYS.hmac("mairie-1", 1, "down"), b"\x01", inside), inside, b"x", forged[:-1]):
        locker.throw(topics.topic("mairie-1", "up"), payload)
    still_works(town, locker)
    assert rejections(locker) == []
    assert town.pipeline.counts.refused == 5
    assert "message_refused locker=mairie-1 error=bad_mac" in capfd.readouterr().err


def test_a_flood_of_forged_messages_does_not_flood_the_log(town: Town, capfd: pytest.CaptureFixture[str]):
    locker = town.locker("mairie-1")
    for _ in range(50):
        locker.throw(topics.topic("mairie-1", "up"), b"garbage")
    wait_for(lambda: town.pipeline.counts.refused == 50)
    assert capfd.readouterr().err.count("message_refused") == 1


def test_another_lockers_message_is_not_taken_as_this_ones(town: Town):
    locker = town.locker("gare-1")
    inside = messages.encode(Up(1, 1, 0, None, DoorOpened(1)))
    locker.throw(topics.topic("gare-1", "up"), cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", inside))
    still_works(town, locker)


def test_a_message_on_the_wrong_shard_is_refused(town: Town):
    locker = town.locker("mairie-1")
    inside = messages.encode(Up(1, 1, 0, None, DoorOpened(1)))
    payload = cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", inside)
    wrong = "00" if topics.shard("mairie-1") != "00" else "01"
    locker.throw(f"consigne/1/{wrong}/mairie-1/up", payload)
    wait_for(lambda: town.pipeline.counts.refused == 1)
    assert town.events() == []


def test_a_retained_event_is_refused_with_an_answer(town: Town):
    locker = town.locker("mairie-1")
    locker.say(1, DoorOpened(1), retain=True)
    wait_for(lambda: rejections(locker) == [(1, number_of("retained"))])
    assert town.events() == []
    still_works(town, locker)


def test_an_oversize_message_never_reaches_the_books(town: Town):
    locker = town.locker("mairie-1")
    locker.throw(topics.topic("mairie-1", "up"), bytes(MESSAGE_SIZE_MAX + 1))
    still_works(town, locker)


def test_a_locker_unknown_to_the_gateway_is_logged_once_and_not_answered(
    town: Town, capfd: pytest.CaptureFixture[str]
):
    town.broker.sync([("mairie-1", 1), ("gare-1", 1), ("ghost-1", 1)])  # somebody else's broker would let it in
    wait_for(lambda: not TinyLockerTrial(town, "ghost-1").refused)
    ghost = town.locker("ghost-1")
    for _ in range(5):
        ghost.birth()
    wait_for(lambda: town.pipeline.counts.refused == 5)
    locker = town.locker("mairie-1")
    still_works(town, locker)  # by now an answer to the ghost would be on its way, and before what is sent to it next
    town.pipeline._connection.publish(ghost.down_topic, b"the end")
    town.pipeline.wake()
    wait_for(lambda: ghost.raw)
    assert ghost.raw == [(ghost.down_topic, b"the end")]
    assert capfd.readouterr().err.count("locker=ghost-1 error=unknown_locker") == 1


class TinyLockerTrial:
    def __init__(self, town: Town, name: str) -> None:
        one = TinyLocker(town.broker.address, name)
        one.close()
        self.refused = one.refused


def test_messages_of_a_key_before_the_last_provisioning_are_refused(town: Town):
    old = town.locker("mairie-1")
    old.birth()
    wait_for(lambda: old.orders(Reserved))  # the last of the answers: the next ones are sealed with another key
    lockers.provision_locker(town.desk, GATEWAY, "mairie-1")
    town.pipeline._envelopes.keep_only(lockers.provisioned(town.desk))  # as the clockwork does
    old.say(1, DoorOpened(1))
    wait_for(lambda: town.pipeline.counts.refused == 1)
    assert town.events() == []
    town.broker.sync(lockers.provisioned(town.desk))
    wait_for(lambda: not _refused(town))
    new = town.locker("mairie-1", generation=2)
    new.birth()
    wait_for(lambda: acked(new) == 0)
    still_works(town, new)


def _refused(town: Town) -> str:
    one = TinyLocker(town.broker.address, "mairie-1", generation=2)
    one.close()
    return one.refused


def test_telemetry_and_last_wills_need_no_answer(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    locker.say(1, DoorOpened(1))
    wait_for(lambda: acked(locker) == 1)  # all that its birth was answered with came before
    before = list(locker.heard)
    locker.say(0, Heartbeat(1, 2, 3))
    locker.say(0, Lost(), leaf="state")
    locker.say(2, DoorOpened(1))
    wait_for(lambda: acked(locker) == 2)
    assert [down.command for down in locker.heard[len(before) :]] == [Ack(2)]


# ------------------------------------------------------------------ the outbox
def test_an_order_reaches_its_locker_at_once_when_the_loop_is_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.OUTBOX_LOOK_S", 3_600.0)  # the timer alone would take an hour
    with running_town(tmp_path) as town:
        locker = town.locker("mairie-1")
        locker.birth()
        wait_for(lambda: acked(locker) == 0)
        for count in range(3):
            doors.open_compartment(town.desk, GATEWAY, "mairie-1", 1, "test")
            town.pipeline.wake()
            wait_for(lambda count=count: len(locker.orders(Open)) > count)
            _finish(locker, town)


def _finish(locker: TinyLocker, town: Town) -> None:
    down = [down for down in locker.heard if isinstance(down.command, Open)][-1]
    seq = town.last_seq("mairie-1") + 1
    locker.say(seq, CommandDone(down.id, down.issued_s, number_of("jammed"), Open.TYPE, 1, 0))
    wait_for(lambda: acked(locker) == seq)


def test_an_order_is_sent_once_and_again_after_each_birth_until_its_result(town: Town):
    locker = town.locker("mairie-1")
    locker.birth()
    wait_for(lambda: acked(locker) == 0)
    doors.set_service(town.desk, GATEWAY, "mairie-1", 1, True, "test")
    wait_for(lambda: _remembered(locker))
    all_was_heard(locker, 1)
    assert len(_remembered(locker)) == 1
    locker.birth(boot=2, last_seq=2)
    wait_for(lambda: len(_remembered(locker)) == 2)
    first, second = _remembered(locker)
    assert (first.id, first.issued_s, first.command) == (second.id, second.issued_s, second.command)
    locker.say(3, CommandDone(first.id, first.issued_s, 0, first.command.TYPE, 1, 1), boot=2)
    wait_for(lambda: acked(locker) == 3)
    locker.birth(boot=3, last_seq=3)
    all_was_heard(locker, 4, boot=3)
    assert len(locker.orders(SetTime)) == 3
    assert len(_remembered(locker)) == 2


def all_was_heard(locker: TinyLocker, seq: int, boot: int = 1) -> None:
    """The gateway looks into its outbox after each lap in which something came; what it finds there is sent before
    the next lap's answers."""
    for one in (seq, seq + 1):
        locker.say(one, DoorOpened(1), boot=boot)
        wait_for(lambda one=one: acked(locker) == one)


def _remembered(locker: TinyLocker) -> list[messages.Down]:
    return [down for down in list(locker.heard) if down.command.TYPE >= messages.FIRST_REMEMBERED_COMMAND]


def test_orders_of_a_locker_that_is_away_wait_and_run_out(town: Town):
    doors.open_compartment(town.desk, GATEWAY, "gare-1", 1, "test")
    town.pipeline.wake()
    wait_for(lambda: not commands.due_commands(town.desk, 10))
    locker = town.locker("gare-1")
    locker.birth()
    wait_for(lambda: locker.orders(Open))  # after its birth, within the order's time


def test_stopping_while_the_broker_is_away_takes_no_long_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.RECONNECT_S_MIN", 40.0)  # the pause in which it is stopped
    with running_town(tmp_path) as town:
        town.broker.stop()
        wait_for(lambda: not town.pipeline.connected)
        town.pipeline.stop()
        assert not town.pipeline.alive


def test_it_can_be_given_an_echo_in_place_of_the_books(tmp_path: Path):
    """As the bench does."""
    from gateway.config import Address  # noqa: PLC0415
    from gateway.domain.events import Answer  # noqa: PLC0415
    from gateway.envelopes import Envelopes  # noqa: PLC0415
    from gateway.mqtt import Connection  # noqa: PLC0415

    with running_broker(tmp_path) as broker:
        assert isinstance(broker.address, Address)
        pipeline = Pipeline(
            lambda arrivals: [Answer(arrival.locker, [Ack(arrival.up.seq)]) for arrival in arrivals],
            Envelopes(KEYS, lambda _locker: 1),
            None,
            Connection(broker.address),
        )
        pipeline.start()
        wait_for(lambda: pipeline.connected)
        locker = TinyLocker(broker.address, "mairie-1")
        locker.say(1, DoorOpened(1))
        wait_for(lambda: acked(locker) == 1)
        locker.close()
        pipeline.stop()


def test_births_are_kept_by_the_broker_and_bear_their_boot_number(town: Town):
    locker = town.locker("mairie-1")
    locker.birth(boot=5)
    wait_for(lambda: acked(locker) == 0)
    locker.say(0, Birth("test", b"nonce456", 1, 0, b"\x01" * 3), boot=4, leaf="state")  # an old one, held back
    locker.say(1, DoorOpened(1), boot=5)
    wait_for(lambda: acked(locker) == 1)
    assert len(locker.orders(SetTime)) == 1
