"""May this code open a door? Typos are free, guesses are dear, and nobody is locked out of the scanner.

Answers are words: open, typo, wrong, spent, throttled, pause for typed codes; and for tokens a Token, or the
protocol's error code. What a wrong code costs is saved before it is told.
"""

from typing import TYPE_CHECKING

from protocol.errors import ProtocolError, number_of
from protocol.limits import SCAN_SIZE_MAX, WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS, WRONG_CODE_REFILL_MS
from protocol.messages import BucketRefilled, CodeRefused
from protocol.numbers import KEYPAD, SCANNER
from protocol.otp import is_well_formed
from protocol.tokens import COURIER, DELEGATE, PICKUP, open_token

if TYPE_CHECKING:
    from device.agent.codes import Codes
    from device.agent.config import Config
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from protocol.tokens import Token

_REFUSED_TOKENS_EVERY_MS = 60_000  # a flood of false tokens must not fill the journal


class Access:
    def __init__(self, config: "Config", ledger: "Ledger", codes: "Codes") -> None:
        self._config = config
        self._ledger = ledger
        self._books = ledger.books
        self._codes = codes
        self._pause_until = 0
        self._refill_at: int | None = None
        self._token_refusal_at = 0

    def pause_left_ms(self, now: int) -> int:
        return max(0, self._pause_until - now)

    def typed(self, now: int, code: str, effects: "list[Effect]") -> "tuple[str, int]":
        """(word, place); the place counts for open and spent."""
        if now < self._pause_until:
            return "pause", 0
        if len(code) != self._config.code_digits or not is_well_formed(code):
            return "typo", 0
        if self._books.bucket == 0 and self._has_bucket():
            return "throttled", 0
        place = self._codes.find(code)
        if place is not None:
            return "open", place
        used = self._codes.find_spent(code)
        if used is not None:
            return "spent", used[0] if used[1] == self._books.deposit(used[0]) else -1
        left = self._books.bucket - 1 if self._has_bucket() else self._books.bucket
        self._ledger.save(now, CodeRefused(KEYPAD, number_of("wrong_code"), left), effects)
        self._pause_until = now + WRONG_CODE_PAUSE_MS
        if self._refill_at is None:
            self._refill_at = now + WRONG_CODE_REFILL_MS
        return "wrong", 0

    def _has_bucket(self) -> bool:
        # 16 digits need none (design, section 5): 15 unknown digits outlast any year of typing.
        return self._config.code_digits < 16

    def shown(self, now: int, text: bytes, effects: "list[Effect]") -> "Token":
        """The token behind a scanned text. Raises ProtocolError; only what looked like a token is counted."""
        if len(text) > SCAN_SIZE_MAX:
            raise ProtocolError("too_large")
        try:
            token = open_token(text, self._config.trusted)
            if token.locker is not None and token.locker != self._config.locker:
                raise ProtocolError("wrong_locker")
            wall = self._ledger.link.wall_s(now)
            # A customer is never refused for the hour: expiry is the gateway's, by Revoke (design, section 5).
            if token.role not in (PICKUP, DELEGATE) and wall is not None and wall > token.expiry_s:
                raise ProtocolError("expired")
            if token.role not in (PICKUP, DELEGATE, COURIER):
                raise ProtocolError("not_allowed")
        except ProtocolError as error:
            if error.code != "malformed":
                self._count_refusal(now, error.number, effects)
            raise
        return token

    def place_of(self, token: "Token") -> "int | None":
        """The place a pickup token opens: its deposit must be the compartment's last. None: spent."""
        place = self._books.place(token.compartment or 0)
        if place is None or self._books.deposit(place) != token.deposit:
            return None
        return place

    def _count_refusal(self, now: int, number: int, effects: "list[Effect]") -> None:
        if now < self._token_refusal_at or not self._ledger.has_room:
            return
        self._token_refusal_at = now + _REFUSED_TOKENS_EVERY_MS
        self._ledger.save(now, CodeRefused(SCANNER, number, self._books.bucket), effects)

    def tick(self, now: int, effects: "list[Effect]") -> None:
        """The bucket fills by the locker's own uptime alone: no clock can be set to fill it."""
        if self._refill_at is None and self._books.bucket < WRONG_CODE_BUCKET:
            self._refill_at = now + WRONG_CODE_REFILL_MS
        if self._refill_at is None or now < self._refill_at:
            return
        self._ledger.save(now, BucketRefilled(self._books.bucket + 1), effects)
        self._refill_at = now + WRONG_CODE_REFILL_MS if self._books.bucket < WRONG_CODE_BUCKET else None

    def deadline(self) -> "int | None":
        return self._refill_at
