"""The recipient's page: all that it says, read in one view, and who acts there. The link proves which parcel."""

import hashlib
from dataclasses import dataclass

from gateway.domain.codes import has_scanner
from gateway.domain.compartments import FAULTS, Compartment
from gateway.domain.delegations import Delegation
from gateway.domain.errors import Refusal
from gateway.domain.ids import NUMBER_MAX, ParcelNumber
from gateway.domain.lockers import Locker
from gateway.domain.operations import REISSUE, TAKE_BACK, Operation
from gateway.domain.parcels import Parcel, Pickup
from gateway.domain.people import OPERATOR, Principal
from gateway.domain.privacy import Erasure
from gateway.domain.reports import Report, kinds_for
from gateway.domain.sites import Site
from gateway.limits import NEW_CODES_MAX, RECIPIENT_KEPT_S
from gateway.services import delegations, erasures, extensions, reach, reissues, reports
from gateway.services.desk import Desk, known_locker
from gateway.services.parcels import pickup_code
from gateway.services.ports import Transaction
from gateway.services.reissues import running_for
from protocol.messages import Reissue
from protocol.numbers import REVOKED

# Whoever has a parcel's link. It may see any parcel because the link has said which; it may touch no locker.
RECIPIENT = Principal(
    OPERATOR, "", frozenset({"parcels:read", "parcels:write", "codes:read", "codes:write"}), "recipient"
)
SHOWN = ("coming", "waiting", "being_taken", "no_code", "collected", "expired", "taken_back", "disputed")
_AS_IT_IS = ("collected", "expired", "taken_back", "disputed")


@dataclass(frozen=True)
class Situation:
    """`shown`: one of SHOWN. `renewal`: "", "running" or "failed", of a new code. `low`: "", "offered", "chosen",
    "here" (its door is low) or "none" (no door is, or it is too late)."""

    parcel: Parcel
    locker: Locker
    site: Site | None
    boxes: tuple[Compartment, ...]
    shown: str
    pickup: Pickup | None
    extension: str
    delegations: tuple[Delegation, ...]
    reports: tuple[Report, ...]
    kinds: tuple[str, ...]
    renewal: str
    low: str

    @property
    def box(self) -> Compartment | None:
        return next((box for box in self.boxes if box.number == self.parcel.compartment), None)

    @property
    def suspect(self) -> bool:
        """Its door may not open."""
        box = self.box
        return box is not None and (box.quarantined or box.out_of_service or box.door in FAULTS)

    @property
    def has_scanner(self) -> bool:
        return has_scanner(self.locker.code_digits)

    @property
    def collector(self) -> Delegation | None:
        """Whom the recipient sent, when that one collected it and the name is still known."""
        return next((one for one in self.delegations if one.id == self.parcel.delegation), None)

    @property
    def version(self) -> str:
        """Another one as soon as the page says something else. No code is in it."""
        box = self.box
        told = (
            self.parcel,
            self.site,
            self.shown,
            box and (self.suspect, box.accessible),
            self.pickup and (self.pickup.reissue, self.pickup.opens_also),
            self.extension,
            [(one.id, one.state) for one in self.delegations],
            [(one.number, one.closed_s) for one in self.reports],
            self.renewal,
            self.low,
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def handed(desk: Desk, number: int) -> int:
    """How often this parcel's recipient was taken back: an earlier one's link leads nowhere."""
    if not 0 < number <= NUMBER_MAX:
        return 0
    with desk.store.reading() as tx:
        parcel = tx.parcel(number)
    return 0 if parcel is None else parcel.handed


def situation_of(desk: Desk, number: ParcelNumber) -> Situation:
    """Raises Refusal("unknown_page"): no such parcel, or it left so long ago that its people are erased."""
    with desk.store.reading() as tx:
        parcel = _living(desk, tx, number)
        boxes = tuple(tx.compartments_of(parcel.locker))
        shown, pickup = _shown(desk, tx, parcel, boxes)
        return Situation(
            parcel=parcel,
            locker=known_locker(tx, parcel.locker),
            site=tx.site_of(parcel.locker),
            boxes=boxes,
            shown=shown,
            pickup=pickup,
            extension=extensions.look(desk, tx, parcel),
            delegations=tuple(tx.delegations_of(number)),
            reports=tuple(tx.reports_of(number)),
            kinds=kinds_for(parcel, desk.clock()),
            renewal=_renewal(tx, parcel, pickup),
            low=_low(parcel, boxes),
        )


def _living(desk: Desk, tx: Transaction, number: ParcelNumber) -> Parcel:
    parcel = tx.parcel(number)
    over = parcel is None or (parcel.ended_s is not None and desk.clock() >= parcel.ended_s + RECIPIENT_KEPT_S)
    erasure = tx.erasure(number)
    # Of one that never came nothing is kept by which its recipient could be told from others.
    if (
        parcel is None
        or over
        or parcel.told_as == "never_came"
        or (erasure is not None and erasure.erased_s is not None)
    ):
        raise Refusal("unknown_page", "this link has ended, or is not complete", ("open it from the message",))
    return parcel


def _pickup(desk: Desk, parcel: Parcel) -> Pickup | None:
    try:
        return pickup_code(desk, RECIPIENT, parcel.number)
    except Refusal:
        return None


def _shown(desk: Desk, tx: Transaction, parcel: Parcel, boxes: tuple[Compartment, ...]) -> tuple[str, Pickup | None]:
    """One of SHOWN, and the code, unless it opens nothing or is about to."""
    revoked = any(box.number == parcel.compartment and box.holding == REVOKED for box in boxes)
    if parcel.state == "deposited" and (revoked or running_for(tx, parcel, TAKE_BACK) is not None):
        return "being_taken", None
    pickup = _pickup(desk, parcel)
    if parcel.state in _AS_IT_IS:
        return parcel.state, pickup
    if parcel.state in reach.BEFORE:
        return "coming", None
    return ("no_code" if pickup is None else "waiting"), pickup


def _renewal(tx: Transaction, parcel: Parcel, pickup: Pickup | None) -> str:
    if pickup is None:
        return ""
    if pickup.reissue is not None:
        return "running"
    last = tx.last_command_about(parcel.number, Reissue.TYPE)
    return "failed" if last is not None and last.state in ("refused", "expired") else ""


def _low(parcel: Parcel, boxes: tuple[Compartment, ...]) -> str:
    box = next((box for box in boxes if box.number == parcel.compartment), None)
    if parcel.state in reach.BEFORE:
        if parcel.accessible:
            return "chosen"
        return "offered" if reach.low_doors(parcel, boxes) else "none"
    if box is None or parcel.ended_s is not None:
        return ""
    return "here" if box.accessible else "none"


# ------------------------------------------------------------------ acts
def new_code(desk: Desk, number: ParcelNumber) -> Operation:
    """Raises Refusal("wrong_state"): also after a few, each is written to the locker's flash."""
    with desk.store.transaction() as tx:
        parcel = _living(desk, tx, number)
        if running_for(tx, parcel, REISSUE) is None and tx.new_codes_of(parcel) >= NEW_CODES_MAX:
            raise Refusal("wrong_state", f"it has had {NEW_CODES_MAX} new codes", ("ask the operator",))
        return reissues.reissue(desk, RECIPIENT, number, "asked by recipient")


def report(desk: Desk, number: ParcelNumber, kind: str, words: str) -> Report:
    with desk.store.transaction() as tx:
        return reports.report(desk, RECIPIENT, _living(desk, tx, number).number, kind, words)


def forget(desk: Desk, number: ParcelNumber) -> Erasure:
    """All that is known of its recipient, at once. Raises Refusal: unknown_page, wrong_state while it is under way."""
    with desk.store.transaction() as tx:
        if _living(desk, tx, number).ended_s is None:
            raise Refusal("wrong_state", "this parcel is under way", ("ask again when it has left",))
        return erasures.ask(desk, tx, RECIPIENT, number)


# ------------------------------------------------------------------ whom the recipient sends
@dataclass(frozen=True)
class Errand:
    """What a delegate sees: the place, the door and one QR; no name, no code."""

    delegation: Delegation
    parcel: Parcel
    locker: Locker
    site: Site | None
    boxes: tuple[Compartment, ...]


def errand_of(desk: Desk, delegation: bytes) -> Errand:
    """Raises Refusal("unknown_page") as soon as it opens nothing any more."""
    with desk.store.reading() as tx:
        made = tx.delegation(delegation)
        if made is None:
            raise Refusal("unknown_page", "this link has ended", ("ask whoever sent it",))
        parcel = _living(desk, tx, made.parcel)
        try:
            shown = delegations.shown_again(desk, tx, parcel, made)
        except Refusal:
            raise Refusal("unknown_page", "this link has ended", ("ask whoever sent it",))
        boxes = tuple(tx.compartments_of(parcel.locker))
        return Errand(shown, parcel, known_locker(tx, parcel.locker), tx.site_of(parcel.locker), boxes)
