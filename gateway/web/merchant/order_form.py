"""What a merchant fills in for one parcel, read and checked field by field: a mistake is marked where it was made."""

import re
from dataclasses import dataclass

from gateway.domain.compartments import SIZES
from gateway.domain.parcels import NewParcel
from gateway.limits import MAIL_SIZE_MAX, NAME_SIZE_MAX, PHONE_SIZE_MAX, TENANT_SIZE_MAX
from gateway.web.forms import Form
from protocol.limits import LABEL_SIZE_MAX
from protocol.topics import is_locker_id

FIELDS = ("label", "locker", "size", "carrier", "name", "mail", "phone", "accessible", "heavy")
_SHAPES = {
    "label": re.compile(rf"[ -~]{{0,{LABEL_SIZE_MAX}}}"),
    "size": re.compile("|".join(SIZES)),
    "carrier": re.compile(rf"([a-z0-9][a-z0-9-]{{0,{TENANT_SIZE_MAX - 1}}})?"),
    "mail": re.compile(r"([^@\s]+@[^@\s]+\.[^@\s]+)?"),
    "phone": re.compile(r"(\+?[0-9][0-9 ().-]{2,})?"),
}
_SIZES = {"name": NAME_SIZE_MAX, "mail": MAIL_SIZE_MAX, "phone": PHONE_SIZE_MAX}


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
    wrong = [name for name, shape in _SHAPES.items() if not shape.fullmatch(said[name])]
    wrong += [name for name, most in _SIZES.items() if len(said[name]) > most or not said[name].isprintable()]
    if not is_locker_id(said["locker"]):
        wrong.append("locker")
    return Order(said, tuple(wrong))
