"""Events are taken up once, in order, whatever is repeated, missing, old or impossible."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import CLOSED, COLIBRI, NOW_S, OPERATOR, Town, open_town, said

from gateway.domain.events import Answer, Arrival
from gateway.services import commands, doors, events, lockers, parcels
from gateway.services.alarms import open_alarms
from gateway.services.take_up import take_up
from protocol.errors import number_of
from protocol.messages import (
    Ack,
    Birth,
    Booted,
    BucketRefilled,
    CodeRefused,
    Collected,
    CommandDone,
    ContentsDoubted,
    CourierIdentified,
    DepositAbandoned,
    DepositAuthorised,
    Deposited,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    Heartbeat,
    Join,
    Lost,
    Message,
    Open,
    OpeningAuthorised,
    PickupAuthorised,
    Reissue,
    Reject,
    Release,
    Resend,
    Reserved,
    Revoke,
    ServiceActed,
    SetTime,
    TokenRevoked,
    Up,
)
from protocol.numbers import (
    COMMAND,
    CONSOLE,
    DEPOSITING,
    DOOR_STATES,
    FREE,
    HELD,
    KEYPAD,
    MISSING,
    QUARANTINED_FLAG,
    SCANNER,
    SENSOR_FAULTY,
)

OPEN, FORCED, LEFT_OPEN, OUT_OF_SERVICE = (
    DOOR_STATES.index(word) for word in ("open", "forced", "left_open", "out_of_service")
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def logged(town: Town) -> list[int]:
    return [event.seq for event in events.list_events(town.desk, OPERATOR)[0]]


# ------------------------------------------------------------------ once and in order
def test_the_same_batch_twice_changes_nothing_and_is_acknowledged_again(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    journey: list[Message] = [
        DepositAuthorised(1, 1, 1, parcel.number, None, None),
        DoorOpened(1),
        Deposited(1, 1, parcel.number),
        PickupAuthorised(1, 1, KEYPAD, 0, None),
        DoorOpened(1),
        Collected(1, 1),
        CodeRefused(KEYPAD, 26, 0),
        DoorFaulted(1, FORCED, True),
    ]
    batch = [town.up("mairie-1", message, place + 1) for place, message in enumerate(journey)]
    assert said(take_up(town.desk, batch)) == [Reserved(b""), Ack(8)]
    before = town.dump()
    assert said(take_up(town.desk, batch)) == [Ack(8)]
    assert said(take_up(town.desk, batch[3:5])) == [Ack(8)]
    assert town.dump() == before
    assert logged(town) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_gap_is_asked_for_and_nothing_behind_it_is_applied(town: Town) -> None:
    town.locker("S")
    first, second, third = (town.up("mairie-1", DoorOpened(1), seq) for seq in (1, 2, 3))
    assert said(take_up(town.desk, [first, third])) == [Resend(2)]
    assert logged(town) == [1]
    assert said(take_up(town.desk, [third, second])) == [Resend(3)]
    assert said(take_up(town.desk, [third])) == [Ack(3)]
    assert logged(town) == [1, 2, 3]


def test_any_order_repetition_and_loss_ends_in_the_same_books(tmp_path: Path) -> None:
    """A bad link between two lockers and the desk; both send again from what the desk asks for."""
    messages: list[Message] = [DoorOpened(1), DoorClosed(1), DoorOpened(2), CourierIdentified(bytes(8), "colibri")] * 6
    for seed in range(10):
        chance = random.Random(seed)
        (tmp_path / str(seed)).mkdir()
        town = open_town(tmp_path / str(seed))
        want = {town.locker("S", "S", locker=name): 1 for name in ("gare-1", "mairie-1")}
        while any(seq <= len(messages) for seq in want.values()):
            sent = [
                town.up(name, messages[seq - 1], seq)
                for name, start in want.items()
                for seq in range(max(1, start - 2), min(start + 6, len(messages) + 1))
                if chance.random() > 0.3
            ]
            chance.shuffle(sent)
            for answer in take_up(town.desk, sent):
                for message in answer.messages:
                    assert isinstance(message, Ack | Resend)
                    want[answer.locker] = message.seq + (1 if isinstance(message, Ack) else 0)
        found, _ = events.list_events(town.desk, OPERATOR)
        for name in want:
            assert [event.seq for event in found if event.locker == name] == list(range(1, 25)), f"seed {seed}"
        town.store.close()


def test_each_locker_of_a_batch_gets_its_own_answer(town: Town) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    arrivals = [
        town.up("mairie-1", DoorOpened(1), 1),
        town.up("gare-1", DoorOpened(1), 2),
        town.up("mairie-1", DoorClosed(1), 2),
        town.up("port-9", DoorOpened(1), 5),
    ]
    assert sorted(take_up(town.desk, arrivals), key=lambda answer: answer.locker) == [
        Answer("gare-1", [Resend(1)]),
        Answer("mairie-1", [Ack(2)]),
        Answer("port-9", [Reject(5, number_of("unknown_locker"))]),
    ]


def test_an_empty_batch_is_no_trouble(town: Town) -> None:
    assert take_up(town.desk, []) == []


# ------------------------------------------------------------------ births and deaths
def test_a_birth_is_answered_with_the_time_and_what_is_missing(town: Town) -> None:
    town.locker("S")
    assert town.tell("mairie-1", Birth("1.0.0", b"nonce--8", 1, 0, bytes([CLOSED]))) == [
        SetTime(b"nonce--8", NOW_S),
        Ack(0),
        Reserved(b""),
    ]
    assert town.tell("mairie-1", Birth("1.0.0", b"nonce--9", 1, 7, bytes([CLOSED]))) == [
        SetTime(b"nonce--9", NOW_S),
        Resend(1),
        Reserved(b""),
    ]
    assert town.tell("mairie-1", Heartbeat(1, 2, 3)) == []


def test_the_doors_of_a_birth_count_only_when_the_books_have_come_that_far(town: Town) -> None:
    town.locker("S", "S")
    town.tell("mairie-1", Birth("1.0.0", bytes(8), 1, 2, bytes([OPEN, QUARANTINED_FLAG | CLOSED])))
    assert town.availability() == ["free", "free"]
    town.says("mairie-1", Booted("1.0.0", "power"))
    assert town.availability() == ["free", "free"]
    town.says("mairie-1", DoorOpened(1))
    assert town.availability() == ["open", "quarantined"]


def test_an_old_birth_and_an_old_will_change_nothing(town: Town) -> None:
    town.locker("S")
    town.boots["mairie-1"] = 5
    town.wake("mairie-1", 1)
    town.now[0] += 60
    before = town.dump()
    for old in (Birth("0.9", bytes(8), 1, 99, bytes([OPEN])), Lost(), Heartbeat(1, 2, 3)):
        assert take_up(town.desk, [Arrival("mairie-1", Up(4, 0, 1, None, old))]) == []
    assert town.dump() == before
    town.tell("mairie-1", Lost())
    assert not lockers.get_locker(town.desk, OPERATOR, "mairie-1").online
    town.tell("mairie-1", Heartbeat(1, 2, 3))
    assert lockers.get_locker(town.desk, OPERATOR, "mairie-1").online


def test_a_retained_birth_read_again_by_a_new_gateway_takes_nothing_back(town: Town) -> None:
    town.locker("S")
    retained = Birth("1.0.0", bytes(8), 1, 0, bytes([OPEN]))
    town.tell("mairie-1", retained)
    town.says("mairie-1", DoorClosed(1), DoorFaulted(1, FORCED, True), DoorClosed(1))
    assert town.tell("mairie-1", retained) == [SetTime(bytes(8), NOW_S), Ack(3), Reserved(b"")]
    assert (town.availability(), town.alarms()) == (["quarantined"], ["door_forced"])


def test_a_journal_that_lost_its_end_does_not_make_its_next_events_repeats(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", DoorOpened(1), DoorClosed(1), DoorOpened(1), DoorClosed(1))
    town.boots["mairie-1"], town.seqs["mairie-1"] = 2, 2
    town.wake("mairie-1", 1)
    assert town.alarms() == ["journal_went_back"]
    assert town.says("mairie-1", DoorOpened(1)) == [Ack(3)]
    assert town.availability() == ["open"]


def test_a_birth_that_comes_after_its_own_events_takes_nothing_back(town: Town) -> None:
    """The broker held it back; it says that there was nothing to tell yet."""
    town.locker("S")
    town.boots["mairie-1"] = 2
    town.says("mairie-1", DoorOpened(1), DoorClosed(1))
    town.tell("mairie-1", Birth("1.0.0", bytes(8), 1, 0, bytes([CLOSED])))
    assert town.alarms() == []
    assert town.says("mairie-1", DoorOpened(1)) == [Ack(3)]


def test_events_that_no_journal_holds_any_more_are_an_alarm_and_not_a_standstill(town: Town) -> None:
    town.locker("S")
    town.tell("mairie-1", Birth("1.0.0", bytes(8), 51, 60, bytes([CLOSED])))
    assert town.alarms() == ["events_lost"]
    assert said(take_up(town.desk, [town.up("mairie-1", DoorOpened(1), 51)])) == [Ack(51)]


def test_a_hole_that_a_locker_finds_in_its_journal_is_an_alarm_once_and_what_follows_goes_on(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", DoorOpened(1), DoorClosed(1))
    assert said(take_up(town.desk, [town.up("mairie-1", DoorOpened(1), 5)])) == [Resend(3)]
    told = Birth("1.0.0", bytes(8), 5, 6, bytes([CLOSED]))
    for _ in range(2):  # whether its first answer came the locker cannot know
        assert town.tell("mairie-1", told)[1] == Resend(5)
    assert town.alarms() == ["events_lost"]
    assert said(take_up(town.desk, [town.up("mairie-1", DoorOpened(1), 5)])) == [Ack(5)]
    assert said(take_up(town.desk, [town.up("mairie-1", DoorClosed(1), 6)])) == [Ack(6)]


def test_a_birth_of_other_compartments_than_registered_is_an_alarm(town: Town) -> None:
    town.locker("S")
    town.wake("mairie-1", 3)
    assert town.alarms() == ["compartments_differ"]


def test_a_byte_that_names_no_door_state_is_passed_over(town: Town) -> None:
    town.locker("S", "S")
    town.wake("mairie-1", 2, bytes([0x0F, OPEN]))
    assert town.availability() == ["free", "open"]


def test_a_birth_that_holds_what_the_books_do_not_know_is_offered_to_nobody(town: Town) -> None:
    town.locker("S", "S", "S")
    town.deposited("label-1")
    town.wake("mairie-1", 3, bytes([CLOSED, HELD << 4 | CLOSED, DEPOSITING << 4 | CLOSED]))
    assert town.availability() == ["quarantined", "quarantined", "occupied"]
    assert set(town.alarms()) == {"parcel_unknown_to_its_locker", "deposit_of_an_unknown_parcel", "holding_differs"}


def test_after_a_birth_unanswered_commands_are_sent_again_under_the_same_id(town: Town) -> None:
    town.locker("S")
    doors.open_compartment(town.desk, OPERATOR, "mairie-1", 1, "cleaning")
    (first,) = commands.due_commands(town.desk, 10)
    town.sent()
    assert town.outbox() == []
    town.wake("mairie-1", 1)
    assert commands.due_commands(town.desk, 10) == [first]
    down = first[1]
    town.says("mairie-1", OpeningAuthorised(1, COMMAND, "cleaning", down.id, down.issued_s))
    town.wake("mairie-1", 1)
    assert town.outbox() == []


def test_a_birth_lifts_no_quarantine_of_the_gateways_own(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", DoorFaulted(1, FORCED, True), DoorClosed(1))
    town.wake("mairie-1", 1)
    assert town.availability() == ["quarantined"]


# ------------------------------------------------------------------ what cannot be true
def test_a_parcel_the_gateway_never_heard_of_occupies_its_compartment_and_is_an_alarm(town: Town) -> None:
    town.locker("S", "S")
    town.put_in("mairie-1", 1, 1, 4711)
    assert (town.alarms(), town.availability()) == (["deposit_of_an_unknown_parcel"], ["occupied", "free"])


def test_a_parcel_in_another_compartment_than_planned_is_where_the_locker_says(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    kept = parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    assert kept.compartment == 1
    town.put_in("mairie-1", 2, 1, parcel.number)
    assert town.parcel(parcel.number).compartment == 2
    assert (town.availability(), town.alarms()) == (["free", "occupied"], [])


def test_a_reservation_that_lost_its_door_is_made_anew(town: Town) -> None:
    town.locker("S", "S")
    one, two = town.expect("label-1"), town.expect("label-2")
    assert parcels.reserve_compartment(town.desk, COLIBRI, one.number).compartment == 1
    town.put_in("mairie-1", 1, 1, two.number)
    assert town.parcel(one.number).state == "expected"
    assert parcels.reserve_compartment(town.desk, COLIBRI, one.number).compartment == 2


def test_two_parcels_in_one_compartment_are_disputed_quarantined_and_told(town: Town) -> None:
    town.locker("S")
    first = town.deposited("label-1")
    second = town.expect("label-2")
    town.put_in("mairie-1", 1, 2, second.number)
    assert (town.parcel(first.number).state, town.parcel(second.number).state) == ("disputed", "deposited")
    assert town.alarms() == ["two_parcels_in_one_compartment"]
    town.fetch(town.parcel(second.number))
    assert town.availability() == ["quarantined"]
    doors.release_compartment(town.desk, OPERATOR, "mairie-1", 1, "looked")
    down = commands.due_commands(town.desk, 10)[-1][1]
    assert down.command == Release(1)
    town.says("mairie-1", CommandDone(down.id, down.issued_s, 0, Release.TYPE, 1, 0))
    assert (town.availability(), town.alarms()) == (["free"], [])


def test_an_impossible_life_is_an_alarm_and_never_an_exception(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.deposited("label-1")
    town.fetch(parcel)
    town.put_in("mairie-1", 2, 1, parcel.number)  # collected, and put in again
    town.says(
        "mairie-1", PickupAuthorised(1, 77, KEYPAD, 0, None), Collected(1, 77), DoorOpened(9), Deposited(9, 1, 1)
    )
    assert set(town.alarms()) == {
        "deposit_of_a_parcel_that_cannot_be",
        "pickup_of_an_unknown_parcel",
        "unknown_compartment",
    }
    assert town.parcel(parcel.number).state == "collected"
    assert len(logged(town)) == 13


def test_the_same_door_opened_again_by_the_same_person_is_no_second_pickup(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.fetch(parcel)
    town.says("mairie-1", PickupAuthorised(1, 1, KEYPAD, 1, None), DoorOpened(1), DoorClosed(1), Collected(1, 1))
    assert (town.parcel(parcel.number).state, town.alarms(), town.availability()) == ("collected", [], ["free"])


def test_a_late_word_about_an_earlier_deposit_does_not_empty_the_compartment(town: Town) -> None:
    town.locker("S")
    town.fetch(town.deposited("label-1"))
    second = town.deposited("label-2")
    town.says("mairie-1", Collected(1, 1), DepositAbandoned(1, 2, second.number, 0))
    assert (town.parcel(second.number).state, town.availability()) == ("deposited", ["occupied"])


def test_a_forced_door_is_an_alarm_with_its_parcel_and_offered_to_nobody(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.says("mairie-1", DoorFaulted(1, FORCED, True))
    (alarm,) = open_alarms(town.desk, OPERATOR)
    assert (alarm.kind, alarm.compartment, alarm.parcel) == ("door_forced", 1, parcel.number)
    assert town.availability() == ["quarantined"]
    town.says("mairie-1", DoorFaulted(1, 200, False))
    assert "door_faulty" in town.alarms()


def test_a_door_that_its_locker_took_out_of_service_is_out_until_an_operator_brings_it_back(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", DoorFaulted(1, OUT_OF_SERVICE, True), DoorClosed(1))
    assert (town.alarms(), town.availability()) == (["door_out_of_service"], ["out_of_service"])


def test_contents_against_the_books_are_an_alarm_and_keep_the_compartment_from_being_offered(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", ContentsDoubted(1, SENSOR_FAULTY))
    assert (town.alarms(), town.availability()) == (["contents_sensor_faulty"], ["free"])
    parcel = town.deposited("label-1")
    town.says("mairie-1", ContentsDoubted(1, MISSING))
    (alarm, _faulty) = sorted(open_alarms(town.desk, OPERATOR), key=lambda alarm: alarm.kind)
    assert (alarm.kind, alarm.parcel) == ("contents_missing", parcel.number)
    assert town.availability() == ["quarantined"]


def test_a_door_left_open_is_an_alarm_until_it_closes(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", DoorOpened(1), DoorFaulted(1, LEFT_OPEN, False))
    assert (town.alarms(), town.availability()) == (["door_left_open"], ["open"])
    town.says("mairie-1", DoorClosed(1))
    assert (town.alarms(), town.availability()) == ([], ["free"])


def test_an_empty_bucket_is_an_alarm_until_it_fills_again(town: Town) -> None:
    town.locker("S")
    town.says("mairie-1", CodeRefused(KEYPAD, 26, 1))
    assert town.alarms() == []
    town.says("mairie-1", CodeRefused(KEYPAD, 26, 0))
    assert town.alarms() == ["typed_codes_closed"]
    town.says("mairie-1", BucketRefilled(1))
    assert town.alarms() == []


def test_a_code_that_was_taken_back_and_is_tried_is_one_alarm(town: Town) -> None:
    town.locker("S")
    for channel in (KEYPAD, SCANNER, CONSOLE):
        town.says("mairie-1", CodeRefused(channel, number_of("revoked"), 9))
    (alarm,) = open_alarms(town.desk, OPERATOR)
    assert (alarm.kind, alarm.compartment) == ("revoked_code_tried", 0)
    town.says("mairie-1", CodeRefused(SCANNER, number_of("revoked"), 0))
    assert set(town.alarms()) == {"revoked_code_tried", "typed_codes_closed"}


def test_a_result_of_a_command_nobody_knows_still_says_what_the_locker_did(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.says("mairie-1", CommandDone(b"unknown!", NOW_S, 0, Revoke.TYPE, 1, 1))
    with town.store.reading() as tx:
        box = tx.compartment("mairie-1", 1)
    assert box is not None and box.holding == 3
    assert town.parcel(parcel.number).state == "deposited"
    town.says("mairie-1", CommandDone(b"unknown?", NOW_S, 17, Open.TYPE, 1, 0), ServiceActed("anna", "journal"))


def test_no_sequence_of_messages_makes_the_desk_raise(tmp_path: Path) -> None:
    """Whatever a locker with a good key says, in any order: the books stay whole, and every event is answered."""
    for seed in range(30):
        chance = random.Random(seed)
        (tmp_path / str(seed)).mkdir()
        town = open_town(tmp_path / str(seed), seed)
        town.locker("S", "M", "L*")
        numbers = [town.expect(f"label-{place}", chance.choice("SML")).number for place in range(4)] + [4711]
        badge = town.badge()
        for _ in range(60):
            message = any_message(chance, numbers)
            if message.TYPE < 16:
                town.tell("mairie-1", message)
            else:
                assert town.says("mairie-1", message)[-1] == Ack(town.seqs["mairie-1"]), f"seed {seed}"
            if chance.random() < 0.2:
                town.ask("mairie-1", badge, f"label-{chance.randrange(5)}", chance.randrange(4))
            if chance.random() < 0.1:
                town.now[0] += chance.choice((40, 100, 90_000))
                commands.expire_commands(town.desk)
        whole(town, seed)
        town.store.close()


def any_message(chance: random.Random, numbers: list[int]) -> Message:
    box, deposit, parcel = chance.randint(1, 4), chance.randint(1, 3), chance.choice(numbers)
    command = chance.choice([None, chance.randbytes(8)])
    return chance.choice(
        [
            DoorOpened(box),
            DoorClosed(box),
            DoorFaulted(box, chance.randrange(12), chance.random() < 0.3),
            DepositAuthorised(box, deposit, 1, parcel, command, None),
            Deposited(box, deposit, parcel),
            DepositAbandoned(box, deposit, parcel, chance.randrange(5)),
            PickupAuthorised(box, deposit, KEYPAD, chance.randrange(3), None),
            Collected(box, deposit),
            OpeningAuthorised(box, COMMAND, None, command, None),
            CommandDone(chance.randbytes(8), 1, chance.randrange(40), chance.randrange(16, 27), box, deposit),
            CommandDone(chance.randbytes(8), 1, 0, Reissue.TYPE, box, chance.randint(1, 6)),
            CommandDone(chance.randbytes(8), 1, 0, Join.TYPE, box, chance.choice((0, 7, 2**40))),
            CodeRefused(KEYPAD, chance.randrange(40), chance.randrange(3)),
            PickupAuthorised(box, deposit, KEYPAD, chance.randrange(3), chance.randbytes(8)),
            TokenRevoked(chance.randbytes(8), 1, chance.randbytes(8), 1),
            Heartbeat(1, 1, 1),
            Lost(),
        ]
    )


def whole(town: Town, seed: int) -> None:
    """What must hold however strange the story was."""
    with town.store.reading() as tx:
        allocated = tx.allocated("mairie-1")
        for number in allocated.values():
            parcel = tx.parcel(number)
            assert parcel is not None and parcel.state in ("reserved", "deposited", "expired"), f"seed {seed}"
        for box in tx.compartments_of("mairie-1"):
            if box.holding == FREE and box.number in allocated:
                kept = tx.allocation_at("mairie-1", box.number)
                assert kept is not None
        assert tx.sql.execute("PRAGMA foreign_key_check").fetchall() == []
