"""How long a receiver asks us to wait (Retry-After, RFC 9110 10.2.3). It is a stranger's text: whatever stands there
is a number of seconds, or nothing.
"""

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

_DIGITS_MAX = 9  # thirty years


def retry_after_s(answer: httpx.Response) -> int | None:
    """A date counts from the answer's own, whose clock may not be ours. None: it says nothing that can be read."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return int(said[:_DIGITS_MAX])
    until_s, now_s = _unix_s(said), _unix_s(answer.headers.get("Date", ""))
    return None if until_s is None else max(0, int(until_s - (time.time() if now_s is None else now_s)))


def _unix_s(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # it has no one error for what is no date
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).timestamp()
