"""Several parcels for one person: any of their codes opens all of them in turn, in one visit.

Only what one sender said is one recipient's, in one locker, is joined; and the pickup says so only once the locker
has. A comfort, not a duty: what is refused is no alarm, each parcel still has its own code.
"""

from dataclasses import replace

from gateway.domain.compartments import Compartment
from gateway.domain.operations import REISSUE, TAKE_BACK, Command
from gateway.domain.parcels import Parcel
from gateway.services.batch import Batch
from gateway.services.desk import Desk
from gateway.services.orders import order
from gateway.services.ports import Transaction
from gateway.services.reissues import running_for
from protocol.messages import Join

_GROUP_MAX = 0xFFFF_FFFF
_DRAWS_MAX = 100  # of 32 bits: the second one is an event of years


def join(desk: Desk, tx: Transaction, parcel: Parcel) -> None:
    """Order what is still missing for this parcel and the others of its recipient."""
    others = [other for other in tx.parcels_beside(parcel) if _stays(tx, other)]
    if not others or not _stays(tx, parcel):
        return
    known = [other.group for other in (*others, parcel) if other.group is not None]
    group = known[0] if known else _new_group(desk, tx, parcel.locker)
    for one in (*others, parcel):
        if one.group != group:
            assert one.compartment is not None and one.deposit is not None
            tx.keep_parcel(replace(one, group=group, joined=False))
            order(desk, tx, one.locker, Join(one.compartment, one.deposit, group), parcel=one.number)


def _stays(tx: Transaction, parcel: Parcel) -> bool:
    """It lies there under the number it has, and nobody is about to change either."""
    changing = any(running_for(tx, parcel, kind) is not None for kind in (REISSUE, TAKE_BACK))
    return parcel.state == "deposited" and not changing


def _new_group(desk: Desk, tx: Transaction, locker: str) -> int:
    for _ in range(_DRAWS_MAX):
        group = int.from_bytes(desk.randomness(4), "big")
        if group and not tx.group_is_taken(locker, group):
            return group
    raise AssertionError("the desk's randomness is none")


def order_again(desk: Desk, tx: Transaction, command: Command) -> None:
    """It ran out unanswered: the locker was away. Once more, if it still means something."""
    message = command.down.command
    assert isinstance(message, Join)
    parcel = _meant(tx, command)
    if parcel is not None and parcel.state == "deposited":
        order(desk, tx, command.locker, message, parcel=parcel.number)


def _meant(tx: Transaction, command: Command) -> Parcel | None:
    """The parcel, if it still has that number and that group."""
    message = command.down.command
    parcel = None if command.parcel is None else tx.parcel(command.parcel)
    if parcel is None or not isinstance(message, Join):
        return None
    return parcel if (parcel.deposit, parcel.group) == (message.deposit, message.group) else None


# ------------------------------------------------------------------ what the locker says
def joined(batch: Batch, box: Compartment, group: int, command: Command | None) -> None:
    """What lies in `box` opens with the others of `group`; also when the books have lost the order."""
    if command is not None:
        parcel = _meant(batch.tx, command)
    else:
        parcel = batch.tx.parcel_at(box.locker, box.number, box.deposit)
    if parcel is not None and parcel.ended_s is None and 0 < group <= _GROUP_MAX:
        batch.tx.keep_parcel(replace(parcel, group=group, joined=True))


def not_joined(batch: Batch, command: Command) -> None:
    """Its deposit is gone, or the locker could not: the next parcel that comes for that person tries again."""
    parcel = _meant(batch.tx, command)
    if parcel is not None and parcel.ended_s is None:
        batch.tx.keep_parcel(replace(parcel, group=None, joined=False))


def after_reissue(batch: Batch, command: Command) -> None:
    """It has ended, well or not: the parcel may be joined, under the number that it has now."""
    parcel = None if command.parcel is None else batch.tx.parcel(command.parcel)
    if parcel is not None:
        join(batch.desk, batch.tx, parcel)
