"""Codes: what opens one deposit's door. Worked out when somebody entitled asks; stored and logged nowhere."""

from collections.abc import Callable

from gateway.domain.parcels import Parcel
from protocol import otp, tokens
from protocol.hmac import HmacKey
from protocol.tokens import Token


def typed_code(key: HmacKey, compartment: int, deposit: int, digits: int) -> str:
    """The digits a recipient types; the locker derives the same. `key`: the locker's "code" sub-key."""
    return otp.typed_code(key, compartment, deposit, digits)


def pickup_token(parcel: Parcel, id8: bytes, kid: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The QR of a deposited parcel. It names nobody, so that it is small: version 9 at the most, at level M."""
    return _of_a_deposit(tokens.PICKUP, parcel, id8, kid, sign)


def delegate_token(parcel: Parcel, id8: bytes, kid: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The QR of whom the recipient sends. It names nobody: only its id leads to a name, and only in our books."""
    return _of_a_deposit(tokens.DELEGATE, parcel, id8, kid, sign)


def _of_a_deposit(role: int, parcel: Parcel, id8: bytes, kid: bytes, sign: Callable[[bytes], bytes]) -> str:
    assert parcel.compartment is not None and parcel.deposit is not None and parcel.deadline_s is not None
    claims = Token(
        subject="",
        locker=parcel.locker,
        expiry_s=parcel.deadline_s,
        id=id8,
        role=role,
        compartment=parcel.compartment,
        deposit=parcel.deposit,
    )
    return tokens.seal(claims, kid, sign)


def badge_token(id8: bytes, carrier: str, expiry_s: int, kid: bytes, sign: Callable[[bytes], bytes]) -> str:
    """A courier's badge: good on every locker, also on one that is cut off."""
    claims = Token(
        subject=carrier, locker=None, expiry_s=expiry_s, id=id8, role=tokens.COURIER, compartment=None, deposit=None
    )
    return tokens.seal(claims, kid, sign)


def technician_token(  # noqa: PLR0917 - the claims of a token
    id8: bytes, holder: str, locker: str | None, expiry_s: int, kid: bytes, sign: Callable[[bytes], bytes]
) -> str:
    """A technician's authorisation: `holder` is a staff number and stands in the locker's journal."""
    claims = Token(
        subject=holder,
        locker=locker,
        expiry_s=expiry_s,
        id=id8,
        role=tokens.TECHNICIAN,
        compartment=None,
        deposit=None,
    )
    return tokens.seal(claims, kid, sign)


def groups_of(code: str) -> list[str]:
    """Four groups, of three digits or of four: easier to read out and to type."""
    size = len(code) // 4
    return [code[place : place + size] for place in range(0, len(code), size)]


def halves_of(code: str) -> list[str]:
    """As it is seen: two groups to a half, and a line breaks between halves only."""
    groups = groups_of(code)
    return [" ".join(groups[place : place + 2]) for place in range(0, len(groups), 2)]


def spelt(code: str) -> str:
    """As it is heard: digit by digit, and not as numbers of three."""
    return ", ".join(" ".join(group) for group in groups_of(code))


def has_scanner(digits: int) -> bool:
    """Codes of 16 digits are for lockers without one."""
    return digits == otp.CODE_DIGITS[0]
