"""Deposit receipts: the locker's word, on its screen, that a parcel lies in it, for a gateway that it cannot reach.

Two forms, both under the locker's "receipt" key. As a text (a QR code) the receipt says everything: a COSE_Mac0
around a CBOR list, in Base45. As twelve digits it is a compartment and a proof; the label, the carrier and the size
come from whoever keys them in, and the deposit number is one of the next few.
"""

import hashlib
from typing import TYPE_CHECKING

from protocol import base45, cbor, cose, damm
from protocol.errors import ProtocolError
from protocol.kinds import OPTIONAL_U63, check_all
from protocol.limits import RECEIPT_SIZE_MAX
from protocol.messages import OfflineDepositAuthorised
from protocol.otp import truncate
from protocol.record import Record
from protocol.topics import is_locker_id

if TYPE_CHECKING:
    from typing import Any

    from protocol.hmac import HmacKey

VERSION = 1
PREFIX = "CR1:"  # then the locker's id in capitals, a colon, and Base45: letters of a QR code's alphanumeric mode
DIGITS = 12  # three of the compartment, eight of proof, a check digit
_PROOF = 10**8


class Receipt(Record):
    """What OfflineDepositAuthorised says, and when."""

    FIELDS = OfflineDepositAuthorised.FIELDS + ("t_wall_s",)  # noqa: RUF005 - MicroPython knows no stars here
    KINDS = OfflineDepositAuthorised.KINDS + (OPTIONAL_U63,)  # noqa: RUF005
    compartment: int
    deposit: int
    badge: bytes
    carrier: str
    label: str
    size: int
    t_wall_s: "int | None"


def digits(key: "HmacKey", receipt: Receipt) -> str:
    """Twelve digits that only the locker with this receipt key, and its gateway, can work out."""
    what = hashlib.sha256((receipt.carrier + "\n" + receipt.label).encode()).digest()
    place = receipt.compartment.to_bytes(2, "big") + receipt.deposit.to_bytes(4, "big")
    proof = truncate(key.digest(place + bytes([receipt.size]) + what)) % _PROOF
    front = str(receipt.compartment * _PROOF + proof)
    front = "0" * (DIGITS - 1 - len(front)) + front
    return front + damm.check_digit(front)


def compartment_of(code: str) -> int:
    """Which compartment twelve digits speak of. Raises ProtocolError: malformed, bad_check_digit."""
    if len(code) != DIGITS or not all(["0" <= code[at : at + 1] <= "9" for at in range(len(code))]):
        raise ProtocolError("malformed", "receipt")
    if not damm.is_valid(code):
        raise ProtocolError("bad_check_digit", "receipt")
    return int(code[:-1]) // _PROOF


def seal(key: "HmacKey", kid: bytes, locker: str, receipt: Receipt) -> str:
    """The text of a QR code. Raises ProtocolError("bad_value")."""
    values = receipt.values()
    check_all(receipt, values)
    values.insert(0, VERSION)
    return PREFIX + locker.upper() + ":" + base45.encode(cose.mac0(key, kid, cbor.encode(values)))


def locker_of(text: str) -> str:
    """Whose receipt a text claims to be. Raises ProtocolError("malformed")."""
    parts = text.split(":", 2)
    if len(text) > RECEIPT_SIZE_MAX or len(parts) != 3 or parts[0] + ":" != PREFIX:
        raise ProtocolError("malformed", "receipt")
    locker = parts[1].lower()
    if not is_locker_id(locker) or locker.upper() != parts[1]:
        raise ProtocolError("malformed", "receipt")
    return locker


def open_receipt(key: "HmacKey", kid: bytes, text: str) -> Receipt:
    """Raises ProtocolError: malformed, not_canonical, unknown_key, bad_mac, unknown_version, bad_value."""
    locker_of(text)
    payload = cose.open_mac0(key, kid, base45.decode(text.split(":", 2)[2]))
    values: list[Any] = cbor.decode(payload)
    if not isinstance(values, list) or not values:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProtocolError("malformed", "receipt")
    if isinstance(values[0], bool) or values[0] != VERSION:
        raise ProtocolError("unknown_version")
    values.pop(0)
    if len(values) != len(Receipt.FIELDS):
        raise ProtocolError("malformed", "receipt")
    check_all(Receipt, values)
    return Receipt(*values)
