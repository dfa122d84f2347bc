"""Letters to recipients: which kind is owed to whom, by which way, when again, and when an owed one is outdated.

What is owed follows from the state of a parcel and from the state that its recipient was last told of. A letter here
is a row without any text: what it says is worked out when it is sent.
"""

from dataclasses import dataclass, field

from gateway.domain.ids import ParcelNumber, parcel_id
from gateway.domain.parcels import Parcel
from gateway.limits import (
    LETTER_AGAIN_S_MAX,
    LETTER_AGAIN_S_MIN,
    LETTER_NEWS_S_MAX,
    REMIND_BEFORE_S,
)

MAIL, SMS = "mail", "sms"
CHANNELS = (MAIL, SMS)
ARRIVED, CODE_CHANGED, REMINDER, EXPIRED, COLLECTED = "arrived", "code_changed", "reminder", "expired", "collected"
KINDS = (ARRIVED, CODE_CHANGED, REMINDER, EXPIRED, COLLECTED)
WITH_CODE = (ARRIVED, CODE_CHANGED, REMINDER)
BY_EVERY_WAY = (ARRIVED, CODE_CHANGED)  # the others by one
STATES = ("waiting", "sent", "given_up", "dropped")

# The state a parcel must be in for a letter of this kind to be true.
TRUE_IN = {
    ARRIVED: "deposited",
    CODE_CHANGED: "deposited",
    REMINDER: "deposited",
    EXPIRED: "expired",
    COLLECTED: "collected",
}


class OutdatedError(Exception):
    """What the letter would say is not so any more, or nobody is left to tell."""


class NotYetError(Exception):
    """It may be sent later. `due_s`: look again then."""

    def __init__(self, due_s: int) -> None:
        super().__init__("not yet")
        self.due_s = due_s


@dataclass(frozen=True, slots=True)
class Recipient:
    name: str | None = field(repr=False)
    mail: str | None = field(repr=False)
    phone: str | None = field(repr=False)

    def address(self, channel: str) -> str | None:
        return self.mail if channel == MAIL else self.phone

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(channel for channel in CHANNELS if self.address(channel))


@dataclass(frozen=True, slots=True)
class News:
    """A parcel, and the state and deposit that its recipient was told of (None: nothing yet)."""

    parcel: Parcel
    told_state: str | None
    told_deposit: int | None


@dataclass(frozen=True, slots=True)
class Letter:
    """`deposit`: a new code is a new letter. `reason`: why it was given up or dropped, or not sent so far.
    `provider_id`: what its provider calls it."""

    id: int
    parcel: ParcelNumber
    kind: str
    deposit: int
    channel: str
    made_s: int
    due_s: int
    tries: int = 0
    state: str = "waiting"
    reason: str | None = None
    sent_s: int | None = None
    provider_id: str | None = None

    @property
    def parcel_id(self) -> str:
        return parcel_id(self.parcel)

    def expired_at(self, now_s: int) -> bool:
        """Tried for long enough."""
        return now_s >= self.made_s + LETTER_NEWS_S_MAX


@dataclass(frozen=True, slots=True)
class Contents:
    """What a letter says, from the books as they stand; never kept. `message_id`: the same each time this letter is
    sent, so that one which came twice is known. `secret`: of the personal link. `asks`: merchant or carrier."""

    letter: Letter
    message_id: str
    address: str = field(repr=False)
    name: str = field(repr=False)
    secret: str = field(repr=False)
    place: str
    door: int
    asks: str
    now_s: int
    code: str = field(default="", repr=False)
    has_scanner: bool = True
    deadline_s: int | None = None
    opens_also: tuple[int, ...] = ()
    ended_s: int | None = None
    by_delegate: bool = False


def owed(news: News, now_s: int) -> str | None:
    """The kind of letter that this change is worth. What is long over is not news any more: a gateway whose mail is
    set up late, or that was away, tells nobody of last month."""
    parcel = news.parcel
    if parcel.state == "deposited":
        return CODE_CHANGED if news.told_state == "deposited" else ARRIVED
    since_s = parcel.ended_s if parcel.state == "collected" else parcel.deadline_s
    if since_s is None or since_s < now_s - LETTER_NEWS_S_MAX:
        return None
    return {"expired": EXPIRED, "collected": COLLECTED}.get(parcel.state)


def ways(kind: str, recipient: Recipient, configured: tuple[str, ...]) -> tuple[str, ...]:
    """The channels by which this recipient is told."""
    usable = tuple(channel for channel in recipient.channels if channel in configured)
    return usable if kind in BY_EVERY_WAY else usable[:1]


def check_current(letter: Letter, parcel: Parcel, now_s: int) -> None:
    """Raises OutdatedError, NotYetError. A reminder follows the deadline, and is not bound to one code."""
    if parcel.state != TRUE_IN[letter.kind]:
        raise OutdatedError
    if letter.kind in BY_EVERY_WAY and parcel.deposit != letter.deposit:
        raise OutdatedError
    if letter.kind == REMINDER:
        assert parcel.deadline_s is not None
        if parcel.deadline_paused:
            raise NotYetError(now_s + LETTER_AGAIN_S_MIN * 10)
        if parcel.deadline_s > now_s + REMIND_BEFORE_S:
            raise NotYetError(parcel.deadline_s - REMIND_BEFORE_S)


def pause_s(tries: int, longest_s: int, chance: int, least_s: float | None = None) -> int:
    """Before the next try after `tries` that failed: doubled each time, a random part of it (`chance`: 0 to 255), so
    that a thousand letters do not come back in one second. `least_s`: what the provider asks for."""
    doubled = min(LETTER_AGAIN_S_MIN << min(max(tries, 1) - 1, 20), longest_s)
    jittered = doubled // 2 + doubled * chance // 510
    asked = min(max(least_s or 0, 0), LETTER_AGAIN_S_MAX)
    return max(LETTER_AGAIN_S_MIN, jittered, int(asked))
