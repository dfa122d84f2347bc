"""Reports: "it was empty", told by the recipient. The record is frozen as it was; a person ends it, no time does.

A parcel that lies there becomes `disputed`. One that was collected has ended and stays so: the report alone says
more, and keeps the state it found.
"""

from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, ReportNumber, report_id
from gateway.domain.parcels import Parcel
from gateway.limits import CLOSING_SIZE_MAX, REPORT_AFTER_S, REPORT_WORDS_SIZE_MAX


@dataclass(frozen=True, slots=True)
class Kind:
    """`afterwards`: may also be told of what was collected. `quarantines`: the door is offered to nobody until a
    person looked. `still_to_fetch`: the parcel is inside and its code goes on being shown."""

    afterwards: bool
    quarantines: bool
    still_to_fetch: bool


KINDS = {
    "empty": Kind(afterwards=True, quarantines=True, still_to_fetch=False),
    "damaged": Kind(afterwards=True, quarantines=True, still_to_fetch=False),
    "not_mine": Kind(afterwards=True, quarantines=True, still_to_fetch=False),
    "stuck": Kind(afterwards=False, quarantines=True, still_to_fetch=True),
    "cannot_reach": Kind(afterwards=False, quarantines=False, still_to_fetch=True),
}
_INSIDE = ("deposited", "expired", "disputed")


@dataclass(frozen=True, slots=True)
class Report:
    """`ticket`: what people say on the phone. `found`: the parcel's state as it was. `after_event`: the evidence is
    what the log holds from there on. `words`: personal, erased with the recipient's fields."""

    number: ReportNumber
    ticket: int
    parcel: ParcelNumber
    kind: str
    found: str
    locker: str
    compartment: int | None
    deposit: int | None
    made_s: int
    after_event: int
    words: str | None = None
    closed_s: int | None = None
    closed_by: str | None = None
    closing: str | None = None
    owner: str | None = None

    @property
    def id(self) -> str:
        return report_id(self.number)

    @property
    def alarm(self) -> str:
        """The kind of alarm that it raises."""
        return f"reported_{self.kind}"


def kinds_for(parcel: Parcel, now_s: int) -> tuple[str, ...]:
    """What may be told of this parcel now."""
    if parcel.state in _INSIDE and parcel.ended_s is None:
        return tuple(KINDS)
    if parcel.state == "collected" and parcel.ended_s is not None and now_s < parcel.ended_s + REPORT_AFTER_S:
        return tuple(name for name, kind in KINDS.items() if kind.afterwards)
    return ()


def check_report(parcel: Parcel, kind: str, words: str, now_s: int) -> None:
    """Raises Refusal: bad_value, wrong_state."""
    if kind not in KINDS:
        raise Refusal("bad_value", f"kind: one of {', '.join(KINDS)}")
    if len(words) > REPORT_WORDS_SIZE_MAX:
        raise Refusal("bad_value", f"words: {REPORT_WORDS_SIZE_MAX} characters at the most")
    if kind not in kinds_for(parcel, now_s):
        raise Refusal("wrong_state", f"of a parcel that is {parcel.state} this cannot be told, or no longer")


def check_closing(reason: str) -> None:
    """Raises Refusal("bad_value")."""
    if not 0 < len(reason) <= CLOSING_SIZE_MAX or not reason.isprintable():
        raise Refusal("bad_value", f"reason: 1 to {CLOSING_SIZE_MAX} printable characters")
