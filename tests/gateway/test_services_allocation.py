"""One compartment is never allocated twice: not by two threads, not by any sequence of acts (safety rule I6)."""

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from books_town import COLIBRI, Town, open_town
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.domain.errors import Refusal
from gateway.services import commands, expiry, parcels
from protocol.errors import number_of
from protocol.messages import (
    Assign,
    CommandDone,
    DepositAbandoned,
    DepositAuthorised,
    DepositRequested,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
)
from protocol.numbers import TOO_SMALL

ROUNDS = 1_000


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def test_of_two_at_once_exactly_one_gets_the_last_compartment_a_thousand_times(town: Town) -> None:
    town.locker("S")
    numbers = [town.expect("label-1").number, town.expect("label-2").number]
    start, end = threading.Barrier(3, timeout=60), threading.Barrier(3, timeout=60)
    results: list[str] = []
    winners: Counter[int] = Counter()

    def reserve(place: int) -> None:
        for _ in range(ROUNDS):
            start.wait()
            try:
                parcels.reserve_compartment(town.desk, COLIBRI, numbers[place])
                results.append("won")
                winners[place] += 1
            except Refusal as refusal:
                results.append(refusal.code)
            end.wait()

    threads = [threading.Thread(target=reserve, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(ROUNDS):
        start.wait()
        end.wait()
        assert sorted(results) == ["no_room", "won"], f"round {turn}"
        results.clear()
        for number in numbers:
            if town.parcel(number).state == "reserved":
                parcels.release_reservation(town.desk, COLIBRI, number)
    for thread in threads:
        thread.join()
    assert sum(winners.values()) == ROUNDS


class Allocation(RuleBasedStateMachine):
    """Parcels come, are reserved, asked for, put in, put elsewhere, abandoned, fetched, expire: in any order."""

    parcels_known = Bundle("parcels_known")
    boxes = st.integers(1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.town = open_town(Path(self.folder.name))
        self.town.locker("S", "S", "M")
        self.badge = self.town.badge()
        self.deposits: Counter[int] = Counter()
        self.labels = 0

    def teardown(self) -> None:
        self.town.store.close()
        self.folder.cleanup()

    @rule(target=parcels_known, size=st.sampled_from("SM"))
    def expect(self, size: str) -> int:
        self.labels += 1
        return self.town.expect(f"label-{self.labels}", size).number

    @rule(number=parcels_known)
    def reserve(self, number: Any) -> None:
        try:
            parcels.reserve_compartment(self.town.desk, COLIBRI, number)
        except Refusal as refusal:
            assert refusal.code in ("no_room", "wrong_state")

    @rule(number=parcels_known)
    def release(self, number: Any) -> None:
        try:
            parcels.release_reservation(self.town.desk, COLIBRI, number)
        except Refusal as refusal:
            assert refusal.code == "wrong_state"

    @rule(number=parcels_known, reason=st.integers(0, 3))
    def ask(self, number: Any, reason: int) -> None:
        label = self.town.parcel(number).label
        self.town.requests += 1
        asked = DepositRequested(self.town.requests, self.badge.id, "colibri", label, reason)
        self.town.tell("mairie-1", asked)

    @rule(refuse=st.booleans())
    def obey(self, refuse: bool) -> None:
        """The locker carries out, or refuses, the newest Assign."""
        due = [down for _, down in commands.due_commands(self.town.desk, 50) if isinstance(down.command, Assign)]
        if not due:
            return
        down, order = due[-1], due[-1].command
        assert isinstance(order, Assign)
        if refuse:
            code = number_of("no_such_request")
            self.town.says("mairie-1", CommandDone(down.id, down.issued_s, code, Assign.TYPE, order.compartment, 0))
        else:
            self.put_in(order.compartment, order.parcel)

    @rule(box=boxes, number=parcels_known)
    def put_in(self, box: int, number: Any) -> None:
        """A locker may do so without any plan of ours."""
        self.deposits[box] += 1
        self.town.put_in("mairie-1", box, self.deposits[box], number)

    @rule(box=boxes, number=parcels_known)
    def abandon(self, box: int, number: Any) -> None:
        self.deposits[box] += 1
        deposit = self.deposits[box]
        self.town.says(
            "mairie-1",
            DepositAuthorised(box, deposit, 1, number, None, None),
            DoorOpened(box),
            DepositAbandoned(box, deposit, number, TOO_SMALL),
            DoorClosed(box),
        )

    @rule(number=consumes(parcels_known))
    def fetch(self, number: Any) -> None:
        parcel = self.town.parcel(number)
        if parcel.state in ("deposited", "expired", "disputed") and parcel.deposit is not None:
            self.town.fetch(parcel)

    @rule(box=boxes)
    def jam(self, box: int) -> None:
        self.town.says("mairie-1", DoorFaulted(box, 5, False), DoorOpened(box), DoorClosed(box))

    @rule(seconds=st.sampled_from((30, 100, 90_000, 8 * 86_400)))
    def wait(self, seconds: int) -> None:
        self.town.now[0] += seconds
        commands.expire_commands(self.town.desk)
        expiry.expire_due(self.town.desk)
        self.town.wake_alive()

    @invariant()
    def never_two_live_allocations(self) -> None:
        with self.town.store.reading() as tx:
            live = tx.sql.execute("SELECT compartment, parcel FROM allocations WHERE ended_s IS NULL").fetchall()
            assert max(Counter(box for box, _ in live).values(), default=0) <= 1
            assert max(Counter(parcel for _, parcel in live).values(), default=0) <= 1
            states = {number: tx.parcel(number) for _, number in live}
            for box, number in live:
                parcel = states[number]
                assert parcel is not None and parcel.state in ("reserved", "deposited", "expired")
                assert parcel.compartment == box
            reserved = tx.sql.execute("SELECT number FROM parcels WHERE state = 'reserved'").fetchall()
            assert {number for (number,) in reserved} <= set(states)


Allocation.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
test_no_sequence_of_acts_allocates_a_compartment_twice = Allocation.TestCase
