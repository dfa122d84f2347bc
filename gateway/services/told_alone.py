"""What lockers tell of deposits that they took while no gateway could be asked. The locker's word wins: whatever was
planned for the parcel or the door, the parcel is there, and nothing that came in is lost for want of an announcement.
"""

from gateway.domain.compartments import Compartment
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import COURIER
from gateway.services.batch import Batch
from gateway.services.receipt_order import UNANNOUNCED, lies_in, overtaken, pass_through
from gateway.services.told_deposits import put_before
from protocol.messages import OfflineDepositAuthorised, Up
from protocol.numbers import DEPOSITING, SIZES

BAD_BADGE = "deposit_by_revoked_badge"  # or one that has expired, or that these books never issued


def deposit_authorised(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, OfflineDepositAuthorised)
    parcel = _apply(batch, box, event)
    batch.tx.note_handover(parcel.number, event.badge, batch.when_s(up))
    check_badge(batch, box, parcel.number, event.badge, event.carrier, batch.when_s(up))
    return parcel.number


def _apply(batch: Batch, box: Compartment, event: OfflineDepositAuthorised) -> Parcel:
    parcel = parcel_of(batch, box, event.carrier, event.label, event.size)
    if parcel.by_receipt and lies_in(parcel, box, event.deposit):
        return parcel  # its receipt was quicker
    if overtaken(batch, box, event.deposit):
        pass_through(batch, box, parcel, event.deposit)
        return parcel
    box.holding = DEPOSITING
    box.deposit = event.deposit
    put_before(batch, box, parcel, event.deposit)
    return parcel


def parcel_of(batch: Batch, box: Compartment, carrier: str, label: str, size: int) -> Parcel:
    """The one under way with this label; where nobody announced it, a new one without a recipient, and an alarm."""
    known = batch.tx.parcel_of_label(carrier, label)
    if known is not None:
        return known
    parcel = Parcel(
        number=ParcelNumber(batch.desk.number()),
        label=label,
        locker=box.locker,
        size=SIZES[size] if size < len(SIZES) else box.size,
        carrier=carrier,
        merchant="",
        accessible=False,
        heavy=False,
        state="expected",
        expected_s=batch.now,
        announced=False,
    )
    batch.tx.add_parcel(parcel, NewParcel(label, box.locker, parcel.size, carrier))
    batch.alarm(box.locker, box.number, UNANNOUNCED, parcel.number)
    return parcel


def check_badge(  # noqa: PLR0917 - what a locker says of a badge
    batch: Batch, box: Compartment, parcel: ParcelNumber, badge: bytes, carrier: str, when_s: int
) -> None:
    """The locker knew no better. The parcel stays; somebody has to ask who put it there."""
    known = batch.tx.badge(badge)
    if known is not None and (known.role, known.carrier) == (COURIER, carrier):
        revoked = known.revoked_s is not None and known.revoked_s <= when_s
        if not revoked and when_s < known.expiry_s:
            return
    batch.alarm(box.locker, box.number, BAD_BADGE, parcel)
