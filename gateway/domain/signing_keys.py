"""Signing keys by id: the states they have, and what a locker has to be told next so that it believes the right ones.

current signs; next will; old did, and is still believed; dropped was let go on purpose; lost was replaced.
"""

from collections.abc import Collection
from dataclasses import dataclass

from protocol import cbor, cose, tokens
from protocol.limits import TRUSTED_KEYS_MAX
from protocol.trust import Statement

CURRENT, NEXT, OLD, DROPPED, LOST = "current", "next", "old", "dropped", "lost"
STATES = (CURRENT, NEXT, OLD, DROPPED, LOST)
LET_GO = (DROPPED, LOST)  # lockers that still believe one of these are told not to


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key as the books know it. `introduction`: the statement by which the key before it vouched for it; it says
    nothing secret and does not age. It signed from `signs_s` to `signed_s` (None: not yet)."""

    kid: bytes
    public_key: bytes
    state: str
    introduced_by: bytes | None
    introduction: bytes | None
    signs_s: int | None
    signed_s: int | None


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """`lockers`: provisioned ones that believe it. `badges`, `parcels`: unexpired badges and waiting parcels whose
    QR code it may have signed."""

    kid: bytes
    state: str
    lockers: int
    badges: int
    parcels: int


@dataclass(frozen=True, slots=True)
class KeysStatus:
    """All of them, and how far the lockers have come. `waiting`: provisioned, and not yet told or not yet answered.
    `cut_off`: they believe no key that could tell them anything; only provisioning helps."""

    keys: tuple[KeyStatus, ...]
    provisioned: int
    waiting: tuple[str, ...]
    cut_off: tuple[str, ...]
    in_files: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What to tell a locker: believe `add`, and no more `drop`. `introduced`: in the words of the key before."""

    add: bytes | None
    drop: bytes | None
    introduced: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every locker should come to."""

    current: bytes
    next: bytes | None
    introduced_by: bytes | None  # who vouched for the current one
    let_go: frozenset[bytes]

    def adds(self) -> tuple[bytes, ...]:
        return (self.current,) if self.next is None else (self.current, self.next)


def next_step(believed: Collection[bytes], wanted: Wanted) -> Step | None:
    """None: nothing is to be told, or nothing can be (cut_off)."""
    room = len(believed) < TRUSTED_KEYS_MAX
    if wanted.current not in believed:
        vouched = wanted.introduced_by in believed
        return Step(wanted.current, None, introduced=True) if vouched and room else None
    drop = min(wanted.let_go.intersection(believed), default=None)
    add = wanted.next if wanted.next not in believed and (room or drop is not None) else None
    return None if add is None and drop is None else Step(add, drop)


def cut_off(believed: Collection[bytes], wanted: Wanted) -> bool:
    """It does not believe the key that signs now, and nobody whom it believes can say otherwise."""
    return wanted.current not in believed and next_step(believed, wanted) is None


def said_in(statement: bytes) -> Statement:
    """Of our own outbox: signed by us, so it is read and not checked."""
    payload = cose.open_sign1(statement, _believe)
    items = cbor.decode(payload)
    return Statement(*items[2:])


def _believe(_kid: bytes, _message: bytes, _signature: bytes) -> bool:
    return True


def added_by(statement: Statement) -> bytes | None:
    return None if statement.public_key is None else tokens.key_id(statement.public_key)
