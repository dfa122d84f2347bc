"""What lockers are told about signing keys: whatever one believes too little or too much is a row in the outbox.

The books say who believes which key; every round compares that with what should be. So an order that ran out, a
crash, a locker away for weeks and a key let go all end in the same way: the next round orders what is lacking.
"""

from collections.abc import Iterable, Mapping

from gateway.domain.lockers import Locker
from gateway.domain.signing_keys import LET_GO, SigningKey, Step, Wanted, added_by, next_step, said_in
from gateway.limits import EXPIRIES_PER_ROUND_MAX, TRUST_AGAIN_S
from gateway.services.batch import Batch
from gateway.services.desk import Desk
from gateway.services.orders import order
from gateway.services.ports import Transaction
from protocol import trust
from protocol.messages import CommandDone, Message, Trust, TrustPart

REFUSED, PROVISION_AGAIN = "trust_refused", "provision_again"


def wanted_of(desk: Desk, known: Iterable[SigningKey]) -> Wanted:
    """What every locker should believe, by the keys we hold and what the books have let go."""
    rows = {key.kid: key for key in known}
    let_go = frozenset(key.kid for key in rows.values() if key.state in LET_GO)
    current, following = desk.keys.kid, desk.keys.next_kid
    return Wanted(
        current=current,
        next=None if following in let_go else following,
        introduced_by=rows[current].introduced_by if current in rows else None,
        let_go=let_go - {current},
    )


def keep_up(desk: Desk) -> int:
    """Order what lockers lack, a part of a large fleet at a time; how many were told. Called by a timer."""
    with desk.store.reading() as tx:
        if not _behind(desk, tx, wanted_of(desk, tx.signing_keys())):
            return 0
    with desk.store.transaction() as tx:
        known = tx.signing_keys()
        wanted = wanted_of(desk, known)
        believed = tx.believed()
        statements: dict[Step, bytes] = {}
        told = 0
        for locker in _behind(desk, tx, wanted):
            step = next_step(believed[locker], wanted)
            if step is None or told >= EXPIRIES_PER_ROUND_MAX:
                continue
            if step not in statements:
                statements[step] = _statement(desk, known, step)
            order(desk, tx, locker, Trust(statements[step]))
            told += 1
        return told


def _behind(desk: Desk, tx: Transaction, wanted: Wanted) -> list[str]:
    return tx.lockers_behind(wanted.adds(), wanted.let_go, desk.clock() - TRUST_AGAIN_S)


def _statement(desk: Desk, known: Iterable[SigningKey], step: Step) -> bytes:
    if step.introduced:
        (words,) = [key.introduction for key in known if key.kid == step.add]
        assert words is not None
        return words
    if step.add is None:
        said = trust.Statement(None, None, step.drop)
    else:
        said = trust.to_add(desk.keys.trusted[step.add], step.drop)
    return trust.seal(said, desk.keys.kid, desk.keys.sign)


def ahead_of(message: Message, trusted: Mapping[bytes, bytes]) -> list[Message]:
    """What must be with the locker before this order: of a key to come, the pieces of its table. They follow from
    the order, so they are no rows of their own, and go again whenever it does."""
    if not isinstance(message, Trust):
        return []
    kid = added_by(said_in(message.statement))
    if kid is None or kid not in trusted:  # let go since: the locker says that the table is missing
        return []
    return [TrustPart(kid, offset, part) for offset, part in trust.parts(trusted[kid])]


def starts_with(desk: Desk, tx: Transaction, locker: str, trusted: Iterable[bytes]) -> None:
    """It was provisioned: it believes these, and what it was told before is gone."""
    tx.supersede_trust(locker)
    tx.disbelieve(locker)
    for kid in trusted:
        tx.believe(locker, kid, desk.clock())
    for kind in (REFUSED, PROVISION_AGAIN):
        tx.clear_alarms(locker, 0, kind, desk.clock())


def told(batch: Batch, locker: Locker, event: CommandDone) -> None:
    """A locker answered a Trust."""
    command = batch.tx.command(event.command)
    if event.code:
        if command is None or command.state in ("waiting", "sent"):  # else nobody waits for it any more
            batch.alarm(locker.id, 0, REFUSED)
        return
    added: bytes | None = None
    if command is not None and command.locker == locker.id and isinstance(command.down.command, Trust):
        said = said_in(command.down.command.statement)
        added = added_by(said)
        if said.drop is not None:
            batch.tx.disbelieve(locker.id, said.drop)
    elif 0 < event.value <= 0xFFFFFFFF:  # books from a backup do not know the order; the locker knows what came of it
        added = event.value.to_bytes(4, "big")
    if added is not None:
        batch.tx.believe(locker.id, added, batch.now)
    batch.tx.clear_alarms(locker.id, 0, REFUSED, batch.now)
