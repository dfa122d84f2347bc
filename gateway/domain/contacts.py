"""How a mail address and a telephone number look, said once for the API and for every form.

Loosely: whether somebody reads it only the mail server knows. Each pattern has one way to fit a text, so that a text
made to be hard, however long, is refused in the time it takes to read it.
"""

import re

from gateway.limits import MAIL_SIZE_MAX, PHONE_SIZE_MAX

MAIL = r"^[^ @]+@[^ @.]+(\.[^ @.]+)+$"
PHONE = r"^\+?[0-9][0-9 ().-]{2,}$"


def is_mail(text: str) -> bool:
    return len(text) <= MAIL_SIZE_MAX and text.isprintable() and re.fullmatch(MAIL, text) is not None


def is_phone(text: str) -> bool:
    return len(text) <= PHONE_SIZE_MAX and re.fullmatch(PHONE, text) is not None
