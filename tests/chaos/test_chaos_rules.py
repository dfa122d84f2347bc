"""The rules of `make chaos` bite: each is shown a doctored log and sees what was done to it."""

from binascii import crc32
from collections.abc import Sequence
from struct import pack

from protocol import messages as m
from protocol.numbers import COMMAND, FREE, HELD, KEYPAD
from tools.chaos import rules
from tools.chaos.evidence import Allocation, Entry, Locker, Pulse, Standing, journal_of
from tools.chaos.schedule import KINDS, schedule

NEIGHBOUR = b"neighbou"
DOOR, DEPOSIT, PARCEL = 3, 1, 77
SECOND_MS = 1_000


def log(*events: m.Message, boot: int = 1, first: int = 1, wall_s: int | None = 1_000) -> list[Entry]:
    """One event a second."""
    return [
        Entry.of(m.encode(m.Up(boot, seq, seq * SECOND_MS, wall_s, event))) for seq, event in enumerate(events, first)
    ]


def life(*more: m.Message) -> list[Entry]:
    """A parcel put in and fetched, with a re-opening; then what else is said to have happened."""
    return log(
        m.Booted("1", "power"),
        m.DepositAuthorised(DOOR, DEPOSIT, 1, PARCEL, b"assign-1", 900),
        m.DoorOpened(DOOR),
        m.Deposited(DOOR, DEPOSIT, PARCEL),
        m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 0, None),
        m.DoorOpened(DOOR),
        m.Collected(DOOR, DEPOSIT),
        m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 1, None),
        m.DoorOpened(DOOR),
        m.DoorClosed(DOOR),
        *more,
    )


PULSES = [Pulse(DOOR, 1, 2_010.0), Pulse(DOOR, 1, 5_020.0), Pulse(DOOR, 1, 8_005.0)]


def found(wrong: Sequence[str]) -> set[str]:
    """The names of the rules that were broken."""
    return {why.split(":")[-2 if why.startswith("mairie") else 0].strip() for why in wrong}


def test_an_honest_day_breaks_no_rule():
    locker = Locker("mairie-1", life(), life(), PULSES, {DOOR: Standing("closed", FREE, DEPOSIT)})
    assert rules.check(locker) == []


def test_an_event_missing_from_the_books_is_seen():
    assert "I8: 4 Deposited is not in the books" in rules.same_log(life(), [*life()[:3], *life()[4:]])


def test_an_event_that_is_twice_in_the_books_is_seen():
    assert rules.same_log(life(), [*life()[:4], life()[3], *life()[4:]]) == ["I8: 4 Deposited is twice in the books"]


def test_events_in_another_order_are_seen():
    books = life()
    books[3], books[4] = books[4], books[3]
    assert rules.same_log(life(), books)


def test_a_phantom_in_the_books_is_seen():
    assert rules.same_log(life(), life(m.DoorOpened(5))) == ["I8: a phantom, 11 DoorOpened"]
    assert rules.same_log([], life()[:1]) == ["I8: a phantom, 1 Booted"]


def test_an_event_that_differs_by_one_number_is_seen():
    books = life()
    books[3] = log(m.Deposited(DOOR, DEPOSIT, PARCEL + 1), first=4)[0]
    assert rules.same_log(life(), books) == ["I8: 4 Deposited differs from the books' 4 Deposited"]


def test_a_hole_in_the_journal_is_seen_and_a_forgotten_beginning_is_none():
    holed = [*life()[:3], *life()[4:]]
    assert rules.same_log(holed, life()) == ["I8: the journal goes from 3 DoorOpened to 5 PickupAuthorised"]
    assert rules.same_log(life()[5:], life()) == []


def test_a_pulse_without_an_authorisation_is_seen():
    for pulse in (
        Pulse(DOOR + 1, 1, 2_010.0),  # another door's
        Pulse(DOOR, 2, 2_010.0),  # another boot's
        Pulse(DOOR, 1, 60_000.0),  # long after
    ):
        assert found(rules.authorised_pulses(life(), [*PULSES, pulse])) == {"I1"}
    assert found(rules.authorised_pulses(life()[:1], [Pulse(DOOR, 0, 0.0)])) == {"I1"}


def test_pulses_of_unknown_time_take_no_authorisation_from_others():
    unknown = [Pulse(DOOR, 0, 1e9)] * 6
    assert rules.authorised_pulses(life(), [*unknown, *PULSES]) == []


def test_a_pulse_before_its_authorisation_is_seen():
    assert found(rules.authorised_pulses(life(), [Pulse(DOOR, 1, 10.0)])) == {"I1"}


def test_three_tries_are_one_authorisation_and_a_fourth_is_none():
    opened = log(m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 0, None))
    tries = [Pulse(DOOR, 1, 1_000.0 + place * 2_000) for place in range(3)]
    assert rules.authorised_pulses(opened, tries) == []
    assert found(rules.authorised_pulses(opened, [*tries, Pulse(DOOR, 1, 1_100.0)])) == {"I1"}


def test_a_double_collection_is_seen():
    assert found(rules.Custody().walk(life(m.Collected(DOOR, DEPOSIT)))) == {"I3"}


def test_a_collection_that_nobody_was_allowed_is_seen():
    events = log(
        m.DepositAuthorised(DOOR, DEPOSIT, 1, PARCEL, None, None),
        m.Deposited(DOOR, DEPOSIT, PARCEL),
        m.Collected(DOOR, DEPOSIT),
    )
    assert found(rules.Custody().walk(events)) == {"I3"}


def test_a_code_that_opens_once_too_often_is_seen():
    again = m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 2, None)
    assert rules.Custody().walk(life(again)) == []
    assert found(rules.Custody().walk(life(again, m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 3, None)))) == {"I3"}
    assert found(rules.Custody().walk([*life(), *log(again, boot=2, first=11)])) == {"I3"}
    late = Entry.of(m.encode(m.Up(1, 11, 7_000 + 181_000, None, again)))
    assert found(rules.Custody().walk([*life(), late])) == {"I3"}


def test_a_door_given_away_while_it_holds_a_parcel_is_seen():
    events = [*life()[:4], *log(m.DepositAuthorised(DOOR, 2, 2, 78, None, None), first=5)]
    assert found(rules.Custody().walk(events)) == {"I6"}


def test_a_code_that_opens_after_it_was_taken_back_is_seen():
    opened = m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 0, None)
    for order in (m.Revoke.TYPE, m.Reissue.TYPE):
        done = m.CommandDone(b"command1", 900, 0, order, DOOR, DEPOSIT if order == m.Revoke.TYPE else 2)
        assert found(rules.Custody().walk([*life()[:4], *log(done, opened, first=5)])) == {"I5"}
    revoked = m.TokenRevoked(b"command1", 900, NEIGHBOUR, 9_000)
    by_token = m.PickupAuthorised(DOOR, DEPOSIT, KEYPAD, 0, NEIGHBOUR)
    assert found(rules.Custody().walk([*life()[:4], *log(revoked, by_token, first=5)])) == {"I5"}


def test_a_command_that_took_effect_twice_or_too_late_is_seen():
    opening = m.OpeningAuthorised(DOOR, COMMAND, "essai", b"open-one", 1_000)
    assert rules.commands_once(log(opening, wall_s=1_060)) == []
    assert found(rules.commands_once(log(opening, opening))) == {"I4"}
    assert found(rules.commands_once(log(opening, wall_s=1_061))) == {"I4"}
    assert found(rules.commands_once(log(opening, wall_s=None))) == {"I4"}
    refused = m.CommandDone(b"open-one", 1_000, 7, m.Open.TYPE, DOOR, 0)
    assert rules.commands_once(log(opening, refused)) == []


def test_two_live_allocations_are_seen_also_when_they_are_over():
    one = Allocation(1, "mairie-1", DOOR, 100, 200)
    assert rules.one_allocation([one, Allocation(2, "mairie-1", DOOR, 200, None)]) == []
    assert rules.one_allocation([one, Allocation(2, "mairie-2", DOOR, 150, None)]) == []
    assert found(rules.one_allocation([one, Allocation(2, "mairie-1", DOOR, 199, 300)])) == {"I6"}
    assert found(rules.one_allocation([one, Allocation(1, "mairie-1", DOOR + 1, 199, 300)])) == {"I6"}


def test_books_that_hold_something_else_than_the_log_are_seen():
    assert found(rules.same_holdings(life(), {DOOR: Standing("closed", HELD)})) == {"I6"}
    assert found(rules.same_holdings(life()[:4], {DOOR: Standing("closed", FREE)})) == {"I6"}


def test_a_door_that_is_open_and_closed_in_the_books_is_seen_unless_a_person_was_told():
    assert found(rules.same_doors({DOOR: "open"}, {DOOR: Standing("closed")})) == {"L1"}
    assert rules.same_doors({DOOR: "open"}, {DOOR: Standing("closed", flagged=True)}) == []


def test_a_programming_error_in_a_log_is_seen():
    assert (
        rules.quiet_log(
            "gateway.log", "database_failed error=OperationalError\nclockwork_failed error=OperationalError"
        )
        == []
    )
    for line in (
        "Traceback (most recent call last):",
        "time lap_failed error=KeyError at=x.py:3",
        "clockwork_failed error=KeyError",
        "MemoryError: ",
    ):
        assert rules.quiet_log("locker.log", f"fine\n{line}\n")


def test_alarms_that_only_a_lost_event_can_raise_are_seen():
    assert rules.possible_alarms({"door_forced": 3}) == []
    assert rules.possible_alarms({"events_lost": 1}) == ["books: alarm events_lost (1)"]


def test_a_journal_is_read_from_its_segments_up_to_a_torn_tail():
    def frame(kind: int, seq: int, payload: bytes) -> bytes:
        head = pack(">BBHQ", 0xC5, kind, len(payload), seq)
        return head + crc32(payload, crc32(head)).to_bytes(4, "big") + payload

    records = [frame(2, entry.seq, entry.raw) for entry in life()]
    files = {
        "/journal/00000006.log": frame(1, 5, b"snapshot") + b"".join(records[5:]) + records[0][:-1],
        "/journal/00000001.log": frame(1, 0, b"snapshot") + b"".join(records[:5]),
        "/journal/acked": b"4",
    }
    assert journal_of(files) == life()


def test_the_same_seed_draws_the_same_faults_and_every_kind_comes_in_turn():
    faults = schedule(7, 600, ("mairie-1", "gare-1"))
    assert faults == schedule(7, 600, ("mairie-1", "gare-1")) != schedule(8, 600, ("mairie-1", "gare-1"))
    assert {fault.kind for fault in faults[: len(KINDS)]} == set(KINDS)
    assert all(fault.at_s + fault.hold_s <= 600 for fault in faults)
