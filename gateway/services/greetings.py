"""Use cases: in which language a locker greets. What is wanted stays in the books; while its locker has not said that
it has it, it is ordered anew: a locker that was away, or is too old to know the order, gets it when it can.
"""

from gateway.domain.acts import LOCKER_CONFIGURED
from gateway.domain.errors import Refusal
from gateway.domain.greetings import Greeting
from gateway.domain.lockers import Locker
from gateway.domain.people import Principal
from gateway.limits import EXPIRIES_PER_ROUND_MAX, GREETING_AGAIN_S, TTL_STANDING_S
from gateway.services import acts
from gateway.services.batch import Batch
from gateway.services.desk import Desk, known_locker, must_operate
from gateway.services.orders import order
from gateway.services.ports import Transaction
from protocol.messages import CommandDone, Greet
from protocol.numbers import LANGUAGES


def greeting_of(desk: Desk, who: Principal, locker: str) -> Greeting:
    """Raises Refusal: not_allowed, unknown_locker."""
    who.must("lockers:read")
    with desk.store.reading() as tx:
        known_locker(tx, locker)
        return tx.greeting_of(locker) or Greeting()


def greet_in(desk: Desk, who: Principal, locker: str, language: str) -> Greeting:
    """The same twice is the same. Raises Refusal: not_allowed, unknown_locker, bad_value."""
    must_operate(who, "lockers:write")
    if language not in LANGUAGES:
        raise Refusal("bad_value", f"language: one of {', '.join(LANGUAGES)}")
    with desk.store.transaction() as tx:
        known_locker(tx, locker)
        before = tx.greeting_of(locker)
        if before is not None and before.wanted == language:
            return before
        tx.want_greeting(locker, language, 0)
        _order(desk, tx, locker, language)
        acts.note(desk, tx, who, LOCKER_CONFIGURED, desk.clock(), place=(locker, None), reason="greeting")
        return tx.greeting_of(locker) or Greeting()


def keep_up(desk: Desk) -> None:
    """Called by a timer."""
    with desk.store.reading() as tx:
        if not tx.greetings_lacking(desk.clock(), 1):
            return
    with desk.store.transaction() as tx:
        for locker, language in tx.greetings_lacking(desk.clock(), EXPIRIES_PER_ROUND_MAX):
            _order(desk, tx, locker, language)


def _order(desk: Desk, tx: Transaction, locker: str, language: str) -> None:
    tx.supersede_at(locker, Greet.TYPE)
    order(desk, tx, locker, Greet(LANGUAGES.index(language)))
    tx.greet_again(locker, desk.clock() + TTL_STANDING_S)  # until then the order itself waits for its locker


def told(batch: Batch, locker: Locker, event: CommandDone) -> None:
    """A locker answered a Greet: by its number, so that books from a backup, which lost the order, know it too."""
    if event.code:
        batch.tx.greet_again(locker.id, batch.now + GREETING_AGAIN_S)
    elif event.value < len(LANGUAGES):
        batch.tx.hold_greeting(locker.id, LANGUAGES[event.value])


def starts_with(desk: Desk, tx: Transaction, locker: str) -> None:
    """It was provisioned, and may be another board: what it was told before is gone."""
    tx.hold_greeting(locker, None)
    known = tx.greeting_of(locker)
    if known is not None and known.wanted is not None:
        _order(desk, tx, locker, known.wanted)
