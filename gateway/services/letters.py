"""Use cases about letters: write down what is owed, work out what one says, note what became of it.

What is owed is worked out from the books and not noted by whoever changes a parcel: nothing can be forgotten, whatever
way a parcel took, and books restored from a backup owe again only what they do not remember as sent.
"""

import hmac
from dataclasses import replace

from gateway.domain.codes import has_scanner
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.letters import (
    ARRIVED,
    CODE_CHANGED,
    REMINDER,
    WITH_CODE,
    Contents,
    Letter,
    NotYetError,
    OutdatedError,
    check_current,
    owed,
    pause_s,
    ways,
)
from gateway.domain.links import PURPOSE, link_secret
from gateway.domain.parcels import Parcel
from gateway.domain.people import GATEWAY, Principal
from gateway.limits import (
    LETTER_AGAIN_S_MAX,
    LETTER_CHANNEL_AGAIN_S_MAX,
    LETTERS_PER_ROUND_MAX,
    REMIND_BEFORE_S,
    REMIND_QUIET_S,
)
from gateway.services.desk import Desk, known_locker, known_parcel
from gateway.services.parcels import pickup_code
from gateway.services.ports import Transaction

_KEY = "letters"  # of the gateway's derived key: for the ids by which a letter that came twice is known


# ------------------------------------------------------------------ what is owed
def write_owed(desk: Desk) -> int:
    """One round: letters for whoever has not been told how a parcel stands. How many parcels it looked at; 0: all is
    written. Looks first without waiting for, or holding up, anybody who writes."""
    remind_until_s = desk.clock() + REMIND_BEFORE_S
    with desk.store.reading() as tx:
        if not tx.somebody_is_to_be_told(remind_until_s):
            return 0
    now = desk.clock()
    with desk.store.transaction() as tx:
        untold = tx.untold(LETTERS_PER_ROUND_MAX)
        for news in untold:
            kind = owed(news, now)
            if kind is not None:
                _write(desk, tx, news.parcel, kind, now)
            tx.mark_told(news.parcel.number)
        reminded = tx.to_remind(remind_until_s, LETTERS_PER_ROUND_MAX)
        for news in reminded:
            if not _told_lately(tx, news.parcel, now):
                _write(desk, tx, news.parcel, REMINDER, now)
            tx.mark_reminded(news.parcel.number)
    return len(untold) + len(reminded)


def _told_lately(tx: Transaction, parcel: Parcel, now: int) -> bool:
    told = [letter for letter in tx.letters_of(parcel.number) if letter.kind in (ARRIVED, CODE_CHANGED)]
    return any(letter.made_s > now - REMIND_QUIET_S for letter in told)


def _write(desk: Desk, tx: Transaction, parcel: Parcel, kind: str, now: int) -> None:
    """A recipient without an address gets nothing; one whom we cannot reach is seen in the answer to whoever asks."""
    recipient = tx.recipient_of(parcel.number)
    if recipient is None or not recipient.channels:
        return
    assert parcel.deposit is not None
    channels = ways(kind, recipient, desk.settings.channels)
    for channel in channels:
        tx.add_letter(Letter(0, parcel.number, kind, parcel.deposit, channel, now, now))
    if not channels:
        without = Letter(0, parcel.number, kind, parcel.deposit, recipient.channels[0], now, now, state="dropped")
        tx.add_letter(replace(without, reason="not_configured"))


# ------------------------------------------------------------------ what one says
def due(desk: Desk, channel: str, limit: int = LETTERS_PER_ROUND_MAX) -> list[Letter]:
    """The longest due first."""
    with desk.store.reading() as tx:
        return tx.letters_due(channel, desk.clock(), limit)


def open_letter(desk: Desk, letter: Letter) -> Contents:
    """What it says as the books stand. Raises OutdatedError, NotYetError."""
    now = desk.clock()
    with desk.store.reading() as tx:
        parcel, recipient = tx.parcel(letter.parcel), tx.recipient_of(letter.parcel)
        address = None if recipient is None else recipient.address(letter.channel)
        if parcel is None or recipient is None or address is None:
            raise OutdatedError
        check_current(letter, parcel, now)
        assert parcel.compartment is not None
        found = Contents(
            letter=letter,
            message_id=message_id(desk, letter),
            address=address,
            name=recipient.name or "",
            secret=link_secret(desk.keys.derived(PURPOSE), parcel.number, parcel.handed),
            place=known_locker(tx, parcel.locker).name,
            door=parcel.compartment,
            asks=parcel.merchant or parcel.carrier,
            now_s=now,
            deadline_s=parcel.deadline_s,
            ended_s=parcel.ended_s,
            by_delegate=parcel.collected_by == "delegate",
        )
        return _with_code(desk, found, now) if letter.kind in WITH_CODE else found


def _with_code(desk: Desk, contents: Contents, now: int) -> Contents:
    """Raises NotYetError where there is no code now: it is being taken back, or its locker has lost its key."""
    try:
        pickup = pickup_code(desk, GATEWAY, contents.letter.parcel)
    except Refusal:
        raise NotYetError(now + LETTER_CHANNEL_AGAIN_S_MAX)
    return replace(contents, code=pickup.code, has_scanner=has_scanner(len(pickup.code)), opens_also=pickup.opens_also)


def message_id(desk: Desk, letter: Letter) -> str:
    """32 hex digits, the same for the same letter, also after a restore; they tell nobody of which parcel."""
    about = f"{letter.parcel}/{letter.kind}/{letter.deposit}/{letter.channel}"
    return hmac.digest(desk.keys.derived(_KEY), about.encode(), "sha256")[:16].hex()


# ------------------------------------------------------------------ what became of it
def note_sent(desk: Desk, letter: Letter, provider_id: str) -> None:
    done = replace(letter, state="sent", sent_s=desk.clock(), tries=letter.tries + 1, reason=None)
    _keep(desk, replace(done, provider_id=provider_id or None))


def drop(desk: Desk, letter: Letter) -> None:
    _keep(desk, replace(letter, state="dropped", reason="outdated"))


def put_off(desk: Desk, letter: Letter, due_s: int) -> None:
    """Nobody's fault: its time counts from then."""
    _keep(desk, replace(letter, made_s=due_s, due_s=due_s))


def give_up(desk: Desk, letter: Letter, reason: str) -> None:
    _keep(desk, replace(letter, state="given_up", reason=reason, tries=letter.tries + 1))


def try_later(desk: Desk, letter: Letter, reason: str, after_s: float | None, of_the_channel: bool) -> bool:
    """False: it has been tried for long enough, and is given up. A fault of the channel is not the letter's: it comes
    again soon after the channel does."""
    now = desk.clock()
    if letter.expired_at(now):
        give_up(desk, letter, reason)
        return False
    tries = letter.tries + 1
    longest_s = LETTER_CHANNEL_AGAIN_S_MAX if of_the_channel else LETTER_AGAIN_S_MAX
    wait_s = pause_s(tries, longest_s, desk.randomness(1)[0], after_s)
    _keep(desk, replace(letter, due_s=now + wait_s, tries=tries, reason=reason))
    return True


def _keep(desk: Desk, letter: Letter) -> None:
    with desk.store.transaction() as tx:
        tx.keep_letter(letter)


# ------------------------------------------------------------------ looking
def letters_of(desk: Desk, who: Principal, number: ParcelNumber) -> list[Letter] | None:
    """None: this gateway tells recipients nothing. Raises Refusal: not_allowed, unknown_parcel."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        known_parcel(tx, who, number)
        found = tx.letters_of(number)
    return found if found or desk.settings.channels else None
