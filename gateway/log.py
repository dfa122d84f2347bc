"""Logs are events with fields, one line each on stderr; tests read them.

A line never holds a code, a token, a key or a person: fields with such names are refused where they are
written, in every run, so that nobody has to remember it in production.
"""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

Value = str | int | float | bool | None

# Names that would carry a secret or a person. The remedy: log the id (parcel, badge, credential, operation).
# fmt: off
DENIED = frozenset((
    "answer", "authorization", "badge_token", "body", "carrier_name", "challenge", "code", "codes", "cookie",
    "credential_secret", "delegate", "display_name", "email", "holder", "key", "label", "mail", "message_body", "name",
    "password", "payload", "person", "phone", "pickup_code", "recipient", "recipient_mail", "recipient_name",
    "recipient_phone", "recipient_ref", "secret", "seed", "signature", "text", "token", "typed",
))
# fmt: on
_VALUE_SIZE_MAX = 200  # a peer must not write our log for us
_REPEATS_KEPT = 1000  # ids of strangers remembered by `Seldom`

_lock = threading.Lock()


class _Output:
    stream: TextIO | None = None  # None: whatever sys.stderr is now
    as_json = False


def configure(*, as_json: bool, stream: TextIO | None = None) -> None:
    _Output.as_json = as_json
    _Output.stream = stream


def event(what: str, **fields: Value) -> None:
    """Write one line: the time, the event's name, its fields."""
    denied = DENIED.intersection(fields)
    assert not denied, f"log field {sorted(denied)} may hold a secret or a person: log an id, or rename it"
    record: dict[str, Value] = {"time": _now(), "event": what}
    for name, value in fields.items():
        record[name] = value[:_VALUE_SIZE_MAX] if isinstance(value, str) else value
    line = json.dumps(record, ensure_ascii=True) if _Output.as_json else _plain(record)
    # A log that cannot be written (a full disk, a reader that has gone) must not end the service that it tells of.
    with _lock, contextlib.suppress(OSError):
        print(line, file=_Output.stream or sys.stderr, flush=True)


def _now() -> str:
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"


def _plain(record: dict[str, Value]) -> str:
    """time event field=value …; a value that is not one plain word is quoted as JSON."""
    words = [str(record["time"]), str(record["event"])]
    for name, value in list(record.items())[2:]:
        plain = isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & set(' "=')
        words.append(f"{name}={value if plain and value else json.dumps(value)}")
    return " ".join(words)


class Seldom:
    """Lets one event per subject through in `every_s`: a stranger must not fill the disk with our log."""

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._last: dict[str, float] = {}

    def allows(self, subject: str) -> bool:
        now = self._clock()
        if now - self._last.get(subject, -self._every_s) < self._every_s:
            return False
        if len(self._last) >= _REPEATS_KEPT:
            self._last.clear()
        self._last[subject] = now
        return True
