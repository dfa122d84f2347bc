"""What a merchant fills in for one parcel, read and checked field by field: a mistake is marked where it was made."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.compartments import SIZES
from gateway.domain.contacts import is_mail, is_phone
from gateway.domain.parcels import NewParcel
from gateway.limits import NAME_SIZE_MAX, TENANT_SIZE_MAX
from gateway.web.forms import Form
from protocol.limits import LABEL_SIZE_MAX
from protocol.topics import is_locker_id

FIELDS = ("label", "locker", "size", "carrier", "name", "mail", "phone", "accessible", "heavy")
_LABEL = re.compile(rf"[ -~]{{0,{LABEL_SIZE_MAX}}}")
_CARRIER = re.compile(rf"([a-z0-9][a-z0-9-]{{0,{TENANT_SIZE_MAX - 1}}})?")
_FITS: dict[str, Callable[[str], object]] = {
    "label": _LABEL.fullmatch,
    "locker": is_locker_id,
    "size": SIZES.__contains__,
    "carrier": _CARRIER.fullmatch,
    "name": lambda text: len(text) <= NAME_SIZE_MAX and text.isprintable(),
    "mail": lambda text: not text or is_mail(text),
    "phone": lambda text: not text or is_phone(text),
}


@dataclass(frozen=True)
class Order:
    """`said`: each field as it was filled in, to be shown again; `wrong`: those that cannot be."""

    said: dict[str, str]
    wrong: tuple[str, ...]

    def new_parcel(self, merchant: str) -> NewParcel:
        said = self.said
        return NewParcel(
            label=said["label"],
            locker=said["locker"],
            size=said["size"],
            carrier=said["carrier"] or merchant,
            merchant=merchant,
            recipient_name=said["name"] or None,
            recipient_mail=said["mail"] or None,
            recipient_phone=said["phone"] or None,
            accessible=bool(said["accessible"]),
            heavy=bool(said["heavy"]),
        )


def read(form: Form) -> Order:
    said = {name: form[name] for name in FIELDS}
    return Order(said, tuple(name for name, fits in _FITS.items() if not fits(said[name])))
