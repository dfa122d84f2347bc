"""Looking for parcels: what is asked for, within limits."""

from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, parcel_number
from gateway.domain.parcels import STATES
from gateway.limits import SEARCH_SIZE_MAX


@dataclass(frozen=True, slots=True)
class ParcelSearch:
    """`text`: a parcel's id, or how its label begins. What is empty is not asked for."""

    text: str = ""
    state: str = ""
    carrier: str = ""
    merchant: str = ""
    locker: str = ""

    @property
    def number(self) -> ParcelNumber | None:
        """The parcel whose id `text` is."""
        try:
            return parcel_number(self.text)
        except Refusal:
            return None

    def check(self) -> None:
        """Raises Refusal("bad_value")."""
        said = (self.text, self.carrier, self.merchant, self.locker)
        if any(len(text) > SEARCH_SIZE_MAX or not text.isprintable() for text in said):
            raise Refusal("bad_value", f"up to {SEARCH_SIZE_MAX} printable characters")
        if self.state and self.state not in STATES:
            raise Refusal("bad_value", f"state: one of {', '.join(STATES)}")
