"""Erasing and exporting what is known of a recipient: whom somebody means, and how far an erasure is."""

from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.limits import MAIL_SIZE_MAX, PHONE_SIZE_MAX

WAITING, ERASED, DONE = "waiting", "erased", "done"
NEXT_ACTIONS = {
    WAITING: ("nothing: it is erased when the parcel has left, or after 90 days if it never came",),
    ERASED: ("nothing: within minutes the files are rewritten, and its state is done",),
    DONE: (),
}
_NATIONAL_DIGITS = 9  # of a French number, after the 0 or the +33


@dataclass(frozen=True, slots=True)
class Contact:
    """A mail address, or a telephone number."""

    mail: str | None = None
    phone: str | None = None

    def check(self) -> None:
        """Raises Refusal("bad_value")."""
        good_mail = self.mail is not None and 0 < len(self.mail) <= MAIL_SIZE_MAX
        good_phone = self.phone is not None and len(self.phone) <= PHONE_SIZE_MAX and bool(digits_of(self.phone))
        if (self.mail is None) == (self.phone is None) or not (good_mail or good_phone):
            raise Refusal("bad_value", "say either the mail address or the telephone number")

    def fits(self, mail: str | None, phone: str | None) -> bool:
        """However it is written: capitals, spaces, +33 or 0."""
        if self.mail is not None:
            return mail is not None and mail.strip().casefold() == self.mail.strip().casefold()
        assert self.phone is not None
        return phone is not None and digits_of(phone) == digits_of(self.phone)


def digits_of(phone: str) -> str:
    """A telephone number's digits; a French one without its prefix."""
    digits = "".join(letter for letter in phone if letter in "0123456789")
    for prefix in ("0033", "33", "0"):
        rest = digits.removeprefix(prefix).removeprefix("0" if prefix != "0" else "")
        if digits.startswith(prefix) and len(rest) == _NATIONAL_DIGITS:
            return rest
    return digits


@dataclass(frozen=True, slots=True)
class Erasure:
    """Of the recipient of one parcel."""

    parcel: ParcelNumber
    asked_s: int
    erased_s: int | None = None
    done_s: int | None = None

    @property
    def state(self) -> str:
        if self.done_s is not None:
            return DONE
        return WAITING if self.erased_s is None else ERASED
