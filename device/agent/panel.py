"""The person in front: keys and scans in, screens and tunes out. One conversation at a time.

Every mode knows what each kind of input does, ends by itself when nobody is there any more, and every refusal
says what to do next (the texts are the display's, device/screens).
"""

from typing import TYPE_CHECKING

from device.agent.access import NOWHERE
from device.agent.effects import Beep, Show
from protocol.errors import CODES, ProtocolError
from protocol.limits import (
    COURIER_IDLE_MS,
    COURIER_REOPEN_MS,
    LABEL_SIZE_MAX,
    NEXT_PARCEL_MS,
    REQUEST_TTL_MS,
    TYPING_IDLE_MS,
)
from protocol.messages import CourierIdentified, DepositRequested, OpeningAuthorised
from protocol.numbers import DEPOSITING as FILLING
from protocol.numbers import FIRST, JAMMED, KEYPAD, SCANNER, TOO_SMALL, WRONG_BOX
from protocol.tokens import COURIER, DELEGATE, TECHNICIAN

if TYPE_CHECKING:
    from device.agent.access import Access
    from device.agent.alone import Alone
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from device.agent.openings import Openings
    from protocol.tokens import Token

# OFFERED: the screen offers another parcel to whoever has just collected one. SIZING: no gateway answers, and the
# screen asks a courier for the parcel's size. Any other screen ends either.
IDLE, TYPING, TOLD, OFFERED, COURIER_READY, SIZING, ASKING, DEPOSITING = 0, 1, 2, 3, 4, 5, 6, 7
_TOLD_MS = 8_000
_ANSWER_MS = 10_000  # the gateway's answer to a courier, before the locker goes on without
_SIZE_MS = 30_000  # for the parcel's size; the digits of whoever comes next are no sizes
_SIZE_KEYS = "123"


class Panel:
    def __init__(self, ledger: "Ledger", access: "Access", openings: "Openings", alone: "Alone", digits: int) -> None:
        self._ledger = ledger
        self._books = ledger.books
        self.alone = alone
        self._access = access
        self._openings = openings
        self._digits = digits
        self.mode = IDLE
        self._typed = ""
        self._until: int | None = None
        self._badge = b""
        self._carrier = ""
        self._label = ""
        self._request = 0
        self._asked_at = 0
        self._place = -1  # the compartment of the deposit under way
        self._last = -1  # the one just filled, which its courier may open once more until then
        self._last_until = 0
        self._receipt = False  # the last deposit's receipt is for the courier who stands here
        self._collected_at = -1  # where whoever is offered another parcel has collected, and how they asked for it
        self._channel = KEYPAD

    # -------------------------------------------------------------- keys
    def key(self, now: int, key: str, effects: "list[Effect]") -> None:
        if key == "A":  # for whoever stands here now: the display greets the next person in its own language again
            effects.append(Show("language", ("",)))
            self._until = now + TYPING_IDLE_MS if self.mode == IDLE else self._until
            return
        if key == "D":
            self._tell(now, "help", (), effects)
            return
        if self.mode >= COURIER_READY:
            self._courier_key(now, key, effects)
        elif key == "*":
            self._typed = self._typed[:-1]
            self._show_typed(now, effects)
        elif key.isdigit():
            pause = self._access.pause_left_ms(now)
            if pause:
                self._tell(now, "wrong_code", (str(pause // 1000 + 1),), effects)
                return
            self._typed += key
            self._show_typed(now, effects)
            if len(self._typed) == self._digits:
                self._enter(now, KEYPAD, effects)
        elif key == "#" and self._typed:
            self._enter(now, KEYPAD, effects)
        elif key == "#" and self.mode == OFFERED:
            self._open_offered(now, effects)

    def _show_typed(self, now: int, effects: "list[Effect]") -> None:
        if not self._typed:
            self._rest(effects)
            return
        self.mode = TYPING
        self._until = now + TYPING_IDLE_MS
        size = 3 if self._digits == 12 else 4
        groups = [self._typed[start : start + size] for start in range(0, len(self._typed), size)]
        effects.append(Show("typing", (" ".join(groups),)))

    def _enter(self, now: int, channel: int, effects: "list[Effect]") -> None:
        code, self._typed = self._typed, ""
        word, place = self._access.typed(now, channel, code, effects)
        if word == "open":
            self._open(now, place, channel, None, effects)
        elif word == "spent":
            self._open_again(now, place, channel, None, effects)
        elif word == "short":
            self._tell(now, "short", (str(len(code)), str(self._digits)), effects)
        elif word in ("typo", "throttled"):
            self._tell(now, word, (), effects)
        else:
            seconds = self._access.pause_left_ms(now) // 1000
            self._tell(now, "wrong_code", (str(max(1, seconds)),), effects)

    # -------------------------------------------------------------- pickups
    def _open(self, now: int, place: int, channel: int, taker: "bytes | None", effects: "list[Effect]") -> None:
        number = str(self._books.numbers[place])
        screen = "already_open" if self._openings.is_open(place) else "opening"
        self._channel = channel
        why = self._openings.pickup(now, place, channel, taker, effects)
        if why == "":
            self._tell(now, screen, (number,), effects, "ok")
        elif why == "out_of_service":
            self._tell(now, "door_out_of_service", (number,), effects)
        else:
            self._tell(now, "code_used", (), effects)

    def _open_again(self, now: int, place: int, channel: int, taker: "bytes | None", effects: "list[Effect]") -> None:
        """A used code: the same person's next parcel, else the same door once more."""
        other = self._openings.next_of(place) if place != NOWHERE and taker is None else None
        if place == NOWHERE:
            self._tell(now, "code_used", (), effects)
        else:
            self._open(now, place if other is None else other, channel, taker, effects)

    def _collected(self, now: int, number: int, effects: "list[Effect]") -> None:
        """No door opens before somebody asks for it: whoever collected may have left."""
        place = self._books.place(number)
        other = None
        if place is not None and self._openings.taker(place) is None:
            other = self._openings.next_of(place)
        if place is None or other is None:
            self._tell(now, "collected", (str(number),), effects)
            return
        self._tell(now, "collected_more", (str(self._books.numbers[other]),), effects)
        self.mode = OFFERED
        self._collected_at = place
        self._until = now + NEXT_PARCEL_MS

    def _open_offered(self, now: int, effects: "list[Effect]") -> None:
        """It may be gone by now: revoked, or out of service."""
        other = self._openings.next_of(self._collected_at)
        if other is None:
            self._rest(effects)
        else:
            self._open(now, other, self._channel, None, effects)

    # -------------------------------------------------------------- scans
    def scan(self, now: int, frame: bytes, effects: "list[Effect]") -> "Token | None":
        """A technician's token is handed on: what it opens is the console."""
        digits = _digits_of(frame)
        if self.mode < COURIER_READY and len(digits) == self._digits:  # a courier's are a label
            self._typed = digits
            self._enter(now, SCANNER, effects)
            return None
        try:
            token = self._access.shown(now, SCANNER, frame, effects)
        except ProtocolError as error:
            self._scan_of_no_token(now, frame, error.code, effects)
            return None
        if token.role == TECHNICIAN:
            self._tell(now, "technician", (token.subject,), effects, "ok")
            return token
        if token.role == COURIER:
            self._courier_comes(now, token, effects)
        else:
            self._collector_comes(now, token, effects)
        return None

    def _collector_comes(self, now: int, token: "Token", effects: "list[Effect]") -> None:
        word, place = self._access.collects(token)
        taker = token.id if token.role == DELEGATE else None
        if word == "open":
            self._open(now, place, SCANNER, taker, effects)
        elif word == "spent":
            self._open_again(now, place, SCANNER, taker, effects)
        else:
            self._tell(now, "token_refused", (), effects)

    def token_revoked(self, token: bytes, effects: "list[Effect]") -> None:
        """The badge of whoever stands there may have been the one; a door that is open already can be closed."""
        if self._badge == token and COURIER_READY <= self.mode < DEPOSITING:
            self._rest(effects)

    def _scan_of_no_token(self, now: int, frame: bytes, code: str, effects: "list[Effect]") -> None:
        if code == "malformed" and _is_label(frame):
            label = str(frame, "utf-8")
            # Asked about another, the courier has gone on to this one: the next door to open must not be that one's.
            if self.mode in (COURIER_READY, SIZING) or (self.mode == ASKING and label != self._label):
                self._label = label
                self._receipt = False
                self._ask(now, FIRST, effects)
            elif self.mode < COURIER_READY:
                self._tell(now, "badge_first", (), effects)
        elif code == "wrong_locker":
            self._tell(now, "wrong_locker", (), effects)
        elif code == "expired":  # badges alone expire here, and only for who holds one
            self._tell(now, "badge_refused", (), effects)
        elif code != "malformed" or self.mode < ASKING:
            self._tell(now, "token_refused", (), effects)

    # -------------------------------------------------------------- couriers
    def _courier_comes(self, now: int, token: "Token", effects: "list[Effect]") -> None:
        if self.mode >= ASKING:  # a deposit is under way; it is not taken over by a second badge
            return
        why = self._ledger.no_deposits
        if why:
            self._tell(now, why, (), effects)
            return
        self._receipt = False
        self._badge = token.id
        self._carrier = token.subject
        self._ledger.save(now, CourierIdentified(token.id, token.subject), effects)
        self._courier_ready(now, effects)

    def _courier_ready(self, now: int, effects: "list[Effect]") -> None:
        self.mode = COURIER_READY
        self._until = now + COURIER_IDLE_MS
        self._place = -1
        self._show_ready(effects)

    def _show_ready(self, effects: "list[Effect]") -> None:
        """A receipt stays up until its courier goes on."""
        if self._receipt:
            screen = "receipt" if self._last >= 0 else "receipt_again"  # that door may be opened once more, or not
            effects.append(Show(screen, self.alone.receipt()))
        else:
            effects.append(Show("courier_ready", (self._carrier,)))

    def _courier_key(self, now: int, key: str, effects: "list[Effect]") -> None:
        if self.mode == DEPOSITING:
            self._depositing_key(now, key, effects)
        elif self.mode == SIZING and key == "*":
            self._courier_ready(now, effects)
        elif self.mode == SIZING and key in _SIZE_KEYS:
            self._choose(now, _SIZE_KEYS.index(key), effects)
        elif key == "*":
            self._rest(effects)
        elif key == "C" and self.mode == COURIER_READY and self._last >= 0 and now < self._last_until:
            self._look_again(now, effects)
        elif key.isdigit() and self.mode < ASKING:  # the courier has left, and a customer types
            self._rest(effects)
            self.key(now, key, effects)

    def _depositing_key(self, now: int, key: str, effects: "list[Effect]") -> None:
        place = self._place
        empty = self._openings.seems_empty(place)
        if empty is False:
            return
        if empty:
            if key == "#":
                self._until = None
                self._openings.deposit_again(now, place, self._badge.hex(), effects)
                effects.append(Show("deposit_open", (str(self._books.numbers[place]),)))
            elif key == "*":
                self._openings.abandon(now, place, WRONG_BOX, effects)
                self._courier_ready(now, effects)
        if key == "B" and not self._openings.is_opening(place):  # nobody can tell yet
            self._openings.abandon(now, place, TOO_SMALL, effects)
            self._ask_again(now, TOO_SMALL, effects)

    def _look_again(self, now: int, effects: "list[Effect]") -> None:
        """Once more into the compartment just filled: the parcel stays booked as deposited."""
        number = self._books.numbers[self._last]
        badge = OpeningAuthorised(number, KEYPAD, self._badge.hex(), None, None)
        if not self._openings.other(now, self._last, badge, effects):
            effects.append(Show("deposit_open", (str(number),)))
        self._last = -1

    def _ask(self, now: int, reason: int, effects: "list[Effect]") -> None:
        why = self._ledger.no_deposits
        if why:
            self._tell_courier(now, why, (), effects)
            return
        self._request += 1
        self._asked_at = now
        self._place = -1
        request = DepositRequested(self._request, self._badge, self._carrier, self._label, reason)
        if not self._ledger.link.tell(now, request, effects):
            self._ask_size(now, effects)
            return
        self.mode = ASKING
        self._until = now + _ANSWER_MS
        effects.append(Show("asking", ()))

    def _ask_again(self, now: int, reason: int, effects: "list[Effect]") -> None:
        """That door did not do. Another, from whoever gave it: the gateway, or this locker."""
        size = self.alone.next_size(self._place, reason == TOO_SMALL)
        if size is None:
            self._ask(now, reason, effects)
        else:
            self._choose(now, size, effects)

    # -------------------------------------------------------------- couriers, and no gateway
    def _ask_size(self, now: int, effects: "list[Effect]") -> None:
        """Of a parcel that is not inside already: its courier has the receipt once more, or goes on where the power
        went."""
        word, place = self.alone.find(self._badge, self._carrier, self._label)
        if word == "inside":
            self._receipt = True
            self._courier_ready(now, effects)
        elif word == "begun":
            self.assigned(place, effects)
        elif word:
            self._tell_courier(now, word, (), effects)
        else:
            self.mode = SIZING
            self._until = now + _SIZE_MS
            effects.append(Show("size", ()))
            effects.append(Beep("attention"))

    def _choose(self, now: int, size: int, effects: "list[Effect]") -> None:
        """A door by this locker's own choice."""
        self._place = -1
        why, place = self.alone.deposit(now, (self._badge, self._carrier, self._label, size), effects)
        if why:
            self._tell_courier(now, why, (), effects)
        else:
            self.assigned(place, effects)

    # -------------------------------------------------------------- the gateway's answers
    def awaits(self, now: int, request: int) -> bool:
        """Whether a courier still stands there waiting for the answer to this request."""
        return self.mode == ASKING and request == self._request and now - self._asked_at <= REQUEST_TTL_MS

    def assigned(self, place: int, effects: "list[Effect]") -> None:
        self.mode = DEPOSITING
        self._until = None
        self._place = place
        effects.append(Show("deposit_open", (str(self._books.numbers[place]),)))
        effects.append(Beep("ok"))

    def declined(self, now: int, code: int, effects: "list[Effect]") -> None:
        word = CODES.get(code, "unknown_type")
        screen = _SCREEN_OF_REFUSAL.get(word)
        if screen is not None:
            self._tell_courier(now, screen, (), effects)
        else:
            self._tell_courier(now, "declined", (word,), effects)

    def _tell_courier(self, now: int, screen: str, arguments: "tuple[str, ...]", effects: "list[Effect]") -> None:
        self.mode = COURIER_READY
        self._until = now + COURIER_IDLE_MS
        effects.append(Show(screen, arguments))
        effects.append(Beep("error"))

    # -------------------------------------------------------------- what the doors did
    def happened(self, now: int, happening: "tuple[str, int]", effects: "list[Effect]") -> None:
        word, number = happening
        if self.mode == DEPOSITING and self._place == self._books.place(number):
            self._deposit_happened(now, word, str(number), effects)
        elif word == "deposit_empty":  # its courier is gone
            place = self._books.place(number)
            assert place is not None
            self._openings.leave_unclear(now, place, effects)
        self._tell_of_door(now, word, number, effects)

    def _tell_of_door(self, now: int, word: str, number: int, effects: "list[Effect]") -> None:
        if word == "wrong_door":
            self._wrong_door(now, str(number), effects)
        elif word in ("remind", "left_open"):
            effects.append(Beep("attention"))
            if self.mode < COURIER_READY:
                self._tell(now, "left_open", (str(number),), effects)
        elif word == "closed" and self.mode == TOLD:
            self._rest(effects)
        elif word == "closed" and self.mode == COURIER_READY:
            self._show_ready(effects)
        elif word == "collected" and self.mode in (IDLE, TOLD, OFFERED):
            self._collected(now, number, effects)
        elif self.mode in (IDLE, TOLD):
            screen = _SCREEN_OF_HAPPENING.get(word)
            if screen is not None:
                self._tell(now, screen, (str(number),), effects)

    def _wrong_door(self, now: int, number: str, effects: "list[Effect]") -> None:
        """Another door than the ordered one opened. A courier whose deposit that ended goes on with the label."""
        depositing = self.mode == DEPOSITING and self._books.holdings[self._place] == FILLING
        tell = self._tell if self.mode < COURIER_READY or depositing else self._tell_courier
        tell(now, "wrong_door", (number,), effects)

    def _deposit_happened(self, now: int, word: str, number: str, effects: "list[Effect]") -> None:
        """The door of the deposit under way did something."""
        if word == "deposited":
            self._last, self._last_until = self._place, now + COURIER_REOPEN_MS
            self._receipt = self.alone.is_from(self._place)
            self._courier_ready(now, effects)
            if not self._receipt:
                effects.append(Show("deposited", (number,)))
            effects.append(Beep("ok"))
        elif word == "deposit_jammed":
            self._ask_again(now, JAMMED, effects)
            if self.mode == ASKING:
                effects.append(Show("deposit_jammed", (number,)))
        elif word == "deposit_empty":
            self._until = now + COURIER_IDLE_MS
            effects.append(Show("deposit_empty", (number,)))
            effects.append(Beep("attention"))
        elif word == "left_open":  # the courier is gone; the next one's code must not wait for that door
            self._rest(effects)

    def identify(self, now: int, effects: "list[Effect]") -> None:
        """Which of the lockers are you?"""
        self._tell(now, "identify", (), effects, "attention")

    def _tell(
        self, now: int, screen: str, arguments: "tuple[str, ...]", effects: "list[Effect]", tune: str = "error"
    ) -> None:
        """Say something for a while, then rest; a courier's session goes on behind it."""
        if self.mode >= COURIER_READY:
            effects.append(Show(screen, arguments))
            if self.mode == SIZING:  # the question is gone, and digits are a customer's again
                self.mode = COURIER_READY
                self._until = now + COURIER_IDLE_MS
        else:
            self.mode = TOLD
            self._typed = ""
            self._until = now + _TOLD_MS
            effects.append(Show(screen, arguments))
        if tune != "error" or screen in _REFUSALS:
            effects.append(Beep(tune))

    def _rest(self, effects: "list[Effect]") -> None:
        self.mode = IDLE
        self._typed = ""
        self._badge = b""
        self._label = ""
        self._last = -1
        self._receipt = False
        self._until = None
        effects.append(Show("service" if self._ledger.serving else "welcome", ()))

    def start(self, effects: "list[Effect]") -> None:
        self._rest(effects)

    def tick(self, now: int, effects: "list[Effect]") -> None:
        if self._until is None or now < self._until:
            return
        if self.mode == ASKING:
            self._ask_size(now, effects)
        elif self.mode == SIZING:
            self._courier_ready(now, effects)
        elif self.mode == DEPOSITING:  # the courier left without a word
            self._openings.leave_unclear(now, self._place, effects)
            self._rest(effects)
        else:
            self._rest(effects)

    def deadline(self) -> "int | None":
        return self._until


_SCREEN_OF_HAPPENING = {"opened": "take_parcel", "jammed": "door_jammed", "still_inside": "still_inside"}
_SCREEN_OF_REFUSAL = {
    "no_room": "no_room",
    "unknown_label": "unknown_label",
    "not_allowed": "not_allowed",
    "wrong_state": "parcel_done",
    "wrong_locker": "parcel_elsewhere",
}
_REFUSALS = (
    "typo",
    "short",
    "wrong_code",
    "code_used",
    "throttled",
    "token_refused",
    "wrong_locker",
    "badge_first",
    "door_out_of_service",
    "door_jammed",
    "journal_full",
)


def _digits_of(frame: bytes) -> str:
    """A typed code in a barcode, with or without the spaces of its groups; "" for anything else."""
    if len(frame) > LABEL_SIZE_MAX or not all([byte == 0x20 or 0x30 <= byte <= 0x39 for byte in frame]):
        return ""
    return str(frame, "ascii").replace(" ", "")


def _is_label(frame: bytes) -> bool:
    """Printable ASCII of a carrier's label length; everything else a scanner says is noise."""
    return 0 < len(frame) <= LABEL_SIZE_MAX and all(0x20 <= byte < 0x7F for byte in frame)
