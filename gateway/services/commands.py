"""The outbox, from its other side: what is to be sent now, what was sent, what nobody answered in time."""

from collections.abc import Iterable

from gateway.limits import ASSIGN_GRACE_S, EXPIRIES_PER_ROUND_MAX, LOCKER_ALIVE_S
from gateway.services import joins
from gateway.services.batch import Batch
from gateway.services.desk import Desk
from gateway.services.orders import order
from gateway.services.told_doors import refused
from protocol.messages import Assign, Down, Join, Release, RevokeToken
from protocol.numbers import DEPOSITING


def due_commands(desk: Desk, limit: int) -> list[tuple[str, Down]]:
    """In the order they were given. What is past its time is not among them."""
    with desk.store.reading() as tx:
        return [(command.locker, command.down) for command in tx.due_commands(desk.clock(), limit)]


def mark_sent(desk: Desk, ids: Iterable[bytes]) -> None:
    with desk.store.transaction() as tx:
        tx.mark_sent(ids)


def expire_commands(desk: Desk) -> int:
    """End the commands that got no answer in their time; how many. Called by a timer."""
    with desk.store.transaction() as tx:
        # A result written down just before the end may still be on its way.
        late = tx.commands_past_end(desk.clock() - ASSIGN_GRACE_S, EXPIRIES_PER_ROUND_MAX)
        if not late:
            return 0
        batch = Batch(desk, tx, {command.locker for command in late}, ())
        for command in late:
            tx.finish_command(command.down.id, "expired", None)
            message = command.down.command
            if isinstance(message, Assign):
                turn = batch.turns.get(command.locker)
                box = batch.box(command.locker, message.compartment)
                # A silent locker may have begun the deposit: its word is waited for, nobody else gets that door.
                if turn is None or not turn.locker.alive_at(batch.now, LOCKER_ALIVE_S):
                    continue
                if box is not None and box.holding == DEPOSITING:
                    continue
            if isinstance(message, Release) and command.operation is None:
                order(desk, tx, command.locker, message, parcel=command.parcel)  # nobody else would ask again
                continue
            if isinstance(message, RevokeToken) and message.expiry_s > batch.now:  # as long as it could open
                order(desk, tx, command.locker, message, operation=command.operation, parcel=command.parcel)
                continue
            if isinstance(message, Join):
                joins.order_again(desk, tx, command)
                continue
            refused(batch, command, "expired")
        return len(late)
