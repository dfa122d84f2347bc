"""The outbox against a gateway played by hand: in order, once, never ahead of the window, until it is acknowledged."""

from played_gateway import World

from device.agent.effects import Forget, HangUp, ReadJournal
from protocol.limits import (
    ACK_WAIT_MS,
    OUTBOX_WINDOW,
    REFUSAL_PAUSE_MS,
    RESEND_PAUSE_MS,
)
from protocol.messages import (
    Ack,
    Heartbeat,
    Reject,
    Resend,
)


def test_the_journal_waits_for_the_gateways_answer_to_the_birth():
    world = World(last=3)
    world.save()
    assert world.take(ReadJournal) == []
    world.go_online()
    assert world.seqs() == [] and world.read_journal() == []
    world.tell(Resend(1))
    assert world.read_journal() == [(1, 4)]
    assert world.seqs() == [1, 2, 3, 4]


def test_fresh_records_go_at_once_when_caught_up():
    world = World(last=2)
    world.go_online()
    world.tell(Ack(2))
    world.save(3)
    assert world.take(ReadJournal) == []
    assert world.seqs() == [3, 4, 5]
    world.tell(Ack(5))
    assert world.link.acked == 5 and world.take(Forget) == [Forget(2), Forget(5)]


def test_no_more_than_the_window_goes_ahead_of_the_ack():
    world = World()
    world.go_online()
    world.tell(Ack(0))
    world.save(OUTBOX_WINDOW + 3)
    assert world.seqs() == list(range(1, OUTBOX_WINDOW + 1))
    assert world.read_journal() == []
    world.tell(Ack(2))
    assert world.read_journal() == [(OUTBOX_WINDOW + 1, 2)]
    assert world.seqs() == [OUTBOX_WINDOW + 1, OUTBOX_WINDOW + 2]


def test_a_long_backlog_arrives_in_order_and_once():
    world = World(last=100)
    world.go_online()
    world.tell(Resend(1))
    got = []
    while world.link.acked < 100:
        world.read_journal()
        got.extend(world.seqs())
        world.tell(Ack(got[-1]))
    assert got == list(range(1, 101))


def test_a_fresh_record_waits_behind_those_being_read():
    world = World(last=2)
    world.go_online()
    world.tell(Resend(1))
    world.save()  # the journal has been asked for 1 and 2, and has not answered yet
    assert world.seqs() == []
    assert world.read_journal() == [(1, 2), (3, 1)]
    assert world.seqs() == [1, 2, 3]


def test_a_puback_proves_nothing():
    world = World()
    world.go_online()
    world.tell(Ack(0))
    world.save()
    assert world.seqs() == [1] and world.take(Forget) == []
    assert world.link.acked == 0 and world.link.outbox.last == 1


def test_without_an_ack_the_records_are_sent_again():
    world = World()
    world.go_online()
    world.tell(Ack(0))
    world.save(2)
    assert world.seqs() == [1, 2]
    for _ in range(2):
        start = world.now
        while world.now < start + ACK_WAIT_MS:
            world.now = max(world.now + 1, min(world.link.deadline(), start + ACK_WAIT_MS))
            world.lap()
        assert world.read_journal() == [(1, 2)]
        assert world.seqs() == [1, 2]


def test_after_a_reconnect_it_starts_again_where_the_gateway_says():
    world = World()
    world.go_online()
    world.tell(Ack(0))
    world.save(4)
    assert world.seqs() == [1, 2, 3, 4]
    world.link.closed(world.now, "reset", world.effects)
    assert world.link.state == "waiting" and world.link.last_error == "reset"
    world.come_back()
    assert world.seqs() == []
    world.tell(Resend(3))
    assert world.read_journal() == [(3, 2)]
    assert world.seqs() == [3, 4]
    world.tell(Resend(4))
    assert world.read_journal() == [(4, 1)] and world.link.refused == 0


def test_an_answer_of_the_journal_from_before_the_break_is_dropped():
    world = World(last=3)
    world.go_online()
    world.tell(Resend(1))
    stale = world.take(ReadJournal)
    world.link.closed(world.now, "reset", world.effects)
    world.come_back()
    world.tell(Resend(2))
    assert world.take(ReadJournal) == []  # one is outstanding already
    world.link.journal_read(world.now, stale[0].first, [world.journal[1]], world.effects)
    world.lap()
    assert world.seqs() == []
    assert world.read_journal() == [(2, 2)]
    assert world.seqs() == [2, 3]


def test_a_gap_is_filled_from_the_journal_once_though_it_is_named_often():
    world = World()
    world.go_online()
    world.tell(Ack(0))
    world.save(6)
    world.seqs()
    for _ in range(4):
        world.tell(Resend(3))
    assert world.read_journal() == [(3, 4)]
    world.tell(Resend(3))
    assert world.read_journal() == [] and world.seqs() == [3, 4, 5, 6]
    world.now += RESEND_PAUSE_MS
    world.tell(Resend(3))
    assert world.read_journal() == [(3, 4)]


def test_a_restored_gateway_gets_old_records_again():
    world = World(last=20)
    world.go_online()
    world.tell(Ack(20))
    world.tell(Resend(5))
    assert world.read_journal() == [(5, OUTBOX_WINDOW)]
    assert world.seqs() == list(range(5, 5 + OUTBOX_WINDOW))


def test_an_ack_or_resend_of_what_was_never_saved_is_refused():
    world = World(last=2)
    world.go_online()
    world.tell(Ack(2))
    world.now += REFUSAL_PAUSE_MS
    world.tell(Ack(3))
    world.now += REFUSAL_PAUSE_MS
    world.tell(Resend(4))
    world.now += REFUSAL_PAUSE_MS
    world.tell(Resend(0))
    assert world.refusals() == ["bad_value"] * 3
    assert world.link.acked == 2 and world.link.refused == 3 and world.take(Forget) == [Forget(2)]


def test_an_old_ack_changes_nothing():
    world = World(last=5)
    world.go_online()
    world.tell(Ack(5))
    world.tell(Ack(2))
    assert world.link.acked == 5 and world.take(Forget) == [Forget(5)] and world.read_journal() == []


def test_a_rejected_record_is_kept_and_offered_again_at_leisure():
    world = World(last=2)
    world.go_online()
    world.tell(Resend(1))
    world.read_journal()
    assert world.seqs() == [1, 2]
    world.tell(Reject(1, 5))
    assert world.link.last_error == "rejected_unknown_type"
    for _ in range(5):
        world.now += RESEND_PAUSE_MS
        world.tell(Resend(1))
    assert world.read_journal() == [] and world.seqs() == []
    world.now = max(world.now, ACK_WAIT_MS)
    world.lap()
    assert world.read_journal() == [(1, 2)]


def test_a_told_message_that_is_rejected_stops_nothing():
    world = World(last=2)
    world.go_online()
    world.tell(Ack(2))
    world.tell(Reject(0, 6))
    assert world.link.last_error == "rejected_bad_value"
    world.save()
    world.seqs()
    world.tell(Resend(3))
    assert world.read_journal() == [(3, 1)]


def test_a_journal_that_lost_records_is_not_asked_in_a_circle():
    world = World(last=3)
    world.journal = {}
    world.go_online()
    world.tell(Resend(1))
    assert world.read_journal() == [(1, 3)]
    assert world.seqs() == []
    world.save()
    assert world.seqs() == [4]  # the gateway will say what it lacks


def test_a_broker_that_never_acknowledges_does_not_stop_the_locker():
    world = World()
    world.go_online()
    world.puback = False
    world.tell(Ack(0))
    world.save(40)
    for _ in range(40):
        world.link.tell(world.now, Heartbeat(0, 0, 0), world.effects)
        world.lap()
    assert world.seqs() == list(range(1, OUTBOX_WINDOW + 1))
    while not world.take(HangUp):
        world.now = max(world.now + 1, world.link.deadline())
        world.lap()
    world.puback = True
    world.come_back()
    world.tell(Resend(1))
    world.read_journal()
    assert world.seqs() == list(range(1, OUTBOX_WINDOW + 1))


def test_a_gateway_restored_from_a_backup_is_given_what_it_lacks_though_all_was_acknowledged():
    world = World(last=30)
    world.go_online()
    world.tell(Ack(30))
    world.link.closed(world.now, "reset", world.effects)
    world.come_back()
    world.tell(Resend(11))  # its answer to the birth: the books end at 10 again
    got = []
    while len(got) < 20:
        world.read_journal()
        got.extend(world.seqs())
        world.tell(Ack(got[-1]))
    assert got == list(range(11, 31)) and world.link.acked == 30
    assert world.take(Forget)[-1] == Forget(30)


def test_a_first_ack_that_is_lower_than_before_forgets_nothing_and_is_no_fault():
    world = World(last=5)
    world.go_online()
    world.tell(Ack(5))
    world.link.closed(world.now, "reset", world.effects)
    world.come_back()
    world.take(Forget)
    world.tell(Ack(2))
    assert world.take(Forget) == [] and world.link.refused == 0
    world.save()
    assert world.seqs() == [6]
    world.tell(Resend(3))  # the gateway sees the gap and names it
    assert world.read_journal() == [(3, 4)]
    assert world.seqs() == [3, 4, 5, 6]


def test_an_ack_of_what_is_not_there_begins_nothing():
    world = World(last=2)
    world.go_online()
    world.tell(Ack(7))
    assert world.refusals() == ["bad_value"] and world.link.acked == 0
    assert world.take(ReadJournal) == []
    world.tell(Resend(1))
    assert world.read_journal() == [(1, 2)]


def test_a_hole_in_the_journal_is_told_by_a_birth_and_what_lies_behind_it_goes_on():
    world = World(last=12)
    for seq in (3, 4):
        del world.journal[seq]
    world.go_online()
    world.tell(Resend(1))
    world.read_journal()
    assert world.seqs() == [1, 2, 5, 6, 7, 8, 9, 10]
    world.now += RESEND_PAUSE_MS
    world.tell(Resend(3))
    assert world.read_journal() == [(3, 8)]
    assert [birth.first_seq for birth in world.births()] == [5]
    assert world.seqs() == []
    world.tell(Resend(5))  # the gateway has an alarm, and goes on behind the hole
    assert world.read_journal() == [(5, 8)]
    assert world.seqs() == list(range(5, 13))
    world.tell(Ack(12))
    world.save()
    assert world.seqs() == [13] and world.births() == [] and world.link.refused == 0


def test_a_gateway_that_goes_on_asking_for_what_is_gone_gets_births_at_leisure_and_no_storm():
    world = World(last=30)
    for seq in range(1, 21):
        del world.journal[seq]
    world.go_online()
    world.said = []
    for _ in range(60):
        world.tell(Resend(1))
        world.read_journal()
        world.now += 1_000
        world.lap()
    assert 0 < len(world.births()) <= 60_000 // RESEND_PAUSE_MS
    assert [birth.first_seq for birth in world.births()] == [21] * len(world.births())
    assert world.seqs() == []
