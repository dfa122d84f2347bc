"""A courier's phone hands in what a locker without a gateway showed: the same books, whoever tells first."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import BOOKSHOP, CLOSED, COLIBRI, OPERATOR, RIVAL, Town, open_town, refused

from gateway.domain.codes import typed_code
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import Badge
from gateway.limits import RECEIPT_DEPOSITS_AHEAD_MAX, RECEIPT_GUESSES_MAX, RECEIPT_GUESSES_S
from gateway.services import commands, lockers, parcels, people, receipts, reissues
from protocol import damm
from protocol import receipts as wire
from protocol.messages import (
    Birth,
    Collected,
    CommandDone,
    Deposited,
    DoorOpened,
    Message,
    OfflineDepositAuthorised,
    OutOfService,
    PickupAuthorised,
    Reissue,
    Release,
    Revoke,
)
from protocol.numbers import LEAVES, SIZES, STAYS


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


class Alone:
    """A locker that nobody hears: what it shows, and what it will tell."""

    def __init__(self, town: Town, badge: Badge, locker: str = "mairie-1") -> None:
        self.town, self.badge, self.locker = town, badge, locker

    def receipt(self, box: int, deposit: int, label: str, size: str = "S") -> wire.Receipt:
        badge = self.badge
        return wire.Receipt(box, deposit, badge.id, badge.carrier, label, SIZES.index(size), self.town.now[0])

    def text(self, box: int, deposit: int, label: str, generation: int = 1) -> str:
        key = self.town.desk.keys.hmac(self.locker, generation, "receipt")
        return wire.seal(key, bytes([generation]), self.locker, self.receipt(box, deposit, label))

    def digits(self, box: int, deposit: int, label: str, size: str = "S") -> str:
        key = self.town.desk.keys.hmac(self.locker, 1, "receipt")
        return wire.digits(key, self.receipt(box, deposit, label, size))

    def events(self, box: int, deposit: int, label: str) -> list[Message]:
        badge = self.badge
        return [
            OfflineDepositAuthorised(box, deposit, badge.id, badge.carrier, label, 0),
            DoorOpened(box),
            Deposited(box, deposit, 0),
        ]


def collected(box: int, deposit: int) -> list[Message]:
    return [PickupAuthorised(box, deposit, 1, 0, None), DoorOpened(box), Collected(box, deposit)]


def state(town: Town) -> list[tuple[object, ...]]:
    """Of the parcels and of the boxes, whichever way they were told of."""
    with town.store.reading() as tx:
        found = tx.sql.execute(
            "SELECT label, state, compartment, deposit, by_receipt FROM parcels ORDER BY label"
        ).fetchall()
        return found + tx.sql.execute("SELECT number, holding, deposit, quarantined FROM compartments").fetchall()


def test_the_recipient_has_a_code_before_the_locker_is_back(town: Town) -> None:
    town.locker("S", "S")
    alone = Alone(town, town.badge())
    parcel = town.expect("label-1")
    said = receipts.hand_in(town.desk, COLIBRI, alone.text(2, 1, "label-1"))
    assert (said.number, said.state, said.compartment, said.deposit) == (parcel.number, "deposited", 2, 1)
    key = town.desk.keys.hmac("mairie-1", 1, "code")
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).code == typed_code(key, 2, 1, 12)
    assert (town.availability(), town.alarms()) == (["free", "occupied"], [])


@pytest.mark.parametrize("announced", [True, False])
def test_receipt_and_events_end_in_the_same_books_in_any_order(tmp_path: Path, announced: bool) -> None:
    ends: list[object] = []
    for order in ("events", "receipt, events", "events, receipt", "receipt between", "receipt, receipt, events"):
        (tmp_path / order).mkdir()
        town = open_town(tmp_path / order)
        town.locker("S")
        alone = Alone(town, town.badge())
        if announced:
            town.expect("label-1")
        events, text = alone.events(1, 1, "label-1"), alone.text(1, 1, "label-1")
        if order == "receipt between":
            town.says("mairie-1", *events[:2])
            receipts.hand_in(town.desk, COLIBRI, text)
            town.says("mairie-1", *events[2:])
        else:
            for what in order.split(", "):
                if what == "events":
                    town.says("mairie-1", *events)
                else:
                    receipts.hand_in(town.desk, COLIBRI, text)
        ends.append((state(town), town.alarms(), town.availability()))
        town.fetch(parcel_of(town, "label-1"))
        assert receipts.hand_in(town.desk, COLIBRI, text).state == "collected"
        assert town.availability() == ["free"], order
        town.store.close()
    assert all(end == ends[0] for end in ends), ends


def parcel_of(town: Town, label: str) -> Parcel:
    with town.store.reading() as tx:
        found = tx.parcel_of_label("colibri", label)
    assert found is not None
    return found


def test_a_day_alone_told_by_receipts_first_and_by_the_journal_later(town: Town) -> None:
    """The first parcel is collected and its box filled again before the gateway hears of anything but receipts."""
    town.locker("S")
    alone = Alone(town, town.badge())
    first, second = town.expect("label-1"), town.expect("label-2")
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-1"))
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 2, "label-2"))
    assert (town.parcel(first.number).state, town.parcel(second.number).state) == ("disputed", "deposited")
    assert (town.availability(), town.alarms()) == (["occupied"], ["deposit_overtaken"])
    story = [*alone.events(1, 1, "label-1"), *collected(1, 1), *alone.events(1, 2, "label-2")]
    for message in story:  # one by one: every moment between is consistent
        town.says("mairie-1", message)
        assert town.parcel(second.number).state == "deposited"
    assert town.parcel(first.number).state == "collected"
    assert not town.parcel(second.number).by_receipt
    assert (town.availability(), town.alarms()) == (["occupied"], [])
    town.fetch(town.parcel(second.number))
    assert town.availability() == ["free"]


def test_news_that_a_receipt_overtook_needs_no_receipt_of_its_own(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    first, second = town.expect("label-1"), town.expect("label-2")
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 3, "label-2"))
    town.says("mairie-1", *alone.events(1, 1, "label-1"))
    assert town.parcel(first.number).state == "disputed"
    assert (town.parcel(second.number).state, town.availability()) == ("deposited", ["occupied"])
    refused("wrong_state", receipts.hand_in, town.desk, COLIBRI, alone.text(1, 2, "label-3"))
    town.says("mairie-1", *collected(1, 1), *alone.events(1, 3, "label-2"))
    assert (town.parcel(first.number).state, town.alarms()) == ("collected", [])


def test_a_receipt_takes_a_reservation_of_its_door_away_and_gives_its_own_back(town: Town) -> None:
    town.locker("S", "S")
    alone = Alone(town, town.badge())
    planned, came = town.expect("label-1"), town.expect("label-2")
    assert parcels.reserve_compartment(town.desk, COLIBRI, planned.number).compartment == 1
    assert parcels.reserve_compartment(town.desk, COLIBRI, came.number).compartment == 2
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-2"))
    assert town.parcel(planned.number).state == "expected"
    assert town.availability() == ["occupied", "free"]


def test_a_receipt_shown_again_after_a_reissue_answers_and_brings_the_old_code_not_back(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    town.expect("label-1")
    text = alone.text(1, 1, "label-1")
    parcel = receipts.hand_in(town.desk, COLIBRI, text)
    town.says("mairie-1", *alone.events(1, 1, "label-1"))
    reissues.reissue(town.desk, COLIBRI, parcel.number, "phished")
    down = commands.due_commands(town.desk, 9)[-1][1]
    town.says("mairie-1", CommandDone(down.id, down.issued_s, 0, down.command.TYPE, 1, 2))
    again = receipts.hand_in(town.desk, COLIBRI, text)
    assert (again.number, again.deposit) == (parcel.number, 2)
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).deposit == 2


def test_a_receipt_from_before_what_the_books_know_brings_nothing_back(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    first = town.deposited("label-1")
    town.fetch(first)
    town.fetch(town.deposited("label-2"))
    before = town.dump()
    for deposit in (1, 2):
        refused("wrong_state", receipts.hand_in, town.desk, COLIBRI, alone.text(1, deposit, "label-9"))
    assert town.dump() == before


def test_a_label_that_lies_elsewhere_in_the_books_is_refused_and_left_to_the_locker(town: Town) -> None:
    town.locker("S", "S")
    alone = Alone(town, town.badge())
    inside = town.deposited("label-1")
    refused("wrong_state", receipts.hand_in, town.desk, COLIBRI, alone.text(2, 1, "label-1"))
    assert town.parcel(inside.number) == inside


def test_an_unannounced_parcel_a_bad_badge_and_both_alarms(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, replace(town.badge(), id=b"stranger"))
    said = receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-1"))
    assert (said.state, said.announced) == ("deposited", False)
    assert sorted(town.alarms()) == ["deposit_by_revoked_badge", "deposit_unannounced"]


def test_a_birth_from_before_the_receipt_contradicts_nothing(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    town.expect("label-1")
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-1"))
    town.tell("mairie-1", Birth("1.0.0", bytes(8), 1, 0, bytes([CLOSED])))
    assert (town.availability(), town.alarms()) == (["occupied"], ["holding_differs"])
    town.says("mairie-1", *alone.events(1, 1, "label-1"))
    assert (town.availability(), town.alarms()) == (["occupied"], [])


# ------------------------------------------------------------------ who, and what proves
def test_only_the_receipts_own_carrier_and_the_operator_hand_it_in(town: Town) -> None:
    town.locker("S")
    text = Alone(town, town.badge()).text(1, 1, "label-1")
    for who in (RIVAL, BOOKSHOP):
        refused("not_allowed", receipts.hand_in, town.desk, who, text)
    reader = replace(COLIBRI, scopes=frozenset({"parcels:read"}))
    refused("not_allowed", receipts.hand_in, town.desk, reader, text)
    assert receipts.hand_in(town.desk, OPERATOR, text).state == "deposited"


def test_what_another_key_sealed_proves_nothing(town: Town) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    alone = Alone(town, town.badge())
    good = alone.text(1, 1, "label-1")
    elsewhere = Alone(town, alone.badge, "gare-1").text(1, 1, "label-1").replace("GARE-1", "MAIRIE-1")
    broken = good[:-1] + ("0" if good[-1] != "0" else "1")
    before = town.dump()
    for text in (elsewhere, broken, alone.text(1, 1, "label-1", generation=2), "CR1:MAIRIE-1:", "CR1:MAIRIE-1:é"):
        refused("bad_receipt", receipts.hand_in, town.desk, COLIBRI, text)
    refused("unknown_locker", receipts.hand_in, town.desk, COLIBRI, good.replace("MAIRIE-1", "PORT-9"))
    refused("bad_value", receipts.hand_in, town.desk, COLIBRI, "hello")
    assert town.dump() == before


def test_after_a_new_key_old_receipts_are_worth_nothing_and_new_ones_begin_at_one(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    for number in range(3):
        town.fetch(town.deposited(f"label-{number}"))
    old = alone.text(1, 4, "label-9")
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    refused("bad_receipt", receipts.hand_in, town.desk, COLIBRI, old)
    assert receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-9", generation=2)).deposit == 1


# ------------------------------------------------------------------ twelve digits
def typed(town: Town, digits: str, label: str = "label-1", size: str = "S", who: object = COLIBRI) -> Parcel:
    assert isinstance(who, type(COLIBRI))
    with receipts.guessing(town.desk, who, digits):
        return receipts.hand_in_digits(town.desk, who, "mairie-1", label, size, digits)


def wrong(digits: str) -> str:
    front = digits[:3] + str((int(digits[3:-1]) + 1) % 10**8).zfill(8)
    return front + damm.check_digit(front)


def test_digits_say_the_same_as_the_text_and_again_the_same(town: Town) -> None:
    town.locker("S", "S")
    alone = Alone(town, town.badge())
    parcel = town.expect("label-1")
    digits = alone.digits(2, 1, "label-1")
    assert typed(town, digits).compartment == 2
    assert typed(town, digits).number == receipts.hand_in(town.desk, COLIBRI, alone.text(2, 1, "label-1")).number
    town.says("mairie-1", *alone.events(2, 1, "label-1"))
    assert typed(town, digits).number == parcel.number
    assert (town.availability(), town.alarms()) == (["free", "occupied"], [])


def test_the_books_may_be_as_many_deposits_behind_as_the_limit_says_and_no_more(town: Town) -> None:
    town.locker("S", "S")
    alone = Alone(town, town.badge())
    first_too_far = RECEIPT_DEPOSITS_AHEAD_MAX + 1
    refused("bad_receipt", typed, town, alone.digits(1, first_too_far, "label-1"))
    assert typed(town, alone.digits(1, RECEIPT_DEPOSITS_AHEAD_MAX, "label-1")).deposit == RECEIPT_DEPOSITS_AHEAD_MAX


@pytest.mark.parametrize("what", ["label", "size", "carrier"])
def test_digits_prove_the_label_the_size_and_the_carrier(town: Town, what: str) -> None:
    town.locker("S")
    digits = Alone(town, town.badge()).digits(1, 1, "label-1")
    label, size = ("label-2" if what == "label" else "label-1"), ("M" if what == "size" else "S")
    refused("bad_receipt", typed, town, digits, label, size, RIVAL if what == "carrier" else COLIBRI)
    assert town.availability() == ["free"]


def test_wrong_digits_are_counted_for_their_carrier_and_typing_errors_and_right_ones_are_free(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    digits = alone.digits(1, 1, "label-1")
    for _ in range(RECEIPT_GUESSES_MAX + 5):
        refused("bad_value", typed, town, digits[:-1] + str((int(digits[-1]) + 1) % 10))
        assert typed(town, digits).state == "deposited"
    for _ in range(RECEIPT_GUESSES_MAX - 1):
        refused("bad_receipt", typed, town, wrong(digits))
    assert typed(town, digits).state == "deposited"
    refused("bad_receipt", typed, town, wrong(digits))
    refused("rate_limited", typed, town, digits)
    refused("bad_receipt", typed, town, wrong(digits), "label-1", "S", RIVAL)
    town.now[0] += RECEIPT_GUESSES_S - 1
    refused("rate_limited", typed, town, digits)
    town.now[0] += 1
    assert typed(town, digits).state == "deposited"


def test_the_count_outlives_a_restart(tmp_path: Path) -> None:
    town = open_town(tmp_path)
    town.locker("S")
    digits = Alone(town, town.badge()).digits(1, 1, "label-1")
    for _ in range(RECEIPT_GUESSES_MAX):
        refused("bad_receipt", typed, town, wrong(digits))
    town.store.close()
    again = open_town(tmp_path)
    refused("rate_limited", typed, again, digits)
    again.store.close()


def test_digits_are_for_couriers_and_name_a_compartment_there_is(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    refused("not_allowed", typed, town, alone.digits(1, 1, "label-1"), "label-1", "S", OPERATOR)
    refused("unknown_compartment", typed, town, alone.digits(7, 1, "label-1"))
    parcels.expect_parcel(town.desk, OPERATOR, NewParcel("label-1", "mairie-1", "S", "colibri"))
    people.revoke_badge(town.desk, COLIBRI, alone.badge.id)
    assert typed(town, alone.digits(1, 1, "label-1")).state == "deposited"  # digits name no badge; the event will
    town.now[0] += 1
    town.says("mairie-1", *alone.events(1, 1, "label-1"))
    assert town.alarms() == ["deposit_by_revoked_badge"]


def test_a_release_from_before_the_deposit_does_not_empty_the_compartment(town: Town) -> None:
    """A person found the box empty, the locker said so to nobody yet, and a courier filled it."""
    town.locker("S")
    alone = Alone(town, town.badge())
    town.expect("label-1")
    said = receipts.hand_in(town.desk, COLIBRI, alone.text(1, 1, "label-1"))
    town.says("mairie-1", CommandDone(b"command8", town.now[0], 0, Release.TYPE, 1, 0))
    assert town.parcel(said.number).state == "deposited"
    assert town.availability() == ["occupied"]


def test_a_receipt_that_overtook_what_a_technician_did_keeps_its_parcel_and_its_code(town: Town) -> None:
    """A locker without a network: she left a parcel inside, its customer came, the module stayed, and a courier filled
    that compartment again, whose receipt is heard first."""
    town.locker("S")
    alone = Alone(town, town.badge())
    first, second = town.deposited("label-1"), town.expect("label-2")
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 3, "label-2"))
    code = parcels.pickup_code(town.desk, COLIBRI, second.number).code
    decided = [
        CommandDone(bytes([name] * 8), 0, 0, order, 1, value)
        for name, (order, value) in enumerate(
            ((OutOfService.TYPE, LEAVES), (Revoke.TYPE, 1), (Reissue.TYPE, 2), (OutOfService.TYPE, STAYS))
        )
    ]
    for message in [*decided[:3], *collected(1, 2), decided[3], *alone.events(1, 3, "label-2")]:
        town.says("mairie-1", message)
        assert (town.parcel(second.number).state, town.parcel(second.number).deposit) == ("deposited", 3)
        assert parcels.pickup_code(town.desk, COLIBRI, second.number).code == code
    assert town.parcel(first.number).state == "collected"
    assert (town.availability(), town.alarms()) == (["occupied"], [])


def test_a_receipt_that_overtook_what_a_technician_took_out_leaves_no_doubt(town: Town) -> None:
    town.locker("S")
    alone = Alone(town, town.badge())
    first, second = town.deposited("label-1"), town.expect("label-2")
    receipts.hand_in(town.desk, COLIBRI, alone.text(1, 2, "label-2"))
    decided = [
        CommandDone(bytes([name] * 8), 0, 0, order, 1, value)
        for name, (order, value) in enumerate(((Revoke.TYPE, 1), (Release.TYPE, 1)))
    ]
    for message in [*decided, *alone.events(1, 2, "label-2")]:
        town.says("mairie-1", message)
        assert (town.parcel(second.number).state, town.availability()) == ("deposited", ["occupied"])
    assert town.parcel(first.number).state == "taken_back"
    assert town.alarms() == []
