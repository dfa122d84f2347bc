"""May this code or token open a door? Typos are free, guesses are dear, and nobody is locked out of the scanner.

Every way to guess (keypad, digits at the scanner, answers on the console) takes from one bucket and keeps one pause.
What a wrong guess costs is saved before it is told. Answers are words: open, spent, wrong, typo, short, pause and
throttled for typed codes; open, spent and wrong for the deposits that tokens name.
"""

from typing import TYPE_CHECKING

from protocol.errors import ProtocolError, number_of
from protocol.limits import SCAN_SIZE_MAX, WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS, WRONG_CODE_REFILL_MS
from protocol.messages import BucketRefilled, CodeRefused
from protocol.numbers import HELD
from protocol.otp import is_well_formed
from protocol.tokens import DELEGATE, PICKUP, open_token

if TYPE_CHECKING:
    from device.agent.codes import Codes
    from device.agent.config import Config
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from protocol.tokens import Token

_NOTES_EVERY_MS = 60_000  # a flood of what costs no try must not fill the journal
NOWHERE = -1  # a spent code whose compartment holds somebody else's parcel by now


class Access:
    def __init__(self, config: "Config", trusted: "dict[bytes, bytes]", ledger: "Ledger", codes: "Codes") -> None:
        self._config = config
        self._trusted = trusted
        self._ledger = ledger
        self._books = ledger.books
        self._codes = codes
        # 16 digits need no bucket (design, section 5): 15 unknown ones outlast any year of typing.
        self._has_bucket = config.code_digits < 16
        self._pause_until = 0
        self._refill_at: int | None = None
        self._note_at = 0

    def start(self, now: int) -> None:
        """After power came: whoever cut it to be rid of the pause has won nothing."""
        if self._books.refused:
            self._pause_until = now + WRONG_CODE_PAUSE_MS

    def pause_left_ms(self, now: int) -> int:
        return max(0, self._pause_until - now)

    @property
    def closed(self) -> bool:
        """Whether guesses are at their end, or their price could not be saved: only what is signed counts."""
        return self._has_bucket and (self._books.bucket == 0 or not self._ledger.has_room_for(CodeRefused.TYPE))

    # -------------------------------------------------------------- typed
    def typed(self, now: int, channel: int, code: str, effects: "list[Effect]") -> "tuple[str, int]":
        """(word, place); the place counts for open and spent (there it may be NOWHERE)."""
        if now < self._pause_until:
            return "pause", 0
        if len(code) != self._config.code_digits:
            return "short", 0
        if not is_well_formed(code):
            return "typo", 0
        if self.closed:
            return "throttled", 0
        place = self._codes.find(code)
        if place is not None:
            return "open", place
        return self._not_live(now, channel, effects)

    def _not_live(self, now: int, channel: int, effects: "list[Effect]") -> "tuple[str, int]":
        """A code that was used is told so. One that was revoked or replaced looks wrong, but is no guess."""
        once = self._codes.find_spent()
        if once is None:
            self.refuse(now, channel, effects)
        elif self._books.was_collected(once[0], once[1]):
            return "spent", once[0] if once[1] == self._books.deposit(once[0]) else NOWHERE
        else:
            self._pause_until = now + WRONG_CODE_PAUSE_MS
            self._note(now, channel, number_of("revoked"), effects)
        return "wrong", 0

    def refuse(self, now: int, channel: int, effects: "list[Effect]") -> None:
        """The price of a wrong guess."""
        self._pause_until = now + WRONG_CODE_PAUSE_MS
        code = number_of("wrong_code")
        if not self._has_bucket and self._books.refused:
            self._note(now, channel, code, effects)  # the pause that a restart keeps is in the books already
            return
        left = self._books.bucket - 1 if self._has_bucket else self._books.bucket
        self._ledger.save(now, CodeRefused(channel, code, left), effects)

    # -------------------------------------------------------------- shown
    def shown(self, now: int, channel: int, text: bytes, effects: "list[Effect]") -> "Token":
        """The token behind a text, good here and now. Raises ProtocolError; what looked like a token is noted."""
        if len(text) > SCAN_SIZE_MAX:
            raise ProtocolError("too_large")
        try:
            token = open_token(text, self._trusted)
            if token.locker is not None and token.locker != self._config.locker:
                raise ProtocolError("wrong_locker")
            if self._books.token_is_revoked(token.id):
                raise ProtocolError("revoked")
            # A customer is never refused for the hour: expiry is the gateway's, by Revoke (design, section 5).
            if token.role not in (PICKUP, DELEGATE) and self._latest_s(now) > token.expiry_s:
                raise ProtocolError("expired")
        except ProtocolError as error:
            if error.code != "malformed":
                self._note(now, channel, error.number, effects)
            raise
        return token

    def _latest_s(self, now: int) -> int:
        """It is not earlier than that: without a clock, the last time that was known."""
        wall = self._ledger.link.wall_s(now)
        return self._books.wall_s if wall is None else wall

    def collects(self, token: "Token") -> "tuple[str, int]":
        """(word, place) for a pickup's or a delegate's token."""
        place = self._books.place(token.compartment or 0)
        if place is None or token.deposit is None:
            return "wrong", 0
        is_last = self._books.deposit(place) == token.deposit
        if is_last and self._books.holdings[place] == HELD:
            return "open", place
        if self._books.was_collected(place, token.deposit):
            return "spent", place if is_last else NOWHERE
        return "wrong", 0

    def _note(self, now: int, channel: int, number: int, effects: "list[Effect]") -> None:
        if now < self._note_at or not self._ledger.has_room:
            return
        self._note_at = now + _NOTES_EVERY_MS
        self._ledger.save(now, CodeRefused(channel, number, self._books.bucket), effects)

    # -------------------------------------------------------------- time
    def tick(self, now: int, effects: "list[Effect]") -> None:
        """The bucket fills by the locker's own uptime alone: no clock can be set to fill it."""
        if self._refill_at is None and self._books.bucket < WRONG_CODE_BUCKET:
            self._refill_at = now + WRONG_CODE_REFILL_MS
        if self._refill_at is None or now < self._refill_at:
            return
        if self._books.bucket < WRONG_CODE_BUCKET:
            self._ledger.save(now, BucketRefilled(self._books.bucket + 1), effects)
        self._refill_at = now + WRONG_CODE_REFILL_MS if self._books.bucket < WRONG_CODE_BUCKET else None

    def deadline(self) -> "int | None":
        return self._refill_at
