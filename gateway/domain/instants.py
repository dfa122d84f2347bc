"""Times as the API and the webhooks tell them."""

from datetime import UTC, datetime


def instant(seconds: int) -> str:
    """RFC 3339, UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_instant(seconds: int | None) -> str | None:
    return None if seconds is None else instant(seconds)
