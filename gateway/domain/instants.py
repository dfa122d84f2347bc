"""Times as the API and the webhooks tell them."""

from datetime import UTC, datetime

_LAST_S = 253_402_300_799  # the end of the year 9999: RFC 3339 has four digits for a year


def instant(seconds: int) -> str:
    """RFC 3339, UTC, whole seconds. Some are a locker's word, which may be any: what no date has room for is the last
    one there is."""
    return datetime.fromtimestamp(min(seconds, _LAST_S), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_instant(seconds: int | None) -> str | None:
    return None if seconds is None else instant(seconds)
