"""Typed codes: what a recipient keys in. Both sides derive them, so none is stored and none travels.

A code is HOTP's idea (RFC 4226) over HMAC-SHA-256 and 63 bits, then Damm's check digit.
"""

from typing import TYPE_CHECKING

from protocol import damm

if TYPE_CHECKING:
    from protocol.hmac import HmacKey

CODE_DIGITS = (12, 16)  # 16 on lockers without a scanner, where no bucket can close the keypad


def truncate(digest: bytes, width: int = 8) -> int:
    """Dynamic truncation (RFC 4226, section 5.3): `width` bytes from where the last byte says, without the top bit.

    Width 4 is the RFC's; ours is 8.
    """
    start = digest[-1] & 0x0F
    assert start + width <= len(digest)
    return int.from_bytes(digest[start : start + width], "big") & ((1 << (8 * width - 1)) - 1)


def typed_code(key: "HmacKey", compartment: int, deposit: int, digits: int = 12) -> str:
    """The one code of (compartment, deposit) at the locker whose code sub-key `key` is.

    The remainder favours low codes by less than 1 in 10**7 (12 digits) or 10**3 (16): too little to guess by.
    """
    assert digits in CODE_DIGITS
    number = truncate(key.digest(compartment.to_bytes(2, "big") + deposit.to_bytes(4, "big")))
    front = str(number % 10 ** (digits - 1))
    front = "0" * (digits - 1 - len(front)) + front
    return front + damm.check_digit(front)


def is_well_formed(code: str) -> bool:
    """Whether it could be a code: else it is a typo. ASCII only: people's keyboards know other digits."""
    if len(code) not in CODE_DIGITS:
        return False
    # Slices: MicroPython keeps each letter that is taken out of a text in its table of names.
    return all(["0" <= code[at : at + 1] <= "9" for at in range(len(code))]) and damm.is_valid(code)
