"""Telephone numbers as people write them, brought into E.164, which providers want.

A number without a country is French. Mobiles of the overseas departments have country codes of their own (ARCEP's
numbering plan), though they are dialled like any other.
"""

import re

COUNTRY = "33"
OVERSEAS = {
    "0639": "262",
    "0690": "590",
    "0691": "590",
    "0692": "262",
    "0693": "262",
    "0694": "594",
    "0696": "596",
    "0697": "596",
}
_NATIONAL = re.compile(r"0[1-9][0-9]{8}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MOBILE = re.compile(r"\+33[67][0-9]{8}")


def e164(text: str) -> str | None:
    """None: no number that we understand."""
    digits = re.sub(r"[ ().\-/\u00a0\u202f]", "", text.replace("(0)", ""))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if _NATIONAL.fullmatch(digits):
        return f"+{OVERSEAS.get(digits[:4], COUNTRY)}{digits[1:]}"
    return digits if _E164.fullmatch(digits) else None


def takes_messages(number: str) -> bool:
    """Of a French number we know that a landline cannot; of others nothing."""
    return not number.startswith(f"+{COUNTRY}") or _MOBILE.fullmatch(number) is not None
