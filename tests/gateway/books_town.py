"""A desk over a real store in a folder, with a clock that stands and lockers played by what they would say.

Every locker here keeps a model of its own doors only as far as a test says so: the messages are the real ones.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from empty_books import open_books

from gateway.config import Settings
from gateway.domain.contracts import Contract
from gateway.domain.errors import Refusal
from gateway.domain.events import Answer, Arrival
from gateway.domain.lockers import NewCompartment, NewLocker, NewModule
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import COURIER, GATEWAY, MERCHANT, SCOPES_OF, Badge, Principal
from gateway.keys import Keys
from gateway.services import commands, lockers, parcels, people
from gateway.services.alarms import open_alarms
from gateway.services.desk import Desk
from gateway.services.take_up import take_up
from gateway.store.sqlite import SqliteStore
from protocol.errors import number_of
from protocol.messages import (
    Assign,
    Birth,
    Collected,
    CommandDone,
    Decline,
    DepositAuthorised,
    Deposited,
    DepositRequested,
    DoorOpened,
    Heartbeat,
    Message,
    Open,
    OpeningAuthorised,
    PickupAuthorised,
    RevokeToken,
    TokenRevoked,
    Up,
)
from protocol.numbers import COMMAND, DOOR_STATES, FIRST

NOW_S = 1_800_000_000
CLOSED = DOOR_STATES.index("closed")
OPERATOR = GATEWAY
COLIBRI = Principal(COURIER, "colibri", SCOPES_OF[COURIER], "colibri's key")
RIVAL = Principal(COURIER, "rival", SCOPES_OF[COURIER], "rival's key")
BOOKSHOP = Principal(MERCHANT, "bookshop", SCOPES_OF[MERCHANT], "bookshop's key")


def cabinet(*sizes: str, locker: str = "mairie-1") -> NewLocker:
    """A locker of one module; "S*" is an accessible compartment."""
    boxes = tuple(
        NewCompartment(place + 1, size[0], 440, 200, 500, 0, 100 + 250 * place, size.endswith("*"))
        for place, size in enumerate(sizes)
    )
    return NewLocker(locker, "Mairie", (NewModule("A", boxes),))


@dataclass
class Town:
    desk: Desk
    store: SqliteStore
    now: list[int]
    seqs: dict[str, int] = field(default_factory=dict[str, int])
    boots: dict[str, int] = field(default_factory=dict[str, int])
    requests: int = 0

    # ------------------------------------------------------------ the locker's side
    def locker(self, *sizes: str, locker: str = "mairie-1") -> str:
        """Registered, provisioned, awake, every door closed."""
        lockers.register_locker(self.desk, OPERATOR, cabinet(*sizes, locker=locker))
        lockers.provision_locker(self.desk, OPERATOR, locker)
        self.boots[locker] = 1
        self.wake(locker, len(sizes))
        return locker

    def wake(self, locker: str, count: int, doors: bytes | None = None) -> list[Message]:
        seq = self.seqs.get(locker, 0)
        return self.tell(locker, Birth("1.0.0", bytes(8), 1, seq, doors or bytes([CLOSED]) * count))

    def wake_alive(self) -> None:
        """Every locker says that it is there."""
        for locker in self.boots:
            self.tell(locker, Heartbeat(1, 1, 0))

    def later(self, seconds: int) -> None:
        """Time in which every locker was heard all along."""
        self.now[0] += seconds
        with self.store.transaction() as tx:
            tx.sql.execute("UPDATE lockers SET seen_s = ? WHERE online", (self.now[0],))

    def up(self, locker: str, message: Message, seq: int) -> Arrival:
        return Arrival(locker, Up(self.boots.get(locker, 1), seq, 1_000, self.now[0], message))

    def tell(self, locker: str, message: Message) -> list[Message]:
        """A message without a number."""
        return said(take_up(self.desk, [self.up(locker, message, 0)]))

    def says(self, locker: str, *messages: Message) -> list[Message]:
        """Custody events, one batch."""
        arrivals: list[Arrival] = []
        for message in messages:
            self.seqs[locker] = self.seqs.get(locker, 0) + 1
            arrivals.append(self.up(locker, message, self.seqs[locker]))
        return said(take_up(self.desk, arrivals))

    def ask(self, locker: str, badge: Badge, label: str, reason: int = FIRST) -> Assign | Decline:
        """A courier scans a label; what the outbox holds for the locker."""
        self.requests += 1
        self.tell(locker, DepositRequested(self.requests, badge.id, badge.carrier, label, reason))
        return self.answer(locker)

    def answer(self, locker: str) -> Assign | Decline:
        told = [down.command for name, down in commands.due_commands(self.desk, 50) if name == locker]
        self.sent()
        return [command for command in told if isinstance(command, Assign | Decline)][-1]

    def outbox(self) -> list[Message]:
        return [down.command for _, down in commands.due_commands(self.desk, 500)]

    def sent(self) -> None:
        commands.mark_sent(self.desk, [down.id for _, down in commands.due_commands(self.desk, 500)])

    def last_id(self) -> bytes:
        return commands.due_commands(self.desk, 500)[-1][1].id

    # ------------------------------------------------------------ whole steps of a journey
    def badge(self) -> Badge:
        return people.issue_badge(self.desk, COLIBRI, "colibri", "courier-7", 30)

    def expect(self, label: str, size: str = "S", locker: str = "mairie-1", ref: str | None = None) -> Parcel:
        return parcels.expect_parcel(self.desk, COLIBRI, NewParcel(label, locker, size, "colibri", recipient_ref=ref))

    def parcel(self, number: int) -> Parcel:
        with self.store.reading() as tx:
            found = tx.parcel(number)
        assert found is not None
        return found

    def put_in(self, locker: str, box: int, deposit: int, parcel: int) -> list[Message]:
        return self.says(
            locker,
            DepositAuthorised(box, deposit, 1, parcel, None, None),
            DoorOpened(box),
            Deposited(box, deposit, parcel),
        )

    def deposited(self, label: str, size: str = "S", locker: str = "mairie-1", ref: str | None = None) -> Parcel:
        """Expected, asked for, put in."""
        made = self.expect(label, size, locker, ref)
        answer = self.ask(locker, self.badge(), label)
        assert isinstance(answer, Assign)
        with self.store.reading() as tx:
            box = tx.compartment(locker, answer.compartment)
        assert box is not None
        self.put_in(locker, answer.compartment, box.deposit + 1, made.number)
        return self.parcel(made.number)

    def fetch(self, parcel: Parcel, channel: int = 1, token: bytes | None = None) -> list[Message]:
        """Its recipient comes with the code, or a delegate with the token of this id."""
        assert parcel.compartment is not None and parcel.deposit is not None
        box, deposit = parcel.compartment, parcel.deposit
        return self.says(
            parcel.locker,
            PickupAuthorised(box, deposit, channel, 0, token),
            DoorOpened(box),
            Collected(box, deposit),
        )

    # ------------------------------------------------------------ looking
    def availability(self, locker: str = "mairie-1") -> list[str]:
        return [status.availability for status in lockers.list_compartments(self.desk, OPERATOR, locker)]

    def alarms(self) -> list[str]:
        return [alarm.kind for alarm in open_alarms(self.desk, OPERATOR)]

    def dump(self) -> list[str]:
        """The books, row by row; equal dumps are equal books."""
        with self.store.reading() as tx:
            return list(tx.sql.iterdump())


def said(answers: list[Answer]) -> list[Message]:
    return [message for answer in answers for message in answer.messages]


def open_town(folder: Path, seed: int = 1, keys: Keys | None = None) -> Town:
    now = [NOW_S]
    store = open_books(folder, lambda: now[0])
    keys = keys or Keys.from_secrets(bytes(range(32)), bytes(range(32, 64)))
    chance = random.Random(seed)
    desk = Desk(store, keys, Settings.default(folder), clock=lambda: now[0], randomness=chance.randbytes)
    with store.transaction() as tx:
        tx.add_contract(Contract("bookshop", "colibri", NOW_S))
    return Town(desk, store, now)


def done(town: Town, command: Message, code: str = "ok", value: int = 0) -> CommandDone:
    """What the locker says of the outbox's newest command of this kind."""
    found = [down for _, down in commands.due_commands(town.desk, 50) if isinstance(down.command, type(command))][-1]
    compartment = getattr(command, "compartment", None)
    return CommandDone(found.id, found.issued_s, number_of(code), command.TYPE, compartment, value)


def token_revoked(town: Town, token: bytes, locker: str = "mairie-1") -> TokenRevoked:
    """What this locker says when it has taken the token back."""
    due = [down for name, down in commands.due_commands(town.desk, 500) if name == locker]
    orders = [(down, down.command) for down in due if isinstance(down.command, RevokeToken)]
    down, order = [pair for pair in orders if pair[1].token == token][-1]
    return TokenRevoked(down.id, down.issued_s, token, order.expiry_s)


def authorised(town: Town, box: int) -> OpeningAuthorised:
    """The locker obeys the outbox's newest Open."""
    down = [down for _, down in commands.due_commands(town.desk, 50) if isinstance(down.command, Open)][-1]
    return OpeningAuthorised(box, COMMAND, "take_back", down.id, down.issued_s)


def refused(code: str, act: Callable[..., object], *arguments: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act(*arguments)
    assert caught.value.code == code
    return caught.value
