"""Webhooks: who is told of a parcel's change, in which words, under which signature, and how often it is tried.

Standard Webhooks 1.0 for the headers, CloudEvents 1.0 for the body. What goes out has no personal field, no code, and
nothing that says what its recipient can or cannot do (`accessible`, `heavy`).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, WebhookNumber, webhook_id
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.parcels import Parcel
from gateway.limits import NAME_SIZE_MAX, WEBHOOK_BODY_SIZE_MAX, WEBHOOK_HOLD_S_MAX, WEBHOOK_HOLD_S_MIN

CONTESTED = "contested"  # no state: whose it is waits for its carrier's word, or was changed by it
# A state that a parcel comes into -> what is told. Each happens once in a parcel's life, so that parcel and type name
# the event: told again after a restored backup, it has the same id, and its receiver knows it.
TYPE_OF = {
    "expected": "parcel.expected",
    "deposited": "parcel.deposited",
    "collected": "parcel.collected",
    "expired": "parcel.expired",
    "taken_back": "parcel.taken_back",
    "disputed": "parcel.disputed",
    CONTESTED: "parcel.contested",
}
TYPES = tuple(TYPE_OF.values())
# A reservation comes and goes with its courier, and nobody outside has to do anything about it: coming back from one
# is no new announcement.
_SILENT = {("reserved", "expected")}

# Seconds from a try that failed to the next one: ten tries in 75.6 hours.
SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
_JITTER = 10  # at most a tenth later: what failed together shall not come back together
SALT_SIZE = 16
SECRET_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Webhook:
    """`types` empty: all there are and will be. `old_salt`: of the secret that signs too until `old_until_s`.
    `failing_since_s`: since when nothing has been taken; `failures` in a row; nothing is sent before `hold_until_s`.
    `waiting` and `given_up` count its events. `failure`: a word for the last one."""

    number: WebhookNumber
    role: str
    tenant: str
    url: str
    types: frozenset[str]
    description: str
    salt: bytes
    made_s: int
    old_salt: bytes | None = None
    old_until_s: int | None = None
    disabled_s: int | None = None
    failing_since_s: int | None = None
    failures: int = 0
    hold_until_s: int = 0
    delivered_s: int | None = None
    failed_s: int | None = None
    failure: str | None = None
    waiting: int = 0
    given_up: int = 0

    @property
    def id(self) -> str:
        return webhook_id(self.number)

    @property
    def status(self) -> str:
        if self.disabled_s is not None:
            return "disabled"
        return "active" if self.failing_since_s is None and not self.given_up else "failing"

    def salts(self, now_s: int) -> tuple[bytes, ...]:
        """Of the secrets that sign now, the newest first."""
        old = self.old_salt if self.old_until_s is not None and now_s < self.old_until_s else None
        return (self.salt,) if old is None else (self.salt, old)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that one webhook has not taken yet."""

    position: int
    webhook: WebhookNumber
    event: str
    parcel: ParcelNumber
    body: bytes
    since_s: int
    tries: int


def check_webhook(types: Sequence[str], description: str) -> None:
    """Raises Refusal("bad_value")."""
    if not set(types) <= set(TYPES):
        raise Refusal("bad_value", f"types: some of {', '.join(TYPES)}, or left out for all")
    if len(description) > NAME_SIZE_MAX or not description.isprintable():
        raise Refusal("bad_value", f"description: {NAME_SIZE_MAX} printable characters at most")


def is_silent(before: str, state: str) -> bool:
    """Whether nobody is told of this change."""
    return state not in TYPE_OF or (before, state) in _SILENT


# ------------------------------------------------------------------ what is said
def event_id(parcel: Parcel, word: str = "") -> str:
    return f"evt_{parcel.id.removeprefix('par_')}_{word or parcel.state}"


def body_of(parcel: Parcel, now_s: int, word: str = "") -> bytes:
    """A CloudEvent in JSON of a parcel that has just come into its state, or of what happened to it: a word of
    TYPE_OF."""
    event = {
        "specversion": "1.0",
        "id": event_id(parcel, word),
        "source": f"urn:consigne:locker:{parcel.locker}",
        "type": TYPE_OF[word or parcel.state],
        "subject": parcel.id,
        "time": instant(now_s),
        "datacontenttype": "application/json",
        "data": {
            "id": parcel.id,
            "label": parcel.label,
            "locker": parcel.locker,
            "compartment": parcel.compartment,
            "size": parcel.size,
            "carrier": parcel.carrier,
            "merchant": parcel.merchant or None,
            "state": parcel.state,
            "announced": parcel.announced,
            "expected_at": instant(parcel.expected_s),
            "deposited_at": maybe_instant(parcel.deposited_s),
            "deadline": maybe_instant(parcel.deadline_s),
            "ended_at": maybe_instant(parcel.ended_s),
            "collected_by": parcel.collected_by,
        },
    }
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(body) <= WEBHOOK_BODY_SIZE_MAX
    return body


# ------------------------------------------------------------------ signatures
def secret_text(secret: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secrets: Sequence[bytes], message: str, timestamp_s: int, body: bytes) -> str:
    """The header webhook-signature: one `v1` for each secret (Standard Webhooks, "Symmetric")."""
    signed = f"{message}.{timestamp_s}.".encode() + body
    macs = [hmac.digest(secret, signed, hashlib.sha256) for secret in secrets]
    return " ".join("v1," + base64.b64encode(mac).decode() for mac in macs)


# ------------------------------------------------------------------ how often
def wait_s(tries: int, chance: int) -> int | None:
    """Until the next try after `tries` that failed; None: no more. `chance`: one random byte."""
    if tries > len(SCHEDULE_S):
        return None
    step = SCHEDULE_S[tries - 1]
    return step + step * chance // (256 * _JITTER)


def hold_s(failures: int) -> int:
    """How long a receiver is left alone that has failed so often in a row."""
    return min(WEBHOOK_HOLD_S_MIN << min(failures - 1, 16), WEBHOOK_HOLD_S_MAX)
