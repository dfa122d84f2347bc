"""Ids as people and programs see them: a prefix that says of what, and a random number in Crockford's base32.

Parcels, operations, credentials, webhooks, reports are random 63-bit numbers in the books and on the wire; in the API
they are "par_", "op_", "cred_", "wh_", "rep_" and 13 lower-case digits. Badge and command ids are 8 bytes, in hex in
the API.
"""

from typing import NewType

from gateway.domain.errors import Refusal

ParcelNumber = NewType("ParcelNumber", int)
OperationNumber = NewType("OperationNumber", int)
CredentialNumber = NewType("CredentialNumber", int)
WebhookNumber = NewType("WebhookNumber", int)
ReportNumber = NewType("ReportNumber", int)

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_HEX_DIGITS = frozenset("0123456789abcdef")
_WIDTH = 13
NUMBER_MAX = 0x7FFFFFFFFFFFFFFF


def number_from(random: bytes) -> int:
    """A number of 1 to 63 bits from 8 random bytes; 0 stays "none" on the wire."""
    assert len(random) == 8
    return (int.from_bytes(random, "big") & NUMBER_MAX) or 1


def _text(prefix: str, number: int) -> str:
    digits = [DIGITS[(number >> (5 * place)) & 31] for place in range(_WIDTH)]
    return prefix + "".join(reversed(digits))


def _number(prefix: str, text: str, code: str) -> int:
    body = text[len(prefix) :]
    if not text.startswith(prefix) or len(body) != _WIDTH or any(letter not in DIGITS for letter in body):
        raise Refusal(code, f"an id of this kind looks like {prefix}{'0' * _WIDTH}")
    number = 0
    for letter in body:
        number = number << 5 | DIGITS.index(letter)
    if not 0 < number <= NUMBER_MAX:
        raise Refusal(code, "there is no such id")
    return number


def id_bytes(text: str, unknown: str, size: int = 8) -> bytes:
    """Of a badge, a delegation or (4 bytes) a signing key. Raises Refusal(`unknown`)."""
    if len(text) != 2 * size or not set(text) <= _HEX_DIGITS:
        raise Refusal(unknown, f"an id of this kind is {2 * size} hexadecimal digits")
    return bytes.fromhex(text)


def parcel_id(number: ParcelNumber) -> str:
    return _text("par_", number)


def parcel_number(text: str) -> ParcelNumber:
    """Raises Refusal("unknown_parcel")."""
    return ParcelNumber(_number("par_", text, "unknown_parcel"))


def operation_id(number: OperationNumber) -> str:
    return _text("op_", number)


def operation_number(text: str) -> OperationNumber:
    """Raises Refusal("unknown_operation")."""
    return OperationNumber(_number("op_", text, "unknown_operation"))


def credential_id(number: CredentialNumber) -> str:
    return _text("cred_", number)


def credential_number(text: str) -> CredentialNumber:
    """Raises Refusal("unknown_credential")."""
    return CredentialNumber(_number("cred_", text, "unknown_credential"))


def webhook_id(number: WebhookNumber) -> str:
    return _text("wh_", number)


def webhook_number(text: str) -> WebhookNumber:
    """Raises Refusal("unknown_webhook")."""
    return WebhookNumber(_number("wh_", text, "unknown_webhook"))


def report_id(number: ReportNumber) -> str:
    return _text("rep_", number)


def report_number(text: str) -> ReportNumber:
    """Raises Refusal("unknown_report")."""
    return ReportNumber(_number("rep_", text, "unknown_report"))
